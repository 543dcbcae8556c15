"""Conditions in CEL over the facts: compiled once, typed, and three-valued.

Why CEL (cel-expr-python, Google's implementation): it is the language Kubernetes uses for policy,
has no loops or side effects, and checks types against declared names with positions. Its `&&` and
`||` decide around a missing fact where the known part settles the answer; otherwise the result is
unknown, which is what a gate needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel

from gate.errors import GateError, did_you_mean
from gate.policy.words import WORDS, Facts, Type

_TYPES = {
    Type.BOOL: cel.Type.BOOL,
    Type.INT: cel.Type.INT,
    Type.DOUBLE: cel.Type.DOUBLE,
    Type.STRING: cel.Type.STRING,
    Type.STRINGS: cel.Type.List(cel.Type.STRING),
    Type.LABELS: cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}
_POSITION = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_MISSING = re.compile(r'No value with name "([^"]+)"')
# Comments and texts are passed over; a name may have spaces around its dots.
_WORDS = re.compile(
    r"//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|([A-Za-z_]\w*(?:\s*\.\s*\w+)+)"
)
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '(.+)'")


class ConditionError(GateError):
    """A condition that cannot be asked; `line` and `column` count from 1 within its text."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Answer:
    """True, false, or None: unknown, for want of the `missing` facts or because of a `fault`."""

    holds: bool | None
    missing: tuple[str, ...] = ()
    fault: str = ""


def check(condition: str) -> None:
    """Raises ConditionError unless the condition is a boolean over known words."""
    _compiled(condition)


@cache
def reads(condition: str) -> tuple[str, ...]:
    """The facts that the condition names, each once, in the order they stand.

    >>> reads('risk.level == "budget.remaining" || service.labels.team == risk.level')
    ('risk.level', 'service.labels')
    """
    found = ("".join((match[1] or "").split()) for match in _WORDS.finditer(condition))
    named = (
        next((word for word in WORDS if f"{one}.".startswith(f"{word}.")), "") for one in found
    )
    return tuple(dict.fromkeys(word for word in named if word))


def ask(condition: str, facts: Facts) -> Answer:
    """Whether the condition holds; anything but a plain yes or no is unknown."""
    # Most conditions read one or two of fifty facts; handing over all costs more than asking.
    few = {word: facts[word] for word in reads(condition) if word in facts}
    answer = _asked(condition, few)
    return _asked(condition, facts) if any(one in facts for one in answer.missing) else answer


def _asked(condition: str, facts: Facts) -> Answer:
    result = _compiled(condition).eval(data=_plain(facts))
    if result.type() == cel.Type.BOOL:
        return Answer(bool(result.value()))
    missing = _MISSING.search(str(result.value()))
    return Answer(None, (missing[1],)) if missing else Answer(None, fault=str(result.value()))


@cache
def _environment() -> Any:
    return cel.NewEnv(variables={word: _TYPES[what.type] for word, what in WORDS.items()})


@cache
def _compiled(condition: str) -> Any:
    try:
        expression = _environment().compile(condition)
    except RuntimeError as error:
        raise _told(str(error)) from None
    if expression.return_type() != cel.Type.BOOL:
        raise ConditionError(
            f"a condition must be true or false; this is {expression.return_type()}", 1, 1
        )
    return expression


def _told(text: str) -> ConditionError:
    """CEL's complaint in our words, with its position."""
    found = _POSITION.search(text)
    if not found:
        return ConditionError(text, 1, 1)
    line, column, message = int(found[1]), int(found[2]), found[3].strip()
    if undeclared := _UNDECLARED.search(message):
        word = undeclared[1]
        # CEL points at the last dot of a dotted name; people look for its start.
        column = max(1, column - word.rfind(".")) if "." in word else column
        guess = did_you_mean(word, WORDS)
        message = f"unknown fact {word!r}{guess or '; known: ' + ', '.join(sorted(WORDS))}"
    elif overload := _OVERLOAD.search(message):
        kinds = overload[2]
        hint = "; write whole numbers as 1.0 here" if "double" in kinds and "int" in kinds else ""
        message = f"{overload[1].strip('_')} cannot compare or combine {kinds}{hint}"
    return ConditionError(message, line, column)


def _plain(facts: Facts) -> dict[str, Any]:
    """As CEL takes them: lists for tuples, floats for doubles."""
    return {word: _value(value) for word, value in facts.items()}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
