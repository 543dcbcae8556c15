"""`gate replay`: the same evidence gives the same verdict; and what would another policy say?"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import click

from gate.backtest import backtest, became
from gate.decision import from_json, redo, to_json
from gate.errors import GateError, UsageError
from gate.ledger.ledger import Entry, Ledger
from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit, rewrite
from gate.surfaces.cli.show import show_page
from gate.surfaces.cli.types import Duration
from gate.surfaces.report.backtest import Asked, backtest_json, backtest_page
from gate.wiring import ledger as wired
from gate.wiring import policy_named

# Seconds. Entries stand in the order they were stored; decisions of several processes whose clocks
# differ may be out of order by their times, but hardly by more than this.
OUT_OF_ORDER = 86_400.0
EVERY = 500  # decisions from one line of progress to the next


@click.command(
    epilog="Example: gate replay 3f9c0a12\n\n"
    "Example: gate replay --policy release.yaml --since 90d --service checkout"
)
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--policy", help="What would this policy (a file, or a shipped one) have said?")
@click.option("--since", type=Duration(), default="90d", show_default=True, help="With --policy.")
@click.option("--service", help="With --policy: only decisions of this service.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True,
    help="With --policy: list so many changed decisions; all are counted.",
)  # fmt: skip
@options.FORMAT
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
def replay(id_: str | None, ledger: str | None, **flags: Any) -> None:
    """Decide stored decisions again, from their stored evidence alone.

    With ID: one, as it was decided. Exits 0 when the verdict is the same to the last bit, 30 when
    it is not. With --policy: all since then under another policy; what would have come out
    otherwise, and why. Exits 0 whatever came out.
    """
    kept = wired(settings(os.environ, ledger=ledger))
    if (id_ is None) == (flags["policy"] is None):
        raise UsageError(
            "name one stored decision, or a policy",
            "gate replay 3f9c0a12, or gate replay --policy release.yaml --since 90d",
        )
    if id_ is not None:
        _one(kept, id_)
    else:
        _all(kept, flags)


def _one(kept: Ledger, id_: str) -> None:
    decision = from_json(kept.entry(id_).record.body)
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


def _all(kept: Ledger, flags: dict[str, Any]) -> None:
    since = time.time() - flags["since"]
    asked = Asked(policy=policy_named(flags["policy"]), service=flags["service"], since=since)
    entries = _progress(_since(kept.entries(flags["service"]), since))
    known = became(kept, flags["service"], since)
    found = backtest(entries, asked.policy, known, flags["limit"])
    if flags["form"] == "json":
        emit(backtest_json(asked, found))
    else:
        show_page(backtest_page(asked, found), flags["form"])


def _since(entries: Iterable[Entry], since: float) -> Iterator[Entry]:
    """Those stored since then; `entries` newest first."""
    for entry in entries:
        if entry.record.at < since - OUT_OF_ORDER:
            return
        if entry.record.at >= since:
            yield entry


def _progress(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same, with a line of progress on a terminal."""
    shown = sys.stderr.isatty()
    for count, entry in enumerate(entries, 1):
        if shown and count % EVERY == 0:
            rewrite(f"{count:,} decisions")
        yield entry
    if shown:
        rewrite("")
