"""`gate outcome`: what became of a release, for the decisions after it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click
import orjson

from gate.deployment import Deployment, Result
from gate.errors import UsageError
from gate.ledger.ledger import Entry, Ledger
from gate.ledger.memory import as_deployment, remember, told_before, with_decision
from gate.service_file import load
from gate.settings import settings
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.types import Moment
from gate.surfaces.report.outcome import remembered
from gate.wiring import ledger as wired

SCHEMA = "gate.outcome/v1"


@click.command(
    epilog="Example: gate outcome --service checkout --version v1.9.0 --result rolled_back"
)
@click.option("--service", help="Whose release; or the one of -f.")
@click.option("-f", "--file", "path", help="Service file, where --service is not given.")
@click.option("--version", required=True, help="The version that was released.")
@click.option(
    "--result", type=click.Choice([*map(str, Result)]), required=True, help="How it ended."
)
@click.option("--base", default="", help="The revision it replaced; else the decision's.")
@click.option("--head", default="", help="Its own revision; else the decision's.")
@click.option("--at", type=Moment(), help="When it ended so, instead of now.")
@click.option("--namespace", default="", help="Where it ended so, if it runs in several.")
@click.option("--note", default="", help="Why, in a sentence.")
@click.option("--by", default="", help="Who or what tells it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--ledger", help="Where it is kept (GATE_LEDGER).")
def outcome(**flags: Any) -> None:
    """What became of a release: remembered in the ledger, and weighed in the next decisions.

    What changed is taken from the decision about that version. The same word told again is kept
    once; of several words about a version the worst one counts. Exits 0 when it is stored.
    """
    ledger = wired(settings(os.environ, ledger=flags["ledger"]))
    deployment = with_decision(ledger, _deployment(flags, time.time()))
    entry = _stored(ledger, deployment, timed=flags["at"] is not None)
    if flags["form"] == "json":
        told = {
            "schema": SCHEMA,
            "number": entry.number,
            "id": entry.record.id,
            "deployment": as_deployment(entry),
        }
        emit(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        emit(f"{remembered(as_deployment(entry))}\n")


def _deployment(flags: dict[str, Any], now: float) -> Deployment:
    """As it was told; raises UsageError."""
    for name in ("version", "base", "head", "namespace", "note", "by", "service"):
        if (text := flags[name]) and not text.isprintable():
            raise UsageError(f"--{name} is {text!r}: write it on one line, without control codes")
    if not flags["version"].strip():
        raise UsageError("--version is empty", "name the version as `gate check --canary` does")
    if bool(flags["base"]) != bool(flags["head"]):
        raise UsageError("--base and --head belong together", "give both, or neither")
    at = now if flags["at"] is None else flags["at"]
    if at > now:
        raise UsageError("--at lies in the future", "tell what became of it, or leave it out")
    return Deployment(
        service=_service(flags),
        result=Result(flags["result"]),
        at=at,
        **{name: flags[name] for name in ("version", "base", "head", "namespace", "note", "by")},
    )


def _service(flags: dict[str, Any]) -> str:
    named: str | None = flags["service"]
    if flags["path"] is None and named:
        return named
    declared = load(Path(flags["path"] or "gate.yaml")).service.name
    if named and named != declared:
        raise UsageError(f"{flags['path']} is about {declared!r}, not {named!r}", "name one")
    return declared


def _stored(ledger: Ledger, deployment: Deployment, *, timed: bool) -> Entry:
    """The entry that tells it: the one there is, where the last word said the same."""
    known = None if timed else told_before(ledger, deployment)
    return known or remember(ledger, deployment)
