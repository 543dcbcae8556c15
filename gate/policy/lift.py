"""Overrides at work: which holds they lift, and what is said of those that lift none.

An override lifts holds. A rollback it lifts only by the name of its rule, and only where the policy
lists that name. What it lifts stays quoted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gate.override import Override, Overriding, clock, same_person
from gate.policy.freeze import rough
from gate.policy.situation import Situation
from gate.verdict import Outcome, Reason

RECENT = 86_400.0  # an override that ended longer ago is not mentioned any more


@dataclass(frozen=True, slots=True)
class Overrides:
    """Those in force for a release, newest first, under the policy's terms; notes on the others."""

    allowed: Overriding
    valid: tuple[Override, ...] = ()
    notes: tuple[str, ...] = ()

    def lift(self, reasons: Sequence[Reason]) -> list[Reason]:
        """The reasons, lifted where an override covers them."""
        return [self._lifted(reason) for reason in reasons]

    @property
    def voice(self) -> Reason | None:
        """That of an override of every hold, which needs no rule beside it to say promote."""
        everything = (one for one in self.valid if not one.rules)
        return next((_voice(one) for one in everything), None)

    def may_lift_guard(
        self, reasons: Sequence[Reason], known: Mapping[str, Any], convicting: Collection[str]
    ) -> bool:
        """Whether it may go on unshown: nothing critical was shown worse, or that was lifted.

        That is a rollback of one of the rules `convicting` by what was shown; an override that
        lifted one did so by its name.
        """
        names = {_name(one) for one in self.valid}
        by_name = (
            one.outcome is Outcome.ROLLBACK and one.rule in convicting and one.lifted in names
            for one in reasons
        )
        return known.get("analysis.critical_worse") == () or any(by_name)

    def told(self, reasons: Sequence[Reason], total: int) -> tuple[str, ...]:
        """The notes: each override that lifted something in full, and why the others did not."""
        return (*self.notes, *(_told(one, reasons, total) for one in self.valid))

    def _lifted(self, reason: Reason) -> Reason:
        if reason.lifted or reason.outcome is Outcome.PROMOTE:
            return reason
        covering = next((one for one in self.valid if self._covers(one, reason)), None)
        return replace(reason, lifted=_name(covering)) if covering else reason

    def _covers(self, one: Override, reason: Reason) -> bool:
        named = reason.rule in one.rules
        if reason.outcome is Outcome.ROLLBACK:
            return named and reason.rule in self.allowed.rules
        return named or not one.rules


def in_force(found: Situation, allowed: Overriding) -> Overrides:
    """The overrides that the ledger holds for this version at this moment."""
    valid, notes = [], []
    for one in found.history.overrides if found.history else ():
        ends = min(one.expires_at, one.created_at + allowed.longest)
        why = _why_not(one, found, allowed, ends)
        if why is None:
            valid.append(replace(one, expires_at=ends))
        elif found.at < ends + RECENT:
            notes.append(f"{_name(one)} does nothing: {why}")
    return Overrides(allowed, tuple(valid), tuple(notes))


def _voice(one: Override) -> Reason:
    return Reason(_name(one), Outcome.PROMOTE, f"{one.ticket}: {one.reason}")


def _used(one: Override, reasons: Sequence[Reason]) -> bool:
    """Whether it lifted any of the reasons, or spoke where none was left."""
    return any(_name(one) in (reason.lifted, reason.rule) for reason in reasons)


def _why_not(one: Override, found: Situation, allowed: Overriding, ends: float) -> str | None:
    """Why it is not in force; None where it is."""
    for why in _faults(one, found, allowed, ends):
        return why
    return None


def _faults(one: Override, found: Situation, allowed: Overriding, ends: float) -> Iterator[str]:
    if one.version != found.version:
        yield f"it is for {one.version}, not {found.version}"
    if one.revoked_at is not None and one.revoked_at <= found.at:
        ago = rough(found.at - one.revoked_at)
        yield f"{one.revoked_by} took it back {ago} ago"
    if ends <= found.at:
        terms = "" if ends == one.expires_at else "; this policy lets one last no longer"
        yield f"it expired {rough(found.at - ends)} ago{terms}"
    if same_person(one.by, one.approved_by):
        yield f"{one.by} approved it for themselves"
    if allowed.approvers and not any(
        same_person(one.approved_by, name) for name in allowed.approvers
    ):
        yield f"{one.approved_by} is none of this policy's approvers"


def _told(one: Override, reasons: Sequence[Reason], total: int) -> str:
    if _used(one, reasons):
        scope = ", ".join(one.rules) or "every hold"
        return (
            f"lifted by {_name(one)} of {one.by}, approved by {one.approved_by}, until "
            f"{clock(one.expires_at)}, for {scope}: {one.ticket}: {one.reason}; "
            f"{total} of this service in 30 days"
        )
    return f"{_name(one)} is in force, and lifted nothing"


def _name(one: Override) -> str:
    return f"override {one.id[:8]}"
