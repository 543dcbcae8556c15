"""`gate override`: exceptions that two people answer for, for some hours, kept for ever."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click
import orjson

from gate.errors import UsageError
from gate.ledger.ledger import Ledger
from gate.ledger.overrides import grant, overrides
from gate.ledger.overrides import revoke as take_back
from gate.override import Override
from gate.policy.load import named
from gate.policy.policy import Policy
from gate.settings import settings
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.types import Duration
from gate.surfaces.overrides import check_terms, overrides_document, standing
from gate.surfaces.report.page import printable
from gate.wiring import ledger as wired
from gate.wiring import policy_of

_LEDGER = click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.group(
    epilog="Example: gate override add --service checkout --version 7d4b9c --by ada "
    "--approved-by grace --ticket INC-123 --reason 'monitoring is down' --for 2h"
)
def override() -> None:
    """Lift holds for one version, approved by a second person, recorded in the ledger."""


@override.command(
    "add",
    epilog="Example: gate override add --service checkout --version 7d4b9c --by ada "
    "--approved-by grace --ticket INC-123 --reason 'monitoring is down' --for 2h",
)
@click.option("--service", required=True, help="The service it is for.")
@click.option("--version", required=True, help="The version it is for, as in --canary.")
@click.option("--by", default="", help="Who asks for it.")
@click.option("--approved-by", default="", help="Who approves it: another person.")
@click.option("--reason", default="", help="Why.")
@click.option("--ticket", default="", help="Where this is followed up.")
@click.option("--for", "length", type=Duration(), default="1h", show_default=True)
@click.option("--rule", "rules", multiple=True, help="Lift only this rule or freeze.")
@click.option("-f", "--file", "path", help="Check against the policy of this service file.")
@click.option("--policy", help="Check against this policy.")
@_FORMAT
@_LEDGER
def add(**flags: Any) -> None:
    """Grant one. Without --rule it lifts every hold, but never a rollback.

    A rule that says rollback is lifted only by its name, and only where the policy lists it under
    `overrides.rules`. Decisions made while it is in force quote it.
    """
    now = time.time()
    asked = Override(
        id="", service=flags["service"], version=flags["version"], by=flags["by"],
        approved_by=flags["approved_by"], reason=flags["reason"], ticket=flags["ticket"],
        created_at=now, expires_at=now + flags["length"], rules=flags["rules"],
    )  # fmt: skip
    if policy := _policy(flags["path"], flags["policy"], flags["service"]):
        check_terms(asked, policy)
    _told([grant(_open(flags["ledger"]), asked)], flags["form"], now)


@override.command("list", epilog="Example: gate override list --service checkout")
@click.option("--service", help="Only of this service.")
@_FORMAT
@_LEDGER
def list_(service: str | None, form: str, ledger: str | None) -> None:
    """Those of the last 30 days, newest first, and how they stand."""
    now = time.time()
    _told(overrides(_open(ledger), service, now), form, now)


@override.command("revoke", epilog="Example: gate override revoke 3f9c0a12 --by grace")
@click.argument("id_", metavar="ID")
@click.option("--by", required=True, help="Who takes it back.")
@_FORMAT
@_LEDGER
def revoke(id_: str, by: str, form: str, ledger: str | None) -> None:
    """Take one back; what was decided with it stays as it was decided."""
    now = time.time()
    _told([take_back(_open(ledger), id_, by=by, at=now)], form, now)


def _open(path: str | None) -> Ledger:
    return wired(settings(os.environ, ledger=path))


def _policy(path: str | None, name: str | None, service: str) -> Policy | None:
    from gate.service_file import load

    if path is None:
        return named(name, Path()).policy if name else None
    file = load(Path(path))
    if file.service.name != service:
        raise UsageError(f"{path} is the file of {file.service.name!r}, not of {service!r}")
    return policy_of(file, name)


def _told(found: list[Override] | tuple[Override, ...], form: str, now: float) -> None:
    if form == "json":
        told = overrides_document(found, now)
        emit(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    lines = [f"{standing(one, now):<8} {one.service} {one.version}  {one}" for one in found]
    emit("".join(f"{printable(line)}\n" for line in lines) or "no overrides in 30 days\n")
