import pytest

from gate.policy.conditions import Answer, ConditionError, ask, check
from gate.policy.words import WORDS, Type

EXAMPLE = {
    Type.BOOL: True,
    Type.INT: 3,
    Type.DOUBLE: 0.5,
    Type.STRING: "high",
    Type.STRINGS: ("errors", "latency p99"),
    Type.LABELS: {"team": "pay"},
}
LITERAL = {
    Type.BOOL: "{} == true",
    Type.INT: "{} == 3",
    Type.DOUBLE: "{} == 0.5",
    Type.STRING: '{} == "high"',
    Type.STRINGS: '{} == ["errors", "latency p99"]',
    Type.LABELS: '{}["team"] == "pay"',
}


def unknown(*missing: str) -> Answer:
    return Answer(None, missing)


YES, NO = Answer(True), Answer(False)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_can_be_asked_and_is_unknown_when_missing(word):
    kind = WORDS[word].type
    condition = LITERAL[kind].format(word)
    assert ask(condition, {word: EXAMPLE[kind]}) == YES
    assert ask(condition, {}) == unknown(word)


@pytest.mark.parametrize(
    ("condition", "facts", "answer"),
    [
        # `known && missing` is settled by a known false, from either side; so is `||` by a true.
        ("analysis.safe && budget.remaining > 0.5", {"analysis.safe": False}, NO),
        ("budget.remaining > 0.5 && analysis.safe", {"analysis.safe": False}, NO),
        ("analysis.safe || budget.remaining > 0.5", {"analysis.safe": True}, YES),
        ("budget.remaining > 0.5 || analysis.safe", {"analysis.safe": True}, YES),
        ("analysis.safe && budget.remaining > 0.5", {"analysis.safe": True},
            unknown("budget.remaining")),
        ("analysis.safe || budget.remaining > 0.5", {"analysis.safe": False},
            unknown("budget.remaining")),
        ("!(budget.remaining > 0.5)", {}, unknown("budget.remaining")),
        ("analysis.safe ? true : budget.remaining > 0.5", {"analysis.safe": True}, YES),
        ("budget.remaining == budget.remaining", {}, unknown("budget.remaining")),
        ("analysis.worse.exists(one, one == \"errors\")", {"analysis.worse": ("errors",)}, YES),
        ("\"errors\" in analysis.worse", {"analysis.worse": ()}, NO),
        ("has(service.labels.team)", {"service.labels": {}}, NO),
        ("has(service.labels.team)", {}, unknown("service.labels")),
    ],
)  # fmt: skip
def test_what_is_known_settles_an_answer_where_it_can(condition, facts, answer):
    assert ask(condition, facts) == answer


@pytest.mark.parametrize(
    ("condition", "facts", "fault"),
    [
        ("change.lines / change.files > 9", {"change.lines": 9, "change.files": 0}, "by zero"),
        ('service.labels.team == "pay"', {"service.labels": {}}, "Key not found in map"),
        ('service.name.matches("(")', {"service.name": "shop"}, "invalid regular expression"),
        ("analysis.safe", {"analysis.safe": 1}, "Expected BOOL"),
        ("change.lines > 5", {"change.lines": 2**63}, "int too big"),
    ],
)  # fmt: skip
def test_a_fault_is_unknown_and_says_what_it_is(condition, facts, fault):
    answer = ask(condition, facts)
    assert (answer.holds, answer.missing) == (None, ())
    assert fault in answer.fault


def test_a_number_that_is_none_promotes_nothing():
    # NaN compares as false in CEL, so `remaining <= 0.0` would say "not spent": it never gets here.
    assert ask("budget.remaining <= 0.0", {"budget.remaining": float("nan")}) == NO


@pytest.mark.parametrize(
    ("condition", "line", "column"),
    [
        ("nonesuch", 1, 1),
        ("analysis.safe && nonesuch.too", 1, 18),
        ("analysis.safe &&\n  budget.remainig > 0.0", 2, 3),
        ("budget.remaining > 0", 1, 18),
        ("(", 1, 2),
    ],
)
def test_a_complaint_knows_its_line_and_column(condition, line, column):
    with pytest.raises(ConditionError) as caught:
        check(condition)
    assert (caught.value.line, caught.value.column) == (line, column)
