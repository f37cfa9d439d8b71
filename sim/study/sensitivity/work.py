"""Run one variant of a scenario, unless it compiles to what is known already.

Takes the resolved scenario as text, the changes that make the variant and the fingerprints of the
scenario as it stands; gives the measures of every replication. A variant is loaded once for all its
replications, and where its compiled form is that of the base it is not run: it cannot differ.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import ScenarioError, UserError
from sim.study.case import depends_on_luck, rekeyed
from sim.study.measure_key import pick
from sim.study.pool import Pool
from sim.study.run import RunOptions, Silence, find_engine, run_replication

if TYPE_CHECKING:
    from sim.analysis.summary import Summary
    from sim.compiler.compile import Compiled

_SEEDED = frozenset({"key"})
"""Fields of a stream that depend on the seed and the replication by design."""


@dataclass(frozen=True, slots=True)
class VariantItem:
    """Say which variant is run, and how often.

    Attributes
    ----------
    text : str
        The resolved scenario.
    overrides : tuple of str
        Changes, as given to ``--set``.
    seed : int
    replications : tuple of int
        Numbers; the luck of each is the same in every variant.
    measures : tuple of str
        Keys of the measures wanted.
    fingerprints : tuple of str
        Of the base, one per replication; empty: run in any case.
    """

    text: str
    overrides: tuple[str, ...]
    seed: int
    replications: tuple[int, ...]
    measures: tuple[str, ...]
    fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantRun:
    """Hold one replication of a variant.

    Attributes
    ----------
    fingerprint : str
        Of what was compiled.
    values : tuple of float or None, or None
        One per measure; None as a whole where the compiled form is the base's and nothing was run.
    digest : str
        Of all payments.
    seconds : float
        Compiling and running.
    """

    fingerprint: str
    values: tuple[float | None, ...] | None
    digest: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Variant:
    """Hold what came of a variant.

    Attributes
    ----------
    runs : tuple of VariantRun
        In order of the replications; empty if it was refused.
    refusal : str
        What the scenario does not allow.
    """

    runs: tuple[VariantRun, ...]
    refusal: str = ""


def do_variant(item: VariantItem) -> Variant:
    """Compile and run a variant.

    Parameters
    ----------
    item : VariantItem
        What to do.
    """
    _import_all()
    try:
        runs = tuple(_runs(item))
    except ScenarioError as error:
        return Variant((), error.problems[0].message)
    except UserError as error:
        return Variant((), str(error).splitlines()[0])
    return Variant(runs)


def _import_all() -> None:
    """Load what a run needs before the clock starts: the first run of a process tells its pace."""
    import sim.analysis.measures
    import sim.compiler.compile
    import sim.tables.run_folder
    import sim.tables.writer  # noqa: F401

    find_engine("compiled", Silence())


def run_base(item: VariantItem) -> Summary:
    """Return all measures of a variant's first replication."""
    (compiled,) = _compiled(item)
    return run_replication(compiled, RunOptions(record="none")).summary


def run_variants(
    items: Sequence[VariantItem], pool: Pool, heard: Callable[[int], None]
) -> list[Variant]:
    """Run variants in parallel and return them in their order.

    Parameters
    ----------
    items : sequence of VariantItem
    pool : Pool
    heard : callable
        Hears how many runs are done of those planned here.
    """
    found: dict[int, Variant] = {}
    done = 0
    for at, variant in pool.run(do_variant, items):
        found[at] = variant
        done += len(items[at].replications)
        heard(done)
    return [found[at] for at in range(len(items))]


def _runs(item: VariantItem) -> Iterator[VariantRun]:
    begun = time.perf_counter()
    for at, compiled in enumerate(_compiled(item)):
        known = item.fingerprints[at] if item.fingerprints else ""
        fingerprint = compiled_fingerprint(compiled)
        if fingerprint == known:
            yield VariantRun(fingerprint, None, "", time.perf_counter() - begun)
            begun = time.perf_counter()
            continue
        done = run_replication(compiled, RunOptions(record="none"))
        picked = [pick(done.summary, key) for key in item.measures]
        values = tuple(
            None if measure is None or measure.value is None else float(measure)
            for measure in picked
        )
        seconds = time.perf_counter() - begun
        yield VariantRun(fingerprint, values, done.facts.payments_digest, seconds)
        begun = time.perf_counter()


def _compiled(item: VariantItem) -> Iterator[Compiled]:
    """Yield the variant compiled for each replication; loaded once."""
    from sim.compiler.compile import compile_scenario
    from sim.scenario.scenario import load_scenario

    with tempfile.TemporaryDirectory(prefix="payroute-") as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(item.text, encoding="utf-8")
        loaded = load_scenario(path, item.overrides)
    first: Compiled | None = None
    for number in item.replications:
        if first is not None and not depends_on_luck(first):
            yield rekeyed(first, number)
            continue
        first = compile_scenario(loaded, seed=item.seed, replication=number)
        yield first


def compiled_fingerprint(compiled: Compiled) -> str:
    """Return a text that is the same for scenarios that cannot differ on the same luck.

    Parameters
    ----------
    compiled : Compiled

    Notes
    -----
    The hash of the plan is not enough: rates, numbers of payers and shares of customers stand in
    the streams the workload is drawn from, which are no part of the plan.
    """
    from sim.tables.digest import plan_hash

    state = hashlib.blake2b(plan_hash(compiled.plan).encode(), digest_size=12)
    for demand in compiled.demands:
        for entry in fields(demand):
            if entry.name in _SEEDED:
                continue
            value = getattr(demand, entry.name)
            if isinstance(value, np.ndarray):
                state.update(f"{entry.name}:{value.shape}:".encode())
                state.update(np.ascontiguousarray(value).tobytes())
            else:
                state.update(f"{entry.name}={value!r};".encode())
    return state.hexdigest()
