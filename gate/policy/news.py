"""Which way a fact is bad news: what a policy may not answer with a milder verdict.

Not every fact has a side. More minutes, another owner or an unknown number are no news of their
own, so nothing is demanded of how a policy takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from gate.policy.words import WORDS, Value
from gate.risk.level import Level


class Bad(StrEnum):
    """The side of a fact's values on which the bad news lies."""

    TRUE = "true"
    FALSE = "false"
    HIGHER = "higher"
    LOWER = "lower"
    MORE = "more"
    LEVEL = "level"


# Of a fact that is not here nobody said which way is bad.
BAD: Mapping[str, Bad] = {
    "analysis.safe": Bad.FALSE,
    "analysis.worse": Bad.MORE,
    "analysis.critical_worse": Bad.MORE,
    "analysis.unclear": Bad.MORE,
    "analysis.unfit": Bad.MORE,
    "analysis.evidence_worse": Bad.HIGHER,
    "analysis.score": Bad.LOWER,
    "analysis.concurrent": Bad.FALSE,
    "analysis.settled": Bad.MORE,
    "evidence.gaps": Bad.MORE,
    "evidence.enough": Bad.FALSE,
    "evidence.missing": Bad.MORE,
    "evidence.needed_minutes": Bad.HIGHER,
    "budget.remaining": Bad.LOWER,
    "budget.exhausted": Bad.MORE,
    "budget.coverage": Bad.LOWER,
    "budget.page_firing": Bad.MORE,
    "budget.ticket_firing": Bad.MORE,
    **{word: Bad.HIGHER for word in WORDS if word.startswith("budget.burn_")},
    # That the burn is older than the canary acquits the canary and accuses the service.
    "budget.burn_started_before_rollout": Bad.TRUE,
    "risk.level": Bad.LEVEL,
    "risk.percentile": Bad.HIGHER,
    "risk.likelihood": Bad.HIGHER,
    "change.lines": Bad.HIGHER,
    "change.files": Bad.HIGHER,
    "change.directories": Bad.HIGHER,
    "change.commits": Bad.HIGHER,
    "change.dependents": Bad.HIGHER,
    "change.approvals": Bad.LOWER,
    "change.changes_requested": Bad.TRUE,
    "change.self_approved": Bad.TRUE,
    "change.checks_failing": Bad.MORE,
    "change.checks_missing": Bad.MORE,
    "change.checks_pending": Bad.MORE,
    "change.flagged": Bad.FALSE,
    "calendar.frozen": Bad.TRUE,
    "calendar.minutes_left": Bad.HIGHER,
    "calendar.minutes_to_freeze": Bad.LOWER,
    "history.known_good": Bad.FALSE,
    "history.overrides_30d": Bad.HIGHER,
    "history.failure_rate": Bad.HIGHER,
    "history.component_failure_rate": Bad.HIGHER,
}
# What the service's file says stands still while a canary runs.
STANDING = ("service.", "budget.asked", "risk.asked", "change.pull_asked")
# Time only passes.
PASSING = ("rollout.", "history.minutes_since_last")
_LEVELS: Sequence[str] = tuple(Level)


def worse(word: str, value: Value, than: Value) -> bool:
    """Whether one known value is worse news than another; False where nobody can say.

    >>> worse("budget.remaining", 0.1, than=0.4), worse("rollout.minutes", 9.0, than=3.0)
    (True, False)
    >>> worse("risk.level", "high", than="medium"), worse("analysis.worse", ("a",), than=("b",))
    (True, False)
    """
    one: Any = value
    other: Any = than
    match BAD.get(word):
        case Bad.TRUE | Bad.HIGHER:
            return bool(one > other)
        case Bad.FALSE | Bad.LOWER:
            return bool(one < other)
        case Bad.MORE:
            return set(one) > set(other)
        case Bad.LEVEL if one in _LEVELS and other in _LEVELS:
            return _LEVELS.index(one) > _LEVELS.index(other)
    return False


def stands(word: str) -> bool:
    """Whether waiting, fixing or a better canary cannot change the fact."""
    return word.startswith(STANDING)


def passes(word: str) -> bool:
    """Whether the fact only grows."""
    return word.startswith(PASSING)


# Read from the ledger and the policy's own freezes for every decision.
_LOOKED_UP = ("history.known_good", "history.overrides_30d", "history.deployments")


def always_known(word: str) -> bool:
    """Whether the gate knows the fact in every decision."""
    if word in ("analysis.evidence_worse", "analysis.score"):
        return False
    return word.endswith("asked") or word.startswith(
        ("analysis.", "evidence.", "service.", "rollout.", "calendar.", *_LOOKED_UP)
    )
