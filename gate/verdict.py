"""The answer: an outcome, every reason that was given for it, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Three, no more. `hold` is *not yet known, or not now*."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"

    @property
    def strictness(self) -> int:
        """0 promote, 1 hold, 2 rollback: the strictest of several wins."""
        return _STRICTNESS[self]


_STRICTNESS = {Outcome.PROMOTE: 0, Outcome.HOLD: 1, Outcome.ROLLBACK: 2}


@dataclass(frozen=True, slots=True)
class Reason:
    """One voice: `rule` spoke for `outcome` with `message`.

    `unknown` names the facts that were missing when the rule could be neither true nor false and
    spoke through its `on_unknown`. `lifted` names what took the voice its weight, an override for
    one: it is quoted and does not count.
    """

    rule: str
    outcome: Outcome
    message: str
    unknown: tuple[str, ...] = ()
    docs: str = ""
    lifted: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the reasons (strictest first), and `changes`: what would change the answer.

    `notes`: what a reader must know beside, such as an override that expired.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
