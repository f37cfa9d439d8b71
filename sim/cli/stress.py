"""The ``stress`` command: the highest load that meets objectives, and what stops it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.keeping import keep
from sim.cli.options import JobsOption, ScenarioArgument, SeedOption, SetOption
from sim.cli.showing import (
    FormatOption,
    JsonOption,
    OutputOption,
    TableOption,
    command_words,
    showing,
)
from sim.cli.vary import (
    FindOption,
    StepOption,
    VaryOption,
    refuse_with_vary,
    refuse_without_vary,
    search_value,
)
from sim.errors import CheckFailed, OptionError, UserError

if TYPE_CHECKING:
    from sim.analysis.summary import Json
    from sim.report.blocks import Document
    from sim.scenario.scenario import LoadedScenario
    from sim.study.stress.study import Stress
    from sim.study.stress.varied import Varied

PROFILE, RAMP = "step", "25-125%"
"""What is meant where nothing is said."""
_LOAD = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?:(?P<factor>x)|/\s*(?P<unit>s|min|h|day))\s*")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "day": 86400}
_RAMP = re.compile(r"\s*(?P<low>\d+(?:\.\d+)?)\s*%?\s*-\s*(?P<high>\d+(?:\.\d+)?)\s*%\s*")
_PERCENT = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*%?\s*")
_TOLERANCE_MIN, _TOLERANCE_MAX = 0.0001, 0.2
"""Loads are kept with six digits, so a bracket cannot be much narrower."""

SloOption = Annotated[
    str, typer.Option(metavar="OBJECTIVES", help="As in 'p99<=5s,success>=99.5%'.")
]
LoadOption = Annotated[
    str | None,
    typer.Option(metavar="1.5x|1500/s|90000/min", help="Test this load only; missed: exit code 3."),
]
StreamOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Demand that scales; default all.")
]
ProfileOption = Annotated[
    str,
    typer.Option(
        metavar="step|ramp|soak",
        autocompletion=completing.words("profile"),
        help="step: separate runs, each load held; ramp: then one run in which the load rises; "
        "soak: one load held long, with checks for drift.",
    ),
]
WindowOption = Annotated[
    int | None,
    typer.Option(
        metavar="SECONDS",
        help="Seconds measured, at least 600; default 600, of a ramp 1260, of a soak 3600.",
    ),
]
RampOption = Annotated[
    str,
    typer.Option(metavar="LOW-HIGH%", help="Shares of --load, or of the capacity, a ramp covers."),
]
ToleranceOption = Annotated[
    str,
    typer.Option(metavar="PERCENT", help="Width at which a bracket around the capacity will do."),
]
RunsOption = Annotated[int, typer.Option(metavar="N", min=1, help="Runs of every load.")]


@guarded
def stress_command(
    scenario: ScenarioArgument,
    slo: SloOption = "p99<=5s",
    load: LoadOption = None,
    stream: StreamOption = None,
    profile: ProfileOption = PROFILE,
    window: WindowOption = None,
    ramp: RampOption = RAMP,
    tolerance: ToleranceOption = "0.5%",
    replications: RunsOption = 5,
    vary: VaryOption = None,
    find: FindOption = "smallest",
    step: StepOption = None,
    changes: SetOption = None,
    seed: SeedOption = None,
    jobs: JobsOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    table: TableOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the highest load that meets the objectives, and the bottleneck.

    Every replication finds its own limit by bracketing; their mean is the capacity, with a 95 %
    interval. A run that is no measurement is marked FAIL and never averaged. With --vary FIELD it
    is the smallest value of a field that is looked for, the load left as it is: "how much
    prefunding for 99.9 %" is --vary accounts.X.balance --slo 'success>=99.9%'.
    """
    from sim.scenario.scenario import load_scenario
    from sim.study.pool import wanted_jobs
    from sim.study.run import checked_seed, find_engine
    from sim.tables.provenance import origin

    processes = wanted_jobs(jobs)
    wanted = showing(form, output, as_json=as_json, table=table, has_table=True)
    given = _Given(slo, load, tuple(stream or ()), profile, window, ramp)
    loaded = load_scenario(scenario_file(scenario), tuple(changes or ()))
    find_engine("compiled")
    own = loaded.scenario.seed if seed is None else checked_seed(seed)
    settings = (own, replications, _parse_tolerance(tolerance))
    ends = (find, step)
    found: Stress | Varied
    if vary is None:
        refuse_without_vary(*ends)
        found, document, record = _search_load(loaded, given, settings, processes)
    else:
        refuse_with_vary(given.of_a_load)
        found, document, record = search_value(
            loaded, (vary, *ends), slo=slo, settings=settings, processes=processes
        )
    made = origin(command_words())
    keep("stress", loaded.scenario.scenario, record, made)
    wanted.show(document(made))
    if found.verdict != "PASS":
        # A run that measured nothing has not missed anything either.
        what = f"{slo} not met" if found.is_valid else f"no measurement, {slo} is not judged"
        raise CheckFailed(f"stress: {what}: {'; '.join(found.reasons)}")


