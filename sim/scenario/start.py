"""A start of one's own: a scenario that changes another one, with comments on what to change.

Takes a name and the scenario to begin with; gives text that is valid as it stands.
"""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from sim.errors import UserError
from sim.model.quantities import ScenarioName
from sim.scenario.loader import Document
from sim.scenario.tree import Tree

_NAMED_MAX = 6
_LIKELY = {"KHR": "40 000", "CNY": "70"}
"""What a counter payment may cost where ten would be too little."""


def checked_name(name: str) -> str:
    """Return a name that may be a scenario's, and so a file's.

    Raises
    ------
    UserError
        If it may not.
    """
    try:
        return str(TypeAdapter(ScenarioName).validate_python(name))
    except ValidationError as error:
        told = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"NAME: {told}") from None


def started_text(name: str, start: str, document: Document, schema: str) -> str:
    """Return the text of a scenario that changes another.

    Parameters
    ----------
    name : str
        Of the new one.
    start : str
        What it extends: a file, or the name of a scenario that comes with the program.
    document : Document
        The other one, resolved.
    schema : str
        File beside it by which an editor checks and completes.
    """
    tree = document.tree
    clock = _section(tree, "clock")
    streams = sorted(_section(tree, "demand"))
    rates = [key for key in streams if "rate" in _section(_section(tree, "demand"), key)]
    rails = sorted(_section(tree, "rails"))
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# Changes {start}: what is not written here is as there. `payroute explain {name}.yaml`",
        "# shows every value and its source; `payroute manual fields` says what may be written.",
        f"scenario: {name}",
        f"extends: {start}",
        f"question: What does {name} change in {start}?",
        "",
        f"# When and how long. There: {clock.get('start', '?')} for {clock.get('horizon', '?')}.",
        f"# clock: {{horizon: {clock.get('horizon', '10 min')}}}",
        "",
        f"# Who pays how much and how often. Streams there: {_some(streams)}.",
        *_rate_lines(tree, rates[:1]),
        "",
        f"# How systems work and what they charge. Rails there: {_some(rails)}.",
        "# rails:",
        f"#   {rails[0] if rails else 'mine'}: {{}}",
        "",
        "# What goes wrong, and when.",
        "# disruptions:",
        f"#   evening: {{outage: {rails[-1] if rails else 'mine'}, after: 10 s, for: 30 s}}",
    ]
    return "\n".join(lines) + "\n"


def _rate_lines(tree: dict[str, Tree], streams: list[str]) -> list[str]:
    demand = _section(tree, "demand")
    found = ["# demand:"]
    for key in streams:
        rate = _section(demand, key)["rate"]
        told = rate.get("value") if isinstance(rate, dict) else rate
        found.append(f"#   {key}: {{rate: {told}}}")
    corridors = _section(tree, "corridors")
    if not streams and corridors:
        # A written list of payments has no rate to change: a stream beside it has.
        name = min(corridors)
        currency = _section(_section(corridors, name), "to").get("currency", "KHR")
        amount = _LIKELY.get(str(currency), "10")
        found.append(f"#   more: {{corridor: {name}, rate: 1 /s, amount: {amount} {currency}}}")
    return found


def _section(tree: dict[str, Tree], name: str) -> dict[str, Tree]:
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED_MAX
    shown = ", ".join(names[:_NAMED_MAX]) or "none"
    return f"{shown} and {more} more" if more > 0 else shown
