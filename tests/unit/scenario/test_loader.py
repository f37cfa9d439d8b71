"""Reading one file: text stays text, traps are refused with their line, files are bounded."""

from __future__ import annotations

import gc
import os
import re
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.errors import Problem, ScenarioError
from sim.model.evidence import Evidence, EvidenceNote
from sim.scenario.loader import dump_resolved, load_document
from sim.scenario.tree import Tree, parse_text, plain_tree


def write(folder: Path, text: str | bytes, name: str = "s.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems_of(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_document(path, overrides)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text", ["NO", "17:00", "010", "1.10", "on", "1e6", "0x1F", "2025-09-17", "True", "=", ".inf"]
)
def test_scalar_stays_the_text_that_was_written(tmp_path: Path, text: str) -> None:
    assert load_document(write(tmp_path, f"a: {text}\n")).tree == {"a": text}


def test_keys_stay_text_too(tmp_path: Path) -> None:
    assert load_document(write(tmp_path, "NO: 1\n010: 2\non: 3\n")).tree == {
        "NO": "1",
        "010": "2",
        "on": "3",
    }


EMPTY = (
    "found nothing; allowed: a value, {} for an empty mapping, '' for empty text, null to delete "
    "an inherited value"
)
REFUSED = [
    (
        "a: 1\nb: 2\na: 3\n",
        ["s.yaml:3 a: found 'a' a second time (first on line 1); allowed: each key once"],
    ),
    (
        "a: &x 1\nb: *x\n",
        [
            "s.yaml:1 a: found the anchor '&x'; allowed: values without anchors",
            "s.yaml:2 b: found the alias '*x'; allowed: values written out",
        ],
    ),
    (
        "a:\n  <<: {b: 1}\n",
        ["s.yaml:2 a: found the merge key '<<'; allowed: 'extends' for whole files"],
    ),
    (
        "a: !!int 3\n",
        ["s.yaml:1 a: found the tag 'tag:yaml.org,2002:int'; allowed: values without tags"],
    ),
    ("a: !x {b: 1}\n", ["s.yaml:1 a: found the tag '!x'; allowed: values without tags"]),
    ("a: 1\n---\nb: 2\n", ["s.yaml:2: found a second document ('---'); allowed: one per file"]),
    (
        "- 1\n",
        ["s.yaml:1: found no mapping; allowed: a mapping of fields such as 'scenario: name'"],
    ),
    ("", ["s.yaml:1: found nothing; allowed: a mapping of fields"]),
    ("# nothing\n", ["s.yaml:1: found nothing; allowed: a mapping of fields"]),
    ("a: 1\n? [b, c]\n: 2\n", ["s.yaml:2: found a list as a key; allowed: a name"]),
    ("a:\n  b: 1\n\tc: 2\n", ["s.yaml:3: found a tab; allowed: spaces for indentation"]),
    (b"a: 1\nb: \xff\n", ["s.yaml:2: found the byte 0xff; allowed: UTF-8 text"]),
    ("a: 1\nb: \x07\n", ["s.yaml:2: found the character U+0007; allowed: printable text"]),
    ("a:\n  b:\n", [f"s.yaml:2 a.b: {EMPTY}"]),
    (
        "a: [1, null]\n",
        ["s.yaml:1 a.1: found null in a list; allowed: the list written without it"],
    ),
    (
        "a: {value: 1, evidence: reprted}\n",
        [
            (
                "s.yaml:1 a: found 'reprted' as evidence; allowed: reported, derived, estimated. "
                "Did you mean 'reported'?"
            )
        ],
    ),
    (
        "a: {value: 1, evidence: assumed}\n",
        ["s.yaml:1 a: found 'assumed' as evidence; allowed: reported, derived, estimated"],
    ),
    (
        "a: {value: null, evidence: reported}\n",
        ["s.yaml:1 a: found null or another wrapper as value; allowed: the value itself"],
    ),
]


@pytest.mark.parametrize(("text", "problems"), REFUSED)
def test_trap_is_refused_at_its_line(
    tmp_path: Path, text: str | bytes, problems: list[str]
) -> None:
    assert problems_of(write(tmp_path, text)) == problems


