import pytest

from gate.policy.consistency import IMPLICATIONS, broken, consistent, settled
from gate.policy.words import WORDS
from tests.policy.test_standard import GOOD, STORIES, known


@pytest.mark.parametrize(
    ("state", "follows"),
    [
        (
            {"analysis.safe": True, "analysis.worse": (), "analysis.critical_worse": ("errors",)},
            {"analysis.safe": False, "analysis.worse": ("errors",)},
        ),
        (
            {"analysis.safe": False, "analysis.critical_worse": (), "analysis.unclear": (),
             "analysis.unfit": ()},
            {"analysis.unclear": ("a metric",)},
        ),
        ({"analysis.safe": False, "analysis.unclear": ()}, {}),  # something else may be unfit
        ({"analysis.safe": True, "analysis.not_worse": ()}, {"analysis.not_worse": ("a metric",)}),
        ({"budget.asked": False, "budget.remaining": 0.5}, {"budget.remaining": None}),
        (
            {"risk.asked": False, "risk.level": "low", "change.lines": 3, "change.pull_asked": True,
             "change.approvals": 1},
            {"risk.level": None, "change.lines": None, "change.pull_asked": False,
             "change.approvals": None},
        ),
        (
            {"change.pull_asked": False, "change.checks_failing": (), "change.lines": 3},
            {"change.checks_failing": None},
        ),
        ({"budget.remaining": -0.1, "budget.exhausted": ()}, {"budget.exhausted": ("an SLO",)}),
        ({"budget.remaining": 0.1, "budget.exhausted": ("a",)}, {"budget.remaining": 0.0}),
        ({"rollout.minutes": 5.0, "rollout.seen_minutes": 9.0}, {"rollout.seen_minutes": 5.0}),
    ],
)  # fmt: skip
def test_what_follows_from_what(state, follows):
    assert settled(state) == {**state, **follows}
    assert consistent(state) is (not follows)
    assert settled(settled(state)) == settled(state)
    assert bool(broken(state)) is bool(follows)


def test_real_facts_are_consistent_and_name_what_they_break_otherwise():
    assert consistent(GOOD)
    odd = {**GOOD, "rollout.seen_minutes": 60.0}
    (sentence,) = broken(odd)
    assert "minutes" in sentence
    assert settled(odd, without=broken(odd)) == odd


def test_only_known_words_are_implied():
    for state in (known(changes) for changes, _, _ in STORIES.values()):
        assert set(settled(state)) <= set(WORDS)
    assert len({one.sentence for one in IMPLICATIONS}) == len(IMPLICATIONS)
