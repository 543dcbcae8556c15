"""Facts that somebody wrote down, or that a decision stored, typed as rules will read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from gate.document import Document, Place, read, refuse
from gate.errors import UsageError, did_you_mean
from gate.policy.words import WORDS, Type, Value
from gate.request import Intent

# What a decision looks like where it is stored, and as `gate check --format json` prints it.
_STORED, _REPORT = "gate.decision/v1", "gate.report/v1"


def written(document: Document, place: Place = ()) -> dict[str, Value]:
    """The facts of a mapping in a file; raises UsageError with one line for each complaint."""
    data = document.data
    for step in place:
        data = data[step]
    if not isinstance(data, Mapping):
        raise refuse(document, place, "should be a mapping of facts to their values")
    complaints = list(_complaints(document, place, data))
    if complaints:
        raise UsageError("\n".join(str(one) for one in complaints))
    return {word: _as(WORDS[word].type, value) for word, value in data.items()}


def known_words(document: Document, place: Place, words: list[str]) -> None:
    """Raises UsageError for the first item of a list in a file that is no fact."""
    for index, word in enumerate(words):
        if word not in WORDS:
            raise refuse(document, (*place, index), _unknown(word), "see gate policy facts")


def is_stored(path: Path) -> bool:
    """Whether a whole stored decision is in the file; raises UsageError if it cannot be read."""
    return bool(_schema(_json(path)) == _STORED)


def of_decision(path: Path) -> tuple[dict[str, Value], Intent] | None:
    """Facts and intent of a decision in a file; None where it holds something else.

    As `gate ledger show ID --format stored` or `gate check --format json` print it. Raises
    UsageError for a file that cannot be read, and for facts that this gate does not know.
    """
    raw = _json(path)
    if _schema(raw) not in (_STORED, _REPORT):
        return None
    try:
        whole = raw["conclusion"] if _schema(raw) == _STORED else raw
        facts, intent = dict(whole["facts"]), Intent(raw["request"]["intent"])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path}: not a whole decision") from None
    return typed(facts, str(path)), intent


def _json(path: Path) -> Any:
    """What the file holds, where that is JSON."""
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError:
        return None


def _schema(raw: Any) -> Any:
    return raw.get("schema") if isinstance(raw, Mapping) else None


def typed(found: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Facts as JSON gives them back: lists for tuples; raises UsageError."""
    for word, value in found.items():
        if complaint := _complaint(word, value):
            raise UsageError(f"{where}: {complaint}", "another version of the gate stored it")
    return {word: _as(WORDS[word].type, value) for word, value in found.items()}


def from_file(path: Path) -> tuple[dict[str, Value], Intent]:
    """The facts in a file: a decision's, a mapping `facts:`, or the file itself is the mapping."""
    if decision := of_decision(path):
        return decision
    document = read(path)
    whole = document.data if isinstance(document.data, Mapping) else {}
    return written(document, ("facts",) if "facts" in whole else ()), Intent.RELEASE


def _complaints(document: Document, place: Place, data: Mapping[str, Any]) -> Iterator[UsageError]:
    for word, value in data.items():
        if complaint := _complaint(word, value):
            yield refuse(document, (*place, word), complaint)


def _complaint(word: str, value: Any) -> str:
    if word not in WORDS:
        return _unknown(word)
    what = WORDS[word]
    if value is None:
        return f"{word} has no value; a fact that is not known is named under `unknown:`"
    if not _IS[what.type](value):
        return f"{word} should be {_SHOULD[what.type]}, not {value!r}"
    if what.known and what.type is Type.STRING and value not in what.known:
        guess = did_you_mean(value, what.known) or f"; it is one of: {', '.join(what.known)}"
        return f"{word} is never {value!r}{guess}"
    return ""


def _unknown(word: str) -> str:
    return f"unknown fact {word!r}{did_you_mean(word, WORDS)}"


def _as(kind: Type, value: Any) -> Value:
    if kind is Type.DOUBLE:
        return float(value)
    if kind is Type.STRINGS:
        return tuple(value)
    typed_value: Value = value
    return typed_value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_IS: Mapping[Type, Callable[[Any], bool]] = {
    Type.BOOL: lambda value: isinstance(value, bool),
    Type.INT: lambda value: isinstance(value, int) and _number(value),
    Type.DOUBLE: _number,
    Type.STRING: lambda value: isinstance(value, str),
    Type.STRINGS: lambda value: (
        isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    ),
    Type.LABELS: lambda value: (
        isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())
    ),
}
_SHOULD = {
    Type.BOOL: "true or false",
    Type.INT: "a whole number",
    Type.DOUBLE: "a number",
    Type.STRING: "a text",
    Type.STRINGS: "a list of texts",
    Type.LABELS: "a mapping of texts",
}
