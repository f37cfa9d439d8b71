"""The stage programs of a route: what happens, in order, from the scan to the confirmation.

Takes a scenario and a candidate route; gives the symbolic program and the price of the route. One
function per flow, to be read from top to bottom; what a single rail does is in :mod:`sim.rails`.

The point of no return of every flow is inclusion in a block of the ledger. Before it a failure
voids and may try the next route (with a confirmed reversal where a request was already sent);
after it only a return undoes.
"""

from __future__ import annotations

from sim.compiler.flows.domestic import write_domestic
from sim.compiler.flows.generic import write_generic
from sim.compiler.flows.inbound import write_inbound
from sim.compiler.flows.outbound import write_outbound
from sim.compiler.flows.parts import Exchange, FeeTerms, Flow, Price
from sim.network.graph import Candidate
from sim.scenario.scenario import Scenario

__all__ = ["Exchange", "FeeTerms", "Flow", "Price", "write_flow"]


def write_flow(scenario: Scenario, candidate: Candidate, *, currency: str) -> Flow:
    """Return the program and price of a candidate route.

    Parameters
    ----------
    scenario : Scenario
    candidate : Candidate
    currency : str
        Currency of the instructed amount (for limits written in it).
    """
    corridor = scenario.corridors[candidate.corridor]
    if candidate.shape == "generic":
        return write_generic(scenario, candidate, corridor, currency)
    if candidate.shape == "domestic":
        return write_domestic(scenario, candidate, corridor)
    if candidate.shape == "inbound":
        return write_inbound(scenario, candidate, corridor)
    return write_outbound(scenario, candidate, corridor)
