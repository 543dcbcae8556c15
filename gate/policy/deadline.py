"""How long a pipeline that waits for a policy's verdict is kept waiting before it gets a no.

Of several parents the shortest counts: a no too early is run again, a yes too late was not wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gate.document import Document, refuse
from gate.errors import UsageError
from gate.policy.policy import LONGEST_DEADLINE, Policy
from gate.units import duration


def merged(own: float | None, parents: Sequence[Policy]) -> float | None:
    """The policy's own, or the shortest of those that its parents name; None where none does."""
    named = [one.deadline for one in parents if one.deadline is not None]
    return min(named, default=None) if own is None else own


def complaints(document: Document, deadline: float | None) -> Iterator[UsageError]:
    """What is wrong with the deadline of a file."""
    if deadline is not None and not 0 < deadline <= LONGEST_DEADLINE:
        most = duration(LONGEST_DEADLINE)
        yield refuse(
            document,
            ("deadline",),
            f"deadline must be longer than 0s and at most {most}, not {duration(deadline)}",
            "GitHub itself fails a job that has waited for 30 days",
        )


def needed(policy: Policy) -> float:
    """Seconds that must be judged before a promote, whatever the facts are."""
    return 60.0 * max((row.minutes or 0.0 for row in policy.evidence if not row.when), default=0.0)
