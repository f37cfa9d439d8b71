"""Extending and overriding: who wins, what is deleted, and which line is blamed afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.model.evidence import Evidence
from sim.scenario.loader import Document, dump_resolved, load_document


def load(folder: Path, *overrides: str, **files: str) -> Document:
    """Write files by name and load ``child``."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_document(folder / "child.yaml", overrides)


def problems_of(folder: Path, *overrides: str, **files: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(folder, *overrides, **files)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_maps_merge_lists_and_scalars_are_replaced_and_null_deletes(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        base="m: {a: 1, b: 2, c: 3}\nl: [1, 2]\ns: x\ngone: {a: 1}\nkind: {a: 1}\n",
        child="extends: base.yaml\nm: {b: 20, c: null, d: 4}\nl: [9]\ns: y\ngone: ~\nkind: text\n",
    )
    assert document.tree == {
        "m": {"a": "1", "b": "20", "d": "4"},
        "l": ["9"],
        "s": "y",
        "kind": "text",
    }
    assert [path.name for path in document.files] == ["child.yaml", "base.yaml"]


def test_lines_survive_merging(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        base="# one\nm:\n  a: 1\n  b: 2\n",
        child="extends: base.yaml\n\n\nm:\n  b: 3\n",
    )
    base, child = str(tmp_path / "base.yaml"), str(tmp_path / "child.yaml")
    assert document.place(("m", "a")) == (base, 3)
    assert document.place(("m", "b")) == (child, 5)
    assert document.place(("m",)) == (child, 4)


def test_quoted_null_is_text_and_null_without_parents_is_not_said(tmp_path: Path) -> None:
    assert load(tmp_path, child="a: 'null'\nb: null\nc: {d: ~, e: 1}\n").tree == {
        "a": "null",
        "c": {"e": "1"},
    }


def test_null_that_deletes_nothing_is_a_spelling_mistake(tmp_path: Path) -> None:
    assert problems_of(
        tmp_path,
        base="rails: {bakong: {a: 1}, khqr: {a: 1}}\n",
        child="extends: base.yaml\nrails: {bakng: null}\n",
    ) == [
        (
            "child.yaml:2 rails.bakng: found null, but there is no inherited 'bakng' to delete; "
            "inherited: bakong, khqr. Did you mean 'bakong'?"
        )
    ]


def test_extends_is_relative_to_the_file_that_says_it(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "a.yaml").write_text("extends: b.yaml\nx: 1\n")
    (tmp_path / "library" / "b.yaml").write_text("y: 2\n")
    document = load(tmp_path, child="extends: library/a.yaml\n")
    assert document.tree == {"y": "2", "x": "1"}


def test_parents_that_differ_are_an_error_naming_both(tmp_path: Path) -> None:
    assert problems_of(
        tmp_path,
        one="m: {a: 1, b: [1], c: 5}\n",
        two="m:\n  a: 2\n  b: [2]\n  c: 5\n  d: 6\n",
        child="extends: [one.yaml, two.yaml]\n",
    ) == [
        (
            "two.yaml:2 m.a: found two parents that differ (one.yaml:1 and two.yaml:2); "
            "allowed: the "
            "same value, or a value in the child that settles it"
        ),
        (
            "two.yaml:3 m.b: found two parents that differ (one.yaml:1 and two.yaml:3); "
            "allowed: the "
            "same value, or a value in the child that settles it"
        ),
    ]


@pytest.mark.parametrize(
    ("settled", "overrides", "expected"),
    [
        ("m: {a: 3}\n", (), {"a": "3", "c": "5"}),
        ("m: {a: null}\n", (), {"c": "5"}),
        ("", ("m.a=4",), {"a": "4", "c": "5"}),
        ("", ("m.a=null",), {"c": "5"}),
    ],
)
def test_child_settles_what_parents_differ_in(
    tmp_path: Path, settled: str, overrides: tuple[str, ...], expected: dict[str, str]
) -> None:
    document = load(
        tmp_path,
        *overrides,
        one="m: {a: 1, c: 5}\n",
        two="m: {a: 2}\n",
        child=f"extends: [one.yaml, two.yaml]\n{settled}",
    )
    assert document.tree == {"m": expected}


def test_order_of_parents_does_not_matter(tmp_path: Path) -> None:
    files = {"one": "m: {a: 1}\n", "two": "m: {b: 2}\n", "base": "x: 1\n"}
    first = load(tmp_path, **files, child="extends: [one.yaml, two.yaml]\n").tree
    second = load(tmp_path, **files, child="extends: [two.yaml, one.yaml]\n").tree
    assert first == second


def test_shared_grandparent_is_no_conflict(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        root="x: 1\nm: {l: [1]}\n",
        one="extends: root.yaml\na: 1\n",
        two="extends: root.yaml\nb: 1\n",
        child="extends: [one.yaml, two.yaml]\n",
    )
    assert document.tree == {"x": "1", "m": {"l": ["1"]}, "a": "1", "b": "1"}
    assert len(document.files) == 4


def test_many_diamonds_are_read_in_linear_time(tmp_path: Path) -> None:
    files = {"a0": "x: 1\n", "b0": "x: 1\n"}
    for level in range(1, 18):
        parents = f"extends: [a{level - 1}.yaml, b{level - 1}.yaml]\n"
        files[f"a{level}"] = files[f"b{level}"] = parents
    document = load(tmp_path, **files, child="extends: [a17.yaml, b17.yaml]\n")
    assert (document.tree, len(document.files)) == ({"x": "1"}, 37)


def test_cycle_is_reported_with_its_chain(tmp_path: Path) -> None:
    assert problems_of(
        tmp_path, child="x: 1\nextends: a.yaml\n", a="extends: b.yaml\n", b="extends: a.yaml\n"
    ) == [
        (
            "b.yaml:1 extends: a.yaml: found a cycle: a.yaml -> b.yaml -> a.yaml; allowed: a chain "
            "that ends"
        )
    ]
    assert (
        "cycle: child.yaml -> child.yaml" in problems_of(tmp_path, child="extends: child.yaml\n")[0]
    )


def test_missing_parent_is_reported_where_it_is_named(tmp_path: Path) -> None:
    assert problems_of(tmp_path, base="a: 1\n", child="x: null\nextends: bse.yaml\n") == [
        "child.yaml:2 extends: bse.yaml: found no such file. Did you mean 'base.yaml'?"
    ]
    assert problems_of(tmp_path, child="extends: {a: 1}\n") == [
        (
            "child.yaml:1 extends: found no file name; allowed: a path, or a list of "
            "paths, relative to "
            "this file"
        )
    ]


def test_problems_of_parent_and_child_come_together(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, base="a: 1\na: 2\n", child="extends: base.yaml\nb: 1\nb: 2\n")
    assert [text.split(":")[0] for text in problems] == ["base.yaml", "child.yaml"]


def test_override_sets_deletes_and_reads_flow_values(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        "demand.cn.rate=24 000 /day",
        "demand.cn.time={constant: 2 s}",
        "gone=null",
        "new.deep.field=[1, 2]",
        "text=a=b",
        child="demand: {cn: {rate: 1 /s, keep: 1}}\ngone: 1\n",
    )
    assert document.tree == {
        "demand": {"cn": {"rate": "24 000 /day", "keep": "1", "time": {"constant": "2 s"}}},
        "new": {"deep": {"field": ["1", "2"]}},
        "text": "a=b",
    }
    assert document.place(("demand", "cn", "rate")) == ("", 0)


def test_last_override_of_a_field_wins(tmp_path: Path) -> None:
    assert load(tmp_path, "a=2", "a=3", child="a: 1\n").tree == {"a": "3"}


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("a", "--set: found 'a'; allowed: path.to.field=value"),
        ("=1", "--set: found '=1'; allowed: path.to.field=value"),
        ("a..b=1", "--set: found 'a..b=1'; allowed: path.to.field=value"),
        ("l.0=1", "--set l.0: found an entry of the list 'l'; allowed: the whole list"),
        ("l.0.b=1", "--set l.0.b: found an entry of the list 'l'; allowed: the whole list"),
        ("extends=x.yaml", "--set extends: found 'extends'; allowed: only in a file"),
        (
            "m.aa=null",
            (
                "--set m.aa: found null, but there is no inherited 'aa' to delete; inherited: a. "
                "Did you mean 'a'?"
            ),
        ),
        ("x.y.z=null", "--set x.y.z: found null, but there is no 'x'"),
        ("a=&x 1", "--set a: found the anchor '&x'; allowed: values without anchors"),
    ],
)
def test_wrong_override_names_set(tmp_path: Path, override: str, problem: str) -> None:
    assert problems_of(tmp_path, override, child="l: [5]\nm: {a: 1}\n") == [problem]


