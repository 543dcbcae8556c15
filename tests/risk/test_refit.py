"""A model moved towards a team's labels: better where the team differs, else refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gate.change import Change
from gate.deployment import Deployment, History, Result
from gate.risk.assess import Among, assess
from gate.risk.commits import Commit
from gate.risk.features import ALL, SIZES
from gate.risk.level import Level
from gate.risk.model import likelihood, parse, shipped, to_text
from gate.risk.recentre import WEIGHT
from gate.risk.refit import moved, refitted, too_few, trial

CHANGE = Change(
    base="a", head="b", commits=1, files=3, directories=2, lines_added=40, lines_deleted=10,
    subsystems=1, entropy=1.2, age=20.0, changes=10.0,
)  # fmt: skip


def commits(count, chance, seed=1):
    """Changes of every size, bad with the chance that a function of their features gives."""
    rng = np.random.default_rng(seed)
    found = []
    for n in range(count):
        sizes = np.ceil(np.exp(rng.normal([3, 2, 1, 0.5, 0.1], 1.2)))
        rest = rng.exponential([1.0, 30.0, 20.0])
        features = dict(zip(ALL, map(float, (*sizes, *rest)), strict=True))
        found.append(Commit("", float(n), features, bool(rng.random() < chance(features))))
    return found


def by_the_shipped_model(features):
    return likelihood(shipped().history.log_odds(features))


def by_trodden_files(features):
    """A team that is hurt where files change often, and by little else."""
    return likelihood(-5.0 + 1.5 * np.log1p(features["nuc"]))


def by_a_quarter(features):
    """A team like the shipped model's, of which only every fourth bug comes to light."""
    return by_the_shipped_model(features) / 4


def tried(labelled):
    return trial(labelled, shipped(), np.random.default_rng(0))


def test_a_team_that_is_like_the_shipped_models_keeps_it():
    found = tried(commits(1500, by_the_shipped_model))
    assert found.refusal == "on the newest changes it is not better by more than chance"
    assert (found.fitted, found.held_out) == (1050, 450)


def test_a_team_that_differs_gets_a_model_that_orders_and_weighs_better():
    found = tried(commits(1500, by_trodden_files))
    assert found.refusal == ""
    assert found.differences["auc"].low > 0
    assert found.differences["brier"].high < 0
    assert found.refitted.auc - found.shipped.auc == found.differences["auc"].value


def test_a_team_that_only_fails_less_gets_likelihoods_of_its_own_rate():
    labelled = commits(1500, by_a_quarter)
    found = tried(labelled)
    assert found.refusal == ""
    rate = np.mean([one.buggy for one in labelled])
    fit = refitted(shipped().history, labelled)
    told = np.mean([likelihood(fit.log_odds(one.features)) for one in labelled])
    assert told == pytest.approx(rate, abs=0.005)


def test_no_fitted_curve_of_size_falls_even_where_the_labels_ask_for_it():
    fit = refitted(shipped().sizes, commits(800, lambda f: likelihood(2.0 - np.log1p(f["la"]))))
    for name in SIZES:
        assert list(fit.curves[name].values) == sorted(fit.curves[name].values), name


def test_the_factors_are_those_of_a_penalised_regression():
    """Known answer: scipy.optimize.minimize (L-BFGS-B) of the same loss, run beside it."""
    from scipy.optimize import minimize

    labelled, fit = commits(600, by_the_shipped_model), shipped().sizes
    columns = np.array(
        [[curve.at(c.features[name]) for name, curve in fit.curves.items()] for c in labelled]
    )
    bad = np.array([float(one.buggy) for one in labelled])

    def loss(w):
        scores = w[0] + columns @ w[1:]
        return np.logaddexp(0, scores).sum() - bad @ scores + 2.0 * ((w[1:] - 1) ** 2).sum()

    bounds = [(None, None), *[(0, None)] * columns.shape[1]]
    want = minimize(loss, [fit.intercept, *[1.0] * columns.shape[1]], bounds=bounds).x
    found = refitted(fit, labelled)
    assert found.intercept == pytest.approx(want[0], abs=0.01)
    for (name, curve), factor in zip(fit.curves.items(), want[1:], strict=True):
        top = curve.values[-1]
        assert found.curves[name].values[-1] == pytest.approx(factor * top, abs=0.02), name


@pytest.mark.parametrize(
    ("labelled", "said"),
    [
        (commits(150, lambda _: 0.5), "150 changes are labelled"),
        (commits(400, lambda _: 0.02), "200 with 30 bad ones are needed"),
        ([replace(c, buggy=n < 60) for n, c in enumerate(commits(300, lambda _: 0))],
            "of the newest 30% of the changes 0 are bad"),
    ],
)  # fmt: skip
def test_too_few_labels_tell_nothing(labelled, said):
    assert said in too_few(labelled)


def test_a_fitted_model_is_read_as_it_was_written():
    labelled = commits(400, by_trodden_files)
    model = moved(shipped(), labelled, "digest")
    assert parse(to_text(model, "test")) == model
    sizes = [replace(c, features={n: c.features[n] for n in SIZES}) for c in labelled]
    blind = moved(shipped(), sizes, "digest")
    assert blind.history == blind.sizes
    assert assess(CHANGE, blind).notes == assess(CHANGE).notes


def releases(count, bad, counted=CHANGE.counted):
    return History(
        tuple(
            Deployment(
                service="shop", version=f"v{n}", at=float(n), counted=counted,
                result=Result.ROLLED_BACK if n < bad else Result.COMPLETED,
            )
            for n in range(count)
        )
    )  # fmt: skip


@pytest.mark.parametrize(("count", "bad"), [(40, 0), (40, 4), (40, 40), (20, 20)])
def test_the_likelihood_moves_to_the_teams_own_rate_and_the_level_stays(count, bad):
    usual = assess(CHANGE)
    found = assess(CHANGE, history=releases(count, bad))
    # All releases were like this one, so its likelihood becomes the shrunken rate itself.
    rate = (bad + WEIGHT * usual.likelihood) / (count + WEIGHT)
    assert found.likelihood == pytest.approx(rate)
    assert (found.level, found.percentile) == (usual.level, usual.percentile)
    assert found.centred is not None
    assert (found.centred.bad, found.centred.releases) == (bad, count)
    total = found.usual + sum(factor.log_odds for factor in found.factors)
    assert total == pytest.approx(found.log_odds)


@pytest.mark.parametrize("history", [None, releases(19, 19), releases(60, 60, ())])
def test_few_releases_or_unknown_ones_move_nothing(history):
    assert assess(CHANGE, history=history) == assess(CHANGE)


def test_many_commits_at_once_are_compared_with_releases_once_enough_are_known():
    many = replace(CHANGE, commits=12, recent=((1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 5.0, 3.0),) * 100)
    alone, beside = assess(many), assess(many, history=releases(60, 0))
    assert (alone.level, alone.among) == (Level.CRITICAL, Among.CHANGES)
    assert (beside.level, beside.among, beside.compared) == (Level.LOW, Among.RELEASES, 60)
    assert beside.factors[0].words.endswith("the median release here adds 40")
    assert beside.notes == ()
    single = assess(replace(many, commits=1), history=releases(60, 0))
    assert single.among is Among.CHANGES
