"""Conditions in CEL over the facts: compiled once, typed, three-valued, and bounded.

Why CEL (cel-expr-python, Google's implementation): it is the language Kubernetes uses for policy,
has no loops or side effects, and checks types against declared names with positions. Its `&&` and
`||` decide around a missing fact where the known part settles the answer; otherwise the result is
unknown, which is what a gate needs.

Why it cannot hang: no function reads anything, regular expressions are RE2's (linear in the text),
CEL nests 32 deep and iterates 10,000 times, and what it does not bound is refused or unknown here:
long conditions, loops within loops, texts that grow in a loop, patterns that are computed, and
facts of more than a thousand items or texts of more than 500 letters.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel

from gate.errors import GateError, did_you_mean
from gate.policy.expression import Form, Node, tree
from gate.policy.words import WORDS, Facts, Type

_TYPES = {
    Type.BOOL: cel.Type.BOOL,
    Type.INT: cel.Type.INT,
    Type.DOUBLE: cel.Type.DOUBLE,
    Type.STRING: cel.Type.STRING,
    Type.STRINGS: cel.Type.List(cel.Type.STRING),
    Type.LABELS: cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}
LONGEST = 2_000  # letters of a condition
LARGEST = 200  # letters of a pattern with `{n}` written out: states that RE2 may be in
MOST = 1_000  # items of a list
WIDEST = 500  # letters of a text
_OWN = "@result"  # the accumulator that CEL adds to a macro
_POSITION = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_MISSING = re.compile(r'No value with name "([^"]+)"')
_COUNT = re.compile(r"\{\d*,?(\d+)\}|\{(?:\d+),\}")
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


@dataclass(frozen=True, slots=True)
class _Compiled:
    """An expression of CEL's, its tree, and the facts it mentions."""

    expression: Any
    tree: Node
    words: tuple[str, ...]


def faults(condition: str) -> Iterator[ConditionError]:
    """All that is wrong with a condition as written; nothing, if it may be asked."""
    try:
        root = _compiled(condition).tree
    except ConditionError as error:
        yield error
        return
    yield from (_at(condition, *one) for one in (*_wrong_words(root), *_dear(root)))


def parsed(condition: str) -> Node:
    """The tree of a condition; raises ConditionError where it cannot be compiled."""
    return _compiled(condition).tree


def words(condition: str) -> tuple[str, ...]:
    """The facts that a condition mentions, in order; raises ConditionError."""
    return _compiled(condition).words


def ask(condition: str, facts: Facts) -> Answer:
    """Whether the condition holds; anything but a plain yes or no is unknown.

    Raises ConditionError for a condition that cannot be compiled, or could take too long.
    """
    compiled = _bounded(condition)
    known = {word: facts[word] for word in compiled.words if word in facts}
    if long := [word for word, value in known.items() if _long(value)]:
        return Answer(None, fault=f"{', '.join(long)}: over {MOST:,} items or {WIDEST} letters")
    try:
        result = compiled.expression.eval(data=_plain(known))
    except RuntimeError as error:
        raise ConditionError(f"cannot be computed: {error}", 1, 1) from None
    if result.type() == cel.Type.BOOL:
        return Answer(bool(result.value()))
    missing = _MISSING.search(str(result.value()))
    return Answer(None, (missing[1],)) if missing else Answer(None, fault=str(result.value()))


@cache
def _environment() -> Any:
    return cel.NewEnv(variables={word: _TYPES[what.type] for word, what in WORDS.items()})


@cache
def _bounded(condition: str) -> _Compiled:
    """Wherever it comes from: a policy made by hand or stored long ago was never linted."""
    compiled = _compiled(condition)
    for complaint in _dear(compiled.tree):
        raise _at(condition, *complaint)
    return compiled


def _at(condition: str, offset: int, message: str) -> ConditionError:
    before = condition[:offset].split("\n")
    return ConditionError(message, len(before), len(before[-1]) + 1)


