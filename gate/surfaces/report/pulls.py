"""The pull requests of a change in words: who agreed and as what, then the checks."""

from __future__ import annotations

from collections.abc import Iterator

from gate.pull import PullRequests


def pulled(pulls: PullRequests | None) -> Iterator[str]:
    """Two lines, then what is not known and why; nothing for None."""
    if pulls is None:
        return
    yield f"{_which(pulls)}: {', '.join(_agreement(pulls))}"
    states = (("failing", pulls.failing), ("pending", pulls.pending), ("missing", pulls.missing))
    yield "checks: " + "; ".join(f"{state} {_named(names)}" for state, names in states)
    yield from pulls.notes


def _which(pulls: PullRequests) -> str:
    numbers = ", ".join(f"#{number}" for number in pulls.numbers)
    several = "s" if len(pulls.numbers) > 1 else ""
    parts = [f"pull request{several} {numbers}"] if numbers else []
    if pulls.direct:
        commits = "commit" if pulls.direct == 1 else "commits"
        parts.append(f"{pulls.direct} {commits} without a pull request")
    return " and ".join(parts)


def _agreement(pulls: PullRequests) -> Iterator[str]:
    yield _approvals(pulls)
    if pulls.stale:
        yield f"{pulls.stale} of an older commit not counted"
    for words, answer in (
        ("changes requested", pulls.changes_requested),
        ("self-approved", pulls.self_approved),
        ("a draft", pulls.draft),
        ("behind a feature flag", pulls.flagged),
    ):
        if answer is not False:
            yield words if answer else f"not known whether {words}"
    if pulls.labels:
        yield f"labels {', '.join(pulls.labels)}"


def _approvals(pulls: PullRequests) -> str:
    if pulls.approvals is None:
        return "approvals not known"
    several = len(pulls.numbers) + pulls.direct > 1
    each = "each has at least " if several else ""
    return f"{each}{pulls.approvals} approval{'' if pulls.approvals == 1 else 's'}"


def _named(names: tuple[str, ...] | None) -> str:
    return "not known" if names is None else ", ".join(names) or "none"
