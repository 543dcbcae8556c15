from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.change import Change
from gate.risk import LEVELS, Level, assess

SMALL = Change(
    base="a", head="b", commits=1, files=2, directories=1, lines_added=30, lines_deleted=4
)
RANK = {level: points for points, level in LEVELS}
counts = st.integers(min_value=0, max_value=10**7)


def changes() -> st.SearchStrategy[Change]:
    return st.builds(
        Change,
        base=st.just("a"),
        head=st.just("b"),
        commits=st.none() | counts,
        files=counts,
        directories=counts,
        lines_added=counts,
        lines_deleted=counts,
    )


@given(changes(), st.sampled_from(["files", "directories", "lines_added", "lines_deleted"]), counts)
def test_a_change_that_grows_is_never_less_risky(change, grown, more):
    larger = replace(change, **{grown: getattr(change, grown) + more})
    assert assess(larger).points >= assess(change).points
    assert RANK[assess(larger).level] >= RANK[assess(change).level]


@pytest.mark.parametrize(
    ("change", "level"),
    [
        (SMALL, Level.LOW),
        (replace(SMALL, files=0, directories=0, lines_added=0, lines_deleted=0), Level.LOW),
        (replace(SMALL, lines_added=196), Level.LOW),
        (replace(SMALL, lines_added=197), Level.MEDIUM),
        (replace(SMALL, lines_added=2500), Level.HIGH),
        (replace(SMALL, lines_added=2500, files=40), Level.HIGH),
        (replace(SMALL, lines_added=2500, files=40, directories=12), Level.CRITICAL),
    ],
)
def test_levels(change, level):
    assert assess(change).level is level


def test_every_factor_says_what_was_counted_also_when_it_gives_nothing():
    assert [factor.words for factor in assess(SMALL).factors] == [
        "+0 because 34 lines changed (not over 200)",
        "+0 because 2 files changed (not over 10)",
        "+0 because 1 directory changed (not over 3)",
    ]


def test_points_are_the_sum_of_the_factors():
    risk = assess(replace(SMALL, lines_added=500, files=11, directories=4))
    assert [factor.points for factor in risk.factors] == [2, 1, 1]
    assert risk.points == 4
    assert risk.level is Level.HIGH