@cache
def _compiled(condition: str) -> _Compiled:
    if len(condition) > LONGEST:
        raise ConditionError(
            f"{len(condition):,} letters long; at most {LONGEST:,}, so split the rule", 1, 1
        )
    try:
        expression = _environment().compile(condition)
    except RuntimeError as error:
        raise _told(str(error)) from None
    if expression.return_type() != cel.Type.BOOL:
        raise ConditionError(
            f"a condition must be true or false; this is {expression.return_type()}", 1, 1
        )
    root = tree(expression.serialize())
    mentioned = dict.fromkeys(one.name for one in root.walk() if one.form is Form.WORD)
    return _Compiled(expression, root, tuple(word for word in mentioned if word in WORDS))


def _wrong_words(root: Node) -> Iterator[tuple[int, str]]:
    """Texts that a fact is compared with and can never have: where, and a complaint."""
    for node, meant in _compared(root, {}):
        known = WORDS[meant].known
        if known and node.value not in known:
            guess = did_you_mean(str(node.value), known) or f"; it is one of: {', '.join(known)}"
            yield node.at, f"{meant} is never {node.value!r}{guess}"


def _compared(node: Node, stands: Mapping[str, str]) -> Iterator[tuple[Node, str]]:
    """Each text that a fact is compared with, and that fact.

    `stands`: the variables of the macros around, and the facts they run over.
    """
    if node.form is Form.MACRO:
        stands = {**stands, node.name: node.parts[0].name}
    if node.form is Form.CALL and node.name in ("_==_", "_!=_", "@in"):
        names = [stands.get(part.name, part.name) for part in node.parts]
        for side, name in zip(reversed(node.parts), names, strict=True):
            if name in WORDS:
                yield from ((one, name) for one in side.walk() if _text(one))
    for part in node.parts:
        yield from _compared(part, stands)


def _text(node: Node) -> bool:
    return node.form is Form.CONSTANT and isinstance(node.value, str)


def _dear(root: Node) -> Iterator[tuple[int, str]]:
    """What CEL's own bounds leave too dear to run: where, and a complaint."""
    yield from _loops(root)
    yield from _patterns(root)


def _loops(root: Node) -> Iterator[tuple[int, str]]:
    for macro in (one for one in root.walk() if one.form is Form.MACRO):
        for node in (one for body in macro.parts[1:] for one in body.walk()):
            if node.form is Form.MACRO:
                yield node.at, "a loop within a loop is not allowed; write two rules"
            elif node.name == "_+_" and node.parts[0].name != _OWN:
                yield node.at, "nothing is added up within a loop"
            elif node.name in WORDS and WORDS[node.name].type in (Type.STRINGS, Type.LABELS):
                yield node.at, f"{node.name}, a {WORDS[node.name].type}, is not read within a loop"


def _patterns(root: Node) -> Iterator[tuple[int, str]]:
    looped = [
        node.at
        for macro in root.walk()
        if macro.form is Form.MACRO
        for body in macro.parts[1:]
        for node in body.walk()
        if node.name == "matches"
    ]
    if len(looped) > 1:
        yield looped[1], "one pattern is matched within loops; write them as one: a|b"
    for node in (one for one in root.walk() if one.name == "matches"):
        pattern = node.parts[-1]
        if not _text(pattern):
            yield pattern.at, "a pattern is written out, not computed"
        elif complaint := _pattern_fault(str(pattern.value)):
            yield pattern.at, complaint


def _pattern_fault(pattern: str) -> str:
    size = len(pattern) * math.prod(max(1, int(count)) for count in _COUNT.findall(pattern))
    if size > LARGEST:
        return f"a pattern of {size:,} letters, repetitions written out; at most {LARGEST:,}"
    written = json.dumps(pattern, ensure_ascii=False)
    result = _environment().compile(f'"".matches({written})').eval(data={})
    return (
        ""
        if result.type() == cel.Type.BOOL
        else str(result.value()).removeprefix("INVALID_ARGUMENT: ")
    )


def _long(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = (*value, *value.values())
    if isinstance(value, tuple):
        return len(value) > MOST or any(len(one) > WIDEST for one in value)
    return isinstance(value, str) and len(value) > WIDEST


def _told(text: str) -> ConditionError:
    """CEL's complaint in our words, with its position."""
    if "recursion" in text:
        return ConditionError("nested too deep; CEL reads 32 levels", 1, 1)
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
