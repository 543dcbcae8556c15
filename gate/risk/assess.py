"""How likely a change is to introduce a bug, and every reason with its exact share.

The likelihood is that of `gate.risk.model`, fitted to commits of open-source projects: it is a
*bug-introducing likelihood*, not the probability of an incident, and another team's base rate
differs. The level rests on nothing but the order: where the change stands among the repository's
own last changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from gate.change import Change
from gate.risk.features import ALL, Features, features, recent, words
from gate.risk.level import FEWEST, Level, by_percentile, by_reference, percentile
from gate.risk.model import Additive, Model, likelihood, shipped


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
    median in everything) plus those of all factors. `percentile`: percent of the repository's own
    changes that score lower; None where it has too few of them. `compared`: with how many.
    """

    level: Level
    likelihood: float
    percentile: float | None
    log_odds: float
    usual: float
    factors: tuple[Factor, ...]
    compared: int
    notes: tuple[str, ...] = ()


def assess(change: Change) -> Risk:
    """The risk of the change by the shipped model.

    >>> large = Change(base='a', head='b', commits=9, files=12, directories=4, subsystems=2,
    ...                entropy=2.5, lines_added=1240, lines_deleted=240)
    >>> risk = assess(large)
    >>> risk.level
    <Level.CRITICAL: 'critical'>
    >>> risk.factors[0].words
    '+1.2 because 1,240 lines were added; the median change of the reference adds 29'
    """
    return by_model(change, shipped())


def by_model(change: Change, model: Model) -> Risk:
    """The risk of the change by this model."""
    known, others = features(change), recent(change.recent)
    fit = model.fit_for(known)
    if not all(set(fit.curves) <= set(one) for one in others):
        fit = model.sizes  # like is compared with like
    own = len(others) >= FEWEST
    medians = _medians(others, fit) if own else model.medians
    where = "here" if own else "of the reference"
    score = fit.log_odds(known)
    factors = tuple(_factors(fit, known, medians, where))
    place = percentile(score, sorted(map(fit.log_odds, others))) if own else None
    return Risk(
        level=by_reference(score, fit.reference) if place is None else by_percentile(place),
        likelihood=likelihood(score),
        percentile=place,
        log_odds=score,
        usual=fit.log_odds(medians),
        factors=factors,
        compared=len(others) if own else 0,
        notes=tuple(_notes(change, fit, model, own=own)),
    )


def _medians(others: list[Features], fit: Additive) -> Features:
    return {name: median(one[name] for one in others) for name in fit.curves}


def _factors(fit: Additive, known: Features, medians: Features, where: str) -> Iterator[Factor]:
    for name in (name for name in ALL if name in fit.curves):
        value, usual = known[name], medians[name]
        share = fit.curves[name].at(value) - fit.curves[name].at(usual)
        said = f"{round(share, 1) + 0.0:+.1f} because {words(name, value, usual, where)}"
        yield Factor(name, value, usual, share, said)


def _notes(change: Change, fit: Additive, model: Model, *, own: bool) -> Iterator[str]:
    if not own:
        yield (
            f"compared with reference commits of other projects: {len(change.recent)} changes "
            f"of this repository are known, {FEWEST} needed"
        )
    if fit is not model.history:
        yield "the history of the touched files is not known; size and spread alone are weighed"
    if change.entropy is None:
        yield "how the lines spread over the files is not known; taken as even, the most it can be"
    if change.commits is not None and change.commits > 1 and own:
        yield f"{change.commits:,} commits at once, compared with single changes of this repository"
