"""Time-outs: lines of equal patience, each in the order in which its time-outs fall due.

Takes the cursor, the timers and the lines; a timer is (time, key, slot, next). Nearly every
time-out is forgotten before it is due, yet stays until then: in the heap the forgotten ones would
outnumber everything else by far. Here arming and dropping one takes the same time however many
there are.
"""

from __future__ import annotations

from sim.contract.plan import Array
from sim.engine.kernel.heap import push
from sim.engine.kernel.prefetch import prefetch_row
from sim.engine.kernel.state import (
    C_HEAD_KEY,
    C_HEAD_LINE,
    C_HEAD_TIME,
    C_TIMER,
    Q_HEAD,
    Q_TAIL,
    T_KEY,
    T_NEXT,
    T_SLOT,
    T_TIME,
    KernelState,
)
from sim.jit.functions import inlined


@inlined
def arm(state: KernelState, line: int, time_us: int, key: int, slot: int) -> None:
    """Schedule a time-out; the caller has made sure there is room."""
    cursor = state.cursor
    timer = state.timer
    due = state.due
    # The line is in order of (time, key) because time never goes back and all its time-outs are
    # equally long. The one exception is two in the same instant, of which the higher payment
    # came first.
    tail = -1
    if line >= 0:
        tail = due[line, Q_TAIL]
    # Two armed in one instant may come in any order of payment; the heap puts that right.
    if line < 0 or (tail >= 0 and timer[tail, T_TIME] == time_us and timer[tail, T_KEY] > key):
        push(cursor, state.heap, time_us, key, slot, 0)
        return
    at = cursor[C_TIMER]
    cursor[C_TIMER] = timer[at, T_NEXT]
    timer[at, T_TIME] = time_us
    timer[at, T_KEY] = key
    timer[at, T_SLOT] = slot
    # It is the last of its line.
    timer[at, T_NEXT] = -1
    due[line, Q_TAIL] = at
    # Behind another one it cannot be the earliest of anything.
    if tail >= 0:
        timer[tail, T_NEXT] = at
        return
    # The line was empty, so its head is new and may come before everything else there is.
    due[line, Q_HEAD] = at
    note_first(cursor, timer, line, at)


@inlined
def note_first(cursor: Array, timer: Array, line: int, at: int) -> None:
    """Make the first time-out of a line the next event but for the heap's, if it is earlier."""
    time_us = timer[at, T_TIME]
    head_us = cursor[C_HEAD_TIME]
    # By key at one instant, so the order in which lines are compared does not matter.
    if time_us < head_us or (time_us == head_us and timer[at, T_KEY] < cursor[C_HEAD_KEY]):
        cursor[C_HEAD_TIME] = time_us
        cursor[C_HEAD_KEY] = timer[at, T_KEY]
        cursor[C_HEAD_LINE] = line


@inlined
def drop_due(cursor: Array, timer: Array, due: Array, line: int) -> int:
    """Take the first time-out out of a line and return its slot."""
    at = due[line, Q_HEAD]
    after = timer[at, T_NEXT]
    due[line, Q_HEAD] = after
    if after < 0:
        due[line, Q_TAIL] = -1
    else:
        # Armed long ago, so it lies far away; by the next time-out of this line it is here.
        prefetch_row(timer, timer[after, T_NEXT])
    # Freed now, whether the time-out was armed or long forgotten.
    timer[at, T_NEXT] = cursor[C_TIMER]
    cursor[C_TIMER] = at
    return int(timer[at, T_SLOT])
