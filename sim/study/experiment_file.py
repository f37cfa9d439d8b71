"""The experiment file: arms to compare, factors to vary, and how many replications.

Takes a YAML file read by the same rules as scenarios; gives a checked :class:`Experiment`, or every
problem at its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from sim.errors import UserError, suggest
from sim.model.base import FieldPath, FieldProblemsError, Model
from sim.model.quantities import DecimalText, Flag, Name, PositiveCount, ScenarioName, Seed
from sim.scenario.loader import dump_resolved, load_document, validate_model
from sim.scenario.scenario import LoadedScenario, load_scenario, refuse_problems
from sim.scenario.tree import Document


class Arm(Model):
    """One alternative: the experiment's scenario with some fields changed, or another one."""

    scenario: str | None = None
    """Scenario file, relative to this file; absent: the experiment's."""
    changes: dict[str, str] = Field(default={}, alias="set")
    """Fields to change, by dotted path, as `--set` would."""


class Factor(Model):
    """One field that a sweep varies: by listed values, or over a range."""

    values: tuple[str, ...] | None = None
    """Values, as the scenario file would write them."""
    low: DecimalText | None = None
    """Lower end of a range; above 0."""
    high: DecimalText | None = None
    """Upper end of a range."""
    scale: Literal["linear", "log"] = "linear"
    """How the range is filled."""
    whole: Flag = False
    """Whether values of a range are rounded to whole numbers."""
    unit: str = ""
    """Written after the number, as in `s`, `%` or `/s`."""
    also: tuple[str, ...] = ()
    """Further fields that take the same value."""

    @model_validator(mode="after")
    def _is_list_or_range(self) -> Factor:
        has_range = self.low is not None and self.high is not None
        if (self.values is None) != has_range or (self.low is None) != (self.high is None):
            raise FieldProblemsError(
                [((), "found neither or both; allowed: values, or low and high")]
            )
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise FieldProblemsError([(("high",), "found high not above low; allowed: low < high")])
        if self.values is not None and not self.values:
            raise FieldProblemsError([(("values",), "found none; allowed: at least one")])
        return self


class Find(Model):
    """A value looked for at every point: the least, or the most, with which objectives hold."""

    field: str
    """Field whose number is looked for, by dotted path; every search starts at the point's own."""
    slo: str = "success>=99.9%"
    """Objectives, as `stress --slo` is written."""
    end: Literal["smallest", "largest"] = "smallest"
    """Whether more of it is better and the least is looked for, or the most that still holds."""
    step: str | None = None
    """Values tried are whole multiples of it; absent: of the last digit the scenario writes."""
    tolerance: DecimalText = Decimal("0.005")
    """How narrow a bracket has to be, relative to the value."""


class Sweep(Model):
    """Which points of which fields are run."""

    design: Literal["grid", "list", "latin_hypercube", "sobol"] = "grid"
    """Every combination; the n-th values together; or points spread over ranges."""
    points: PositiveCount | None = None
    """Points of a latin_hypercube or sobol design (sobol: a power of two is best)."""
    factors: dict[str, Factor]
    """What varies, by dotted path."""
    find: Find | None = None
    """What is looked for at every point; its measures are then those of the value found."""

    @model_validator(mode="after")
    def _fits_its_design(self) -> Sweep:
        problems: list[tuple[FieldPath, str]] = []
        spread = self.design in ("latin_hypercube", "sobol")
        if not self.factors:
            problems.append((("factors",), "found none; allowed: at least one"))
        if spread and self.points is None:
            problems.append((("points",), f"found none; needed for the design {self.design}"))
        if not spread and self.points is not None:
            problems.append(
                (("points",), f"found a number; the design {self.design} counts its own points")
            )
        lengths = set()
        for name, factor in self.factors.items():
            if not spread and factor.values is None:
                problems.append(
                    (
                        ("factors", name),
                        f"found a range; allowed in the design {self.design}: values",
                    )
                )
            lengths.add(0 if factor.values is None else len(factor.values))
        if self.design == "list" and len(lengths) > 1:
            problems.append(
                (("factors",), "found lists of different lengths; allowed: as many values of each")
            )
        if problems:
            raise FieldProblemsError(problems)
        return self


class Select(Model):
    """A request for the best arm with a stated probability of being right."""

    measure: str
    """What decides."""
    best: Literal["lowest", "highest"] = "lowest"
    """Which way is better."""
    indifference: DecimalText
    """Difference nobody would care about, in the measure's unit; above 0."""
    probability: DecimalText = Decimal("0.95")
    """Of choosing the best arm, or one within the indifference of it."""
    replications_max: PositiveCount = 500
    """When to give up."""

    @model_validator(mode="after")
    def _is_possible(self) -> Select:
        if self.probability >= 1:
            raise FieldProblemsError(
                [(("probability",), "found 1 or more; allowed: below 1, such as 0.95")]
            )
        return self


