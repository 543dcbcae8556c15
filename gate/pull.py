"""Facts around a change from its pull requests: who else looked, and what the checks said.

No one's name is kept: separation of duties needs to know whether two people took part, not which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequests:
    """What the pull requests of one release say together; of each fact the least reassuring.

    `numbers`: theirs; `direct`: commits that came without one, which nobody approved. `base` and
    `head` are shas, empty where there are several. `labels`: all of them. `types`: hotfix, revert
    and their like, from labels and conventional commits. `flagged`: each is behind a feature flag.
    `approvals`: the fewest any of them has for its last commit, by people who may write to the
    repository and did not open it; `stale`: approvals of older commits, which do not count.
    `self_approved`: some of it was approved, or merged unapproved, by those alone who wrote it.
    `failing`, `pending`, `missing`: checks; missing are those that the branch requires and nobody
    started. What is None is not known, and `notes` say why.
    """

    numbers: tuple[int, ...]
    direct: int = 0
    base: str = ""
    head: str = ""
    labels: tuple[str, ...] = ()
    types: tuple[str, ...] | None = None
    flagged: bool = False
    draft: bool = False
    merged: bool = False
    approvals: int | None = None
    stale: int = 0
    changes_requested: bool | None = None
    self_approved: bool | None = None
    failing: tuple[str, ...] | None = None
    pending: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def together(all_of: Sequence[PullRequests]) -> PullRequests:
    """Several as one: the fewest approvals, any doubt, all labels; unknown where one is unknown.

    >>> a = PullRequests(numbers=(7,), approvals=2, self_approved=False, failing=("test",))
    >>> b = PullRequests(numbers=(9,), approvals=1, self_approved=None)
    >>> both = together([a, b])
    >>> both.numbers, both.approvals, both.self_approved, both.failing
    ((7, 9), 1, None, ('test',))
    """
    if len(all_of) == 1:
        return all_of[0]
    approvals = [one.approvals for one in all_of]
    known = [one for one in approvals if one is not None]
    return PullRequests(
        numbers=tuple(sorted(number for one in all_of for number in one.numbers)),
        direct=sum(one.direct for one in all_of),
        labels=_union(one.labels for one in all_of) or (),
        types=_whole(one.types for one in all_of),
        flagged=all(one.flagged for one in all_of),
        draft=any(one.draft for one in all_of),
        merged=all(one.merged for one in all_of),
        approvals=min(known) if len(known) == len(approvals) else None,
        stale=sum(one.stale for one in all_of),
        changes_requested=_any(one.changes_requested for one in all_of),
        self_approved=_any(one.self_approved for one in all_of),
        failing=_union(one.failing for one in all_of),
        pending=_union(one.pending for one in all_of),
        missing=_union(one.missing for one in all_of),
        notes=tuple(dict.fromkeys(note for one in all_of for note in one.notes)),
    )


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True where one is; else unknown where one is."""
    said = list(answers)
    return True if True in said else None if None in said else False


def _union(names: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """All names; where there are none, only if that is known of every one."""
    said = list(names)
    found = tuple(sorted({name for one in said for name in one or ()}))
    return None if None in said and not found else found


def _whole(names: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """All names, if they are known of every one."""
    said = list(names)
    return None if None in said else _union(said)
