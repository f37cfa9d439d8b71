"""Check what differs between institutions: how long a stage takes, how often it branches.

Takes rebuilt payments; says whether a drawn time lies within its table and whether a branch may be
taken or passed. The draws themselves are not in the log; the agents are as far as rows tell them.
"""

from __future__ import annotations

from sim.audit.state import NOBODY, STAGE_LONGEST, STAGE_SHORTEST, WORD, Count, Pay
from sim.audit.world import SEVERAL, World
from sim.contract.layout import CERTAIN, HORIZON_MAX_US, PPM, ROLE_KINDS_MAX, ROLES
from sim.contract.layout import StageColumn as S
from sim.jit.functions import called


@called
def may_last(w: World, p: int, stage: int, time_us: int, pace_ppm: int) -> bool:
    """Say whether a service or a delay of a stage may take so long at a pace."""
    table = w.things[stage, S.TABLE]
    if table >= -1:
        shortest = _at_pace(w.things[stage, STAGE_SHORTEST], pace_ppm)
        longest = _at_pace(w.things[stage, STAGE_LONGEST], pace_ppm)
        return bool(shortest <= time_us <= longest)
    role, kind = (-table - 2) // ROLE_KINDS_MAX, (-table - 2) % ROLE_KINDS_MAX
    for agent in range(len(w.time)):
        if _may_be(w, p, role, agent):
            shortest, longest = w.time[agent, 2 * kind], w.time[agent, 2 * kind + 1]
            # Of agents without such a time none is the payment's.
            fits = _at_pace(shortest, pace_ppm) <= time_us <= _at_pace(longest, pace_ppm)
            if shortest >= 0 and fits:
                return True
    return False


@called
def _at_pace(time_us: int, pace_ppm: int) -> int:
    """Return how long takes what was drawn, at a pace in millionths, rounded half up."""
    if pace_ppm == PPM:
        return time_us
    drawn = min(time_us, HORIZON_MAX_US)
    whole, rest = drawn // PPM, drawn % PPM
    return int(whole * pace_ppm + (2 * rest * pace_ppm + PPM) // (2 * PPM))


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


@called
def may_be_alike(w: World, p: int) -> bool:
    """Say whether a payment's two agents may be one, and note of both that they are."""
    words, left, agent = w.g[Count.AGENT_WORDS], 0, NOBODY
    for word in range(words):
        members = _members(w, p, 0, word) & _members(w, p, 1, word)
        for role in range(ROLES):
            w.pay[p, Pay.SETS + role * words + word] = members
        while members != 0 and left < 2:
            bit = 0
            while ((members >> bit) & 1) == 0:
                bit += 1
            agent = word * WORD + bit
            left += 1
            members &= members - 1
    for role in range(ROLES):
        w.pay[p, Pay.AGENT_0 + role] = agent if left == 1 else SEVERAL
    return left > 0


@called
def may_differ(w: World, p: int) -> bool:
    """Say whether a payment's two agents may be two, and note it where one of them is known."""
    words = w.g[Count.AGENT_WORDS]
    for role in range(ROLES):
        known, other = w.pay[p, Pay.AGENT_0 + role], 1 - role
        if known < 0:
            continue
        if w.pay[p, Pay.AGENT_0 + other] >= 0:
            return bool(w.pay[p, Pay.AGENT_0 + other] != known)
        # Whoever the other is, it is not this one.
        for word in range(words):
            members = _members(w, p, other, word)
            if word == known // WORD:
                members &= ~(1 << (known % WORD))
            w.pay[p, Pay.SETS + other * words + word] = members
        w.pay[p, Pay.AGENT_0 + other] = SEVERAL
        return True
    return True


@called
def _members(w: World, p: int, role: int, word: int) -> int:
    """Return a word of the set of agents a payment may have in a role."""
    known = w.pay[p, Pay.AGENT_0 + role]
    if known >= 0:
        return 1 << (known % WORD) if word == known // WORD else 0
    if known == NOBODY:
        agents = min(max(len(w.share) - word * WORD, 0), WORD)
        return (1 << agents) - 1
    return int(w.pay[p, Pay.SETS + role * w.g[Count.AGENT_WORDS] + word])
