"""Hold the source to the rules of the house: libraries, sizes, names, what must not be there.

Takes the text of ``sim/`` and ``tests/``, parsed, never run. Exceptions are written down with
their reason or size; they may shrink, not grow. Which folder imports which is not said here but in
the contracts of import-linter in ``pyproject.toml``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIM = ROOT / "sim"
TESTS = ROOT / "tests"
SOURCES = sorted(SIM.rglob("*.py"))
TEST_SOURCES = sorted(TESTS.rglob("*.py"))

HOME = {
    "simpy": {"engine"},
    "numba": {"jit", "engine"},
    "scipy": {"draws", "analysis", "study"},
    "pyarrow": {"tables", "audit", "analysis", "explain", "study", "report", "cli", "api"},
    "duckdb": {"analysis"},
    "networkx": {"routing"},
    "segno": {"qr"},
    "yaml": {"calendars", "scenario", "cli"},
    "typer": {"cli"},
    "rich": {"cli", "report", "explain"},
    "tabulate": {"report"},
    "altair": {"report"},
    "vl_convert": {"report"},
    "jinja2": {"report"},
    "dask": {"study"},
    "distributed": {"study"},
}
"""Outside libraries at home in these folders only."""

NETWORK_MODULES = {
    "socket", "ssl", "http", "urllib", "ftplib", "smtplib", "telnetlib", "xmlrpc", "socketserver",
    "asyncio", "requests", "httpx", "aiohttp", "websockets",
}  # fmt: skip

FILE_LINES_MAX = 450
LONGER_FILES: dict[str, int] = {}
FUNCTION_LINES_MAX = 60
LONGER_FUNCTIONS = {
    "sim/draws/threefry.py:threefry4x32": 120,  # twenty rounds, unrolled
    "sim/cli/qr.py:encode_command": 77,  # one option per field of a code
}
POSITIONAL_MAX = 4
MORE_POSITIONAL = {
    "sim/draws/lookup.py:draw62",
}
"""Public functions with more; Numba's cannot have keyword-only parameters and are excepted."""

BANNED_NAMES = {"utils", "helpers", "helper", "util", "manager", "data", "info", "misc", "common"}
BANNED_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _layer(path: Path) -> str:
    parts = path.relative_to(SIM).parts
    return parts[0] if len(parts) > 1 else path.stem


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno}: relative import"
            yield node.lineno, node.module or ""
            if node.module == "sim":
                yield from ((node.lineno, f"sim.{alias.name}") for alias in node.names)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_there_is_source_to_look_at() -> None:
    assert len(SOURCES) > 80
    assert len(TEST_SOURCES) > 40


def test_contracts_of_imports_are_checked_before_a_change_lands() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    floors = [contract for contract in contracts if contract["type"] == "layers"]
    assert [contract["exhaustive"] for contract in floors] == [True]
    assert {"independence", "protected"} <= {contract["type"] for contract in contracts}
    assert "lint-imports" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_libraries_stay_at_home() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in SOURCES
        for line, module in _imports(path)
        if module.split(".")[0] in HOME and _layer(path) not in HOME[module.split(".")[0]]
    ]
    assert wrong == []


def test_nothing_opens_a_connection() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in SOURCES
        for line, module in _imports(path)
        if module.split(".")[0] in NETWORK_MODULES
    ]
    assert wrong == []


SECONDS_ONLY = {
    "sim/engine/compiled.py",
    "sim/engine/reference/loop.py",
    "sim/engine/reference/run.py",
}
"""Files that measure wall time, in floating point, for nobody but the reader."""


def _floats(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_division = isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div)
        is_call = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "float"
        )
        if is_literal or is_division or is_call:
            yield f"{_name(path)}:{getattr(node, 'lineno', 0)}"


def test_engines_hold_no_floating_point() -> None:
    watched = [path for path in SOURCES if _layer(path) == "engine"]
    watched += [SIM / "draws" / name for name in ("lookup.py", "threefry.py")]
    wrong = [at for path in watched if _name(path) not in SECONDS_ONLY for at in _floats(path)]
    assert wrong == []


def test_the_check_of_floats_finds_them() -> None:
    assert list(_floats(SIM / "draws" / "quantile.py"))


def test_files_are_short_enough_to_read() -> None:
    wrong = []
    for path in SOURCES + TEST_SOURCES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        most = LONGER_FILES.get(_name(path), FILE_LINES_MAX + (50 if TESTS in path.parents else 0))
        if lines > most:
            wrong.append(f"{_name(path)}: {lines} lines, at most {most}")
    assert wrong == []


