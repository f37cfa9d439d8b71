"""The option ``--vary`` of ``stress``: a value in place of a load is looked for.

Takes what the command line says; gives the answer to be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sim.errors import OptionError

if TYPE_CHECKING:
    from sim.analysis.summary import Json
    from sim.report.blocks import Document
    from sim.scenario.scenario import LoadedScenario
    from sim.study.stress.varied import Varied

VaryOption = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD",
        help="Look for a value of this field, as accounts.X.balance, in place of a load.",
    ),
]
FindOption = Annotated[
    str,
    typer.Option(
        metavar="smallest|largest", help="Of --vary: the least value that holds, or the most."
    ),
]
StepOption = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER", help="Of --vary: values are multiples of it; default the last digit."
    ),
]


def refuse_with_vary(given: Mapping[str, bool]) -> None:
    """Refuse options of a load beside ``--vary``.

    Parameters
    ----------
    given : mapping of str to bool
        Whether each was given.
    """
    for option, is_given in given.items():
        if is_given:
            raise OptionError(option, "found beside --vary, which leaves the load as it is")


def refuse_without_vary(find: str, step: str | None) -> None:
    """Refuse options of a value where a load is looked for."""
    for option, is_given in (("find", find != "smallest"), ("step", step is not None)):
        if is_given:
            raise OptionError(option, "found without --vary, to which it belongs")


def search_value(
    loaded: LoadedScenario,
    wanted: tuple[str, str, str | None],
    *,
    slo: str,
    settings: tuple[int, int, float],
    processes: int,
) -> tuple[Varied, Callable[[Mapping[str, object]], Document], dict[str, Json]]:
    """Look for a value; return what was found, its document once made, and its JSON.

    Parameters
    ----------
    loaded : LoadedScenario
    wanted : (str, str, str or None)
        Field, which end, and step.
    slo : str
        Objectives.
    settings : (int, int, float)
        Seed, replications and tolerance.
    processes : int
        Runs side by side.
    """
    from sim.cli.progress import RunCounter
    from sim.report.documents.vary import vary_document
    from sim.study.pool import LocalPool
    from sim.study.result_json import object_as_json
    from sim.study.stress.varied import plan_search
    from sim.study.stress.vary import ValueTest, find_value

    plan = plan_search(loaded, wanted, slo, settings)
    with LocalPool(processes) as pool, RunCounter() as counter:
        found = find_value(ValueTest(loaded, plan, pool, notice=counter.say))
    return found, partial(vary_document, found), object_as_json(found)
