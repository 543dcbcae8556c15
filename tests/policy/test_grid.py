import pytest

from gate.policy.grid import UNKNOWN, grid


def points(word, *conditions):
    return {point.told: point.value for point in grid(conditions)[word]}


def test_a_number_is_tried_below_at_and_above_each_boundary():
    found = points("budget.remaining", "budget.remaining <= 0.0 || budget.remaining < 0.25")
    assert list(found) == ["below 0", "0", "above 0", "0.25", "above 0.25", "not known"]
    assert found["below 0"] < 0 < found["above 0"] < 0.25 < found["above 0.25"]


def test_whole_numbers_stay_whole_and_nothing_leaves_its_range():
    found = points("change.lines", "change.lines > 0 && change.lines != 9")
    assert found == {"0": 0, "above 0": 1, "9": 9, "above 9": 10, "not known": None}
    assert set(points("budget.coverage", "budget.coverage < 1.0")) == {"below 1", "1", "not known"}


def test_what_the_gate_always_knows_is_never_unknown():
    assert points("analysis.safe", "analysis.safe") == {"true": True, "false": False}
    assert UNKNOWN.told in points("risk.level", 'risk.level == "high"')


def test_texts_are_those_known_or_those_named_and_another():
    assert list(points("risk.level", 'risk.level == "high"')) == [
        "low", "medium", "high", "critical", "not known",
    ]  # fmt: skip
    assert list(points("service.owner", 'service.owner == "pay"')) == ["pay", "another"]


@pytest.mark.parametrize(
    ("condition", "sizes"),
    [
        ("size(analysis.worse) > 0", [0, 1]),
        ("size(analysis.worse) > 2", [0, 1, 2, 3]),
        ("size(analysis.worse) > size(analysis.critical_worse)", [0, 1, 2]),
        ('"errors" in analysis.worse', [0, 1, 1]),
    ],
)
def test_lists_are_as_long_as_it_takes(condition, sizes):
    assert [len(value) for value in points("analysis.worse", condition).values()] == sizes


def test_two_facts_that_are_compared_get_values_far_apart():
    found = points("budget.burn_1h", "budget.burn_1h > 2.0 * budget.burn_6h").values()
    low = [value for value in found if value is not None]
    assert min(low) == 0.0
    assert max(low) > 2 * 2.0


def test_labels_are_none_or_those_that_are_named():
    found = points("service.labels", 'service.labels["team"] == "pay"').values()
    assert {} in found
    assert {"team": "pay"} in found
    assert {"team": "another"} in found
