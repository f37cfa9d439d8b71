"""How a router scores candidate routes: the policies by name, and what each prefers.

Takes nothing; gives the enumeration. How a choice follows from scores is said at
:attr:`~sim.contract.meaning.Op.ROUTE`.
"""

from __future__ import annotations

from enum import IntEnum


class Policy(IntEnum):
    """Score of candidate routes; the lowest wins. Users write the name in lower case.

    A description begins with what the policy prefers, in the words ``explain`` shows.
    """

    PRIORITY = 0
    """The first candidate. Score = position among the candidates."""
    CHEAPEST = 1
    """Lowest FX margin and payer's fees at the rates of now. Score = FX_MARGIN + PAYER_FEE of the
    route's price computed now (both in debited currency); a price that would fail scores
    ``2^61``."""
    FASTEST = 2
    """Lowest expected time plus the queues last seen. Score = EXPECTED_US of the route plus what
    the last SAMPLE showed: for each row of
    ``route_view`` of the route, kind 0: seen queue length of the station times PER_ITEM; kind 1:
    (seen queue length of the ledger // BLOCK_LIMIT) times ROUND_INTERVAL_US. Before the first
    sample the view is empty (zeros)."""
