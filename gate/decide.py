"""The whole river on one page: see, judge and decide, remember, answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from gate import __version__
from gate.analysis.rates import Memory
from gate.closure import Closure
from gate.decision import Decision, check_fits, decided, to_json
from gate.deployment import History
from gate.errors import UsageError
from gate.evidence.gather import gather
from gate.evidence.source import Source
from gate.ledger.ledger import Ledger, Record
from gate.ledger.memory import history
from gate.policy.policy import Policy
from gate.request import Intent, Request
from gate.service import Service


class Gate:
    """Decides about the releases of one service.

    `within`: seconds all sources together may take. `clock` tells Unix seconds. What one look at a
    rollout has summed is kept for the next; a decision is the same without.
    """

    def __init__(
        self,
        *,
        service: Service,
        policy: Policy,
        sources: Mapping[str, Source],
        ledger: Ledger,
        within: float = 20.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.service = service
        self.policy = policy
        self.sources = sources
        self.ledger = ledger
        self.within = within
        self.clock = clock
        self._memory = Memory()

    def decide(self, request: Request) -> Decision:
        """May the canary go on? Stored before it is returned; raises GateError if it cannot be."""
        if request.service != self.service.name:
            raise UsageError(
                f"this gate decides about {self.service.name!r}, not {request.service!r}"
            )
        check_fits(request, self.service, self.policy)  # before anybody is asked anything
        evidence = gather(request, self.service, self.sources, self.within)
        remembered, closed = self._remembered(request), self._closed(request)
        evidence = replace(evidence, history=remembered, calendar=closed)
        decision = decided(
            request, self.service, self.policy, evidence,
            at=self.clock(), gate_version=__version__, memory=self._memory,
        )  # fmt: skip
        self.ledger.append(
            Record(
                id=decision.id,
                service=self.service.name,
                outcome=decision.verdict.outcome,
                at=decision.decided_at,
                body=to_json(decision),
            )
        )
        return decision

    def _remembered(self, request: Request) -> History:
        back_to = request.canary if request.intent is Intent.ROLLBACK else ""
        return history(
            self.ledger, self.service.name, request.as_of,
            back_to=back_to, namespace=request.namespace,
        )  # fmt: skip

    def _closed(self, request: Request) -> tuple[Closure, ...]:
        """The freezes around the moment; schedules and zones are imported where there are any."""
        if not self.policy.freezes:
            return ()
        from gate.policy.calendar import closures

        return closures(self.policy.freezes, self.service, request.as_of)
