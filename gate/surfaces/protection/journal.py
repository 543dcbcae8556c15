"""What is under way, kept in the ledger: a request, what was told of it, its answer, its end.

Each step is an entry of its own, stored before it is acted on, so that a server that was killed
goes on where it stopped. Why the ledger: it is durable already, several processes may append to
it, and what was let through belongs beside the decisions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from gate.errors import AlreadyStoredError, LedgerError, NothingStoredError, UnknownEntryError
from gate.ledger.ledger import Entry, Kind, Ledger, Record
from gate.surfaces.protection.wish import Wish

SCHEMA = "gate.protection/v1"


class Step(StrEnum):
    """What an entry tells of a request: its outcome in the ledger."""

    REQUESTED = "requested"
    TOLD = "told"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    POSTED = "posted"
    GIVEN_UP = "given up"


ANSWERS = frozenset({Step.APPROVED, Step.REJECTED})


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub is to be told at last, as of `at`. `state` is GitHub's own word."""

    state: Step
    comment: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One request on its way. `at` and `until` (its deadline) in Unix seconds.

    `told` comments were sent so far, the last about the state of mind `mood`. `tried`: the answer
    may have reached GitHub already. `withdrawn` answers came before it.
    """

    id: str
    wish: Wish
    service: str
    at: float
    until: float
    told: int = 0
    mood: str = ""
    answer: Answer | None = None
    tried: bool = False
    withdrawn: int = 0
    end: Step | None = None


class Journal:
    """Appends the steps of requests. Its methods raise LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def requested(
        self, wish: Wish, service: str, delivery: str, at: float, until: float
    ) -> Work | None:
        """The new work of a delivery; None for what was asked before, unless it was given up.

        It is known by what GitHub signed: the id of a delivery is a header, so whoever has once
        seen a delivery could send it again under another id, when the work is done.
        """
        asked, number = wish.signed or (delivery,), 0
        while (before := self._entry(_id("request", *asked, number))) is not None:
            end = self._entry(_id(before.record.id, "end"))
            if end is None or end.record.outcome != Step.GIVEN_UP:
                return None
            number += 1
        id_ = _id("request", *asked, number)
        work = Work(id=id_, wish=wish, service=service, at=at, until=until)
        said = {"wish": asdict(wish), "delivery": delivery, "until": until}
        stored = self._append(work, Step.REQUESTED, work.id, at, said)
        return work if stored else None

    def told(self, work: Work, mood: str, comment: str, at: float) -> bool:
        """Before the comment is sent: one too few is better than one too many.

        False where another server has told its own, which is enough.
        """
        step = _id(work.id, "told", work.told)
        return self._append(work, Step.TOLD, step, at, {"mood": mood, "comment": comment})

    def answered(self, work: Work, answer: Answer, decision: str) -> Work:
        """The one answer to it; of two servers that give one, that of the first is kept."""
        said = {"comment": answer.comment, "decision": decision}
        step = _id(work.id, "answer", work.withdrawn)
        if not self._append(work, answer.state, step, answer.at, said):
            return replace(work, answer=_answer(self._ledger.entry(step)), tried=True)
        return replace(work, answer=answer)

    def withdrawn(self, work: Work, at: float) -> Work:
        """The answer is not to be sent any more."""
        self._append(work, Step.WITHDRAWN, _id(work.id, "withdrawn", work.withdrawn), at, {})
        return _without_answer(work)

    def ended(self, work: Work, end: Step, why: str, at: float) -> Work:
        self._append(work, end, _id(work.id, "end"), at, {"why": why})
        return replace(work, end=end)

    def unfinished(self, since: float) -> list[Work]:
        """What was requested since and has no end, as far as it came; the last for each key."""
        works: dict[str, Work] = {}
        for entry in reversed(list(self._since(since))):
            _follow(works, entry)
        last = {work.wish.key: work for work in works.values()}
        return [work for work in last.values() if work.end is None]

    def _since(self, since: float) -> Iterator[Entry]:
        try:
            for entry in self._ledger.entries(None, None, Kind.PROTECTION):
                if entry.record.at < since:
                    return
                yield entry
        except NothingStoredError:
            return

    def _entry(self, id_: str) -> Entry | None:
        try:
            return self._ledger.entry(id_)
        except (NothingStoredError, UnknownEntryError):
            return None

    def _append(self, work: Work, step: Step, id_: str, at: float, said: dict[str, Any]) -> bool:
        """Whether it is stored now; False where it was before."""
        body = orjson.dumps(
            {"schema": SCHEMA, "request": work.id, **said}, option=orjson.OPT_SORT_KEYS
        )
        record = Record(id_, work.service, step, at, body, Kind.PROTECTION)
        try:
            self._ledger.append(record)
        except AlreadyStoredError:
            return False
        return True


def _follow(works: dict[str, Work], entry: Entry) -> None:
    """Takes one entry into account, the oldest first."""
    step, said = _step(entry), _body(entry)
    if step is Step.REQUESTED:
        works[entry.record.id] = _work(entry, said)
    elif (work := works.get(said["request"])) is not None:
        works[work.id] = _further(work, step, entry)


def _further(work: Work, step: Step, entry: Entry) -> Work:
    if step is Step.TOLD:
        return replace(work, told=work.told + 1, mood=_body(entry)["mood"])
    if step in ANSWERS:
        return replace(work, answer=_answer(entry), tried=True)
    return _without_answer(work) if step is Step.WITHDRAWN else replace(work, end=step)


def _without_answer(work: Work) -> Work:
    return replace(work, answer=None, tried=False, withdrawn=work.withdrawn + 1)


def _answer(entry: Entry) -> Answer:
    return Answer(_step(entry), _body(entry)["comment"], entry.record.at)


def _work(entry: Entry, said: dict[str, Any]) -> Work:
    try:
        return Work(
            id=entry.record.id,
            wish=Wish(**said["wish"]),
            service=entry.record.service,
            at=entry.record.at,
            until=float(said["until"]),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise _unreadable(entry, error) from None


def _step(entry: Entry) -> Step:
    try:
        return Step(entry.record.outcome)
    except ValueError as error:
        raise _unreadable(entry, error) from None


def _body(entry: Entry) -> dict[str, Any]:
    try:
        body: dict[str, Any] = orjson.loads(entry.record.body)
    except orjson.JSONDecodeError as error:
        raise _unreadable(entry, error) from None
    return body


def _unreadable(entry: Entry, error: Exception) -> LedgerError:
    return LedgerError(f"entry {entry.number} (id {entry.record.id!r}) cannot be read: {error}")


def _id(*words: str | int) -> str:
    return hashlib.sha256(orjson.dumps(["protection", *words])).hexdigest()[:16]
