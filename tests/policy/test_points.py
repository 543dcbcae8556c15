import pytest

from gate.policy.points import UNKNOWN, points


def found(word, *conditions):
    return {point.told: point.value for point in points(conditions)[word]}


def test_a_number_is_tried_below_at_and_above_each_that_a_condition_names():
    told = found("budget.remaining", "budget.remaining <= 0.0 || budget.remaining < 0.25")
    assert list(told) == ["below 0", "0", "above 0", "0.25", "above 0.25", "not known"]
    assert told["below 0"] < 0 < told["above 0"] < 0.25 < told["above 0.25"]


def test_whole_numbers_stay_whole_and_nothing_leaves_its_range():
    told = found("change.lines", "change.lines > 0 && change.lines != 9")
    assert list(told) == ["0", "above 0", "9", "above 9", "not known"]
    assert all(value is None or type(value) is int for value in told.values())
    assert set(found("budget.coverage", "budget.coverage < 1.0")) == {"below 1", "1", "not known"}


def test_where_facts_are_computed_with_no_number_is_left_out_or_called_a_boundary():
    told = found("change.lines", "change.lines / change.files > 9")
    assert {"8", "9", "10"} <= set(told)


def test_what_the_gate_always_knows_is_never_unknown():
    assert found("analysis.safe", "analysis.safe") == {"true": True, "false": False}
    assert UNKNOWN.told in found("risk.level", 'risk.level == "high"')


def test_texts_are_those_known_or_those_named_and_another():
    assert list(found("risk.level", 'risk.level == "high"')) == [
        "low", "medium", "high", "critical", "not known",
    ]  # fmt: skip
    assert list(found("service.owner", 'service.owner == "pay"')) == ["pay", "another"]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("size(analysis.worse) > 0", ["empty", "not empty"]),
        ("size(analysis.worse) > 1", ["empty", "not empty", "2 long"]),
        ('"errors" in analysis.worse', ["empty", "not empty", "[errors]"]),
    ],
)
def test_lists_are_told_by_what_is_named_or_by_their_size(condition, told):
    assert set(found("analysis.worse", condition)) == set(told)
