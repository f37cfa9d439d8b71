"""Run folders and files of payments that were damaged: commands answer, in words of their own.

Takes a small run with its whole log, made once, and a seed; gives how many commands found nothing
to complain of. A file of a copy is damaged, as bytes or as a table or document that is well formed
and says something else; then a command reads it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.scenarios import mutated, within
from tests.unit.cli.queue import payroute, run_queue

BUG = "This is a bug in payroute"
SECONDS = 300
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 1e308, "", "x" * 200, "\x1b[31m", [], {}, [[]], {"a": None}, "nan",
)  # fmt: skip
_TRACED = """
scenario: traced
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 2 min}
rails:
  shop:
    kind: generic
    stations: {counter: {servers: 3}}
    stages: [{name: service, serve: counter, time: 1 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, trace: {file: NAME}}
"""
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("audit", "RUN"),
    ("diff", "RUN", "BASE"),
    ("explain", "RUN", "--payment", "3"),
    ("report", "RUN"),
    *(("export", "RUN", "--format", form) for form in ("csv", "xes", "ocel", "sqlite", "trace")),
)


@cache
def base_run(folder: Path) -> Path:
    """Return a small run with its whole log."""
    folder.mkdir(parents=True, exist_ok=True)
    short = ("--set", "clock.horizon=10 s")
    done, out = run_queue(folder, "--record", "events", "--force", *short)
    assert done.exit_code == 0, done.stderr
    return out


def _damaged_bytes(dice: random.Random, path: Path) -> None:
    """Damage a file as a disk or an editor does."""
    content = bytearray(path.read_bytes())
    at = dice.randrange(len(content) + 1)
    match dice.randrange(4):
        case 0:
            content = content[:at]
        case 1:
            for _ in range(dice.choice((1, 8, 64))):
                content[dice.randrange(len(content))] = dice.randrange(256)
        case 2:
            content[at:at] = dice.randbytes(dice.randrange(1, 40))
        case _:
            content = bytearray(dice.randbytes(dice.randrange(200)))
    path.write_bytes(content)


def _damaged_table(dice: random.Random, path: Path) -> None:
    """Write a table that is well formed and says something else."""
    table = pq.read_table(path)
    at = dice.randrange(table.num_columns)
    name, column = table.column_names[at], table.column(at)
    values = column.to_pylist()
    some = dice.randrange(len(values)) if values else 0
    match dice.randrange(7):
        case 0:
            table = table.drop_columns([name])
        case 1:
            table = table.rename_columns(
                [*table.column_names[:at], "x", *table.column_names[at + 1 :]]
            )
        case 2:
            table = table.set_column(at, name, pa.array([str(value) for value in values]))
        case 3:
            values[some : some + dice.choice((1, 10**6))] = [None] * len(values[some : some + 1])
            values += [None] * (table.num_rows - len(values))
            table = table.set_column(
                at,
                name,
                pa.array(
                    values, type=pa.int64() if pa.types.is_integer(column.type) else pa.string()
                ),
            )
        case 4 if pa.types.is_integer(column.type) and values:
            values[some] = dice.choice((-(2**63), 2**63 - 1, -1, 2**62, 2**40))
            table = table.set_column(at, name, pa.array(values, type=pa.int64()))
        case 5:
            table = table.slice(0, dice.choice((0, 1)))
        case _:
            table = pa.concat_tables([table, table.slice(0, 3)])
    pq.write_table(table, path)


def _damaged_document(dice: random.Random, path: Path) -> None:
    """Write a JSON document in which one value is another."""
    content = json.loads(path.read_text(encoding="utf-8"))
    inside, key = content, dice.choice(list(content))
    while isinstance(inside[key], dict) and inside[key] and dice.random() < 0.7:
        inside = inside[key]
        key = dice.choice(list(inside))
    if dice.random() < 0.3:
        del inside[key]
    else:
        inside[key] = dice.choice(_VALUES)
    path.write_text(json.dumps(content), encoding="utf-8")


def damage(dice: random.Random, path: Path) -> None:
    """Damage one file of a run folder."""
    ways: dict[str, Callable[[random.Random, Path], None]] = {
        ".parquet": _damaged_table, ".json": _damaged_document,
    }  # fmt: skip
    own = ways.get(path.suffix)
    if path.suffix == ".yaml" and dice.random() < 0.7:
        path.write_text(mutated(dice, path.read_text(encoding="utf-8")), encoding="utf-8")
    elif own is None or dice.random() < 0.3:
        _damaged_bytes(dice, path)
    else:
        own(dice, path)


def try_run(dice: random.Random, folder: Path) -> tuple[tuple[str, ...], str, int]:
    """Damage a copy of the run, ask a command about it; return both, and how it ended."""
    base, copy = base_run(folder / "base"), folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(base, copy)
    name = dice.choice(sorted(path.name for path in copy.iterdir()))
    damage(dice, copy / name)
    words = tuple(
        {"RUN": str(copy), "BASE": str(base)}.get(word, word) for word in dice.choice(_COMMANDS)
    )
    return words, name, _ended(words)


def try_trace(dice: random.Random, folder: Path) -> tuple[tuple[str, ...], str, int]:
    """Damage a file of payments and check the scenario that reads it."""
    rows = "".join(f"{at} s,{100 * at + 100},{at % 3}\n" for at in range(20))
    name = dice.choice(("payments.csv", "payments.parquet"))
    path = folder / name
    if name == "payments.csv":
        text = f"at,amount,payer\n{rows}"
        for _ in range(dice.randrange(1, 4)):
            text = mutated(dice, text)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    else:
        columns = {
            "at": [f"{at} s" for at in range(20)],
            "amount": [str(at) for at in range(1, 21)],
        }
        pq.write_table(pa.table(columns), path)
        (_damaged_bytes if dice.random() < 0.4 else _damaged_table)(dice, path)
    scenario = folder / "traced.yaml"
    scenario.write_text(_TRACED.replace("NAME", name), encoding="utf-8")
    words = ("validate", str(scenario))
    return words, name, _ended(words)


def _ended(words: tuple[str, ...]) -> int:
    with within(SECONDS):
        done = payroute(*words)
    # 2 of a user's mistake, 3 of a check, 4 of the machine's refusal; 1 is a bug of ours.
    assert done.exit_code in (0, 2, 3, 4), done.stderr
    assert BUG not in done.stderr, done.stderr
    if done.exit_code:
        assert (done.stdout + done.stderr).strip()
    return int(done.exit_code)


def try_mutants(count: int, seed: int, folder: Path) -> int:
    """Try damaged files and return after how many commands ended well.

    Raises
    ------
    AssertionError
        At the first one that is answered otherwise; number and seed make it again.
    """
    well = 0
    for number in range(count):
        dice = random.Random(f"{seed}.{number}")
        try:
            one = try_trace if dice.random() < 0.3 else try_run
            well += one(dice, folder)[2] == 0
        except Exception as error:
            raise AssertionError(f"seed {seed}, number {number}: {error}") from error
    return well