class Experiment(Model):
    """An experiment: one scenario, arms or a sweep over it."""

    experiment: ScenarioName
    """Name; names the folder of its results."""
    question: str = ""
    """What the experiment is meant to answer."""
    scenario: str
    """Scenario file, relative to this file."""
    changes: dict[str, str] = Field(default={}, alias="set")
    """Fields changed in every arm and point."""
    seed: Seed | None = None
    """Seed of all luck, in every arm; absent: the scenario's."""
    replications: PositiveCount = 20
    """Replications of every arm or point."""
    precision: str | None = None
    """Go on until differences are so precise, as `--precision` is written."""
    measures: tuple[str, ...] = ()
    """Measures compared or written down; `corridor/cn_kh/payer_cost_bps` names one of a group."""
    baseline: Name | None = None
    """Arm all others are compared with; absent: all pairs."""
    same_mix: Flag = False
    """Compare shares, means and costs also at one mix of corridors, the baseline's or else the
    first arm's; for arms with different demand."""
    arms: dict[Name, Arm] = Field(default={})
    """Alternatives, by name."""
    select: Select | None = None
    """Ask which arm is best."""
    sweep: Sweep | None = None
    """Points to run instead of arms."""

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Experiment:
        problems: list[tuple[FieldPath, str]] = []
        if len(self.arms) < 2 and self.sweep is None:
            found = len(self.arms)
            problems.append((("arms",), f"found {found}; needed: two arms, or a sweep"))
        if self.sweep is not None and not self.arms:
            # Only comparisons read these; a sweep would leave them out without a word.
            problems += [
                ((name,), "found in an experiment without arms; allowed: with arms to compare")
                for name in ("precision", "baseline", "select")
                if getattr(self, name) is not None
            ]
            if self.same_mix:
                problems.append(
                    (("same_mix",), "found without arms; allowed: with arms to compare")
                )
        elif self.baseline is not None and self.baseline not in self.arms:
            known = ", ".join(self.arms) or "none"
            message = f"unknown arm {self.baseline!r}; known: {known}."
            problems.append((("baseline",), message + suggest(self.baseline, self.arms)))
        if problems:
            raise FieldProblemsError(problems)
        return self


@dataclass(frozen=True, slots=True)
class LoadedExperiment:
    """An experiment together with the file it was read from.

    Attributes
    ----------
    experiment : Experiment
        Checked.
    path : Path
        Its file.
    text : str
        The file as one resolved document.
    document : Document
        The file as read; knows the line of every field.
    """

    experiment: Experiment
    path: Path
    text: str
    document: Document

    def arm(self, name: str, overrides: tuple[str, ...] = ()) -> LoadedScenario:
        """Load the scenario of an arm; overrides of the command line win."""
        arm = self.experiment.arms[name]
        return self.scenario(arm.scenario or self.experiment.scenario, arm.changes, overrides)

    def scenario(
        self, given: str, changes: dict[str, str], overrides: tuple[str, ...] = ()
    ) -> LoadedScenario:
        """Load a scenario file named in the experiment."""
        merged = {**self.experiment.changes, **changes}
        texts = tuple(f"{field}={value}" for field, value in merged.items())
        return load_scenario(self.path.parent / given, (*texts, *overrides))


def is_experiment(path: Path) -> bool:
    """Tell whether a file is an experiment, by its first word; a scenario has none such.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    return any(line.startswith("experiment:") for line in lines)


def load_experiment(path: Path) -> LoadedExperiment:
    """Read and check an experiment file.

    Parameters
    ----------
    path : Path
        The YAML file.

    Raises
    ------
    UserError
        If it is a scenario.
    ScenarioError
        With every problem of the file.
    """
    document = load_document(path)
    if "experiment" not in document.tree and "rails" in document.tree:
        raise UserError(
            f"{path}: found a scenario; allowed: an experiment file (`experiment:`, `scenario:`, "
            f"`arms:` or `sweep:`), or two scenarios and more"
        )
    experiment = validate_model(document, Experiment)
    loaded = LoadedExperiment(experiment, path, dump_resolved(document), document)
    files = [(("scenario",), experiment.scenario)] + [
        (("arms", name, "scenario"), arm.scenario)
        for name, arm in experiment.arms.items()
        if arm.scenario is not None
    ]
    refuse_problems(
        document,
        [
            (where, f"found {given!r}, which is no file; allowed: a path from {path.parent}")
            for where, given in files
            if not (path.parent / given).is_file()
        ],
    )
    return loaded
