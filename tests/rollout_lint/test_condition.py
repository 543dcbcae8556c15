"""What Argo makes of an answer: expr-lang, as far as gates are written in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gate import rollout_lint
from gate.rollout_lint.condition import MistakenError, Phase, UnreadableError, holds, phase
from gate.rollout_lint.lint import CHECKS


@pytest.mark.parametrize(
    ("condition", "result", "expected"),
    [
        ('result == "promote"', "promote", True),
        ("result == 'promote'", "hold", False),
        ('result != "rollback" && result != "hold"', "promote", True),
        ('not (result == "rollback") and true', "hold", True),
        ('!(result in ["a || b", "c"])', "a || b", False),
        ("result == 1", 1.0, True),
        ("result == 1", None, False),
        ("result.verdict == 1", {"verdict": "promote"}, False),
        ("result.outcome == nil", {"verdict": "promote"}, True),
        ("len(result) == 0 || result[0] == 1", [], True),
        ("result[0] >= 0.5 && !isNaN(result[0])", [1.0], True),
        ("len(result) == 0", [], True),
        ("default(result, 0) == 0", None, True),
        ("result.verdict == 'promote'", {"verdict": "promote"}, True),
        ("asFloat(result) > -1", "0.5", True),
        ('result == "promote"\n || isNil(result)', None, True),
    ],
)
def test_conditions_that_are_read(condition, result, expected):
    assert holds(condition, result) is expected


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("result[0] == 1", []),
        ("result > 1", "promote"),
        ("result", "promote"),
        ("result >= 1", None),
    ],
)
def test_what_argo_cannot_evaluate_is_an_error(condition, result):
    with pytest.raises(MistakenError):
        holds(condition, result)
    assert phase(condition, "", result) is Phase.ERROR


@pytest.mark.parametrize(
    "condition",
    ["result matches 'p.*'", "result startsWith 'p'", "all(result, # > 1)", "x == 1", "result ?? 1",
     "result ==", "__import__('os')", "(lambda: 1)()", "result.upper() == 'A'", "[" * 500],
)  # fmt: skip
def test_what_is_not_read_is_said_to_be(condition):
    with pytest.raises(UnreadableError):
        holds(condition, "promote")


def test_every_check_that_is_named_is_described_and_the_other_way_round():
    folder = Path(rollout_lint.__file__).parent
    texts = {path.name: path.read_text() for path in folder.glob("*.py")}
    rest = "".join(text for name, text in texts.items() if name != "lint.py")
    named = set(re.findall(r'\.(?:wrong|odd|note)\(\s*"([\w-]+)"', rest))
    assert named == set(CHECKS) - {"invalid"}
