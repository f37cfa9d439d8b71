"""Policies of the user's own, worked out by hand, in both engines and audited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.compiler.compile import compile_scenario
from sim.contract.meaning import LogKind
from sim.contract.own_policies import BEGUN, FAILED, SPARE_NONE, SUCCEEDED
from sim.contract.records import LogColumn
from sim.errors import MachineError, ScenarioError, UserError
from sim.policies import forget, register
from sim.policies.asking import kernel_addresses
from sim.policies.registry import find_policy
from tests.equivalence.compared import Kept, run_both
from tests.theory.driver import ROOT, load_text, run

PACKAGE = ROOT / "tests" / "data" / "policy_package"

TWO = """
scenario: own
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 60 s}
seed: 1
rails:
  dear:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 2 s}]
    fees: {service: {component: service, proportional: 1.14 %}}
  slow:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 3 s}]
    fees: {service: {component: service, proportional: 0.75 %}}
institutions: {bank: {country: KH, roles: [issuer, acquirer]}}
corridors:
  inside:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [dear, slow]
demand:
  customers:
    corridor: inside
    payments: [PAYMENTS]
routing: ROUTING
"""


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    forget("mine")


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))


def text_of(routing: str, count: int = 6) -> str:
    payments = ", ".join(f"{{at: {at + 1} s, amount: 1 000 000}}" for at in range(count))
    return TWO.replace("PAYMENTS", payments).replace("ROUTING", routing)


def ran(folder: Path, text: str) -> tuple[Kept, list[str], list[int]]:
    """Return what both engines gave, and the route and the score of every ROUTE row, audited."""
    compiled = compile_scenario(load_text(folder, text))
    workload = np.concatenate(list(compiled.workload()))
    kept = run_both(compiled.plan, workload)
    report = audit_log(compiled.plan, [kept.log], [kept.record], kept.totals)
    assert report.violations == ()
    rows = kept.log[kept.log[:, LogColumn.KIND] == LogKind.ROUTE]
    routes = [compiled.plan.names.routes[row].split("/")[1] for row in rows[:, LogColumn.SUBJECT]]
    return kept, routes, rows[:, LogColumn.AMOUNT].tolist()


def test_a_function_is_told_what_a_router_knows(tmp_path: Path) -> None:
    told: list[tuple[Any, ...]] = []

    def score(route: Any, memory: Any, settings: Any) -> int:
        told.append((tuple(route), memory))
        return int(route.cost)

    # Numba compiles no list of Python's: the kernel is given its own reading.
    def quiet(route: Any, memory: Any, settings: Any) -> int:
        return route.cost

    register("mine", score, kernel_score=quiet)
    _, routes, scores = ran(tmp_path, text_of("{policy: mine}", count=1))
    # Candidates stand in the order of what they cost: slow is the first, 7 500 of 1 000 000 riel;
    # dear costs 11 400; in hundredths of a riel. Nobody draws on an account.
    riel = 100
    amounts = (1_000_000 * riel,) * 3
    first = (0, 1_000_000, 1, 0, *amounts, 7_500 * riel, 3_000_000, 3_000_000)
    second = (0, 1_000_000, 1, 1, *amounts, 11_400 * riel, 2_000_000, 2_000_000)
    known = [one[0][:10] for one in told[:2]]
    assert known == [first, second]
    assert all(one[0][10] == SPARE_NONE and one[1] == () for one in told[:2])
    assert (routes, scores) == (["slow"], [750_000])


def test_settings_and_arithmetic_of_a_function(tmp_path: Path) -> None:
    def score(route: Any, memory: Any, settings: Any) -> int:
        return route.cost // 100 + route.time_us // 1_000_000 * settings.second

    register("mine", score, settings={"second": 3_900})
    # slow 7 500 + 3 * 3 900 = 19 200, dear 11 400 + 2 * 3 900 = 19 200: equal, and of equals the
    # one that costs the agents least; both cost them nothing, so one is drawn.
    _, _, scores = ran(tmp_path, text_of("{policy: mine}", count=1))
    assert scores == [19_200]
    # 7 500 + 3 * 4 000 = 19 500; 11 400 + 2 * 4 000 = 19 400.
    _, routes, scores = ran(tmp_path, text_of("{policy: mine, settings: {second: 4 000}}", count=1))
    assert (routes, scores) == (["dear"], [19_400])
    # 7 500 + 3 * 3 800 = 18 900; 11 400 + 2 * 3 800 = 19 000.
    _, routes, scores = ran(tmp_path, text_of("{policy: mine, settings: {second: 3 800}}", count=1))
    assert (routes, scores) == (["slow"], [18_900])


def hear_all(heard: Any, memory: Any, settings: Any) -> None:
    if heard.event == BEGUN:
        memory[0] += 1
    elif heard.event == SUCCEEDED:
        memory[1] += 1
        memory[2] = heard.took_us
    elif heard.event == FAILED:
        memory[3] += 1


def by_load(route: Any, memory: Any, settings: Any) -> int:
    return (memory[0] - memory[1]) * 1_000_000 + memory[2]


def test_what_is_heard_is_kept_by_route(tmp_path: Path) -> None:
    register("mine", by_load, hear=hear_all, memory=4)
    # Under way times 1 000 000 plus what the last success took in microseconds. Candidates: slow
    # (3 s), then dear (2 s), a server each. Payments come at 1, 2, 3, 4, 5, 6 s.
    # 1 s: 0 and 0, a tie. Of the tied one is drawn; whichever it is, at 2 s the other has 0 under
    #      way and is taken with 0.
    text = text_of("{policy: mine}").replace("desk: {}", "desk: {servers: 1}")
    _, routes, scores = ran(tmp_path, text)
    assert set(routes[:2]) == {"slow", "dear"}
    assert scores[:2] == [0, 0]
    if routes[0] == "dear":
        # dear serves 1-3 s, slow 2-5 s. 3 s: completions come before submissions, so dear has 0
        # under way and took 2 000 000; slow has 1 under way: 1 000 000, and is taken (waits till
        # 5 s, ends at 8). 4 s: slow 2 000 000, dear 2 000 000: a tie, drawn.
        assert (routes[2], scores[2]) == ("slow", 1_000_000)
        assert scores[3] == 2_000_000
    else:
        # slow serves 1-4 s, dear 2-4 s. 3 s: 1 000 000 both.
        assert scores[2] == 1_000_000


def test_news_that_comes_with_samples_is_late(tmp_path: Path) -> None:
    register("mine", by_load, hear=hear_all, memory=4)
    # Samples at 10, 20 ... s: up to 10 s nothing is seen, all scores are 0.
    text = text_of("{policy: mine, news: sampled, view_interval: 10 s}", count=12)
    _, _, scores = ran(tmp_path, text)
    assert scores[:10] == [0] * 10
    # Payment 9 comes at 10 s, before the sample; those of 11 and 12 s see it.
    assert min(scores[10:]) > 0


def test_bars_hold_for_it(tmp_path: Path) -> None:
    def dearest(route: Any, memory: Any, settings: Any) -> int:
        return 10_000_000 - route.cost

    register("mine", dearest)
    assert ran(tmp_path, text_of("{policy: mine}"))[1] == ["dear"] * 6
    assert ran(tmp_path, text_of("{policy: mine, cost_at_most: 1 %}"))[1] == ["slow"] * 6


def test_another_package_brings_one(tmp_path: Path, package: None) -> None:
    # Weights 1 and 1: taken in turn, whoever is first. 60 per payment taken before.
    _, routes, scores = ran(tmp_path, text_of("{policy: turns}"))
    assert scores == [0, 0, 60, 60, 120, 120]
    assert [routes.count(name) for name in ("slow", "dear")] == [3, 3]
    # slow, the first candidate, counts a third: 0, 20, 40, 60 against 0, 60. After 8 payments 6
    # and 2, whichever way the ties fell.
    text = text_of("{policy: turns, settings: {first: 3}}", count=8)
    _, routes, _ = ran(tmp_path, text)
    assert [routes.count(name) for name in ("slow", "dear")] == [6, 2]


def test_a_changed_function_is_noticed(tmp_path: Path) -> None:
    def one(route: Any, memory: Any, settings: Any) -> int:
        return route.cost

    def other(route: Any, memory: Any, settings: Any) -> int:
        return route.time_us

    register("mine", one)
    assert ran(tmp_path, text_of("{policy: mine}"))[1] == ["slow"] * 6
    compiled = compile_scenario(load_text(tmp_path, text_of("{policy: mine}")))
    register("mine", other)
    # A plan belongs to the function it was compiled with.
    with pytest.raises(UserError, match="another one than when the plan was compiled"):
        run_both(compiled.plan, np.concatenate(list(compiled.workload())))
    # No machine code of before is taken for it.
    assert ran(tmp_path, text_of("{policy: mine}"))[1][0] == "dear"


BOUND = 5


def test_a_policy_is_compiled_once_and_anew_when_it_is_another(tmp_path: Path) -> None:
    def make(factor: int) -> Any:
        return lambda route, memory, settings: route.cost * factor

    def addresses() -> list[tuple[int, int]]:
        return kernel_addresses(compile_scenario(load_text(tmp_path, text)).plan)[0]

    text = text_of("{policy: mine}", count=1)
    score = make(1)
    register("mine", score)
    first = addresses()
    assert addresses() == first
    # Known for another: the same function again, and another one.
    register("mine", score)
    assert addresses() != first
    assert ran(tmp_path, text)[2] == [750_000]
    register("mine", make(3))
    assert ran(tmp_path, text)[2] == [2_250_000]


def test_the_digest_reads_what_a_function_reads() -> None:
    def make(bound: int) -> Any:
        def score(route: Any, memory: Any, settings: Any) -> int:
            return route.cost + bound + BOUND

        return score

    one, two = register("mine", make(1)), register("mine", make(2))
    assert one.digest != two.digest
    assert register("mine", make(1)).digest == one.digest


def test_the_audit_holds_the_kernel_against_plain_python(tmp_path: Path) -> None:
    def says_cost(route: Any, memory: Any, settings: Any) -> int:
        return route.cost

    def says_time(route: Any, memory: Any, settings: Any) -> int:
        return route.time_us

    register("mine", says_cost, kernel_score=says_time)
    loaded = load_text(tmp_path, text_of("{policy: mine}"))
    run(loaded, "reference")
    with pytest.raises(AssertionError, match="score"):
        run(loaded, "compiled")


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize(
    ("score", "hear"),
    [
        (lambda route, memory, settings: -1, None),
        (lambda route, memory, settings: 1 << 60, None),
        (lambda route, memory, settings: route.cost // (route.position - 1), None),
        (lambda route, memory, settings: 0, "divides"),
        (lambda route, memory, settings: 0, "reaches too far"),
    ],
)
def test_what_goes_wrong_is_the_users(
    tmp_path: Path, engine: str, score: Any, hear: str | None
) -> None:
    def divides(heard: Any, memory: Any, settings: Any) -> None:
        memory[0] = 1 // heard.took_us

    def reaches(heard: Any, memory: Any, settings: Any) -> None:
        memory[heard.payment + 2] = 1

    found = {None: None, "divides": divides, "reaches too far": reaches}[hear]
    register("mine", score, hear=found, memory=1 if hear else 0)
    with pytest.raises(UserError, match=r"routing\.policy mine: "):
        run(load_text(tmp_path, text_of("{policy: mine}")), engine)


def test_what_cannot_be_compiled_is_said(tmp_path: Path) -> None:
    register("mine", lambda route, memory, settings: route.nothing)
    with pytest.raises(UserError, match=r"policy 'mine': Numba cannot compile score"):
        run(load_text(tmp_path, text_of("{policy: mine}")), "compiled")
    register("mine", lambda route, memory, settings: route.cost / 2)
    with pytest.raises(UserError, match="it gives float64; needed: a whole number"):
        run(load_text(tmp_path, text_of("{policy: mine}")), "compiled")
    with pytest.raises(UserError, match=r"score gave 375000\.0"):
        run(load_text(tmp_path, text_of("{policy: mine}")), "reference")


@pytest.mark.parametrize(
    ("routing", "said"),
    [
        (
            "{policy: mien}",
            r"routing\.policy: found 'mien'; allowed: priority, .*mine, sums_up, or",
        ),
        ("{policy: mine, settings: {bond: 7}}", r"routing\.settings\.bond: found 'bond'; policy"),
        (
            "{policy: mine, settings: {bound: x}}",
            r"routing\.settings\.bound: found 'x'; allowed: a",
        ),
        ("{policy: cheapest, settings: {bound: 7}}", r"policy cheapest has none"),
    ],
)
def test_what_a_scenario_cannot_say(tmp_path: Path, routing: str, said: str) -> None:
    register("mine", by_load, settings={"bound": 1})
    with pytest.raises(ScenarioError, match=said):
        load_text(tmp_path, text_of(routing))


def test_what_cannot_be_registered() -> None:
    for name, more, said in (
        ("Mine", {}, "small letters"),
        ("cheapest", {}, "a policy of payroute"),
        ("mine", {"memory": 17}, "0 to 16"),
        ("mine", {"memory": 1}, "hear: missing"),
        ("mine", {"settings": {"a": 0.5}}, "no whole number"),
    ):
        with pytest.raises(ValueError, match=said):
            register(name, by_load, **more)  # type: ignore[arg-type]


def test_a_package_that_is_wrong_is_named(package: None) -> None:
    with pytest.raises(MachineError, match=r"payroute-turns .* cannot be loaded"):
        find_policy("broken")
    with pytest.raises(MachineError, match=r"payroute-turns .* no sim\.policies\.OwnPolicy"):
        find_policy("wrong")
    with pytest.raises(UserError, match="not known to this process"):
        find_policy("nowhere")
