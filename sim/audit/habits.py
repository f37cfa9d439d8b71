"""Check what differs between institutions: how long a stage takes, how often it branches.

Takes rebuilt payments; says whether a drawn time lies within its table and whether a branch may be
taken or passed. The draws themselves are not in the log; the agents are as far as rows tell them.
"""

from __future__ import annotations

from sim.audit.state import STAGE_LONGEST, STAGE_SHORTEST, Count, Pay
from sim.audit.world import NOBODY, WORD, World
from sim.contract.layout import CERTAIN, ROLE_KINDS_MAX
from sim.contract.layout import StageColumn as S
from sim.jit.functions import called


@called
def may_last(w: World, p: int, stage: int, time_us: int) -> bool:
    """Say whether a service or a delay of a stage may take so long."""
    table = w.things[stage, S.TABLE]
    if table >= -1:
        return bool(w.things[stage, STAGE_SHORTEST] <= time_us <= w.things[stage, STAGE_LONGEST])
    role, kind = (-table - 2) // ROLE_KINDS_MAX, (-table - 2) % ROLE_KINDS_MAX
    for agent in range(len(w.time)):
        if _may_be(w, p, role, agent):
            shortest, longest = w.time[agent, 2 * kind], w.time[agent, 2 * kind + 1]
            # Of agents without such a time none is the payment's.
            if shortest >= 0 and shortest <= time_us <= longest:
                return True
    return False


@called
def may_hit(w: World, p: int, stage: int) -> bool:
    """Say whether chance may take the branch of a stage."""
    return _reaches(w, p, w.things[stage, S.VALUE], 1, CERTAIN)


@called
def may_miss(w: World, p: int, stage: int) -> bool:
    """Say whether chance may leave the branch of a stage alone."""
    return _reaches(w, p, w.things[stage, S.VALUE], 0, CERTAIN - 1)


@called
def _reaches(w: World, p: int, value: int, lowest: int, highest: int) -> bool:
    """Say whether a threshold, or one of those a role reference may mean, lies within bounds."""
    if value >= -1:
        return bool(lowest <= value <= highest)
    role, kind = (-value - 2) // ROLE_KINDS_MAX, (-value - 2) % ROLE_KINDS_MAX
    for agent in range(len(w.share)):
        if _may_be(w, p, role, agent) and lowest <= w.share[agent, kind] <= highest:
            return True
    return False


@called
def _may_be(w: World, p: int, role: int, agent: int) -> bool:
    """Say whether an agent may be a payment's, as far as its rows have told."""
    known = w.pay[p, Pay.AGENT_0 + role]
    if known >= 0:
        return bool(known == agent)
    # Nothing narrowed it down yet: anybody.
    if known == NOBODY:
        return True
    word = Pay.SETS + role * w.g[Count.AGENT_WORDS] + agent // WORD
    return bool(((w.pay[p, word] >> (agent % WORD)) & 1) == 1)