def test_broken_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems_of(write(tmp_path, "a: 1\nb: [1, 2\nc: 3\n"))
    assert re.match(r"s\.yaml:3: found text that is not YAML \(", problem)


def test_alias_bomb_is_refused_before_expansion(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    started = time.perf_counter()
    problems = problems_of(write(tmp_path, "\n".join(rows)))
    assert len(problems) > 29
    assert time.perf_counter() - started < 1


def test_nesting_is_bounded_however_deep_the_text(tmp_path: Path) -> None:
    for text in ("a: " + "[" * 500_000, "a: " + "{b: " * 200_000):
        (problem,) = problems_of(write(tmp_path, text))
        assert problem.endswith("found more than 40 levels of nesting; allowed: fewer")
    allowed = "a: " + "[" * 39 + "]" * 39
    load_document(write(tmp_path, allowed))


def test_ten_megabytes_are_refused_before_parsing(tmp_path: Path) -> None:
    path = write(tmp_path, b"a: 1\n" * 2_000_000)
    started = time.perf_counter()
    assert problems_of(path) == ["s.yaml: found 10,000,000 bytes; allowed: 1,048,576 (1 MiB)"]
    assert time.perf_counter() - started < 0.5


def test_file_of_exactly_one_mebibyte_is_read(tmp_path: Path) -> None:
    head = b"a: 1\n# "
    path = write(tmp_path, head + b"x" * ((1 << 20) - len(head)))
    assert load_document(path).tree == {"a": "1"}
    with path.open("ab") as stream:
        stream.write(b"x")
    assert "1,048,577 bytes" in problems_of(path)[0]


def test_missing_file_suggests_a_near_name(tmp_path: Path) -> None:
    write(tmp_path, "a: 1\n", "china.yaml")
    expected = ["chine.yaml: found no such file. Did you mean 'china.yaml'?"]
    assert problems_of(tmp_path / "chine.yaml") == expected
    assert problems_of(tmp_path / "zzz.yaml") == ["zzz.yaml: found no such file"]


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "f.yaml"
    folder.mkdir()
    assert problems_of(folder) == ["f.yaml: found a folder; allowed: a YAML file"]
    pipe = tmp_path / "p.yaml"
    os.mkfifo(pipe)
    assert problems_of(pipe) == ["p.yaml: found no regular file; allowed: a YAML file"]


def test_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert load_document(write(tmp_path, "\ufeffa: 1\n")).tree == {"a": "1"}


def test_all_problems_of_a_file_come_at_once(tmp_path: Path) -> None:
    problems = problems_of(write(tmp_path, "a: 1\na: 2\nb:\nc: &x 1\n"), "nonsense")
    assert [text.split(" ")[0] for text in problems] == [
        "--set:",
        "s.yaml:2",
        "s.yaml:3",
        "s.yaml:4",
    ]


def test_pure_python_yaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: {b: [1, NO], c: '17:00'}\nd: 3 000\n"
    compiled = parse_text(text, "s.yaml", [])
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse_text(text, "s.yaml", []) == compiled


def test_evidence_is_taken_off_and_noted(tmp_path: Path) -> None:
    text = (
        "a: {value: 0.8 s, evidence: reported, source: wp}\n"
        "b: [{value: {x: 1}, evidence: estimated}]\n"
        "c: {value: 1, evidence: derived, note: x}\n"
    )
    document = load_document(write(tmp_path, text))
    assert document.tree == {
        "a": "0.8 s",
        "b": [{"x": "1"}],
        "c": {"value": "1", "evidence": "derived", "note": "x"},
    }
    assert document.evidence == {
        ("a",): EvidenceNote(("a",), Evidence.REPORTED, "wp", "0.8 s"),
        ("b", 0): EvidenceNote(("b", 0), Evidence.ESTIMATED, "", "{x: 1}"),
    }


def test_place_is_the_value_the_key_or_the_nearest_parent(tmp_path: Path) -> None:
    path = write(tmp_path, "a:\n  b:\n    c: 1\n  d:\n    - x\n    - y\n  e:\n    z\n")
    document = load_document(path)
    rows = [(("a",), 1), (("a", "b"), 2), (("a", "b", "c"), 3), (("a", "d", 1), 6)]
    rows += [(("a", "e"), 8), (("a", "b", "missing"), 2), (("missing",), 1)]
    assert [document.place(where) for where, _ in rows] == [(str(path), line) for _, line in rows]
    assert document.place(("a", "e"), is_key=True) == (str(path), 7)


# What the reader lets in: U+FFFE and U+FFFF stand in no text, and a file with them is refused.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\t :#-{}'\"~")
)


