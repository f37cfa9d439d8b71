"""What was written wrongly is found: faults are planted in the writer, never in a written file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import AuditReport, audit_run
from sim.contract.layout import PricingColumn
from sim.tables import log_rows, payment_rows
from sim.tables.finished_run import FinishedRun
from sim.tables.open_run import open_run
from sim.tables.schemas import Record
from tests.unit.audit import faults as f
from tests.unit.audit.busy import SEED, Kept, busy_run, write_run, write_scenario
from tests.unit.cli.queue import payroute

LEVELS = (Record.PAYMENTS, Record.STAGES, Record.EVENTS)
"""From what tables alone allow, over visits beside them, to the whole log."""


@dataclass(frozen=True)
class Fault:
    """A fault of the writer, and the least a run must record for it to be found."""

    name: str
    plant: f.Plant
    found_from: Record = Record.PAYMENTS


ALWAYS, VISITS, LOG = LEVELS
P, S, E = (f.payments, f.visits, f.samples)
FAULTS = [
    # Margins and fees.
    Fault("an FX margin is booked to another institution", f.margin_to_another),
    Fault("two FX providers' margins are exchanged", f.margins_exchanged),
    Fault("the first FX provider has the whole margin", f.margin_to_first),
    Fault("two fee components are exchanged", f.components_exchanged),
    Fault("fee components are shifted by one", f.shift("_components")),
    Fault("fee recipients are shifted by one", f.shift("_recipients")),
    Fault("bearers are exchanged", f.shift_words(payment_rows, "BEARERS")),
    Fault("a margin has the wrong currency", f.parts("_spreads", f.CURRENCY, lambda c: c * 0)),
    Fault("a fee has the wrong currency", f.parts("_charged_fees", f.CURRENCY, lambda c: c * 0)),
    Fault("a fee has the wrong bearer", f.parts("_charged_fees", f.BEARER, lambda b: 1 - b)),
    Fault("fees go to the next payment", f.fees(f.figures("payment_id", lambda v: v + 1))),
    Fault("a fee is a unit too much", f.fees(f.figures("amount_minor", lambda v: v + 1))),
    Fault("the last fee of a chunk is dropped", f.fees(f.drop_row)),
    Fault("the first fee of a chunk is doubled", f.fees(f.double_row)),
    Fault("fees are of another replication", f.fees(f.figures("replication", lambda v: v + 1))),
    # Figures under the wrong name.
    Fault("waiting and service are exchanged", f.swap_record_columns("waiting_us", "service_us"),
          VISITS),
    Fault("retry and liquidity are exchanged", f.swap_record_columns("retry_us", "liquidity_us")),
    Fault("doubt and retry are exchanged", f.swap_record_columns("in_doubt_us", "retry_us")),
    Fault("known is in doubt since 0", P(f.zero_for_null("in_doubt_since_us"))),
    Fault("what was never in doubt was so at 0", P(f.zero_for_null("doubted_us"))),
    Fault("what was never in doubt is known at 0", P(f.zero_for_null("known_us"))),
    Fault("who waits for ever left at 0", P(f.zero_for_null("gone_us"))),
    Fault("ledger and transit are exchanged", f.swap_record_columns("ledger_us", "transit_us")),
    Fault("attempts and re-quotes are exchanged", f.swap_record_columns("attempts", "requotes")),
    Fault("settled and credited are exchanged", f.swap_record_columns("settled_us", "credited_us")),
    Fault("submitted and settled are exchanged",
          f.swap_record_columns("submitted_us", "settled_us")),
    Fault("margin and drift are exchanged",
          f.swap_record_columns("fx_margin_minor", "fx_drift_minor")),
    Fault("the payer's and the merchant's fee are exchanged",
          f.swap_record_columns("payer_fee_minor", "merchant_fee_minor")),
    Fault("debited and settlement amount are exchanged",
          f.swap_record_columns("debited_amount_minor", "settlement_amount_minor")),
    Fault("settlement and credited amount are exchanged",
          f.swap_record_columns("settlement_amount_minor", "credited_amount_minor")),
    Fault("instructed and credited amount are exchanged",
          f.swap_record_columns("instructed_amount_minor", "credited_amount_minor")),
    Fault("the agents are exchanged", P(f.swap("debtor_agent", "creditor_agent"))),
    Fault("stream and corridor are exchanged", P(f.swap("stream", "corridor"))),
    # Nulls.
    Fault("null is written as 0", f.write_null_as_zero),
    Fault("never settled is 0", P(f.zero_for_null("settled_us"))),
    Fault("still open is 0", P(f.zero_for_null("end_us"))),
    Fault("nothing credited is 0", P(f.zero_for_null("credited_amount_minor"))),
    Fault("no margin is 0", P(f.zero_for_null("fx_margin_minor"))),
    Fault("no drift is 0", P(f.zero_for_null("fx_drift_minor"))),
    Fault("no merchant's fee is 0", P(f.zero_for_null("merchant_fee_minor"))),
    # Rows.
    Fault("the last row of a row group is dropped",
          f.at_row_group_end("payments", lambda places: places[:-1])),
    Fault("the last row of a row group is written twice",
          f.at_row_group_end("payments", lambda places: [*places, places[-1]])),
    Fault("the last row of a chunk is dropped", P(f.drop_row)),
    Fault("the first row of a chunk is doubled", P(f.double_row)),
    Fault("numbers begin at 1", P(f.figures("payment_id", lambda v: v + 1))),
    Fault("the replication is one too high", P(f.figures("replication", lambda v: v + 1))),
    Fault("a chunk's numbers are reversed", P(f.figures("payment_id", lambda v: v[::-1]))),
    # Dictionaries.
    Fault("streams are shifted by one", f.shift("_streams")),
    Fault("routes are shifted by one", f.shift("_routes")),
    Fault("agents are shifted by one", f.shift("_agents")),
    Fault("corridors are shifted by one", f.shift("_corridors")),
    Fault("currencies are shifted by one", f.shift("_currencies")),
    Fault("outcomes are shifted by one", f.shift_words(payment_rows, "OUTCOMES")),
    Fault("reasons are shifted by one", f.shift_words(payment_rows, "REASONS")),
    Fault("scopes are exchanged", f.shift_words(payment_rows, "SCOPES")),
    # Currencies of the neighbour.
    Fault("debited and settlement currency are exchanged",
          f.neighbour(PricingColumn.CURRENCY_DEBITED, PricingColumn.CURRENCY_SETTLEMENT)),
    Fault("settlement and credited currency are exchanged",
          f.neighbour(PricingColumn.CURRENCY_SETTLEMENT, PricingColumn.CURRENCY_CREDITED)),
    Fault("instructed and debited currency are exchanged",
          P(f.swap("instructed_currency", "debited_currency"))),
    Fault("the providers of a price are exchanged",
          f.neighbour(PricingColumn.PROVIDER_1, PricingColumn.PROVIDER_2)),
    # Units.
    Fault("amounts are in major units",
          P(f.figures("debited_amount_minor", lambda v: v // 100))),
    Fault("instants are in milliseconds", P(f.figures("settled_us", lambda v: v // 1000))),
    # Samples.
    Fault("queue and busy are exchanged", f.shift_words(log_rows, "SERIES_MEASURES")),
    Fault("places of samples are shifted by one", f.shift_places(log_rows.SeriesRows, "_names")),
    Fault("the last sample of a chunk is dropped", E(f.drop_row)),
    Fault("the first sample of a chunk is doubled", E(f.double_row)),
    Fault("samples are late", E(f.figures("time_us", lambda v: v + 1))),
    Fault("a sample shows one more", E(f.figures("value", lambda v: v + 1))),
    Fault("a sample shows another balance", E(f.other_balance), LOG),
    # Visits.
    Fault("queued and started are exchanged", S(f.swap("queued_us", "started_us")), VISITS),
    Fault("causes of visits are shifted by one", f.shift_words(log_rows, "CAUSES"), VISITS),
    Fault("places of visits are shifted by one",
          f.shift_places(log_rows.StageRows, "_places"), VISITS),
    Fault("names of stages are shifted by one",
          f.shift_places(log_rows.StageRows, "_stage_names"), VISITS),
    Fault("the last visit of a chunk is dropped", S(f.drop_row), VISITS),
    Fault("the first visit of a chunk is doubled", S(f.double_row), VISITS),
    Fault("a visit that goes on ended at 0", S(f.zero_for_null("ended_us")), VISITS),
    Fault("visits of the stage after", S(f.figures("stage", lambda v: v + 1)), VISITS),
    Fault("visits end a microsecond late", S(f.figures("ended_us", lambda v: v + 1)), VISITS),
    # The log itself.
    Fault("kinds of the log are shifted by one", f.shift_words(log_rows, "LOG_KINDS"), LOG),
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return busy_run(tmp_path_factory.mktemp("busy"))


def audit(run: Kept, folder: Path, record: Record) -> AuditReport:
    write_run(run, folder, record)
    finished: FinishedRun = open_run(folder)
    return audit_run(finished, run.plan)


@pytest.mark.slow  # whoever runs first compiles engine and audit
@pytest.mark.parametrize("record", LEVELS)
def test_the_writer_as_it_is_passes(tmp_path: Path, run: Kept, record: Record) -> None:
    report = audit(run, tmp_path / "run", record)
    assert report.violations == ()
    assert report.ok
    rules = {"one_row", "order", "names", "program", "amounts", "fees", "outcome", "time_by_cause"}
    rules |= {"series", "doubt"} | ({"visits"} if record is not Record.PAYMENTS else set())
    assert all(report.checks[rule] > 0 for rule in rules)


def test_the_run_shows_what_faults_could_hide_in(run: Kept) -> None:
    """Margins of two providers, fees of both bearers, re-quotes, fail-over, waits and open ends."""
    from sim.contract.layout import NULL
    from sim.contract.meaning import Cause, Outcome
    from sim.contract.records import RecordColumn

    column = run.records.T
    r = RecordColumn
    margin = column[r.FX_MARGIN] != NULL
    assert (margin & (column[r.SPREAD_1] > 0) & (column[r.FX_MARGIN] > column[r.SPREAD_1])).any()
    for amount in (r.PAYER_FEE, r.MERCHANT_FEE, r.REQUOTES, r.FX_DRIFT):
        assert (column[amount] > 0).sum() > 10
    for cause in Cause:
        assert (column[r.TIME_0 + cause] > 0).any(), cause
    assert (column[r.ATTEMPTS] > 1).any()
    found = np.bincount(column[r.OUTCOME], minlength=len(Outcome))
    assert found[[Outcome.COMPLETED, Outcome.REJECTED, Outcome.IN_PROGRESS]].min() > 10


def looked_for() -> list[tuple[Fault, Record]]:
    """Return at which levels each fault is looked for.

    With the whole log; with the least that is enough; and with less than that, where it must not be
    found, so that the table above says the truth.
    """
    found = []
    for fault in FAULTS:
        at = LEVELS.index(fault.found_from)
        levels = {LEVELS[max(at - 1, 0)], fault.found_from, LOG}
        found += [(fault, level) for level in LEVELS if level in levels]
    return found


@pytest.mark.parametrize(
    ("fault", "record"), looked_for(), ids=[f"{fault.name}-{at}" for fault, at in looked_for()]
)
def test_a_planted_fault_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Kept, fault: Fault, record: Record
) -> None:
    fault.plant(monkeypatch)
    report = audit(run, tmp_path / "run", record)
    monkeypatch.undo()
    assert report.ok != record.covers(fault.found_from), report.violations[:3]
    assert report.level == ("events" if record is Record.EVENTS else "payments")


@pytest.mark.slow
@pytest.mark.parametrize("record", [Record.PAYMENTS, Record.EVENTS])
def test_the_commands_find_a_run_that_was_written_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "run"
    words = ("run", scenario, "--seed", SEED, "--record", record.value, "--out", out)
    assert payroute(*words).exit_code == 0
    assert payroute("audit", out).exit_code == 0
    f.margin_to_another(monkeypatch)
    assert payroute(*words, "--force").exit_code == 0
    monkeypatch.undo()
    found = payroute("audit", out)
    assert found.exit_code == 3
    assert "audit found" in found.stderr
    assert "fees" in found.stdout
