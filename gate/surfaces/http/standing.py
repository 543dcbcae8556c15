"""Whether a promote given a moment ago still stands: what has come since may speak against it.

Those who ask within seconds share a decision. A hold that is shared for some seconds too long
costs those seconds; a promote would let a release pass that was forbidden meanwhile: an override
taken back, word of how a release ended, a freeze that began.
"""

from __future__ import annotations

from dataclasses import dataclass

from gate.decision import Decision
from gate.errors import NothingStoredError
from gate.ledger.ledger import Kind, Ledger
from gate.verdict import Outcome

WORDS = (Kind.OVERRIDE, Kind.REVOCATION, Kind.DEPLOYMENT)


@dataclass(frozen=True, slots=True)
class Told:
    """A decision about now, or about a `past` moment, and `last_word` before it was begun."""

    decision: Decision
    word: int
    past: bool


def last_word(ledger: Ledger, service: str) -> int:
    """The number of the newest entry that speaks of the service's releases; 0 for none."""
    return max(_newest(ledger, service, kind) for kind in WORDS)


def stands(told: Told, ledger: Ledger, now: float) -> bool:
    """Whether it may be told at `now` (Unix seconds); raises LedgerError.

    The past does not change, and what is no promote lets nothing pass.
    """
    decision = told.decision
    if told.past or decision.verdict.binding is not Outcome.PROMOTE:
        return True
    if next_freeze(decision) <= now:
        return False
    return last_word(ledger, decision.request.service) == told.word


def next_freeze(decision: Decision) -> float:
    """When the next freeze after the moment judged begins, in Unix seconds; inf for none."""
    at = decision.request.as_of
    coming = (closure.next(at) for closure in decision.evidence.calendar or ())
    return min((spell.starts.at for spell in coming if spell), default=float("inf"))


def _newest(ledger: Ledger, service: str, kind: Kind) -> int:
    try:
        return next((entry.number for entry in ledger.entries(service, 1, kind)), 0)
    except NothingStoredError:
        return 0
