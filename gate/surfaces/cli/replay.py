"""`gate replay`: the same evidence must give the same verdict."""

from __future__ import annotations

import os

import click

from gate.decision import from_json, redo, to_json
from gate.errors import GateError
from gate.settings import settings
from gate.surfaces.cli.console import emit
from gate.wiring import ledger as wired


@click.command(epilog="Example: gate replay 3f9c0a12")
@click.argument("id_", metavar="ID")
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
def replay(id_: str, ledger: str | None) -> None:
    """Decide a stored decision again, from its stored evidence alone.

    Exits 0 when the verdict is the same to the last bit, 30 when it is not.
    """
    entry = wired(settings(os.environ, ledger=ledger)).entry(id_)
    decision = from_json(entry.record.body)
    again = redo(decision)
    if to_json(again.verdict) != to_json(decision.verdict):
        raise GateError(
            f"decision {decision.id} was {decision.verdict.outcome} "
            f"and is now {again.verdict.outcome}",
            f"it was decided by gate {decision.gate_version}; compare the reports of both versions",
        )
    same = to_json(again) == to_json(decision.conclusion)
    numbers = "every number" if same else "the verdict, though not every digit of the analysis,"
    emit(f"{decision.id}: {decision.verdict.outcome} again; {numbers} is the same\n")
