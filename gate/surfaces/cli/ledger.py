"""`gate ledger`: what was decided, with its evidence, and whether anything was touched since."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from gate.decision import from_json
from gate.errors import LedgerError, UsageError
from gate.ledger.ledger import Entry, Kind, Ledger
from gate.ledger.memory import as_deployment
from gate.settings import settings
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import FORMATS, show
from gate.surfaces.exit_code import exit_code
from gate.surfaces.report.numbers import moment, rfc3339
from gate.surfaces.report.outcome import remembered
from gate.surfaces.report.page import printable
from gate.wiring import ledger as wired

_LEDGER = click.option("--ledger", "path", help="Where decisions are kept (GATE_LEDGER).")


@click.group(epilog="Example: gate ledger list --service checkout")
def ledger() -> None:
    """List, show and verify decisions."""


@ledger.command("list", epilog="Example: gate ledger list --service checkout --limit 20")
@click.option("--service", help="Only of this service.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option(
    "--kind", type=click.Choice([*map(str, Kind), "all"]), default="decision", show_default=True,
    help="What the entries tell.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@_LEDGER
def list_(service: str | None, limit: int, kind: str, form: str, path: str | None) -> None:
    """Decisions, newest first; with --kind what became of releases, or everything."""
    wanted = None if kind == "all" else Kind(kind)
    entries = _open(path).entries(service, limit, wanted)
    if form == "json":
        import orjson

        emit(orjson.dumps([_entry(one) for one in entries], option=orjson.OPT_APPEND_NEWLINE))
        return
    lines = list(_lines(entries))
    emit("".join(lines) or f"no {'entries' if wanted is None else f'{wanted}s'} yet\n")


@ledger.command("show", epilog="Example: gate ledger show 3f9c0a12")
@click.argument("id_", metavar="ID")
@click.option("--format", "form", type=click.Choice([*FORMATS, "stored"]), default="text")
@_LEDGER
def show_(id_: str, form: str, path: str | None) -> None:
    """One entry again, as it was told; `--format stored` gives all of it, raw series too."""
    entry = _open(path).entry(id_)
    if form == "stored":
        emit(entry.record.body + b"\n")
        return
    if entry.record.kind != Kind.DECISION:
        emit(_told(entry, form))
        return
    decision = from_json(entry.record.body)
    show(decision, form, exit_code(decision))


@ledger.command("verify", epilog="Example: gate ledger verify")
@_LEDGER
def verify(path: str | None) -> None:
    """Recompute the whole chain. Exits 0 when it is whole, 30 when it is not.

    Keep the last digest somewhere else: only a kept digest shows that the end was cut off.
    """
    found = _open(path).verify()
    if found.faults:
        raise LedgerError(f"{len(found.faults)} faults: " + "\n  ".join(found.faults))
    emit(f"{found.entries} entries, the chain is whole; last digest {found.last}\n")


def _open(path: str | None) -> Ledger:
    return wired(settings(os.environ, ledger=path))


def _lines(entries: Iterator[Entry]) -> Iterator[str]:
    for entry in entries:
        record = entry.record
        named = f"{record.service} {_version(entry)}".strip()
        yield f"{record.id}  {moment(record.at)}  {record.outcome:<8}  {named}\n"


def _version(entry: Entry) -> str:
    """Which one a deployment is of; a decision tells it on its own page."""
    deployed = entry.record.kind == Kind.DEPLOYMENT
    return printable(as_deployment(entry).version) if deployed else ""


def _told(entry: Entry, form: str) -> str | bytes:
    """What became of a release, in a sentence or as it is stored."""
    if entry.record.kind != Kind.DEPLOYMENT:
        raise UsageError(
            f"{entry.record.id} is no decision but: {entry.record.kind}", "--format stored tells it"
        )
    if form == "json":
        return entry.record.body + b"\n"
    return f"{remembered(as_deployment(entry))}\n"


def _entry(entry: Entry) -> dict[str, object]:
    record = entry.record
    return {
        "number": entry.number,
        "id": record.id,
        "service": record.service,
        "kind": record.kind,
        "verdict": record.outcome,
        "decided_at": rfc3339(record.at),
        "digest": entry.digest,
    }
