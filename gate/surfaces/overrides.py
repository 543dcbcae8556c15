"""Overrides as every surface grants and tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gate.errors import UsageError, did_you_mean
from gate.override import Override, Overriding, same_person
from gate.policy.evaluate import GUARD
from gate.policy.policy import Policy, Then
from gate.surfaces.report.numbers import rfc3339
from gate.units import duration

SCHEMA = "gate.overrides/v1"


def check_terms(asked: Override, policy: Policy) -> None:
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


def overrides_document(found: Iterable[Override], now: float) -> Mapping[str, Any]:
    """Each with all it says, its times in words, and how it stands."""
    return {"schema": SCHEMA, "overrides": [_document(one, now) for one in found]}


def standing(one: Override, now: float) -> str:
    """`in force`, `expired` or `revoked`."""
    if one.revoked_at is not None:
        return "revoked"
    return "in force" if now < one.expires_at else "expired"


def _document(one: Override, now: float) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in one.__dataclass_fields__}
    times = {
        name: None if told[name] is None else rfc3339(told[name])
        for name in ("created_at", "expires_at", "revoked_at")
    }
    return {**told, **times, "standing": standing(one, now)}
