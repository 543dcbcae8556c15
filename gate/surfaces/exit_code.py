"""The exit code of a decision, the same for every surface that has exit codes."""

from __future__ import annotations

from gate.decision import Decision
from gate.evidence.evidence import Cause
from gate.verdict import Outcome

EXIT_CODES = {Outcome.PROMOTE: 0, Outcome.HOLD: 10, Outcome.ROLLBACK: 20}
BLIND = 30


def exit_code(decision: Decision) -> int:
    """0 promote, 10 hold, 20 rollback; 30 for a hold that only says nothing could be seen.

    A hold that an override lifted is a promote: 0, even where nothing could be seen. A policy that
    only observes blocks nothing: 0, whatever the outcome.
    """
    outcome = decision.verdict.binding
    return BLIND if outcome is Outcome.HOLD and _blind(decision) else EXIT_CODES[outcome]


def _blind(decision: Decision) -> bool:
    """Whether no metric was seen, for failures: a canary without traffic yet is no failure."""
    evidence = decision.evidence
    causes = [gap.cause for gap in evidence.gaps if gap.about.startswith("metric ")]
    early = evidence.window.count == 0 or Cause.EMPTY in causes
    return not evidence.pairs and not early
