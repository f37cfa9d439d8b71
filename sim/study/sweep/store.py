"""Keep the points of a sweep, one small file each, on any file system.

Takes a path or an fsspec address; gives files that are either whole or not there. A file is written
under another name and then moved; two processes that run the same sweep write the same.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from sim.errors import MachineError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.tables.tabular import TabularData

_CLAIM = "experiment.json"
_POINTS = "points"
TABLE = "sweep.parquet"


class Store:
    """The files of one sweep.

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
        if text is None:
            self._files.write(_CLAIM, json.dumps({"experiment": experiment}).encode())
            return
        owner = json.loads(text)["experiment"]
        if owner != experiment:
            raise OptionError(
                "out",
                f"found the points of {owner!r}; allowed: a folder of {experiment!r}, or a new one",
            )

    def has_done(self, number: int, key: str) -> bool:
        """Say whether a point is finished, of exactly this scenario."""
        content = self._content(number)
        return content.get("key") == key and content.get("status") == "done"

    def write(self, number: int, content: dict[str, object]) -> None:
        """Write a point's file, whole or not at all."""
        self._files.write(_name(number), json.dumps(content, allow_nan=False).encode())

    def read(self, number: int, key: str | None = None) -> dict[str, object]:
        """Read a point's file.

        Parameters
        ----------
        number : int
        key : str, optional
            Of the point that must be in it; absent: any.

        Raises
        ------
        MachineError
            If it is missing or another's: something was removed while the sweep ran.
        """
        content = self._content(number)
        if not content or key not in (None, content.get("key")):
            raise MachineError(f"point {number}: its file is gone; run the sweep again")
        return content

    def _content(self, number: int) -> dict[str, object]:
        """Return a point's file, nothing where there is none or it cannot be read."""
        text = self._files.read(_name(number))
        with contextlib.suppress(json.JSONDecodeError):
            content = None if text is None else json.loads(text)
            return content if isinstance(content, dict) else {}
        return {}

    def write_table(self, table: TabularData, origin: Mapping[str, object]) -> None:
        """Write the tidy table, with what made it in its metadata."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from sim.tables.tabular import to_arrow

        sink = pa.BufferOutputStream()
        pq.write_table(to_arrow(table, origin=origin), sink)
        self._files.write(TABLE, sink.getvalue().to_pybytes())


def _name(number: int) -> str:
    return f"{_POINTS}/{number:06d}.json"


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
        from sim.tables.parquet_stream import machine_errors

        path = self._folder / name
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with machine_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            draft.replace(path)


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
