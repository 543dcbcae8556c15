import pytest

from gate.policy.news import BAD, Bad, always_known, passes, stands, worse
from gate.policy.words import WORDS, Type

_FITS = {
    Bad.TRUE: {Type.BOOL},
    Bad.FALSE: {Type.BOOL},
    Bad.HIGHER: {Type.INT, Type.DOUBLE},
    Bad.LOWER: {Type.INT, Type.DOUBLE},
    Bad.MORE: {Type.STRINGS},
    Bad.LEVEL: {Type.STRING},
}


@pytest.mark.parametrize("word", BAD)
def test_a_direction_is_of_a_known_fact_and_fits_its_type(word):
    assert WORDS[word].type in _FITS[BAD[word]]


@pytest.mark.parametrize(
    ("word", "bad", "good"),
    [
        ("analysis.safe", False, True),
        ("analysis.critical_worse", ("errors",), ()),
        ("budget.remaining", -0.1, 0.4),
        ("budget.burn_1h", 14.5, 1.0),
        ("risk.level", "critical", "high"),
        ("change.approvals", 0, 2),
        ("change.self_approved", True, False),
    ],
)
def test_bad_news_are_worse_than_good_ones(word, bad, good):
    assert worse(word, bad, than=good)
    assert not worse(word, good, than=bad)
    assert not worse(word, bad, than=bad)


def test_what_has_no_side_is_never_worse():
    assert not worse("analysis.worse", ("a",), than=("b",))
    assert not worse("rollout.minutes", 3.0, than=9.0)
    assert not worse("risk.level", "unheard of", than="low")


def test_the_file_stands_time_passes_and_the_judge_always_speaks():
    assert stands("service.tier")
    assert stands("budget.asked")
    assert not stands("budget.remaining")
    assert passes("rollout.seen_minutes")
    assert always_known("analysis.safe")
    assert always_known("calendar.frozen")
    assert always_known("history.known_good")
    assert not always_known("history.failure_rate")
    assert not always_known("analysis.score")
    assert not always_known("budget.page_firing")
