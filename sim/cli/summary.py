"""Print what a run found out, for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from sim.experiment.result import Result


def print_result(result: Result) -> None:
    """Print the headline measures and where the run folder is."""
    console = Console()
    table = Table("measure", "value", "unit")
    for name, measure in result.summary.measures.items():
        table.add_row(name, str(measure.value), measure.unit)
    console.print(table)
    console.print(f"run folder: {result.folder}", highlight=False)
