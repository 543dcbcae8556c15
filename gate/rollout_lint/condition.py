"""What Argo makes of an answer: its conditions, as far as gates are written in them.

The part of expr-lang that is read: comparisons, `in`, `&& || !` (also `and or not`), `result`,
`result[0]`, `result.key`, text, numbers, and the functions of Argo. All else is `UnreadableError`.

Argo compiles a condition for the type of the result at hand, so a comparison of two types is an
error also where it would never be reached. What stands in a JSON object has no type of its own.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

_TOKEN = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(&&|\|\||!(?!=))""")
_WORDS = {"&&": " and ", "||": " or ", "!": " not "}
_NAMES = {"true": True, "false": False, "nil": None}
_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


class Phase(StrEnum):
    """How a measurement ends."""

    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"


class UnreadableError(Exception):
    """The condition uses what is not read here: nothing can be said of it."""


class MistakenError(Exception):
    """Argo itself cannot evaluate the condition for this result: the measurement is an Error."""


class _MistypedError(MistakenError):
    """Argo cannot even compile it."""


def phase(success: str, failure: str, result: Any) -> Phase:
    """As `utils/evaluate` of Argo Rollouts decides; an empty condition is none.

    >>> phase('result == "promote"', '', 'hold')
    <Phase.FAILED: 'Failed'>
    """
    try:
        good = holds(success, result) if success else None
        bad = holds(failure, result) if failure else None
    except MistakenError:
        return Phase.ERROR
    if bad or (bad is None and good is False):
        return Phase.FAILED
    if good or good is None:
        # Without a success condition all that is no failure is a success.
        return Phase.SUCCESSFUL
    return Phase.INCONCLUSIVE


def holds(condition: str, result: Any) -> bool:
    """Whether the condition holds for the result; raises UnreadableError or MistakenError.

    >>> holds('result[0] >= 1 && !isNaN(result[0])', [1.0])
    True
    """
    source = _TOKEN.sub(lambda match: match[1] or _WORDS[match[2]], condition).strip()
    try:
        tree = ast.parse(f"({source}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UnreadableError(condition) from None
    value = _Reading(result).value(tree.body)
    if not isinstance(value, bool):
        raise MistakenError(condition)
    return value


class _Reading:
    """Evaluates a syntax tree for one result."""

    def __init__(self, result: Any) -> None:
        self._names = {**_NAMES, "result": result}
        self._functions: Mapping[str, Callable[..., Any]] = {
            "asFloat": _float,
            "asInt": lambda value: int(value) if isinstance(value, str) else int(_float(value)),
            "len": len,
            "isNaN": math.isnan,
            "isInf": math.isinf,
            "isNil": lambda value: value is None,
            "default": lambda value, other: other if value is None else value,
        }

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as constant):
                return constant
            case ast.Name(id=name) if name in self._names:
                return self._names[name]
            case ast.List(elts=elements):
                return [self.value(one) for one in elements]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case _:
                return self._joined(node)

    def _joined(self, node: ast.expr) -> Any:
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._truth(operand)
            case ast.BoolOp(op=ast.And(), values=values):
                return self._until(values, end=False)
            case ast.BoolOp(values=values):
                return self._until(values, end=True)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                typed = not (self._untyped(left) or self._untyped(right))
                return _compared(self.value(left), op, self.value(right), typed=typed)
            case _:
                return self._taken(node)

    def _until(self, nodes: list[ast.expr], *, end: bool) -> bool:
        """`&&` and `||`: the first to be `end` decides; the others must still be of their types."""
        decided = False
        for node in nodes:
            try:
                decided = (self._truth(node) is end) or decided
            except _MistypedError:
                raise
            except MistakenError:
                if not decided:
                    raise
        return end if decided else not end

    def _untyped(self, node: ast.expr) -> bool:
        """Whether the value is a member of a JSON object, or of `default`."""
        match node:
            case ast.Attribute(value=value) | ast.Subscript(value=value):
                return isinstance(self.value(value), dict)
            case ast.Call(func=ast.Name(id=name)):
                return name == "default"
            case _:
                return False

    def _taken(self, node: ast.expr) -> Any:
        try:
            match node:
                case ast.Subscript(value=value, slice=key):
                    return _member(self.value(value), self.value(key))
                case ast.Attribute(value=value, attr=name):
                    return _member(self.value(value), name)
                case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if (
                    name in self._functions
                ):
                    return self._functions[name](*map(self.value, args))
        except TypeError:
            raise _MistypedError(ast.unparse(node)) from None
        except (LookupError, ValueError, OverflowError):
            raise MistakenError(ast.unparse(node)) from None
        raise UnreadableError(ast.unparse(node))

    def _truth(self, node: ast.expr) -> bool:
        value = self.value(node)
        if not isinstance(value, bool):
            raise _MistypedError(ast.unparse(node))
        return value


def _member(value: Any, key: Any) -> Any:
    """Of a list or an object; a key that an object does not have is nil."""
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key)
    if isinstance(value, list) and isinstance(key, int):
        return value[key]
    raise TypeError


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _compared(left: Any, op: ast.cmpop, right: Any, *, typed: bool) -> bool:
    """expr-lang knows no coercion; nil may be compared with anything, and ordered with nothing."""
    if isinstance(op, ast.Eq | ast.NotEq):
        return _equal(left, right, typed=typed) is isinstance(op, ast.Eq)
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, list):
            raise _MistypedError("in")
        within = [_equal(left, one, typed=typed) for one in right]
        return any(within) is isinstance(op, ast.In)
    if type(op) not in _COMPARED:
        raise UnreadableError("is")
    if _kind(left) != _kind(right) or left is None or isinstance(left, bool | list | dict):
        raise _MistypedError("order")
    return _COMPARED[type(op)](left, right)


def _equal(left: Any, right: Any, *, typed: bool) -> bool:
    same = _kind(left) == _kind(right)
    if typed and not same and left is not None and right is not None:
        raise _MistypedError("equal")
    return bool(same and left == right)


def _kind(value: Any) -> type:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float if number else type(value)
