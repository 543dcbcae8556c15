"""Who agreed to a pull request, weighed: counts and yes or no, no names.

Of each reviewer the last word counts (an approval, a request for changes, or either dismissed); a
comment is none. An approval counts when it is of the last commit, by someone who may write to the
repository (anyone may review a public one), and by a person: an app is no second pair of eyes.
A request for changes counts whoever made it. Who may write GitHub tells by owner, member and
collaborator; that some of these may only read it does not tell here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gate.sources.github.shapes import Account, Commit, Pull, Review

_WORDS = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
# https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
_WRITERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


@dataclass(frozen=True, slots=True)
class Agreement:
    """As the facts of the same names in `gate.pull.PullRequests`."""

    approvals: int
    stale: int
    changes_requested: bool
    self_approved: bool | None
    notes: tuple[str, ...] = ()


def agreement(pull: Pull, reviews: Iterable[Review], commits: Sequence[Commit]) -> Agreement:
    """What the reviews come to; `commits` are the pull request's, as far as GitHub lists them."""
    last = list(_last_words(reviews))
    approved = [one for one in last if one.state == "APPROVED"]
    counting = [one for one in approved if _counts(one) and _login(one.user) != _login(pull.user)]
    current = [one for one in counting if one.commit_id == pull.head.sha]
    wrote = {_login(pull.user), *(name for one in commits for name in _writers(one))}
    whole = pull.commits <= len(commits) and None not in wrote
    verdict: bool | None = _by_themselves(pull, current, wrote)
    if verdict is False and not whole and (current or pull.merged):
        verdict = None
    return Agreement(
        approvals=len(current),
        stale=len(counting) - len(current),
        changes_requested=any(one.state == "CHANGES_REQUESTED" for one in last),
        self_approved=verdict,
        notes=tuple(_notes(pull, len(approved) - len(counting), unknown=verdict is None)),
    )


def _by_themselves(pull: Pull, current: Sequence[Review], wrote: set[str | None]) -> bool:
    """Whether it was approved or merged, and nobody else is known to have had a part in that."""
    if any(_login(one.user) not in wrote for one in current):
        return False
    by = pull.merged_by
    nobody_else = by is None or by.type == "Bot" or _login(by) in wrote
    return bool(current) or (pull.merged and nobody_else)


def _last_words(reviews: Iterable[Review]) -> Iterator[Review]:
    """Each reviewer's; deleted accounts look alike, so each of their reviews stands for itself."""
    last: dict[str | int, Review] = {}
    for one in reviews:
        if one.state in _WORDS:
            last[_login(one.user) or one.id] = one
    yield from last.values()


def _counts(review: Review) -> bool:
    person = review.user is not None and review.user.type != "Bot"
    return person and review.author_association in _WRITERS


def _login(account: Account | None) -> str | None:
    return account.login.lower() if account else None


def _writers(commit: Commit) -> Iterator[str | None]:
    yield _login(commit.author)
    yield _login(commit.committer)


def _notes(pull: Pull, uncounted: int, *, unknown: bool) -> Iterator[str]:
    name = f"#{pull.number}"
    if uncounted:
        which = "approval is" if uncounted == 1 else "approvals are"
        yield (
            f"{name}: {uncounted} {which} not counted: by its author, an app, a deleted account, "
            "or someone without write access"
        )
    if unknown:
        yield (
            f"{name}: whether an approver wrote some of it is not known: not all who wrote its "
            "commits are known to GitHub"
        )
