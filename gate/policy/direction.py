"""The safe directions: back to a version that ran, and on to one that is known good.

Neither is held up by what surrounds a release (budget, risk, the calendar, the change): a version
that ran well is not made worse by an empty budget, and going back is how budgets are saved.

Going back needs a version the ledger knows, or `--rollback` would be the way around the gate for
new versions. It knows those that were told to have completed or hurt, the baselines that its last
decisions saw, and the canaries it let go on. Where it knows nothing of the service at all, the
sender is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gate.deployment import Result
from gate.policy.conditions import words
from gate.policy.situation import Situation
from gate.verdict import Outcome, Reason

GOING_BACK = Reason(
    "going back is never blocked",
    Outcome.PROMOTE,
    "this request returns to a known-good version; budget, risk and freezes do not apply",
)
KNOWN_GOOD = Reason(
    "known good",
    Outcome.PROMOTE,
    "this version ran through before, with no bad word since, and was shown not worse now; "
    "budget, risk and freezes do not apply",
)
NEW_HERE = "the ledger knows nothing of this service yet: that this version ran before is believed"

# What surrounds a release, and what it was seen to do. The rest (service, rollout, history) says
# neither, so that a rule of it alone counts, and beside either changes nothing.
AROUND = ("budget.", "risk.", "calendar.", "change.")
SHOWN = ("analysis.", "evidence.")

_TELLING = {
    f"analysis.{word}"
    for word in ("safe", "worse", "critical_worse", "not_worse", "evidence_worse", "score")
}

# What became only of versions that took all traffic; a canary may be rolled back or aborted.
_RAN = {Result.COMPLETED, Result.INCIDENT}


def believed(found: Situation) -> tuple[bool, tuple[str, ...]]:
    """Whether going back to the version is honoured, and the notes on it."""
    history = found.history
    if history is None or history.decisions is None:
        return True, ()
    told = [one.result for one in history.told(found.version)]
    here = {one.result for one in history.told(found.version) if not one.elsewhere(found.namespace)}
    if not _RAN.isdisjoint(here) or found.version in history.ran:
        bad = next((one for one in told if one.bad), None)
        return True, ((f"of {found.version!r} was told: {bad}",) if bad else ())
    if not history.decisions and not history.deployments:
        return True, (NEW_HERE,)
    return False, (_unseen(found.version, history.decisions),)


def _unseen(version: str, decisions: int) -> str:
    return (
        f"{version!r} was not seen running before: no completion or incident of it was told, and "
        f"none of the last {decisions} decisions saw it as the baseline or let it go on; so it is "
        "judged as a release. If it did run: record that with `gate outcome`, or an override with "
        "`gate override add`"
    )


def set_aside(reasons: Sequence[Reason], conditions: Mapping[str, str]) -> Iterator[Reason]:
    """The reasons, those lifted that only what surrounds a known-good version speaks for.

    `conditions`: the `when` of each rule by its name; a reason of no rule is the calendar's.
    """
    for reason in reasons:
        when = conditions.get(reason.rule)
        around = when is None or of_surroundings(when) or _for_want_of_surroundings(reason)
        if around and reason.outcome is not Outcome.PROMOTE:
            yield replace(reason, lifted="the version is known good")
        else:
            yield reason


def of_surroundings(when: str) -> bool:
    """Whether a condition reads what surrounds a release, and nothing of what was shown.

    >>> of_surroundings('budget.asked && budget.remaining <= 0.0')
    True
    >>> of_surroundings('budget.remaining < 0.1 && size(analysis.unclear) > 0')
    False
    >>> of_surroundings('rollout.seen_minutes < 10.0')
    False
    """
    return any(word.startswith(AROUND) for word in words(when)) and not judges(when)


def judges(when: str) -> bool:
    """Whether a condition reads what the release was seen to do."""
    return any(word.startswith(SHOWN) for word in words(when))


def convicts(when: str) -> bool:
    """Whether a condition reads what tells worse from fine, not only how much was seen.

    >>> convicts("size(analysis.critical_worse) > 0"), convicts("size(analysis.unfit) > 0")
    (True, False)
    """
    return not _TELLING.isdisjoint(words(when))


def _for_want_of_surroundings(reason: Reason) -> bool:
    """Whether a rule could not be told for want of facts that do not matter here."""
    return bool(reason.unknown) and all(word.startswith(AROUND) for word in reason.unknown)
