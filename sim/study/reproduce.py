"""Run a finished run again from its folder alone, and compare every figure.

Takes a run folder; gives every difference, with the versions that changed since. Only
``scenario.yaml`` and ``run.json`` are read to run again, never the file the run was made from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from sim.errors import UserError
from sim.study.case import RunOptions
from sim.study.replicate.replicate import HowMany, run_replications
from sim.study.replicate.replications import REPLICATIONS_FILE
from sim.study.run import Watcher, run_scenario

if TYPE_CHECKING:
    from sim.tables.schemas import Json

_FACTS = ("scenario_hash", "plan_hash", "payments", "events", "digest", "payments_digest")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs differ.

    Attributes
    ----------
    figure : str
        Fact of ``run.json`` or path in ``summary.json``.
    before, now : object
        What the folder says, and what was found.
    """

    figure: str
    before: Json
    now: Json


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What a repetition found.

    Attributes
    ----------
    digest : str
        Of the repetition.
    figures : int
        Figures compared.
    differences : tuple of Difference
        Empty if everything is identical.
    versions : dict of str to tuple
        Software and libraries that changed: version before and now.
    """

    JSON_KEYS: ClassVar = "identical=is_identical digest figures differences versions cause"

    digest: str
    figures: int
    differences: tuple[Difference, ...]
    versions: dict[str, tuple[str, str]]

    @property
    def is_identical(self) -> bool:
        """Say whether every figure is the same."""
        return not self.differences

    @property
    def cause(self) -> str:
        """Say what may explain differences."""
        if self.is_identical:
            return ""
        if self.versions:
            listed = ", ".join(f"{n} {old} -> {new}" for n, (old, new) in self.versions.items())
            return f"made with other versions: {listed}"
        return "no version has changed, so the folder was altered or this is a bug: report it"


def reproduce_run(folder: Path, *, jobs: int = 1, watcher: Watcher | None = None) -> Reproduction:
    """Run again and compare.

    Parameters
    ----------
    folder : Path
        A finished run.
    jobs : int
        Processes for replications.
    watcher : Watcher, optional
        Hears how a single run goes on.

    Raises
    ------
    UserError
        If the folder is no finished run, or lacks its scenario.
    """
    from sim.tables.finished_run import SCENARIO_FILE, SUMMARY_FILE
    from sim.tables.open_run import open_run
    from sim.tables.run_folder import altered_files

    run = open_run(folder)
    facts = run.facts
    scenario = folder / SCENARIO_FILE
    if not scenario.exists():
        raise UserError(f"{scenario}: missing; a run can be repeated only from its scenario")
    try:
        options = RunOptions(engine=str(facts["engine"]), record=str(facts["record"]))
        seed, count = int(cast("int", facts["seed"])), int(cast("int", facts["replications"]))
        alone = int(cast("int", facts.get("replication", 0)))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder}/run.json: incomplete ({error}); it cannot be repeated") from None
    with tempfile.TemporaryDirectory(prefix="payroute-") as place:
        out = Path(place) / "run"
        if (folder / REPLICATIONS_FILE).exists():
            plan = HowMany(count, jobs=jobs)
            again, _ = run_replications(scenario, plan, options=options, seed=seed, out=out)
        else:
            again = run_scenario(
                scenario,
                seed=seed,
                replication=alone,
                engine=options.engine,
                record=options.record,
                out=out,
                progress=watcher,
            )
        found = again.facts
        summary = again.run.summary()
    before = {name: facts.get(name) for name in _FACTS} | dict(_figures(run.summary()))
    now = {name: found.get(name) for name in _FACTS} | dict(_figures(summary))
    # Of the summary every figure is compared below.
    for name in (name for name in altered_files(run) if name != SUMMARY_FILE):
        # A table is compared with what it was when the run was finished, not with the repetition's.
        before[name], now[name] = "as written", "altered" if run.has(name) else "gone"
    names = dict.fromkeys((*before, *now))
    differences = tuple(
        Difference(name, before.get(name), now.get(name))
        for name in names
        if before.get(name) != now.get(name) or (name in before) != (name in now)
    )
    return Reproduction(str(found["digest"]), len(names), differences, _changed(facts, found))


def _figures(content: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every single value of a summary with its path."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _figures(value, f"{path}.{name}" if path else name)
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from _figures(value, f"{path}.{at}")
    else:
        yield path, content


def _changed(before: dict[str, Json], now: dict[str, Json]) -> dict[str, tuple[str, str]]:
    """Return the versions that differ."""
    from sim.tables.run_folder import made_with

    old, new = made_with(before), made_with(now)
    return {
        name: (old.get(name, "none"), new.get(name, "none"))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    }
