"""`gate override`: exceptions that two people answer for, for some hours, kept for ever."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click
import orjson

from gate.errors import UsageError, did_you_mean
from gate.ledger.ledger import Ledger
from gate.ledger.overrides import grant, overrides
from gate.ledger.overrides import revoke as take_back
from gate.override import Override, Overriding, same_person
from gate.policy.evaluate import GUARD
from gate.policy.load import named
from gate.policy.policy import Policy, Then
from gate.settings import settings
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.types import Duration
from gate.surfaces.report.numbers import rfc3339
from gate.surfaces.report.page import printable
from gate.units import duration
from gate.wiring import ledger as wired
from gate.wiring import policy_of

SCHEMA = "gate.overrides/v1"
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
        _check_terms(asked, policy)
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


def _check_terms(asked: Override, policy: Policy) -> None:
    """UsageError for an override that would do nothing, or less than it says, by this policy."""
    allowed = policy.overrides
    said = {rule.name: rule.then for rule in policy.rules}
    known = [*said, *(one.name for one in policy.freezes), GUARD.rule]
    for name in asked.rules:
        if name not in known:
            guess = did_you_mean(name, known) or f"; known: {', '.join(known)}"
            raise UsageError(f"policy {policy.name!r} has no rule {name!r}{guess}")
        if said.get(name) is Then.ROLLBACK and name not in allowed.rules:
            raise UsageError(
                f"policy {policy.name!r} does not let {name!r} be overridden",
                f"its overrides.rules are: {', '.join(allowed.rules) or 'none'}",
            )
    _check_approval(asked, policy.name, allowed)


def _check_approval(asked: Override, policy: str, allowed: Overriding) -> None:
    if asked.expires_at - asked.created_at > allowed.longest:
        most = duration(allowed.longest)
        raise UsageError(f"by policy {policy!r} an override lasts at most {most}")
    if allowed.approvers and not any(
        same_person(asked.approved_by, one) for one in allowed.approvers
    ):
        approvers = ", ".join(allowed.approvers)
        raise UsageError(
            f"{asked.approved_by or 'nobody'} may not approve by policy {policy!r}",
            f"its approvers: {approvers}",
        )


def _told(found: list[Override] | tuple[Override, ...], form: str, now: float) -> None:
    if form == "json":
        told = {"schema": SCHEMA, "overrides": [_document(one, now) for one in found]}
        emit(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    lines = [f"{_standing(one, now):<8} {one.service} {one.version}  {one}" for one in found]
    emit("".join(f"{printable(line)}\n" for line in lines) or "no overrides in 30 days\n")


def _standing(one: Override, now: float) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return "in force" if now < one.expires_at else "expired"


def _document(one: Override, now: float) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in one.__dataclass_fields__}
    times = {
        name: None if told[name] is None else rfc3339(told[name])
        for name in ("created_at", "expires_at", "revoked_at")
    }
    return {**told, **times, "standing": _standing(one, now)}
