"""What a release comes into: the calendar, and what the ledger remembers of its versions."""

from __future__ import annotations

from dataclasses import dataclass

from gate.closure import Closure
from gate.deployment import History
from gate.evidence.evidence import Evidence
from gate.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """`version` asks to go on in the namespace (empty: none was told) at `at` (Unix seconds).

    None where nobody looked.
    """

    version: str = ""
    namespace: str = ""
    at: float = 0.0
    calendar: tuple[Closure, ...] | None = None
    history: History | None = None

    @property
    def overridden(self) -> int:
        """Overrides of the service that the ledger remembers."""
        return len(self.history.overrides) if self.history else 0


NOWHERE = Situation()


def situation(request: Request, evidence: Evidence) -> Situation:
    """The situation of this request, as the evidence has it."""
    return Situation(
        version=request.canary,
        namespace=request.namespace,
        at=request.as_of,
        calendar=evidence.calendar,
        history=evidence.history,
    )
