"""A policy: rules, each a condition and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.policy.demand import Demand
from gate.verdict import Outcome


class OnUnknown(StrEnum):
    """What a rule says when a fact it needs is missing."""

    HOLD = "hold"
    ROLLBACK = "rollback"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`when` (CEL over the facts) `then` an outcome, with a message.

    `message` may use facts in braces (`{budget.remaining:.0%}`). `docs` is a link for the reader.
    """

    name: str
    when: str
    then: Outcome
    message: str
    on_unknown: OnUnknown = OnUnknown.HOLD
    docs: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules that all are asked; their order means nothing.

    `evidence`: the table of how much must be seen, see `demands`.
    `sha256` is of the file's bytes, so that a decision names exactly what it was decided by.
    """

    name: str
    rules: tuple[Rule, ...]
    sha256: str
    evidence: tuple[Demand, ...] = ()
