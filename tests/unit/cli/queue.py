"""A plain queue as a scenario, and the command line run in this process."""

import sys

from typer.testing import CliRunner

from sim.cli import app

QUEUE = """\
scenario: three-clerks
question: How long is the line?
clock: {start: 2025-09-17T18:00:00+07:00, horizon: 2 min}
rails:
  shop:
    kind: generic
    stations: {counter: {servers: 3, queue_limit: 4}}
    stages: [{name: service, serve: counter, time: {exponential: {mean: 1 s}}}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  customers: {corridor: inside, rate: 2.4 /s}
"""


def write_queue(folder):
    path = folder / "queue.yaml"
    path.write_text(QUEUE, encoding="utf-8")
    return path


def payroute(*arguments, monkeypatch=None):
    """Run a command; what escapes it as an exception fails the test."""
    words = [str(argument) for argument in arguments]
    if monkeypatch is not None:
        monkeypatch.setattr(sys, "argv", ["payroute", *words])
    result = CliRunner().invoke(app, words, prog_name="payroute")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def run_queue(folder, *arguments):
    """Run the queue on the reference engine into folder/run."""
    out = folder / "run"
    path = write_queue(folder)
    return payroute("run", path, "--engine", "reference", "--out", out, *arguments), out
