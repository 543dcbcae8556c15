"""How likely a change is to introduce a bug, and every reason with its exact share.

The likelihood is that of `gate.risk.model`, fitted to commits of open-source projects: it is a
*bug-introducing likelihood*, not the probability of an incident, and another team's base rate
differs; where the outcomes of enough releases are known it is moved to their rate. The level rests
on nothing but the order: where the change stands among the repository's own last changes, and one
of many commits among the service's own releases, once enough of them are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from gate.additive import Additive, Features, Model
from gate.change import Change
from gate.deployment import Deployment, History
from gate.risk.features import ALL, features, recent, words
from gate.risk.level import FEWEST, Level, by_percentile, by_reference, percentile
from gate.risk.model import likelihood, shipped
from gate.risk.recentre import Centred, centred

REFERENCE = "change of the reference"


class Among(StrEnum):
    """What a change is compared with: the repository's single changes, or earlier releases."""

    CHANGES = "change"
    RELEASES = "release"


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason: what was counted, what is usual, the log-odds between, and the sentence."""

    name: str
    value: float
    usual: float
    log_odds: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """The level, and what it comes from.

    `likelihood` is sigmoid(`log_odds`), and `log_odds` is `usual` (those of a change that is the
    median in everything) plus those of all factors. `percentile`: percent of those it is compared
    with that score lower; None where too few are known. `compared`: with how many. `among`: of what
    they are. `centred`: the shift that `usual` and `log_odds` hold; None for none.
    """

    level: Level
    likelihood: float
    percentile: float | None
    log_odds: float
    usual: float
    factors: tuple[Factor, ...]
    compared: int
    notes: tuple[str, ...] = ()
    among: Among = Among.CHANGES
    centred: Centred | None = None


def assess(change: Change, model: Model | None = None, history: History | None = None) -> Risk:
    """The risk of the change by the shipped model, or by `model`.

    >>> large = Change(base='a', head='b', commits=9, files=12, directories=4, subsystems=2,
    ...                entropy=2.5, lines_added=1240, lines_deleted=240)
    >>> risk = assess(large)
    >>> risk.level
    <Level.CRITICAL: 'critical'>
    >>> risk.factors[0].words
    '+1.2 because 1,240 lines were added; the median change of the reference adds 29'
    """
    model = model or shipped()
    releases = (history or History()).releases()
    known, (among, others) = features(change), _others(change, releases)
    fit = model.fit_for(known)
    if not all(set(fit.curves) <= set(one) for one in others):
        fit = model.sizes  # like is compared with like
    own = len(others) >= FEWEST
    medians = _medians(others, fit) if own else model.medians
    score = fit.log_odds(known)
    place = percentile(score, sorted(map(fit.log_odds, others))) if own else None
    centre = centred(fit, releases)
    shift = centre.shift if centre else 0.0
    return Risk(
        level=by_reference(score, fit.reference) if place is None else by_percentile(place),
        likelihood=likelihood(score + shift),
        percentile=place,
        log_odds=score + shift,
        usual=fit.log_odds(medians) + shift,
        factors=tuple(_factors(fit, known, medians, f"{among} here" if own else REFERENCE)),
        compared=len(others) if own else 0,
        notes=tuple(_notes(change, fit, model, own=own, among=among)),
        among=among,
        centred=centre,
    )


def _others(change: Change, releases: Sequence[Deployment]) -> tuple[Among, list[Features]]:
    """What it is compared with: many commits at once with releases, where enough are known."""
    released = recent([one.counted for one in releases if one.counted])
    if (change.commits or 0) > 1 and len(released) >= FEWEST:
        return Among.RELEASES, released
    return Among.CHANGES, recent(change.recent)


def _medians(others: list[Features], fit: Additive) -> Features:
    return {name: median(one[name] for one in others) for name in fit.curves}


def _factors(fit: Additive, known: Features, medians: Features, where: str) -> Iterator[Factor]:
    for name in (name for name in ALL if name in fit.curves):
        value, usual = known[name], medians[name]
        share = fit.curves[name].at(value) - fit.curves[name].at(usual)
        said = f"{round(share, 1) + 0.0:+.1f} because {words(name, value, usual, where)}"
        yield Factor(name, value, usual, share, said)


def _notes(
    change: Change, fit: Additive, model: Model, *, own: bool, among: Among
) -> Iterator[str]:
    if not own:
        yield (
            f"compared with reference commits of other projects: {len(change.recent)} changes "
            f"of this repository are known, {FEWEST} needed"
        )
    if fit is not model.history:
        yield "the history of the touched files is not known; size and spread alone are weighed"
    if change.entropy is None:
        yield "how the lines spread over the files is not known; taken as even, the most it can be"
    if change.commits is not None and change.commits > 1 and own and among is Among.CHANGES:
        yield f"{change.commits:,} commits at once, compared with single changes of this repository"
