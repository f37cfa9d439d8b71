"""A few busy minutes of both corridors, in which nearly everything a table can show happens.

Gives the scenario, and its run kept in memory, to be written by whatever writer is to be audited.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.engine.compiled import run_compiled
from sim.scenario.scenario import load_scenario
from sim.tables.finished_run import SCENARIO_FILE, FinishedRun
from sim.tables.run_folder import FolderChoice, RunRequest, RunResult, begin_run, complete_run
from sim.tables.schemas import Record
from sim.tables.writer import RunWriter, WriterOptions
from tests.unit.tables.corridor import Keeper

TWO_WAY = Path(__file__).resolve().parents[3] / "scenarios" / "china-two-way.yaml"
SEED = 7
BUSY = f"""\
scenario: busy-corridors
question: Does the audit find what was written wrongly?
extends: {TWO_WAY}
clock: {{start: 2025-09-17T18:00:00+07:00, horizon: 3 min}}
fx:
  step: 20 s
  mid:
    USD/CNY: {{daily_volatility: 2 %}}
    USD/KHR: {{daily_volatility: 2 %}}
rails:
  alipay_plus:
    quote_validity: 7 s
    inbound:
      fees:
        booking:
          {{component: booking, recipient: ant_international, bearer: debtor, fixed: 0.10 CNY}}
  unionpay:
    quote_validity: 7 s
    order_life: 14 s
    authorisation_time: {{lognormal: {{median: 2 s, sigma: 1.2}}}}
    inbound:
      fees:
        booking:
          {{component: booking, recipient: unionpay_international, bearer: debtor, fixed: 0.50 CNY}}
  wechat_pay:
    inbound:
      fees:
        booking: {{component: booking, recipient: tenpay_global, bearer: debtor, fixed: 2 CNY}}
accounts:
  aba_khr_for_alipay_plus: {{balance: 5 000 000, when_short: reject}}
  acleda_khr_for_alipay_plus: {{balance: 2 000 000, when_short: queue}}
demand:
  cn_counter: {{rate: 1.5 /s}}
  kh_counter_in_china: {{rate: 0.8 /s}}
  domestic_khr: {{rate: 2 /s}}
  domestic_usd: {{rate: 1 /s}}
institutions:
  acleda: {{core: {{servers: 1}}}}
"""


@dataclass(frozen=True)
class Kept:
    """Hold a run."""

    plan: Plan
    log: Array
    records: Array
    totals: Totals


def write_scenario(folder: Path) -> Path:
    """Write the scenario into a folder."""
    path = folder / "busy.yaml"
    path.write_text(BUSY, encoding="utf-8")
    return path


@cache
def busy_run(folder: Path) -> Kept:
    """Run the scenario once and keep what the engine tells."""
    compiled = compile_scenario(load_scenario(write_scenario(folder)), seed=SEED)
    keeper = Keeper()
    totals = run_compiled(compiled.plan, compiled.workload(), keeper)
    return Kept(compiled.plan, np.vstack(keeper.logs), np.vstack(keeper.records), totals)


def write_run(run: Kept, folder: Path, record: Record) -> FinishedRun:
    """Write the run into a folder as a run under way would."""
    request = RunRequest(["run"], "busy-corridors", "hash", "hash", SEED, record=record.value)
    opened = begin_run(FolderChoice(out=folder), request)
    (folder / SCENARIO_FILE).write_text(BUSY, encoding="utf-8")
    writer = RunWriter(run.plan, folder, WriterOptions(record, provenance=opened.provenance()))
    sampled = run.log[run.log[:, 2] >= 30]
    log = run.log if writer.wants_log else sampled
    for rows, take in ((log, writer.take_log), (run.records, writer.take_records)):
        for at in range(0, len(rows), 1 << 12):
            take(rows[at : at + (1 << 12)])
    writer.close()
    totals = run.totals
    result = RunResult(totals.payments, totals.events, writer.digest, writer.payments_digest)
    return complete_run(opened, result, {})
