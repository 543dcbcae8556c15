"""What a checked condition reads and compares: its facts, and the literals beside each.

CEL's Python binding shows no syntax tree, but it serializes the checked one, so nothing has to be
guessed from the text: https://github.com/google/cel-spec/tree/master/proto/cel/expr (checked.proto,
syntax.proto). The few fields that are needed are read here, straight from protobuf's wire format
(https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.policy.words import WORDS

Literal = int | float | str
# Field numbers of google.protobuf.Any, CheckedExpr, Expr, Constant and the kinds of Expr.
_ANY_VALUE, _CHECKED_EXPR = 2, 4
_CONSTANT, _IDENTIFIER, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = range(3, 10)
_IDENTIFIER_NAME, _SELECT_FIELD, _CALL_FUNCTION = 1, 2, 2
_INT64, _UINT64, _DOUBLE, _STRING = 3, 4, 5, 6
# Where a kind of Expr holds other ones.
_INSIDE: Mapping[int, tuple[int, ...]] = {
    _SELECT: (1,), _CALL: (1, 3), _LIST: (1,), _STRUCT: (), _COMPREHENSION: (2, 4, 5, 6, 7),
}  # fmt: skip
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# What these join are questions of their own.
_JOINTS = (b"_&&_", b"_||_", b"!_", b"_?_:_")


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of a condition with no `&&`, `||` or `!` around it: facts it reads, its numbers and texts."""

    words: tuple[str, ...]
    literals: tuple[Literal, ...]


def atoms_of(tree: bytes) -> tuple[Atom, ...]:
    """The parts that a condition joins; `tree` is a CheckedExpr in an Any, as CEL serializes it."""
    (checked,) = _messages(tree, _ANY_VALUE)
    (expression,) = _messages(checked, _CHECKED_EXPR)
    return tuple(_atoms(expression))


def _atoms(expression: bytes) -> Iterator[Atom]:
    for call in _messages(expression, _CALL):
        if next(iter(_messages(call, _CALL_FUNCTION)), b"") in _JOINTS:
            for part in _messages(call, 3):
                yield from _atoms(part)
            return
    words, literals = dict[str, None](), dict[Literal, None]()
    for leaf, is_word in _leaves(expression):
        (words if is_word else literals)[leaf] = None  # type: ignore[index]
    yield Atom(tuple(words), tuple(literals))


def _leaves(expression: bytes) -> Iterator[tuple[Literal, bool]]:
    """The facts (True) and literals (False) within; a map's key is a literal too."""
    for kind, part in _fields(expression):
        if kind == _CONSTANT:
            yield from ((one, False) for one in _constant(part))
        elif kind == _IDENTIFIER:
            name = next(iter(_messages(part, _IDENTIFIER_NAME))).decode()
            if name in WORDS:  # and not the variable of an `exists`
                yield name, True
        for number in _INSIDE.get(kind, ()):
            for inner in _messages(part, number):
                yield from _leaves(inner)
        if kind == _SELECT:
            yield from ((key.decode(), False) for key in _messages(part, _SELECT_FIELD))


def _constant(part: bytes) -> Iterator[Literal]:
    for kind, value in _fields(part):
        if kind == _DOUBLE:
            yield struct.unpack("<d", value)[0]
        elif kind == _STRING:
            yield value.decode()
        elif kind in (_INT64, _UINT64):
            yield int.from_bytes(value, "little", signed=kind == _INT64)


def _messages(message: bytes, number: int) -> list[bytes]:
    return [value for field, value in _fields(message) if field == number]


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Field numbers with their bytes; a varint as eight bytes, little end first."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, form = key >> 3, key & 7
        if form == _VARINT:
            value, at = _varint(message, at)
            yield number, value.to_bytes(8, "little")
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(form)
        if length is None:
            length, at = _varint(message, at)
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number in base 128, and where the next thing begins."""
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1
