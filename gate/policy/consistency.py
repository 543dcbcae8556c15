"""What facts imply of one another, so that nothing is searched for where nothing can be.

A short list, each with its sentence. What is not on it is taken to be possible: a search then
finds too much rather than too little.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gate.policy.words import Value

# Facts of a search; None: not known.
State = Mapping[str, Value | None]
_Draft = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Implication:
    """A sentence, and what makes a draft obey it by telling more bad news, never less."""

    sentence: str
    obey: Callable[[_Draft], None]


def settled(state: State, without: Collection[str] = ()) -> dict[str, Value | None]:
    """The state with what follows from it; itself where it is consistent.

    `without` names sentences that need not hold.
    """
    draft: _Draft = dict(state)
    for one in IMPLICATIONS:
        if one.sentence not in without:
            one.obey(draft)
    return draft


def consistent(state: State) -> bool:
    """Whether such facts can be known together."""
    return settled(state) == state


def broken(state: State) -> frozenset[str]:
    """The sentences that such facts contradict."""
    found = set()
    for one in IMPLICATIONS:
        draft = dict(state)
        one.obey(draft)
        if draft != state:
            found.add(one.sentence)
    return frozenset(found)


def _critical(draft: _Draft) -> None:
    critical = draft.get("analysis.critical_worse")
    if not critical:
        return
    if "analysis.safe" in draft:
        draft["analysis.safe"] = False
    if "analysis.worse" in draft:
        worse = draft["analysis.worse"] or ()
        draft["analysis.worse"] = (*worse, *(one for one in critical if one not in worse))


_NOT_SHOWN = ("analysis.critical_worse", "analysis.unclear", "analysis.unfit")


def _unsafe(draft: _Draft) -> None:
    # Where the state does not speak of one of them, that one may be the reason.
    known = all(word in draft for word in _NOT_SHOWN)
    if draft.get("analysis.safe") is False and known and not any(map(draft.get, _NOT_SHOWN)):
        draft["analysis.unclear"] = ("a metric",)


def _shown(draft: _Draft) -> None:
    if draft.get("analysis.safe") and draft.get("analysis.not_worse") == ():
        draft["analysis.not_worse"] = ("a metric",)


def _no_slo(draft: _Draft) -> None:
    if draft.get("budget.asked") is False:
        _forget(draft, "budget.", "budget.asked")


_OF_PULLS = (
    "change.pull_requests", "change.labels", "change.approvals", "change.changes_requested",
    "change.self_approved", "change.checks",
)  # fmt: skip


def _no_change(draft: _Draft) -> None:
    if draft.get("risk.asked") is False:
        _forget(draft, "risk.", "risk.asked")
        _forget(draft, "change.", "change.pull_asked")
        if "change.pull_asked" in draft:
            draft["change.pull_asked"] = False


def _no_pulls(draft: _Draft) -> None:
    if draft.get("change.pull_asked") is False:
        for word in _OF_PULLS:
            _forget(draft, word, "")


def _forget(draft: _Draft, prefix: str, but: str) -> None:
    for word in draft:
        if word.startswith(prefix) and word != but:
            draft[word] = None


def _spent(draft: _Draft) -> None:
    left, exhausted = draft.get("budget.remaining"), draft.get("budget.exhausted")
    if left is None or exhausted is None:
        return
    if left <= 0 and not exhausted:
        draft["budget.exhausted"] = ("an SLO",)
    elif left > 0 and exhausted:
        draft["budget.remaining"] = 0.0


def _judged(draft: _Draft) -> None:
    passed, seen = draft.get("rollout.minutes"), draft.get("rollout.seen_minutes")
    if passed is not None and seen is not None and seen > passed:
        draft["rollout.seen_minutes"] = passed


IMPLICATIONS = (
    Implication("what is critical and worse is worse, and not safe", _critical),
    Implication("what is not safe is critical and worse, unclear or unfit somewhere", _unsafe),
    Implication("what is safe was shown not worse somewhere", _shown),
    Implication("without an SLO nothing is known of a budget", _no_slo),
    Implication("without a source of the change nothing is known of it", _no_change),
    Implication("a source without pull requests knows nothing of them", _no_pulls),
    Implication("a budget is exhausted when nothing of it remains, and only then", _spent),
    Implication("no more minutes are judged than have passed", _judged),
)
