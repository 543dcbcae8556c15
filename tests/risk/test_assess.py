"""What the shipped model says of changes, and why."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.change import Change
from gate.decision import conclude, decided, from_json, redo, to_json
from gate.risk.assess import assess
from gate.risk.features import HISTORY, SIZES
from gate.risk.level import Level
from gate.risk.model import shipped
from gate.service import ChangeRange
from tests.parts.rollouts import STANDARD, a_request, a_service, an_evidence

CHANGE = Change(
    base="a", head="b", commits=1, files=3, directories=2, lines_added=40, lines_deleted=10,
    subsystems=1, entropy=1.2, age=20.0, changes=10.0,
)  # fmt: skip
RANK = list(Level)
counts = st.integers(min_value=0, max_value=10**7)
GROWING = ["lines_added", "lines_deleted", "files", "directories", "subsystems"]


def a_history(count=100):
    """Changes that add 1, 2, 3, ... lines to one file each."""
    return tuple((float(n), 0.0, 1.0, 1.0, 1.0, 0.0, 5.0, 3.0) for n in range(1, count + 1))


@given(st.data(), st.sampled_from(GROWING), counts)
def test_a_change_that_grows_is_never_less_risky(data, grown, more):
    sizes = {name: data.draw(counts) for name in GROWING}
    known = {} if data.draw(st.booleans()) else {"age": None, "changes": None}
    change = replace(CHANGE, recent=a_history(), **sizes, **known)
    larger = replace(change, **{grown: getattr(change, grown) + more})
    assert assess(larger).log_odds >= assess(change).log_odds
    assert RANK.index(assess(larger).level) >= RANK.index(assess(change).level)


def test_no_shipped_curve_of_size_falls():
    for fit in (shipped().sizes, shipped().history):
        for name in set(SIZES) & set(fit.curves):
            values = fit.curves[name].values
            assert list(values) == sorted(values), name


def test_the_shipped_model_is_small_and_says_of_what_it_was_made():
    text = files("gate.risk").joinpath("model.json").read_text()
    assert len(text) < 2048
    assert shipped().data.startswith("3437cee174f4eaaf")
    assert not set(shipped().history.curves) - {*SIZES, *HISTORY}


@pytest.mark.parametrize("change", [CHANGE, replace(CHANGE, recent=a_history(), lines_added=70)])
def test_the_reasons_add_up_to_the_likelihood(change):
    risk = assess(change)
    total = risk.usual + sum(factor.log_odds for factor in risk.factors)
    assert total == pytest.approx(risk.log_odds)
    assert risk.likelihood == pytest.approx(1 / (1 + math.exp(-total)))


@pytest.mark.parametrize(
    ("lines", "level", "percentile"),
    [(1, "low", 0.0), (50, "low", 49.0), (51, "medium", 50.0), (80, "medium", 79.0),
     (81, "high", 80.0), (96, "critical", 95.0), (5000, "critical", 100.0)],
)  # fmt: skip
def test_the_level_is_where_it_stands_among_the_repositorys_own_changes(lines, level, percentile):
    change = replace(
        CHANGE, recent=a_history(), lines_added=lines, lines_deleted=0, files=1, directories=1,
        entropy=0.0, age=5.0, changes=3.0,
    )  # fmt: skip
    risk = assess(change)
    assert (risk.level, risk.percentile, risk.compared) == (level, percentile, 100)
    assert risk.factors[0].words.endswith("the median change here adds 50")


def test_too_few_changes_are_compared_with_the_reference_and_it_says_so():
    risk = assess(replace(CHANGE, recent=a_history(49)))
    assert risk.percentile is None
    assert risk.compared == 0
    assert "49 changes of this repository are known, 50 needed" in risk.notes[0]
    assert "the median change of the reference adds 29" in risk.factors[0].words


@pytest.mark.parametrize("rows", [a_history(), tuple(row[:6] for row in a_history())])
def test_without_history_of_either_side_size_alone_is_compared(rows):
    unknown = {} if len(rows[0]) == 6 else {"age": None, "changes": None}
    risk = assess(replace(CHANGE, recent=rows, **unknown))
    assert {factor.name for factor in risk.factors} == set(SIZES)
    assert any("history of the touched files is not known" in note for note in risk.notes)


def test_an_unknown_spread_is_taken_as_the_widest():
    blind = assess(replace(CHANGE, entropy=None))
    assert blind.log_odds >= assess(CHANGE).log_odds
    assert any("taken as even" in note for note in blind.notes)


def test_many_commits_at_once_are_said_to_be_compared_with_single_ones():
    notes = assess(replace(CHANGE, commits=12, recent=a_history())).notes
    assert notes == ("12 commits at once, compared with single changes of this repository",)


def test_a_stored_decision_gives_the_same_risk_to_the_last_bit():
    change = replace(CHANGE, recent=a_history(), entropy=1 / 3)
    asked = ChangeRange(source="m", base="a", head="b")
    parts = a_request(), a_service(change=asked), STANDARD, an_evidence(change=change)
    decision = decided(*parts, at=0.0, gate_version="test")
    stored = from_json(to_json(decision))
    assert stored.evidence.change == change
    assert to_json(redo(stored)) == to_json(decision.conclusion)


def test_policy_may_ask_for_the_percentile_once_there_is_one():
    def known(change):
        evidence = an_evidence(change=change)
        return conclude(a_request(), a_service(), STANDARD, evidence).facts

    seen = replace(CHANGE, recent=a_history())
    assert known(seen)["risk.percentile"] == assess(seen).percentile > 0.0
    assert "risk.percentile" not in known(CHANGE)
    assert 0.0 < known(CHANGE)["risk.likelihood"] < 1.0
