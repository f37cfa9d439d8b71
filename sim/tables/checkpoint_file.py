"""A checkpoint as one file: facts, a tree of plain values, and typed arrays.

Takes and gives what a run needs to go on from an instant. The file is a line that names the format,
the length of a head, the head as JSON, and the arrays one after the other, deflated, little-endian;
the head tells type, shape and digest of each, and is sealed itself. Nothing in it is code. It is
written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.errors import UserError
from sim.tables.digest import seal
from sim.tables.kept_state import Arrays, Tree
from sim.tables.whole_file import machine_errors, write_whole

FORMAT = b"payroute checkpoint 1\n"
_LENGTH_BYTES = 8
_TYPES = ("<i8", "<u8", "<f8", "|b1", "|u1")
_LEVEL = 1
"""Most of what is large is zeros: more effort gains little."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run needs to go on.

    Attributes
    ----------
    facts : dict
        What was run, and how far.
    tree : Tree
        What folders hold; names arrays by number.
    arrays : list of ndarray
    """

    facts: dict[str, Tree]
    tree: Tree
    arrays: Arrays


def write_checkpoint(path: Path, kept: Checkpoint) -> None:
    """Write a checkpoint in place of the one before.

    Raises
    ------
    MachineError
        If it cannot be written; the one before is still there then.
    """
    pieces, told = [], list[dict[str, object]]()
    for array in kept.arrays:
        piece = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        packed = zlib.compress(piece.tobytes(), _LEVEL)
        pieces.append(packed)
        told.append(
            {
                "type": piece.dtype.str,
                "shape": list(array.shape),
                "bytes": len(packed),
                "digest": _digest(packed),
            }
        )
    content = {"facts": kept.facts, "tree": kept.tree, "arrays": told}
    head = json.dumps({**content, "seal": seal(content)}, allow_nan=False).encode()
    length = len(head).to_bytes(_LENGTH_BYTES, "little")
    write_whole(path, b"".join((FORMAT, length, head, *pieces)))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    UserError
        If there is none, it is of another format, or is not as it was written.
    """
    if not path.is_file():
        raise UserError(f"{path.parent}: no checkpoint there; run with --checkpoint EVERY first")
    with machine_errors(path):
        content = path.read_bytes()
    if not content.startswith(FORMAT):
        raise UserError(
            f"{path}: found no checkpoint of this format; allowed: one of this version of payroute"
        )
    begin = len(FORMAT) + _LENGTH_BYTES
    end = begin + int.from_bytes(content[len(FORMAT) : begin], "little")
    altered = UserError(f"{path}: not as it was written; begin again without --continue")
    try:
        head = json.loads(content[begin:end])
        sealed = head.pop("seal")
    except (ValueError, KeyError, AttributeError):
        raise altered from None
    if sealed != seal(head):
        raise altered
    arrays: Arrays = []
    for told in head["arrays"]:
        packed = content[end : end + told["bytes"]]
        end += told["bytes"]
        if _digest(packed) != told["digest"] or told["type"] not in _TYPES:
            raise altered
        array = np.frombuffer(zlib.decompress(packed), dtype=told["type"])
        # In this machine's order of bytes, and writable.
        native = array.dtype.newbyteorder("=")
        arrays.append(np.array(array.reshape(told["shape"]), dtype=native))
    return Checkpoint(head["facts"], head["tree"], arrays)


def _digest(packed: bytes) -> str:
    return hashlib.blake2b(packed, digest_size=16, person=b"payroute.array").hexdigest()
