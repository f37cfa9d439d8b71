"""The ``explain`` command: a compiled plan in words, or the story of one payment of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import completing
from sim.cli.given import scenario_file
from sim.cli.guard import guarded
from sim.cli.options import SeedOption, SetOption
from sim.cli.showing import FormatOption, JsonOption, OutputOption, showing
from sim.errors import OptionError, UserError


@guarded
def explain_command(
    given: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|RUN",
            help="A scenario file, or a run folder.",
            autocompletion=completing.scenarios_or_runs,
        ),
    ],
    payment: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Tell why this payment of a run went the way it did."),
    ] = None,
    replication: Annotated[
        int | None,
        typer.Option(metavar="N", help="Replication the payment belongs to; default the first."),
    ] = None,
    changes: SetOption = None,
    seed: SeedOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say a plan in words: routes, prices, stages, capacities and assumptions."""
    from sim.report.documents.explain import plan_document, story_document

    wanted = showing(form, output, as_json=as_json)
    if payment is not None:
        if changes or seed is not None:
            raise UserError(
                "--payment: found with --set or --seed; allowed: alone, the run has its own of both"
            )
        from sim.explain.payment import tell_payment
        from sim.study.why import explain_choices
        from sim.tables.damage import damage_told

        with damage_told(Path(given)):
            told = tell_payment(Path(given), payment, replication=replication)
            # After the story, which says what is wrong with the folder or the number.
            choices = explain_choices(Path(given), payment, replication=replication)
        wanted.show(story_document(told, choices))
        return
    if replication is not None:
        raise OptionError(
            "replication",
            f"found {replication} without --payment; allowed: together with it, as a plan is the "
            "same in every replication",
        )
    from sim.compiler.compile import compile_scenario
    from sim.scenario.scenario import load_scenario

    if (Path(given) / "run.json").exists():
        raise UserError(
            f"{given}: found a run folder without --payment; its plan is in "
            f"{Path(given) / 'plan.txt'}, and --payment ID tells one payment's story"
        )
    loaded = load_scenario(scenario_file(given), tuple(changes or ()))
    if seed is not None:
        from sim.study.run import checked_seed

        seed = checked_seed(seed)
    wanted.show(plan_document(compile_scenario(loaded, seed=seed, with_tables=False)))
