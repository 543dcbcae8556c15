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
    spoke through its `on_unknown`. `docs` is a link, `owner` who answers for the rule. `lifted`
    names what took the voice its weight, an override for one: it is quoted and does not count.
    """

    rule: str
    outcome: Outcome
    message: str
    unknown: tuple[str, ...] = ()
    docs: str = ""
    owner: str = ""
    lifted: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A voice that does not count, otherwise as in `Reason`.

    `outcome` is what the rule would have said, None for one that only ever warns.
    """

    rule: str
    outcome: Outcome | None
    message: str
    unknown: tuple[str, ...] = ()
    docs: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the reasons (strictest first), and `changes`: what would change the answer.

    `warnings` and `audited` are told beside it and count for nothing. `enforced` is false where
    the policy only observes: the outcome is what it would be, and nobody is to act on it. `notes`:
    what a reader must know beside, such as an override that expired.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    changes: tuple[str, ...] = ()
    warnings: tuple[Remark, ...] = ()
    audited: tuple[Remark, ...] = ()
    enforced: bool = True
    notes: tuple[str, ...] = ()

    @property
    def binding(self) -> Outcome:
        """What a client may act on: one that only observes lets everything go on."""
        return self.outcome if self.enforced else Outcome.PROMOTE

    @property
    def headline(self) -> str:
        """`HOLD`; or what nobody takes for an order: `OBSERVED HOLD (not enforced)`."""
        told = self.outcome.upper()
        return told if self.enforced else f"OBSERVED {told} (not enforced)"
