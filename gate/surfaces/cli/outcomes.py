"""Labelled changes to fit a model to: from a file, or from what the ledger was told.

A row of a file (CSV, or one JSON object a line) says whether the change was bad, and either what
was counted of it (`la`, `ld`, ...) or its two revisions, which a clone then counts.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.additive import Features
from gate.deployment import Deployment, History, Result
from gate.errors import UsageError
from gate.ledger.ledger import Kind, Ledger
from gate.ledger.memory import as_deployment
from gate.risk.commits import Commit, number
from gate.risk.features import ALL, HISTORY, SIZES, recent

LABELS = ("bad", "buggy", "rolled_back", "incident")
TIMES = ("at", "t")
_NO = {"0", "false", ""}
_YES = {"1", "true"}

# What a clone counts between two revisions and when head was committed; raises SourceError.
Count = Callable[[str, str], tuple[Features, float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled change: what was counted, or between which revisions to count."""

    where: str
    bad: bool
    features: Features | None = None
    base: str = ""
    head: str = ""
    time: float | None = None


def of_file(path: Path) -> tuple[list[Row], str]:
    """The rows of a file, and its SHA-256; raises UsageError naming the line."""
    raw, text = content(path)
    rows = [
        _row(where, told)
        for where, told in _told(text, str(path))
        if told.get("result") != Result.ABORTED
    ]
    return rows, hashlib.sha256(raw).hexdigest()


def of_ledger(ledger: Ledger, service: str | None) -> tuple[list[Row], str]:
    """The releases that ended, a row a version, and the digest of what was told of them."""
    told: dict[str, list[Deployment]] = {}
    whole = hashlib.sha256()
    for entry in ledger.entries(service, None, Kind.DEPLOYMENT):
        whole.update(entry.record.body)
        told.setdefault(entry.record.service, []).append(as_deployment(entry))
    rows = [_of_release(one) for all_ in told.values() for one in History(tuple(all_)).releases()]
    return [row for row in rows if row], whole.hexdigest()


def content(path: Path) -> tuple[bytes, str]:
    """A file as it is and as text, unpacked where it is packed by gzip; raises UsageError."""
    try:
        raw = path.read_bytes()
        return raw, (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None


def counted(row: Row, count: Count) -> Commit:
    """The row as a labelled commit, counted where only its revisions are known."""
    features, time = row.features, row.time
    if features is None:
        features, committed = count(row.base, row.head)
        time = committed if time is None else time
    return Commit("", time or 0.0, features, row.bad)


def alike(commits: list[Commit]) -> list[Commit]:
    """Oldest first, each with the features that all have: like is fitted with like."""
    known = all(set(HISTORY) <= set(one.features) for one in commits)
    names = ALL if known else SIZES
    cut = (
        Commit(one.project, one.time, {name: one.features[name] for name in names}, one.buggy)
        for one in commits
    )
    return sorted(cut, key=lambda one: one.time)


def _of_release(told: Deployment) -> Row | None:
    where = f"{told.service} {told.version}"
    if not told.ended:
        return None
    if told.counted:
        (features,) = recent([told.counted])
        return Row(where, told.result.bad, features, time=told.at)
    if told.base and told.head:
        return Row(where, told.result.bad, None, told.base, told.head, told.at)
    return None


def _told(text: str, file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if text.lstrip().startswith("{"):
        for line, one in enumerate(text.splitlines(), 1):
            if one.strip():
                yield f"{file}:{line}", _object(one, f"{file}:{line}")
        return
    table = csv.DictReader(text.splitlines())
    for row in table:
        yield f"{file}:{table.line_num}", row


def _object(line: str, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}: not valid JSON: {error.msg}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{where}: should be an object")
    return {name: str(value).lower() if value is True or value is False else value
            for name, value in found.items()}  # fmt: skip


def _row(where: str, told: Mapping[str, Any]) -> Row:
    time = next((told[name] for name in TIMES if told.get(name) not in (None, "")), None)
    at = None if time is None else number(str(time), f"{where}: time")
    bad = _bad(where, told)
    if set(SIZES) <= set(told):
        names = [name for name in ALL if name in told]
        features = {name: number(str(told[name]), f"{where}: {name}") for name in names}
        return Row(where, bad, features, time=at or 0.0)
    base, head = (str(told.get(name) or "") for name in ("base", "head"))
    if not base or not head:
        raise UsageError(
            f"{where}: neither counted nor named", f"needed: base and head, or {', '.join(SIZES)}"
        )
    return Row(where, bad, None, base, head, at)


def _bad(where: str, told: Mapping[str, Any]) -> bool:
    """By any of `LABELS`, or by a `result` as `gate outcome` takes it."""
    if result := told.get("result"):
        if result not in set(Result):
            raise UsageError(f"{where}: result is {result!r}", f"one of: {', '.join(Result)}")
        return Result(result).bad
    given = {name: str(told[name]).lower() for name in LABELS if told.get(name) is not None}
    if not given:
        raise UsageError(f"{where}: no label", f"needed: result, or one of {', '.join(LABELS)}")
    for name, value in given.items():
        if value not in _NO | _YES:
            raise UsageError(f"{where}: {name} is {told[name]!r}, neither 0 nor 1")
    return any(value in _YES for value in given.values())