@pytest.mark.parametrize("override", ["a=", "a=[1", "a={b: "])
def test_override_without_a_value_is_refused(tmp_path: Path, override: str) -> None:
    (problem,) = problems_of(tmp_path, override, child="a: 1\n")
    assert problem.startswith("--set a: found ")


def test_evidence_follows_the_value_it_was_given_for(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        "s=3",
        base=(
            "t: {value: {lognormal: {median: 1 s, sigma: 1}}, evidence: reported, source: a}\n"
            "r: {value: 1, evidence: reported}\ns: {value: 2, evidence: reported}\n"
        ),
        child=(
            "extends: base.yaml\nt: {lognormal: {median: 2 s}}\n"
            "r: {value: 5, evidence: estimated, source: us}\n"
        ),
    )
    assert document.tree["t"] == {"lognormal": {"median": "2 s", "sigma": "1"}}
    kinds = {path: note.kind for path, note in document.evidence.items()}
    assert kinds == {("t", "lognormal", "sigma"): Evidence.REPORTED, ("r",): Evidence.ESTIMATED}


def test_resolved_text_stands_alone(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        "m.b=9",
        base="m: {a: {value: 1, evidence: derived, source: x}, b: 2}\n",
        child="extends: base.yaml\n",
    )
    text = dump_resolved(document)
    (tmp_path / "alone.yaml").write_text(text)
    alone = load_document(tmp_path / "alone.yaml")
    assert (alone.tree, alone.evidence) == (document.tree, document.evidence)
    assert alone.files == (tmp_path / "alone.yaml",)
