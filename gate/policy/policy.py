"""A policy: rules, each a condition and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gate.override import Overriding
from gate.policy.demand import Demand
from gate.policy.freeze import Freeze
from gate.verdict import Outcome

# Seconds. GitHub fails a job that has waited for 30 days.
USUAL_DEADLINE, LONGEST_DEADLINE = 30 * 60.0, 29 * 86_400.0


class Then(StrEnum):
    """What follows from a rule that holds: an outcome, or no more than a warning."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"
    WARN = "warn"

    @property
    def outcome(self) -> Outcome | None:
        """None for a warning, which is no outcome."""
        return None if self is Then.WARN else Outcome(self)


class OnUnknown(StrEnum):
    """What a rule says when a fact it needs is missing."""

    HOLD = "hold"
    ROLLBACK = "rollback"
    IGNORE = "ignore"


class Mode(StrEnum):
    """Whether a rule counts: `warn` is told as a warning, `audit` as what it would have said."""

    ENFORCE = "enforce"
    WARN = "warn"
    AUDIT = "audit"


class Stance(StrEnum):
    """Whether a policy decides, or only observes what it would have decided (shadow mode)."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`when` (CEL over the facts) `then` an outcome, with a message.

    `message` may use facts in braces (`{budget.remaining:.0%}`). `docs` is a link for the reader,
    `owner` who answers for the rule. `unsafe`: lint need not refuse it, for this `reason`.
    """

    name: str
    when: str
    then: Then
    message: str
    mode: Mode = Mode.ENFORCE
    on_unknown: OnUnknown = OnUnknown.HOLD
    docs: str = ""
    owner: str = ""
    unsafe: bool = False
    reason: str = ""

    @property
    def counts(self) -> bool:
        """Whether what it says can change the outcome."""
        return self.mode is Mode.ENFORCE and self.then is not Then.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules that all are asked; their order means nothing.

    `sha256` is of the file's bytes, all that it extends and its calendars, so that a decision names
    exactly what it was decided by; `extends` names the direct parents, `name@sha256:digest` each.
    `disabled`: inherited rules that were switched off, and why. `mode`: as in `Stance`.
    `evidence`: the table of how much must be seen, see `demands`. `freezes` hold by themselves;
    `overrides`: the terms on which an override counts. `deadline`: seconds that a pipeline which
    waits for a verdict is kept waiting before it gets a no; None where no file says.
    """

    name: str
    rules: tuple[Rule, ...]
    sha256: str
    description: str = ""
    mode: Stance = Stance.ENFORCE
    extends: tuple[str, ...] = ()
    disabled: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Demand, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    overrides: Overriding = field(default_factory=Overriding)
    deadline: float | None = None

    @property
    def longest_wait(self) -> float:
        """The deadline, or the usual one."""
        return USUAL_DEADLINE if self.deadline is None else self.deadline
