"""The pull requests of a release: one by its number, or all between two revisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.pull import PullRequests, together
from gate.sources import touched
from gate.sources.github import files
from gate.sources.github.checks import Requirement, checks, requirement
from gate.sources.github.hub import Hub
from gate.sources.github.reviews import agreement
from gate.sources.github.session import CONNECTIONS, RefusedError
from gate.sources.github.shapes import Brief, Commit, Pull, Review

MOST_BUNDLED = 50  # changes in one release of which each is looked up with some six requests
_UNKNOWN_REVISION = (404, 422)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a team's labels and checks are read.

    `label_types`: a type and the labels that say it; `flags`: labels of what is behind a feature
    flag; both whatever their case. `ignore_checks`: globs of checks that are not looked at, as the
    one that asks: it is pending as long as it asks.
    """

    label_types: Mapping[str, Sequence[str]]
    flags: Sequence[str]
    ignore_checks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Told:
    """A pull request and its commits, of which GitHub lists up to 250."""

    pull: Pull
    commits: list[Commit]


def told(hub: Hub, number: int) -> Told:
    """The pull request of this number; raises SourceError."""
    try:
        pull = hub.one(Pull, "pulls", str(number))
    except RefusedError as error:
        if error.status != 404:
            raise
        text = f"there is no pull request {hub.repo}#{number} to be seen: {error.message}"
        raise SourceError(error.cause, text) from error
    return Told(pull, hub.many(Commit, "pulls", str(number), "commits"))


def released(hub: Hub, number: int, head: str, reading: Reading) -> PullRequests:
    """The facts of one pull request, if it is what is released; raises SourceError if not.

    Where `head` is no revision that GitHub knows (an image tag), a note says that this could not
    be checked.
    """
    one = told(hub, number)
    sha = _sha(hub, head)
    if sha and sha not in (one.pull.head.sha, one.pull.merge_commit_sha):
        raise SourceError(
            Cause.BAD_QUERY,
            f"{hub.repo}#{number} ends at {one.pull.head.sha[:12]}, but {sha[:12]} ({head}) "
            "is released; leave `number` out to read all since the baseline",
        )
    note = f"that #{number} is what is released was not checked: {head!r} is no revision on GitHub"
    return facts(hub, one, reading, () if sha else (note,))


def facts(
    hub: Hub, one: Told, reading: Reading, notes: Sequence[str] = (), own: Requirement | None = None
) -> PullRequests:
    """What a pull request says; `own`: what its branch requires, where that was read before."""
    pull = one.pull
    reviews = hub.many(Review, "pulls", str(pull.number), "reviews")
    agreed = agreement(pull, reviews, one.commits)
    required = own or requirement(hub, pull.base.ref)
    found = checks(hub, pull.head.sha, required, reading.ignore_checks)
    labels = tuple(sorted(label.name for label in pull.labels))
    return PullRequests(
        numbers=(pull.number,),
        base=pull.base.sha,
        head=pull.head.sha,
        labels=labels,
        types=_types(one, labels, reading),
        flagged=_any_of(labels, reading.flags),
        draft=pull.draft,
        merged=pull.merged,
        approvals=agreed.approvals,
        stale=agreed.stale,
        changes_requested=agreed.changes_requested,
        self_approved=agreed.self_approved,
        failing=found.failing,
        pending=found.pending,
        missing=found.missing,
        notes=(*notes, *agreed.notes, *found.notes),
    )


def between(hub: Hub, base: str, head: str, reading: Reading) -> PullRequests:
    """Those of all changes on the first-parent line from base to head, together.

    `base` may be empty: then of head alone. A commit without a pull request was approved by nobody
    and counts as such.
    """
    line = _line(hub, base, head)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        numbers = list(pool.map(partial(_numbers, hub), (one.sha for one in line)))
        direct = [one for one, found in zip(line, numbers, strict=True) if not found]
        pulls = list(pool.map(partial(told, hub), sorted({n for some in numbers for n in some})))
        required = {
            branch: requirement(hub, branch) for branch in {one.pull.base.ref for one in pulls}
        }
        each = [
            *pool.map(lambda one: facts(hub, one, reading, own=required[one.pull.base.ref]), pulls),
            *pool.map(lambda one: _direct(hub, one, reading), direct),
        ]
    return together(each)


def _line(hub: Hub, base: str, head: str) -> list[Commit]:
    """The changes from base to head, the newest first: commits, each with all that it merged."""
    if not base:
        return [hub.one(Commit, "commits", head, per_page="1")]
    compared = files.compared(hub, base, head)
    if not compared.commits:
        raise SourceError(Cause.EMPTY, f"{hub.repo}: {head!r} has no commit that {base!r} lacks")
    if len(compared.commits) < compared.total_commits:
        raise _too_many(hub, f"{compared.total_commits:,} commits")
    last = files.tip(compared.commits)
    if last is None:
        raise SourceError(
            Cause.MALFORMED, f"{hub.repo}: which commit from {base!r} to {head!r} is the last, "
            "GitHub does not tell",
        )  # fmt: skip
    line = list(_first_parents({one.sha: one for one in compared.commits}, last))
    if len(line) > MOST_BUNDLED:
        raise _too_many(hub, f"{len(line):,} changes")
    return line


def _first_parents(known: Mapping[str, Commit], last: Commit) -> Iterator[Commit]:
    left, one = dict(known), last
    while True:
        yield one
        # Taken out as it goes, so that parents in a circle end.
        before = left.pop(one.parents[0].sha, None) if one.parents else None
        if before is None:
            return
        one = before


def _too_many(hub: Hub, what: str) -> SourceError:
    return SourceError(
        Cause.TOO_LARGE,
        f"{hub.repo}: {what} are released at once; the pull requests of {MOST_BUNDLED} are read at "
        "most: release oftener, or name one with `number`",
    )


def _numbers(hub: Hub, sha: str) -> list[int]:
    """The merged pull request that brought the commit, or else all open ones that hold it."""
    briefs = hub.many(Brief, "commits", sha, "pulls")
    return [one.number for one in briefs if one.merged_at] or [one.number for one in briefs]


def _direct(hub: Hub, commit: Commit, reading: Reading) -> PullRequests:
    """A commit that came without a pull request: whoever wrote it let it in."""
    # Which branch it was pushed to, and what that requires, nothing says.
    found = checks(hub, commit.sha, Requirement(None), reading.ignore_checks)
    return PullRequests(
        numbers=(),
        direct=1,
        head=commit.sha,
        types=touched.types([commit.subject]) if len(commit.parents) < 2 else None,
        merged=True,
        approvals=0,
        changes_requested=False,
        self_approved=True,
        failing=found.failing,
        pending=found.pending,
        missing=found.missing,
        notes=found.notes,
    )


def _sha(hub: Hub, revision: str) -> str | None:
    """The commit that the revision names on GitHub; None where it names none."""
    try:
        return hub.one(Commit, "commits", revision, per_page="1").sha if revision else None
    except RefusedError as error:
        if error.status in _UNKNOWN_REVISION:
            return None
        raise


def _types(one: Told, labels: Sequence[str], reading: Reading) -> tuple[str, ...] | None:
    said = files.types(one.commits, one.pull.commits, one.pull.title)
    by_label = {name for name, some in reading.label_types.items() if _any_of(labels, some)}
    return None if said is None else tuple(sorted({*said, *by_label}))


def _any_of(labels: Sequence[str], wanted: Sequence[str]) -> bool:
    return not {one.lower() for one in labels}.isdisjoint(one.lower() for one in wanted)
