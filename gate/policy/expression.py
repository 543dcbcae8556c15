"""What a condition is made of: CEL's own syntax tree, for lint and for explanations.

Why read it from the serialized form: cel-expr-python shows no tree, but writes the public protobuf
message `cel.expr.CheckedExpr`. Reading it here takes less than a second parser would, and cannot
disagree with what is evaluated. Fields:
https://github.com/cel-expr/cel-spec/blob/master/proto/cel/expr/syntax.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """What a node is."""

    WORD = "word"  # a fact, or the variable of a macro
    CONSTANT = "constant"
    FIELD = "field"  # x.name, has(x.name)
    CALL = "call"
    LIST = "list"
    MAP = "map"
    MACRO = "macro"  # all, exists, exists_one, filter, map


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a condition. `name`: of the word, field, call (`_==_`) or a macro's variable.

    `parts`: operands, items, or for a macro what it runs over and then what it asks of each.
    `at`: the offset in the text; equal trees may stand in different places.
    """

    form: Form
    name: str = ""
    value: object = None
    parts: tuple[Node, ...] = ()
    at: int = field(default=0, compare=False)

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def tree(serialized: bytes) -> Node:
    """The tree of a compiled condition, as `Expression.serialize()` gives it."""
    checked = _last(_last(serialized, 2), 0)
    positions = dict(_positions(_last(checked, 5)))
    return _node(_last(checked, 4), positions)


def _node(data: bytes, positions: Mapping[int, int]) -> Node:
    id_ = 0
    for number, value in _fields(data):
        if number == 2:
            id_ = _int(value)
        elif number in _READERS:
            return _READERS[number](_bytes(value), positions, positions.get(id_, 0))
    raise ValueError("an expression of a kind that is not known")


def _constant(data: bytes, _: Mapping[int, int], at: int) -> Node:
    for number, value in _fields(data):
        return Node(Form.CONSTANT, value=_scalar(number, value), at=at)
    return Node(Form.CONSTANT, at=at)


def _scalar(number: int, value: int | bytes) -> object:
    if isinstance(value, bytes):
        if number == 5:
            return float(struct.unpack("<d", value)[0])
        return value.decode() if number == 6 else value
    if number == 2:
        return bool(value)
    return value - 2**64 if number == 3 and value >= 2**63 else value


def _word(data: bytes, _: Mapping[int, int], at: int) -> Node:
    name = _last(data, 1).decode()
    # CEL points at the last dot of a dotted name; people look for its start.
    return Node(Form.WORD, name, at=at - name.rfind(".") if "." in name else at)


def _select(data: bytes, positions: Mapping[int, int], at: int) -> Node:
    operand = _node(_last(data, 1), positions)
    return Node(Form.FIELD, _last(data, 2).decode(), parts=(operand,), at=at)


def _call(data: bytes, positions: Mapping[int, int], at: int) -> Node:
    # The target of a method comes first, as field 1; so do operands in the order of field 3.
    parts = [_node(_bytes(one), positions) for number, one in _fields(data) if number in (1, 3)]
    return Node(Form.CALL, _last(data, 2).decode(), parts=tuple(parts), at=at)


def _list(data: bytes, positions: Mapping[int, int], at: int) -> Node:
    parts = [_node(_bytes(one), positions) for number, one in _fields(data) if number == 1]
    return Node(Form.LIST, parts=tuple(parts), at=at)


def _map(data: bytes, positions: Mapping[int, int], at: int) -> Node:
    entries = [_bytes(one) for number, one in _fields(data) if number == 2]
    sides = [_last(entry, side) for entry in entries for side in (3, 4)]
    return Node(Form.MAP, parts=tuple(_node(one, positions) for one in sides), at=at)


def _macro(data: bytes, positions: Mapping[int, int], at: int) -> Node:
    # What CEL adds around the written condition stays in: accumulators are words that begin in @.
    parts = tuple(_node(_last(data, part), positions) for part in (2, 6, 7))
    return Node(Form.MACRO, _last(data, 1).decode(), parts=parts, at=at)


_READERS = {3: _constant, 4: _word, 5: _select, 6: _call, 7: _list, 8: _map, 9: _macro}


def _positions(source: bytes) -> Iterator[tuple[int, int]]:
    """Of each expression's id, where it stands; entries of a protobuf map."""
    for number, entry in _fields(source):
        if number == 4:
            pair = dict(_fields(_bytes(entry)))
            yield _int(pair.get(1, 0)), _int(pair.get(2, 0))


def _last(data: bytes, wanted: int) -> bytes:
    """The bytes of a field; wanted 0 is the message itself."""
    if wanted == 0:
        return data
    return next((_bytes(value) for number, value in _fields(data) if number == wanted), b"")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field: https://protobuf.dev/programming-guides/encoding/."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        length = 8 if kind == 1 else 4
        if kind == 2:
            length, at = _varint(data, at)
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _int(value: int | bytes) -> int:
    return value if isinstance(value, int) else 0
