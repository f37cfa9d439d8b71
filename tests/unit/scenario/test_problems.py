"""What a user is told: every problem at once, at its line and path, without pydantic's words."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Discriminator, Field, Tag, model_validator

from sim.errors import ScenarioError
from sim.model.base import FieldProblemsError, Model
from sim.model.distributions import AmountDistribution, DurationDistribution
from sim.model.pricing import Fee
from sim.model.quantities import Count, CountryCode, CurrencyPair, DecimalText, Name, ScenarioName
from sim.scenario.loader import load_document, validate_model


class Colour(Enum):
    RED = "red"
    """Red."""
    GREEN = "green"
    """Green."""


class Ledger(Model):
    kind: Literal["ledger"]
    """Kind of rail."""

    peers: Count
    """Number of peers that vote."""


class Gateway(Model):
    kind: Literal["gateway"]
    """Kind of rail."""

    time: DurationDistribution
    """Time to answer."""

    fees: tuple[Fee, ...] = ()
    """What it charges."""


Rail = Annotated[Ledger | Gateway, Field(discriminator="kind")]


def _shape(value: object) -> str:
    return "word" if isinstance(value, str) else "table"


class Corridor(Model):
    from_: CountryCode = Field(alias="from")
    """Country of the debtor."""

    routes: Literal["auto"] | dict[Name, Ledger] = "auto"
    """Routes, or 'auto'."""

    rail: Name = "x"
    """Rail it uses."""

    shaped: (
        Annotated[
            Annotated[Name, Tag("word")] | Annotated[dict[Name, Count], Tag("table")],
            Discriminator(_shape),
        ]
        | None
    ) = None
    """A word or a table."""


class Scenario(Model):
    scenario: ScenarioName
    """Name of the scenario,
    also of its results."""

    rails: dict[Name, Rail] = Field(default_factory=dict)
    """Rails by name."""

    corridors: dict[Name, Corridor] = Field(default_factory=dict)
    """Corridors by name."""

    mid: dict[CurrencyPair, DecimalText] = Field(default_factory=dict)
    """Mid rates."""

    amount: AmountDistribution | None = None
    """Amounts."""

    colour: Colour = Colour.RED
    """Colour."""

    note: str = ""
    """Free text."""

    @model_validator(mode="after")
    def _check_rails(self) -> Scenario:
        problems = [
            (("corridors", name, "rail"), f"unknown rail {corridor.rail!r}")
            for name, corridor in self.corridors.items()
            if corridor.rail not in {"x", *self.rails}
        ]
        if problems:
            raise FieldProblemsError(problems)
        return self


def check(folder: Path, text: str, *overrides: str) -> Scenario:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return validate_model(load_document(path, overrides), Scenario)


def problems_of(folder: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        check(folder, text, *overrides)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


HEAD = "scenario: s\n"
NAME = "a name of small letters, digits and '_', a letter first, such as 'cn_counter'"
COUNT = "a whole number of at least 0 such as '1500' or '200 000'"

ROWS = [
    (
        "scenaro: s\n",
        [
            "s.yaml:1 scenario: missing; needed: Name of the scenario, also of its results.",
            (
                "s.yaml:1 scenaro: unknown field 'scenaro'; known: amount, colour, corridors, mid, "
                "note, rails, scenario. Did you mean 'scenario'?"
            ),
        ],
    ),
    (
        HEAD + "rails:\n  x:\n    kind: ledger\n    pers: 3\n",
        [
            "s.yaml:3 rails.x.peers: missing; needed: Number of peers that vote.",
            (
                "s.yaml:5 rails.x.pers: unknown field 'pers'; known: kind, peers. Did you mean "
                "'peers'?"
            ),
        ],
    ),
    (
        HEAD + "rails: {x: {kind: ledgr}, y: {peers: 1}, z: 7, gateway: {kind: gateway}}\n",
        [
            "s.yaml:2 rails.gateway.time: missing; needed: Time to answer.",
            (
                "s.yaml:2 rails.x.kind: found 'ledgr'; allowed: gateway, ledger. Did you mean "
                "'ledger'?"
            ),
            "s.yaml:2 rails.y.kind: missing; needed: one of gateway, ledger",
            "s.yaml:2 rails.z: found '7'; allowed: a mapping whose kind is one of gateway, ledger",
        ],
    ),
    (
        HEAD + "rails:\n  Bad Name:\n    {kind: ledger, peers: 010}\n",
        [
            f"s.yaml:3 rails.Bad Name: found 'Bad Name'; allowed: {NAME}. Did you mean 'bad_name'?",
            f"s.yaml:4 rails.Bad Name.peers: found '010'; allowed: {COUNT}",
        ],
    ),
    (
        HEAD + "rails: {x: {kind: gateway, time: {lognormal: {median: 1 s, sigma: -1}}}}\n",
        [
            (
                "s.yaml:2 rails.x.time.lognormal.sigma: found '-1'; allowed: a number "
                "above 0 such as "
                "'4084' or '7.1875'"
            )
        ],
    ),
    (
        HEAD + "rails:\n  x:\n    kind: gateway\n    time: 1 s\n    fees:\n      - component: a\n"
        "        fixed: 1 USD\n      - component: b\n        fixed: 1 XYZ\n",
        [
            (
                "s.yaml:10 rails.x.fees.1.fixed: found 'XYZ'; allowed: BRL, CNY, EUR, GBP, "
                "HKD, IDR, "
                "INR, JPY, KHR, KRW, LAK, MYR, PHP, SGD, THB, USD, VND"
            )
        ],
    ),
    (
        HEAD + "corridors: {c: {from: norway, from_: KH}}\n",
        [
            (
                "s.yaml:2 corridors.c.from: found 'norway'; allowed: a country of two "
                "capital letters "
                "(ISO 3166) such as 'KH' or 'CN'"
            ),
            (
                "s.yaml:2 corridors.c.from_: unknown field 'from_'; known: from, rail, "
                "routes, shaped. "
                "Did you mean 'from'?"
            ),
        ],
    ),
    (
        HEAD + "corridors: {c: {from: KH, routes: atuo}}\n",
        [
            (
                "s.yaml:2 corridors.c.routes: found 'atuo'; allowed: auto; or a mapping by name. "
                "Did you mean 'auto'?"
            )
        ],
    ),
    (
        HEAD + "corridors: {c: {from: KH, routes: {r: {kind: ledger, peers: x}, q: 1}}}\n",
        [
            (
                "s.yaml:2 corridors.c.routes.q: found '1'; allowed: a mapping with the "
                "fields kind, "
                "peers"
            ),
            f"s.yaml:2 corridors.c.routes.r.peers: found 'x'; allowed: {COUNT}",
        ],
    ),
    (
        HEAD + "corridors: {c: {from: KH, routes: [1]}}\n",
        ["s.yaml:2 corridors.c.routes: found a list; allowed: auto; or a mapping by name"],
    ),
    (
        HEAD + "corridors: {c: {from: KH, shaped: {a: x}}, d: {from: KH, shaped: A}}\n",
        [
            f"s.yaml:2 corridors.c.shaped.a: found 'x'; allowed: {COUNT}",
            f"s.yaml:2 corridors.d.shaped: found 'A'; allowed: {NAME}. Did you mean 'a'?",
        ],
    ),
    (
        HEAD + "corridors: {c: {from: KH, rail: y}, d: {from: KH, rail: z}}\n",
        [
            "s.yaml:2 corridors.c.rail: unknown rail 'y'",
            "s.yaml:2 corridors.d.rail: unknown rail 'z'",
        ],
    ),
    (
        HEAD + "mid: {USD/USD: 1, USD/KHR: 0}\ncolour: rot\nnote: [x]\n",
        [
            "s.yaml:2 mid.USD/KHR: found '0'; allowed: a number above 0 such as '4084' or '7.1875'",
            (
                "s.yaml:2 mid.USD/USD: found 'USD/USD'; allowed: two different currencies such as "
                "'USD/KHR'"
            ),
            "s.yaml:3 colour: found 'rot'; allowed: red, green",
            "s.yaml:4 note: found a list; allowed: text",
        ],
    ),
    (
        HEAD + "rails: 3\ncorridors: [1]\n",
        [
            "s.yaml:2 rails: found '3'; allowed: a mapping by name",
            "s.yaml:3 corridors: found a list; allowed: a mapping by name",
        ],
    ),
]


@pytest.mark.parametrize(("text", "problems"), ROWS)
def test_problem_is_told_in_our_words(tmp_path: Path, text: str, problems: list[str]) -> None:
    assert problems_of(tmp_path, text) == problems


def test_right_scenario_becomes_the_model(tmp_path: Path) -> None:
    scenario = check(
        tmp_path,
        HEAD + "rails: {x: {kind: ledger, peers: 7}}\ncorridors: {c: {from: NO, shaped: {a: 1}}}\n"
        "mid: {USD/KHR: 4084}\ncolour: green\namount: 80 CNY\n",
    )
    assert scenario.rails == {"x": Ledger(kind="ledger", peers=7)}
    assert scenario.corridors["c"].from_ == "NO"
    assert scenario.colour is Colour.GREEN


def test_problem_in_an_override_names_set(tmp_path: Path) -> None:
    text = HEAD + "rails: {x: {kind: ledger, peers: 7}}\n"
    assert problems_of(tmp_path, text, "rails.x.peers=many", "rials.x=1") == [
        f"--set rails.x.peers: found 'many'; allowed: {COUNT}",
        (
            "--set rials: unknown field 'rials'; known: amount, colour, corridors, mid, "
            "note, rails, "
            "scenario. Did you mean 'rails'?"
        ),
    ]


def test_problem_in_an_inherited_value_names_the_parent_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("rails:\n  x: {kind: ledger, peers: some}\n")
    text = HEAD + "extends: base.yaml\nrails: {y: {kind: ledger, peers: 1}}\n"
    assert problems_of(tmp_path, text) == [
        f"base.yaml:2 rails.x.peers: found 'some'; allowed: {COUNT}"
    ]


def test_messages_never_carry_words_of_pydantic(tmp_path: Path) -> None:
    for text, _ in ROWS:
        for problem in problems_of(tmp_path, text):
            for word in ("Value error", "Input should", "pydantic", "union", "literal["):
                assert word not in problem


def test_thousands_of_problems_are_counted_and_answered_soon(tmp_path: Path) -> None:
    rows = "".join(f"  r{n}: {{kind: ledger, peers: 1, pers: 2}}\n" for n in range(5000))
    started = time.perf_counter()
    problems = problems_of(tmp_path, f"{HEAD}rails:\n{rows}")
    assert time.perf_counter() - started < 5
    assert len(problems) == 201
    assert any(problem.endswith("and 4,800 more problems") for problem in problems)


def test_schema_of_a_whole_model_is_made(tmp_path: Path) -> None:
    schema = Scenario.model_json_schema()
    assert schema["properties"]["scenario"]["description"].startswith("Name of the scenario")
    assert schema["properties"]["mid"]["patternProperties"]
