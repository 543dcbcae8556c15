"""The states that conditions can tell apart, and the search among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.policy.conditions import ask
from gate.policy.grid import count, exact, search, states, values


@pytest.mark.parametrize(
    ("condition", "tried"),
    [
        ("analysis.safe", (True, False)),
        ("rollout.minutes >= 10.0", (0.0, 5.0, 10.0, 11.0)),
        ("3.0 < rollout.minutes && rollout.minutes < 5.0", (0.0, 1.5, 3.0, 4.0, 5.0, 6.0)),
        ("service.tier > 0", (0, 1, 2)),
        ("change.lines > 500", (0, 1, 250, 499, 500, 501)),
        ("budget.remaining <= 0.0", (-1.0, 0.0, 0.5, 1.0)),
        ('risk.level == "high"', ("low", "medium", "high", "critical")),
        ('service.owner == "sre"', ("sre", "another")),
        ("size(analysis.worse) > 1", ((), ("another",), ("another", "another 2"))),
        ('"fix" in change.types', ((), ("build",), ("fix",), ("fix", "build"))),
    ],
)
def test_the_values_on_and_between_what_a_fact_is_compared_with(condition, tried):
    (found,) = values([condition]).values()
    assert sorted(map(str, found)) == sorted(map(str, tried))


CONTRADICTIONS = [
    "rollout.minutes > 5.0 && rollout.minutes < 3.0",
    "rollout.minutes > 5.0 && !(rollout.minutes >= 5.0)",
    "change.files > 5 && change.files < 6",
    "service.tier < 0",
    "budget.remaining > 1.0",
    "size(analysis.worse) > 3 && size(analysis.worse) < 4",
    '"fix" in change.types && change.types == []',
    'risk.level == "low" && risk.level == "high"',
    "analysis.safe && !analysis.safe",
]
POSSIBLE = [
    "rollout.minutes > 5.0 && rollout.minutes < 5.001",
    "change.files > 5 && change.files < 7",
    "service.tier > 1",
    "size(analysis.worse) > 3 && size(analysis.worse) < 5",
    "size(analysis.worse) > size(analysis.critical_worse)",
    '"fix" in change.types && "docs" in change.types && size(change.types) == 2',
    'change.labels.all(one, one in ["p0", "security"]) && size(change.labels) > 1',
    "change.lines / change.files > 9",
    'service.labels.team == "pay"',
    "budget.burn_1h > budget.burn_6h",
]


@pytest.mark.parametrize("condition", CONTRADICTIONS)
def test_what_cannot_be_is_not_found(condition):
    found = search([(condition, True)], values([condition]))
    assert (found.facts, found.whole, exact(condition)) == (None, True, True)


@pytest.mark.parametrize("condition", POSSIBLE)
def test_what_can_be_is_found_and_is_so(condition):
    for wish in (True, False):
        found = search([(condition, wish)], values([condition])).facts
        assert found is not None
        assert ask(condition, found).holds is wish


@pytest.mark.parametrize(
    "condition", ["change.lines / change.files > 9", 'service.name.matches("a+")']
)
def test_what_is_computed_is_only_tried(condition):
    assert not exact(condition)


def test_several_conditions_at_once():
    conditions = [("change.lines > 5", True), ("change.lines > 9", False), ("analysis.safe", False)]
    found = search(conditions, values(one for one, _ in conditions)).facts
    assert found == {"change.lines": 6, "analysis.safe": False}


def test_a_search_ends_where_it_is_told_to():
    hard = " && ".join(f'change.labels.exists(one, one == "{n}")' for n in range(9))
    hard += " && !(" + hard + ")"
    found = search([(hard, True)], values([hard]), most=5)
    assert (found.facts, found.whole) == (None, False)


def test_every_state_is_visited_once_with_unknown_ones_among_them():
    tried = values(['analysis.safe && risk.level == "low"'])
    every = list(states(tried))
    assert len(every) == count(tried) == 3 * 5
    assert len({tuple(sorted(one.items())) for one in every}) == 15
    assert {} in every
    assert len(list(states(tried, unknown=False))) == 2 * 4


def test_of_too_many_states_some_of_all_kinds_are_visited():
    tried = values(['analysis.safe && risk.level == "low" && rollout.minutes > 9.0'])
    some = [tuple(sorted(one.items())) for one in states(tried, most=40)]
    assert len(set(some)) == 40 < count(tried)
    assert {value for one in some for value in one} == {
        (word, value) for word, every in tried.items() for value in every
    }


ATOMS = st.one_of(
    st.builds("rollout.minutes {} {}.5".format, st.sampled_from(["<", ">", "<=", "==", "!="]),
              st.integers(0, 4)),
    st.builds("{} < change.files".format, st.integers(-1, 4)),
    st.builds("size(change.types) {} {}".format, st.sampled_from(["<", ">", "=="]),
              st.integers(0, 3)),
    st.builds('"{}" in change.types'.format, st.sampled_from(["fix", "feat"])),
    st.builds('change.labels.all(one, one == "{}")'.format, st.sampled_from(["a", "b"])),
    st.builds('risk.level == "{}"'.format, st.sampled_from(["low", "high"])),
    st.just("analysis.safe"),
)  # fmt: skip
CONDITIONS = st.recursive(
    ATOMS,
    lambda part: st.one_of(
        st.builds("!({})".format, part),
        st.builds("({} && {})".format, part, part),
        st.builds("({} || {})".format, part, part),
    ),
    max_leaves=5,
)
SOME = st.lists(st.sampled_from(["fix", "feat", "docs", "test"]), max_size=4, unique=True)
FACTS = st.fixed_dictionaries(
    {
        "rollout.minutes": st.floats(0, 6),
        "change.files": st.integers(0, 6),
        "change.types": SOME.map(tuple),
        "change.labels": st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(tuple),
        "risk.level": st.sampled_from(["low", "medium", "high", "critical"]),
        "analysis.safe": st.booleans(),
    }
)


@given(CONDITIONS, FACTS)
def test_whatever_can_be_is_found_where_the_values_stand_for_all(condition, facts):
    # The promise of `exact`: facts that nobody tried find nothing that the search does not.
    wish = ask(condition, facts).holds
    found = search([(condition, wish)], values([condition])).facts
    assert found is not None or not exact(condition)