@dataclass(frozen=True, slots=True)
class _Given:
    """What the command line says of a load; see the options."""

    slo: str
    load: str | None
    stream: tuple[str, ...]
    profile: str
    window: int | None
    ramp: str

    @property
    def of_a_load(self) -> dict[str, bool]:
        """Return whether each option was given that makes sense of a load alone."""
        return {
            "load": self.load is not None,
            "stream": bool(self.stream),
            "profile": self.profile != PROFILE,
            "window": self.window is not None,
            "ramp": self.ramp != RAMP,
        }


def _search_load(
    loaded: LoadedScenario, given: _Given, settings: tuple[int, int, float], processes: int
) -> tuple[Stress, Callable[[Mapping[str, object]], Document], dict[str, Json]]:
    """Stress with loads; return what was found, its document once made, and its JSON."""
    from sim.cli.progress import RunCounter
    from sim.report.documents.stress import stress_document
    from sim.study.pool import LocalPool
    from sim.study.slo import parse_slo
    from sim.study.stress.demand import choose_streams
    from sim.study.stress.output import as_json_object
    from sim.study.stress.points import LoadTest, StressPlan, choose_windows
    from sim.study.stress.study import run_stress

    load = None if given.load is None else _parse_load(given.load)
    windows = choose_windows(given.profile, given.window)
    seed, replications, tolerance = settings
    plan = StressPlan(
        objectives=parse_slo(given.slo),
        streams=choose_streams(loaded, given.stream),
        seed=seed,
        replications=replications,
        window_s=windows[0],
        profile=given.profile,
        ramp=_parse_ramp(given.ramp),
        ramp_window_s=windows[1],
        tolerance=tolerance,
    )
    with LocalPool(processes) as pool, RunCounter() as counter:
        test = LoadTest(loaded, plan, pool, notice=counter.say)
        found = run_stress(test, None if load is None else _in_payments(load, test.base))
    return found, partial(stress_document, found), as_json_object(found)


def _parse_load(text: str) -> tuple[float, bool]:
    """Return the number and whether it is a factor of the scenario's own load."""
    found = _LOAD.fullmatch(text)
    if found is None or float(found["number"]) == 0:
        allowed = "such as 1.5x, 1500/s, 90000/min, per h or per day"
        raise OptionError("load", f"found {text!r}; allowed: {allowed}")
    if found["factor"]:
        return float(found["number"]), True
    return float(found["number"]) / _SECONDS[found["unit"]], False


def _in_payments(given: tuple[float, bool], base: float) -> float:
    """Return a load in payments per second."""
    number, is_factor = given
    return number * base if is_factor else number


def _parse_ramp(text: str) -> tuple[float, float]:
    """Return the shares a ramp goes from and to."""
    found = _RAMP.fullmatch(text)
    low, high = (0.0, 0.0) if found is None else (float(found["low"]), float(found["high"]))
    if not 0 < low < high:
        raise OptionError("ramp", f"found {text!r}; allowed: such as 25-125%, rising from above 0")
    return low / 100, high / 100


def _parse_tolerance(text: str) -> float:
    """Return the relative width of a bracket."""
    found = _PERCENT.fullmatch(text)
    share = 0.0 if found is None else float(found["number"]) / 100
    if not _TOLERANCE_MIN <= share <= _TOLERANCE_MAX:
        raise UserError(
            f"--tolerance: found {text!r}; allowed: such as 0.5%, from {_TOLERANCE_MIN:.2%} to "
            f"{_TOLERANCE_MAX:.0%}"
        )
    return share
