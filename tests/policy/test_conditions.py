import pytest

from gate.policy.conditions import MOST, WIDEST, Answer, ConditionError, ask, faults, words
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
    (fault,) = faults(condition)
    assert (fault.line, fault.column) == (line, column)


def told(condition):
    """Every complaint about a condition, with its column."""
    return [f"{fault.column}: {fault.message}" for fault in faults(condition)]


@pytest.mark.parametrize(
    ("condition", "complaints"),
    [
        ('risk.level == "hihg"', ["15: risk.level is never 'hihg'; did you mean 'high'?"]),
        ('"?" != risk.level', [
            "1: risk.level is never '?'; it is one of: low, medium, high, critical"]),
        ('risk.level in ["high", "critcal"]', [
            "24: risk.level is never 'critcal'; did you mean 'critical'?"]),
        ('"migration" in change.touches', [
            "1: change.touches is never 'migration'; did you mean 'migrations'?"]),
        ('change.types.exists(one, one == "fixx")', [
            "33: change.types is never 'fixx'; did you mean 'fix'?"]),
        ('history.last_result == "roled_back" || risk.level == "lo"', [
            "24: history.last_result is never 'roled_back'; did you mean 'rolled_back'?",
            "54: risk.level is never 'lo'; did you mean 'low'?"]),
        ('risk.level == "high" && service.name == "hihg"', []),
        ('change.labels.exists(a, a == "p0") && change.types.exists(a, a == "fix")', []),
    ],
)  # fmt: skip
def test_a_word_that_a_fact_never_has_is_told(condition, complaints):
    assert told(condition) == complaints


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ("analysis.worse.all(a, [1].all(b, b > 0))", "a loop within a loop"),
        ('analysis.worse.all(a, a + a != "")', "nothing is added up within a loop"),
        (
            "analysis.worse.all(a, a in analysis.unclear)",
            "analysis.unclear, a list(string), is not",
        ),
        ("analysis.worse.all(a, service.labels == {})", "service.labels, a map"),
        ("service.name.matches(service.owner)", "a pattern is written out, not computed"),
        ('service.name.matches("(")', "invalid regular expression: missing )"),
        ('service.name.matches("(x{9}){9}y{7,9}")', "a pattern of 10,935 letters"),
        (f'service.name.matches("{"x" * 201}")', "a pattern of 201 letters"),
        (
            'change.labels.all(a, !a.matches("x") && !a.matches("y"))',
            "one pattern is matched within loops",
        ),
        (" || ".join(["analysis.safe"] * 200), "3,396 letters long; at most 2,000"),
        ("(" * 40 + "true" + ")" * 40, "nested too deep; CEL reads 32 levels"),
        ("+".join(["change.lines"] * 40) + " > 1", "nested too deep"),
    ],
)
def test_what_could_take_long_is_refused(condition, complaint):
    (fault,) = faults(condition)
    assert complaint in fault.message
    with pytest.raises(ConditionError) as caught:  # it is not asked either, where no one linted
        ask(condition, {})
    assert caught.value.message == fault.message


@pytest.mark.parametrize(
    "condition",
    [
        'analysis.worse.filter(one, one.startswith("latency")).size() > 0'.replace(
            "startsw", "startsW"
        ),
        'change.labels.exists(one, one.matches("^sec(urity)?$"))',
        'change.types.all(one, one in ["fix", "revert"])',
    ],
)
def test_plain_loops_are_fine(condition):
    assert told(condition) == []


def test_a_fact_too_long_to_read_is_unknown():
    for value in (("x",) * (MOST + 1), ("x" * (WIDEST + 1),)):
        answer = ask("size(analysis.worse) > 0", {"analysis.worse": value})
        assert (answer.holds, answer.missing) == (None, ())
        assert answer.fault == "analysis.worse: over 1,000 items or 500 letters"
    assert ask("analysis.safe", {"analysis.safe": True, "analysis.worse": ("x",) * 9999}) == YES


def test_a_condition_that_takes_too_long_is_no_answer():
    many = " && ".join(["analysis.worse.all(a, a != '')"] * 11)
    with pytest.raises(ConditionError, match="Iteration budget exceeded"):
        ask(many, {"analysis.worse": ("x",) * MOST})


def test_a_condition_knows_the_facts_it_mentions():
    assert words('budget.asked && analysis.worse.exists(a, a == "x") || budget.asked') == (
        "budget.asked", "analysis.worse",
    )  # fmt: skip