def _length(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without docstring and comments: who says why is not fined."""
    text = path.read_text(encoding="utf-8").splitlines()
    body = text[function.lineno - 1 : function.end_lineno]
    lines = len(body) - sum(line.lstrip().startswith("#") for line in body)
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def test_functions_are_short_enough_to_read() -> None:
    wrong = []
    for path in SOURCES:
        for function in _functions(_tree(path)):
            length = _length(path, function)
            name = f"{_name(path)}:{function.name}"
            most = LONGER_FUNCTIONS.get(name, FUNCTION_LINES_MAX)
            if length > most:
                wrong.append(f"{name}: {length} lines, at most {most}")
    assert wrong == []


def test_exceptions_are_still_needed() -> None:
    for name in LONGER_FILES:
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX, name
    lengths = {
        f"{_name(path)}:{function.name}": _length(path, function)
        for path in SOURCES
        for function in _functions(_tree(path))
    }
    unneeded = [n for n in LONGER_FUNCTIONS if lengths.get(n, 0) <= FUNCTION_LINES_MAX]
    assert unneeded == []


def _is_compiled(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    words = {"njit", "jit", "inlined", "called", "compiled", "kernel"}
    found = [ast.unparse(item) for item in function.decorator_list]
    return any(word in text for text in found for word in words)


def test_functions_take_few_positional_parameters() -> None:
    wrong = []
    for path in SOURCES:
        if "kernel" in path.parts or "typer" in path.read_text(encoding="utf-8"):
            continue
        for function in _functions(_tree(path)):
            if function.name.startswith("_") or _is_compiled(function):
                continue
            names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
            count = len([name for name in names if name not in ("self", "cls")])
            name = f"{_name(path)}:{function.name}"
            if count > POSITIONAL_MAX and name not in MORE_POSITIONAL:
                wrong.append(f"{name}: {count} positional parameters")
    assert wrong == []


def test_nothing_is_called_what_says_nothing() -> None:
    wrong = [_name(path) for path in SOURCES + TEST_SOURCES if path.stem in BANNED_NAMES]
    wrong += [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and node.name.lower().strip("_") in BANNED_NAMES
    ]
    assert wrong == []


def test_sets_are_iterated_in_order_only() -> None:
    wrong = []
    for path in SOURCES:
        for node in ast.walk(_tree(path)):
            iterated = []
            if isinstance(node, ast.For):
                iterated = [node.iter]
            elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp)):
                iterated = [part.iter for part in node.generators]
            for item in iterated:
                is_call = isinstance(item, ast.Call) and isinstance(item.func, ast.Name)
                named = is_call and item.func.id in ("set", "frozenset")  # type: ignore[attr-defined]
                if named or isinstance(item, (ast.Set, ast.SetComp)):
                    wrong.append(f"{_name(path)}:{item.lineno}")
    assert wrong == []


def test_defaults_cannot_be_changed_by_a_call() -> None:
    wrong = [
        f"{_name(path)}:{function.lineno} {function.name}"
        for path in SOURCES + TEST_SOURCES
        for function in _functions(_tree(path))
        for default in (*function.args.defaults, *function.args.kw_defaults)
        if isinstance(default, (ast.List, ast.Dict, ast.Set, ast.ListComp))
    ]
    assert wrong == []


def test_every_file_says_what_it_is() -> None:
    wrong = [
        _name(path)
        for path in SOURCES + TEST_SOURCES
        if not ast.get_docstring(_tree(path))
        and not (path.name == "__init__.py" and not path.read_text(encoding="utf-8").strip())
    ]
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    wrong = [
        f"{_name(path)}:{number}"
        for path in SOURCES + TEST_SOURCES
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if BANNED_WORDS.search(line)
    ]
    assert wrong == []


def test_tests_are_functions_and_warnings_are_errors() -> None:
    wrong = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in TEST_SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]
    assert wrong == []
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    options = settings["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"
    assert options["xfail_strict"] is True
    ignored = [
        f"{_name(path)}:{number}"
        for path in TEST_SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "filterwarnings" in line and "ignore" in line and path != Path(__file__)
        # The client of a cluster that goes away warns of its own event loop.
        if _name(path) != "tests/unit/study/test_cluster.py"
    ]
    assert ignored == []


MAY_SKIP = {
    "tests/conftest.py",  # the large suite runs on demand
    "tests/benchmarks/test_mm1.py",  # compares with C where there is a compiler
    "tests/benchmarks/test_replication_scaling.py",  # needs two processors
}


def test_unsteady_tests_are_not_skipped() -> None:
    marks = re.compile(r"pytest\.mark\.(skip|xfail|flaky)\b|pytest\.skip\(")
    wrong = [
        f"{_name(path)}:{number}"
        for path in TEST_SOURCES
        if path != Path(__file__) and _name(path) not in MAY_SKIP
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["CHANGELOG.md", "README.md", "LICENSE", "constraints.txt"])
def test_what_every_reader_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()