@pytest.mark.parametrize("character", ["\ufffe", "\uffff", "\x7f", "\x01"])
def test_what_stands_in_no_text_comes_in_no_way(tmp_path: Path, character: str) -> None:
    (tmp_path / "raw.yaml").write_text(f"scenario: a{character}b\n", encoding="utf-8")
    (tmp_path / "escaped.yaml").write_text(
        f'scenario: "a\\u{ord(character):04x}b"\n', encoding="utf-8"
    )
    for name in ("raw.yaml", "escaped.yaml"):
        with pytest.raises(ScenarioError, match=r"U\+|not YAML"):
            load_document(tmp_path / name)


TREES = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab-: 1~", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


# A loaded machine draws slowly, which says nothing of the loader.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text("abc~ #", min_size=1, max_size=5), TREES, max_size=4))
def test_resolved_text_loads_back_to_the_same_tree(tree: dict[str, Tree]) -> None:
    from sim.scenario.loader import Document
    from sim.scenario.tree import Entry, Listing, Mapping, Node, Place, Scalar

    place = Place("", 0)

    def build(value: Tree) -> Node:
        if isinstance(value, str):
            return Scalar(value, place)
        if isinstance(value, list):
            return Listing(tuple(map(build, value)), place)
        return Mapping({key: Entry(place, build(item)) for key, item in value.items()}, place)

    root = build(tree)
    assert isinstance(root, Mapping)
    collected: list[Problem] = []
    again = parse_text(dump_resolved(Document(root, ())), "", collected)
    assert collected == []
    assert again is not None
    assert plain_tree(again) == tree


def test_resolved_text_keeps_evidence_and_reads_well(tmp_path: Path) -> None:
    text = (
        "scenario: x\nempty: {}\nnone: []\nquoted: 'null'\ncolon: 'a: b'\n"
        "rate: {value: 12 000 /day, evidence: reported, source: f12}\n"
        "time: {value: {lognormal: {median: 0.8 s}}, evidence: estimated}\n"
        "steps: [{a: 1}, [b, c], {value: d, evidence: derived}]\n"
    )
    document = load_document(write(tmp_path, text))
    resolved = dump_resolved(document)
    again = load_document(write(tmp_path, resolved, "resolved.yaml"))
    assert (again.tree, again.evidence) == (document.tree, document.evidence)
    assert dump_resolved(again) == resolved
    assert resolved.startswith(
        'scenario: x\nempty: {}\nnone: []\nquoted: "null"\ncolon: "a: b"\n'
        "rate:\n  value: 12 000 /day\n  evidence: reported\n  source: f12\n"
    )


@given(
    st.text(st.sampled_from("ab:-?{}[]&*!<>|%@`'\"\\,#~ \t\n\r\u0085\u2028\ufeff\x00"), max_size=60)
)
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    collected: list[Problem] = []
    node = parse_text(text, "s.yaml", collected)
    assert node is not None or collected
    assert all(problem.file == "s.yaml" for problem in collected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", ["k{n}: 1\n", "k{n}: {{a: [1, 2], b: x}}\n", "k{n}:\n  - a: 1\n  - b\n", "k{n}: &a 1\n"]
)
def test_reading_time_grows_with_the_length_only(row: str) -> None:
    def measure(length: int) -> float:
        text = "".join(row.format(n=n) for n in range(length // len(row)))
        best = float("inf")
        # A collection walks everything other tests left alive; that is not the reader's time.
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                started = time.process_time()
                parse_text(text, "s.yaml", [])
                best = min(best, time.process_time() - started)
        finally:
            gc.enable()
        return best

    # Four times the text in about four times the time; a quadratic reader would need sixteen.
    assert measure(200_000) < 10 * measure(50_000)
