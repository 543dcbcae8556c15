"""Our reproduction against the genuine judge's own answers."""

from __future__ import annotations

import math

import pydantic
import pytest

from gate.errors import UsageError
from tests.kayenta.genuine import CASES, Case

ANSWERED = [case for case in CASES if not case.died]
DIED = [case for case in CASES if case.died]


def test_all_requests_are_here():
    assert (len(CASES), len(DIED)) == (118, 3)
    results = [one for case in ANSWERED for one in case.response["results"]]
    labels = {one["classification"] for one in results}
    assert labels == {"Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"}


@pytest.mark.parametrize("case", ANSWERED, ids=str)
def test_every_metric_has_the_genuine_label_reason_and_numbers(case: Case):
    ours = case.judged().results
    assert len(ours) == len(case.response["results"])
    for one, genuine in zip(ours, case.response["results"], strict=True):
        assert one.pair.id == genuine["id"]
        assert one.verdict.label == genuine["classification"]
        assert one.verdict.reason == genuine.get("classificationReason", "")
        assert one.verdict.critical is genuine["critical"]
        assert (one.rule.muted, list(one.rule.groups)) == (genuine["muted"], genuine["groups"])
        assert_ratio(one.verdict.ratio, genuine.get("resultMetadata"))
        for stats, told in (
            (one.control, genuine["controlMetadata"]),
            (one.experiment, genuine["experimentMetadata"]),
        ):
            for name, value in told["stats"].items():
                assert getattr(stats, name) == pytest.approx(value, rel=1e-9, abs=1e-15), name


@pytest.mark.parametrize("case", ANSWERED, ids=str)
def test_the_whole_has_the_genuine_score_and_class(case: Case):
    ours, genuine = case.judged(), case.response["score"]
    assert ours.score == pytest.approx(genuine["score"], abs=0.01)
    assert ours.classification == genuine["classification"]
    assert ours.reason == genuine["classificationReason"]
    groups = {one["name"]: one["score"] for one in case.response["groupScores"]}
    assert {one.name: one.score for one in ours.groups} == pytest.approx(groups)


@pytest.mark.parametrize("case", DIED, ids=str)
def test_what_the_genuine_judge_dies_of_is_refused_when_read(case: Case):
    with pytest.raises((UsageError, pydantic.ValidationError)):
        case.judged()


def assert_ratio(ours: float | None, genuine: dict[str, float | str] | None) -> None:
    if genuine is None:
        assert ours is None
    elif genuine["ratio"] == "NaN":
        assert ours is not None
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(genuine["ratio"], rel=1e-12)
