"""Keep the points of sweeps, one small file each, on any file system.

Takes a path or an fsspec address; gives files that are either whole or not there. A file is written
under another name and then moved. The name of a file says what was asked, so that points of other
replications, other changes or another version lie beside each other, and two processes that run the
same sweep write the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from sim.errors import MachineError, OptionError
from sim.tables.json_text import json_text
from sim.tables.whole_file import machine_errors, remove_stale_drafts, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.tables.tabular import TabularData

_CLAIM = "experiment.json"
_POINTS = "points"
TABLE = "sweep.parquet"
"""The table of the sweep that was finished last; each has one under a name of its own, too."""


class Store:
    """The files of the sweeps of one experiment.

    Parameters
    ----------
    folder : str
        A path of this machine, or an address with ``://``.
    """

    def __init__(self, folder: str) -> None:
        self._files: _Files = _Remote(folder) if "://" in folder else _Local(folder)

    def claim(self, experiment: str) -> None:
        """Say whose folder this is.

        Raises
        ------
        UserError
            If it is another experiment's.
        """
        text = self._files.read(_CLAIM)
        try:
            owner = experiment if text is None else json.loads(text)["experiment"]
        except (ValueError, TypeError, KeyError):
            raise OptionError(
                "out",
                f"found {_CLAIM} there, which this program did not write; allowed: a new folder",
            ) from None
        if owner != experiment:
            raise OptionError(
                "out",
                f"found the points of {owner!r}; allowed: a folder of {experiment!r}, or a new one",
            )
        if self._has_strange_table():
            raise OptionError(
                "out",
                f"found {TABLE} there, which this program did not write or somebody changed since; "
                f"allowed: a new folder, or move the file away",
            )
        if text is None:
            self._files.write(_CLAIM, json.dumps({"experiment": experiment}).encode())
        self._files.tidy()

    def has_done(self, number: int, key: str) -> bool:
        """Say whether a point is finished, of exactly this scenario."""
        return self._content(number, key).get("status") == "done"

    def write(self, number: int, key: str, content: dict[str, object]) -> None:
        """Write a point's file, whole or not at all."""
        self._files.write(_name(number, key), json_text(content, indent=None).encode())

    def read(self, number: int, key: str) -> dict[str, object]:
        """Read a point's file.

        Parameters
        ----------
        number : int
        key : str
            Stands for all that its result depends on.

        Raises
        ------
        MachineError
            If it is missing: something was removed while the sweep ran.
        """
        content = self._content(number, key)
        if not content:
            raise MachineError(f"point {number}: its file is gone; run the sweep again")
        return content

    def _content(self, number: int, key: str) -> dict[str, object]:
        """Return a point's file, nothing where there is none or it cannot be read."""
        text = self._files.read(_name(number, key))
        with contextlib.suppress(ValueError):
            content = None if text is None else json.loads(text)
            if isinstance(content, dict) and content.get("key") == key:
                return content
        return {}

    def write_table(self, table: TabularData, origin: Mapping[str, object]) -> None:
        """Write the tidy table, with what made it in its metadata.

        Notes
        -----
        First under a name its values give it, which no other table takes from it; by that name the
        one in the last one's place is known for ours.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from sim.tables.tabular import to_arrow

        made, sink = to_arrow(table, origin=origin), pa.BufferOutputStream()
        pq.write_table(made, sink)
        content = sink.getvalue().to_pybytes()
        self._files.write(_table_name(made.to_pylist()), content)
        self._files.write(TABLE, content)

    def _has_strange_table(self) -> bool:
        """Say whether there is a table in the last one's place that is none of ours."""
        content = self._files.read(TABLE)
        if content is None:
            return False
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            rows = pq.read_table(pa.BufferReader(content)).to_pylist()
            return self._files.read(_table_name(rows)) is None
        except (pa.ArrowException, OSError, TypeError, ValueError):
            return True


def _name(number: int, key: str) -> str:
    return f"{_POINTS}/{number:06d}-{key}.json"


def _table_name(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the name of the file that keeps a table of these values."""
    text = json.dumps(rows)
    digest = hashlib.blake2b(text.encode(), digest_size=6, person=b"payroute.table")
    return f"sweep-{digest.hexdigest()}.parquet"


class _Local:
    """Files of this machine."""

    def __init__(self, folder: str) -> None:
        # Whatever becomes the working directory later, the folder stays where it was meant.
        self._folder = Path(folder).absolute()

    def read(self, name: str) -> bytes | None:
        # Where a file stands in the folder's place, writing says so.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return (self._folder / name).read_bytes()
        return None

    def write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        with machine_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)

    def tidy(self) -> None:
        for folder in (self._folder, self._folder / _POINTS):
            remove_stale_drafts(folder)


class _Remote:
    """Files behind an address."""

    def __init__(self, folder: str) -> None:
        try:
            core = importlib.import_module("fsspec.core")
        except ImportError:
            raise MachineError(
                f"{folder}: needs fsspec, which is not installed; install it with "
                f"`pip install payroute[cluster]`, or choose a local folder"
            ) from None
        open_fs = cast("Callable[[str], tuple[_FileSystem, str]]", core.url_to_fs)
        self._folder = folder
        try:
            self._system, self._root = open_fs(folder)
        except ImportError as error:
            raise MachineError(
                f"{folder}: {error}; install what it names, or choose a local folder"
            ) from None
        except ValueError as error:
            raise OptionError(
                "out",
                f"found {folder!r} ({error}); allowed: a folder, or an address fsspec "
                f"knows, such as s3://bucket/sweep",
            ) from None
        except Exception as error:
            raise self._refused(error) from error

    def read(self, name: str) -> bytes | None:
        try:
            return self._system.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._refused(error) from error

    def write(self, name: str, content: bytes) -> None:
        # Object stores show a file only when it is complete; elsewhere the move makes it so.
        path = f"{self._root}/{name}"
        draft = f"{path}.{uuid.uuid4().hex}"
        try:
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._system.pipe_file(draft, content)
            self._system.mv(draft, path)
        except Exception as error:
            raise self._refused(error) from error

    def tidy(self) -> None:
        """Leave drafts alone: what is a draft of ours, no store of others can tell by its age."""

    def _refused(self, error: Exception) -> MachineError:
        """Return what to say; each kind of store has errors of its own."""
        found = f"{type(error).__name__}: {error}"
        return MachineError(f"{self._folder}: cannot be used ({found}); check address and rights")


_Files = _Local | _Remote


class _FileSystem(Protocol):
    """The part of fsspec's file systems that is used."""

    def cat_file(self, path: str) -> bytes: ...

    def pipe_file(self, path: str, value: bytes) -> None: ...

    def makedirs(self, path: str, exist_ok: bool = False) -> None: ...

    def mv(self, path1: str, path2: str) -> None: ...
