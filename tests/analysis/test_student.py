import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import nct, norm, t

from gate.analysis import student
from gate.analysis.student import log_evidence, scores_at


@pytest.fixture
def one_width(monkeypatch):
    """The mixture of a single prior, as wide as `spread` says."""
    monkeypatch.setattr(student, "WIDTHS", np.ones(1))
    monkeypatch.setattr(student, "SHARES", np.ones(1))


def evidence(score, freedom, spread):
    return float(log_evidence(*(np.array([one], float) for one in (score, freedom, spread)))[0])


@pytest.mark.parametrize("score", [1.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize(("freedom", "spread"), [(2, 4.0), (8, 1.0), (18, 20.0), (60, 4.0)])
def test_it_is_the_likelihood_ratio_of_t_mixed_over_a_half_normal(
    one_width, score, freedom, spread
):
    # By the definition: scipy.stats.nct and scipy.stats.t, integrated over the prior.
    def mixed(mean):
        prior = 2 * norm.pdf(mean, scale=math.sqrt(spread))
        return prior * float(nct.pdf(score, freedom, mean) / t.pdf(score, freedom))

    exact = math.log(quad(mixed, 0, 8 * math.sqrt(spread), limit=200)[0])
    assert exact - 0.2 <= evidence(score, freedom, spread) <= exact + 1e-6


def test_it_is_robbins_normal_mixture_where_the_noise_is_known(one_width):
    # Howard, Ramdas, McAuliffe & Sekhon 2021, section 3.2, one-sided normal mixture, with V = 1 and
    # rho = 1 / G: 2 (1 + G)^(-1/2) exp(G s^2 / (2 (1 + G))) Phi(s sqrt(G / (1 + G))).
    # At s = 3, G = 4: 2 / sqrt(5) * exp(3.6) * Phi(2.68328) = 32.6151
    known = math.log(2 / math.sqrt(5) * math.exp(3.6) * norm.cdf(3 * math.sqrt(0.8)))
    assert math.exp(known) == pytest.approx(32.6151, abs=1e-3)
    assert known - 0.2 <= evidence(3.0, 1e9, 4.0) <= known


@pytest.mark.parametrize("freedom", [1.5, 2.0, 8.0, 18.0, 500.0])
def test_its_mean_is_at_most_one_where_nothing_is_wrong(freedom):
    def value(score):
        return math.exp(evidence(score, freedom, 4.0) + t.logpdf(score, freedom))

    # The pieces where it is large; beyond them little is left, and all of it is positive.
    whole = sum(quad(value, *ends, limit=100)[0] for ends in [(-40, 0), (0, 5), (5, 40)])
    assert 0.6 < whole < 1.0


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(1.5, 1e4), st.floats(0.1, 1e3))
def test_a_larger_score_is_never_less_evidence(score, more, freedom, spread):
    less = evidence(score, freedom, spread)
    assert evidence(score + more, freedom, spread) >= less - 1e-9 * (1 + abs(less))


def test_nothing_overflows():
    for score in (-1e200, -1e30, 0.0, 1e30, 1e200):
        assert math.isfinite(evidence(score, 2.0, 1e6))


def test_a_level_is_reached_at_its_score_and_not_before():
    levels = np.array([0.5, 3.0, 6.5])
    for score, level in zip(scores_at(levels, 18.0, 4.0), levels, strict=True):
        assert evidence(score, 18.0, 4.0) == pytest.approx(level, abs=1e-3)


def test_few_pods_have_a_most_that_they_can_ever_show():
    assert scores_at(np.array([60.0]), 2.0, 4.0) == math.inf
