"""A program that leaves the plan, or money reserved, is refused before it is linked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.compiler.parts import Route
from sim.compiler.program_check import check_program
from sim.contract.meaning import Flag, Op, Outcome, Reason
from sim.contract.records import Register
from sim.errors import InvariantViolation
from sim.rails.stages import FAIL, Move, Program, Stage
from sim.scenario.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[3]
PAY = Move("a:USD", "b:USD", Register.DEBITED)
RESERVE = Stage(Op.RESERVE, "funds", moves=(PAY,), target=FAIL, reason=Reason.AM04)
POST = Stage(Op.POST, "pay", moves=(PAY,), flags=Flag.SETTLES)
DONE = Stage(Op.END, "completed", value=int(Outcome.COMPLETED))
UNDO = Stage(Op.VOID, "undo", mark=FAIL)
FAILED = Stage(Op.END, "rejected", value=int(Outcome.REJECTED), own_reason=True)
DECLINE = Stage(Op.DECIDE, "decline", value=1, target=FAIL, reason=Reason.AG01)
RIGHT: Program = (RESERVE, DECLINE, POST, DONE, UNDO, FAILED)


def test_a_program_that_posts_or_voids_on_every_path_passes() -> None:
    check_program(RIGHT, "right")


def without_undo(program: Program) -> Program:
    return tuple(replace(stage, op=Op.CHARGE) if stage is UNDO else stage for stage in program)


def without_end(program: Program) -> Program:
    return program[:-1]


def with_a_label_twice(program: Program) -> Program:
    return (replace(program[0], mark=FAIL), *program[1:])


def with_a_label_that_is_not_there(program: Program) -> Program:
    return (replace(program[0], target="nowhere"), *program[1:])


def with_a_second_reservation(program: Program) -> Program:
    return (program[0], *program)


def with_a_time_out_past_the_undo(program: Program) -> Program:
    wait = Stage(Op.TRANSIT, "hop")
    arm = Stage(Op.DEADLINE, "time-out", value=1, target="late", reason=Reason.AB03)
    return (arm, program[0], wait, *program[1:-1], replace(FAILED, mark="late"))


def with_a_fail_over_before_the_undo(program: Program) -> Program:
    again = Stage(Op.ROUTE, "next route", mark=FAIL, flags=Flag.NEXT)
    return (*program[:-2], again, replace(UNDO, mark=""), FAILED)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (without_undo, "money held"),
        (without_end, "no END"),
        (with_a_label_twice, "stands twice"),
        (with_a_label_that_is_not_there, "no stage bears"),
        (with_a_second_reservation, "reserves a move twice"),
        (with_a_time_out_past_the_undo, "money held"),
        (with_a_fail_over_before_the_undo, "money held"),
    ],
)
def test_a_broken_program_is_refused(broken: Callable[[Program], Program], message: str) -> None:
    with pytest.raises(InvariantViolation, match=message):
        check_program(broken(RIGHT), "broken")


@pytest.mark.parametrize("name", ["minimal", "china-two-way"])
def test_a_composed_program_that_no_longer_undoes_is_refused(name: str) -> None:
    loaded = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    parts = compile_scenario(loaded, with_tables=False).parts
    programs = [part.flow.program for part in parts if isinstance(part, Route)]
    for program in programs:
        held = any(stage.op is Op.RESERVE for stage in program)
        spoiled = tuple(stage for stage in program if stage.op is not Op.VOID or stage.mark)
        check_program(program, name)
        if held:
            with pytest.raises(InvariantViolation):
                check_program(spoiled, name)
