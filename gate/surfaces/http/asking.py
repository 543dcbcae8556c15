"""A question over HTTP to a decision: in time, once for all who ask it, from the first sight on.

What a client may rely on. A verdict rests on evidence at most `FRESH` seconds old, and never on an
older interval than there is. Who asks about the same rollout meanwhile gets the same decision, by
its id; a promote only while it stands (`gate.surfaces.http.standing`), and only by the files in
force. Whoever cannot wait is told to hold; the judging goes on, and the next ask gets the answer,
if it comes within a minute.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gate.decide import Gate
from gate.decision import Decision
from gate.errors import UsageError
from gate.ledger.ledger import Ledger
from gate.ledger.sightings import Rollout, first_seen
from gate.request import Intent, Request, Window
from gate.service import Service
from gate.surfaces.http.catalogue import Catalogue
from gate.surfaces.http.flights import Flights
from gate.surfaces.http.lanes import Lanes
from gate.surfaces.http.standing import Told, last_word, next_freeze, stands
from gate.template import checked_value, free_word

# Seconds. A target's death shows before the next interval ends, so an answer lives no longer.
FRESH = 10.0
# Seconds that a repeated Idempotency-Key is answered as before. Longer would let a promote outlive
# what it rests on: a key is for the same request sent twice, not for polling. A promote that does
# not stand any more, or that a later look contradicts, is not told again. They are kept in
# memory: after a restart the same key gets a second decision, stored beside the first, which rests
# on newer evidence and is as true.
REPEATED = 60.0
MOST_KEYS = 4096

# Seconds between the start and the moment judged: every interval is asked for. A start that a
# client names earlier is refused; of a rollout that was seen earlier the last 30 days are judged.
LONGEST = 30 * 86_400.0


class KeyReusedError(UsageError):
    """The Idempotency-Key came with another question a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this canary go on? As a client asks, who may not know since when it runs.

    `since` and `as_of` in Unix seconds: without `since` the rollout's window starts when the gate
    first saw it; without `as_of` it is judged now. `release` tells rollouts apart whose canary
    keeps its name. `step` is the client's own: each is decided by itself.
    """

    service: str
    canary: str
    baseline: str = ""
    namespace: str = ""
    release: str = ""
    step: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    intent: Intent = Intent.RELEASE
    since: float | None = None
    as_of: float | None = None

    @property
    def rollout(self) -> Rollout:
        return Rollout(
            service=self.service,
            namespace=self.namespace,
            canary=self.canary,
            release=self.release,
        )


@dataclass(frozen=True, slots=True)
class _Repeatable:
    """What a key was answered with, and until which tick it may be again."""

    question: Question
    told: Told
    until: float


class Asking:
    """Answers questions about the services of the catalogue. Safe to use from several threads.

    `catalogue` tells the one in force. `decided` is told every new decision, once. `clock` tells
    Unix seconds; `ticks` seconds that no change of the time of day moves.
    """

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        ledger: Ledger,
        lanes: Lanes,
        clock: Callable[[], float],
        ticks: Callable[[], float],
        decided: Callable[[Decision], None],
    ) -> None:
        self._catalogue, self._ledger = catalogue, ledger
        self._clock, self._ticks, self._decided = clock, ticks, decided
        # By the gate too: what was decided by files that were replaced is told to nobody.
        self._flights: Flights[tuple[Gate, Question], Told] = Flights(lanes, ticks)
        self._lock = threading.Lock()
        self._keys: OrderedDict[tuple[str, str], _Repeatable] = OrderedDict()

    def ask(self, question: Question, within: float) -> Decision | None:
        """The decision, or None where judging takes longer than `within` seconds.

        Raises UsageError for a question that cannot be asked, FullError where too many are under
        way, and GateError where nothing can be decided.
        """
        told = self._told(question, within)
        return told.decision if told else None

    def ask_once(self, question: Question, within: float, key: tuple[str, str]) -> Decision | None:
        """The same, and the same again for whoever sends the (caller's) key again in a minute."""
        with self._lock:
            known = self._keys.get(key)
        if known is not None and self._ticks() < known.until:
            if known.question != question:
                raise KeyReusedError(
                    "this Idempotency-Key came with another question a moment ago",
                    "use a new key for each question",
                )
            if self._repeats(known):
                return known.told.decision
        told = self._told(question, within)
        if told is not None:
            self._remember(key, _Repeatable(question, told, self._ticks() + REPEATED))
        return told.decision if told else None

    def _told(self, question: Question, within: float) -> Told | None:
        """None also where word against it comes in faster than it is judged."""
        gate, asked_at = self._gate(question), self._clock()
        _check(question, gate.service, asked_at)
        key, end = (gate, question), self._ticks() + within
        for _ in range(2):
            told = self._flights.get(
                key,
                question.service,
                lambda: self._decide(gate, question, asked_at),
                lambda told: self._serves(told, gate.service),
                end - self._ticks(),
            )
            if told is None or stands(told, self._ledger, self._clock()):
                return told
            self._flights.forget(key, told)
        return None

    def _repeats(self, known: _Repeatable) -> bool:
        latest = self._flights.last((self._gate(known.question), known.question))
        if latest is None:  # by other files, or pushed out by many others
            return False
        same = latest.decision.verdict.binding is known.told.decision.verdict.binding
        return same and stands(known.told, self._ledger, self._clock())

    def _gate(self, question: Question) -> Gate:
        return self._catalogue()[question.service].gate

    def _remember(self, key: tuple[str, str], known: _Repeatable) -> None:
        with self._lock:
            self._keys.pop(key, None)
            self._keys[key] = known
            while len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)

    def _decide(self, gate: Gate, question: Question, asked_at: float) -> Told:
        word = last_word(self._ledger, question.service)
        decision = gate.decide(self._request(question, asked_at))
        self._decided(decision)
        return Told(decision, word, past=question.as_of is not None)

    def _request(self, question: Question, asked_at: float) -> Request:
        """Seen when it was asked, judged as of now: it may have waited for a worker."""
        as_of = self._clock() if question.as_of is None else question.as_of
        since = question.since
        if since is None:
            since = first_seen(self._ledger, question.rollout, asked_at).at
        return Request(
            service=question.service,
            canary=question.canary,
            baseline=question.baseline,
            as_of=as_of,
            since=min(max(0.0, as_of - since), LONGEST),
            variables=_words(question),
            intent=question.intent,
        )

    def _serves(self, told: Told, service: Service) -> float:
        """Seconds until there is more to be seen, at most until the look is `FRESH` seconds old."""
        if told.past:  # it does not change
            return FRESH
        asked = told.decision.request
        next_interval = Window.of(asked, service.step, service.lag).end + service.step + service.lag
        until = min(asked.as_of + FRESH, next_interval, next_freeze(told.decision))
        # A clock set back since the look must not make it younger than it is.
        return min(FRESH, until - self._clock())


def _words(question: Question) -> Mapping[str, str]:
    """The free words of the queries; the namespace is one of them, where it was told."""
    namespace = {"namespace": question.namespace} if question.namespace else {}
    return {**namespace, **dict(question.variables)}


def _check(question: Question, service: Service, now: float) -> None:
    """Before anything is stored of it; raises UsageError."""
    words = _words(question)
    for name in words:
        free_word(name)
    if question.namespace and words["namespace"] != question.namespace:
        raise UsageError(
            f"the namespace is {question.namespace!r}, and as a variable {words['namespace']!r}",
            "leave the variable out: it is the namespace",
        )
    told = {**words, "canary": question.canary}
    for name in ("baseline", "release", "step"):
        if getattr(question, name):
            told[name] = getattr(question, name)
    for name, value in told.items():
        checked_value(name, value)
    going_back = question.intent is Intent.ROLLBACK
    if service.arms.offset is None and not question.baseline and not going_back:
        raise UsageError("baseline is missing", "name the version the canary is compared with")
    _check_times(question, now)


def _check_times(question: Question, now: float) -> None:
    if question.as_of is not None and question.since is None:
        raise UsageError("as_of without since", "a past moment needs the canary's start with it")
    as_of = now if question.as_of is None else question.as_of
    if as_of > now:
        raise UsageError("as_of lies in the future", "judge the past, or leave it out for now")
    since = as_of if question.since is None else question.since
    if question.since is not None and since >= as_of:
        raise UsageError("since lies after the moment judged", "say when the canary started")
    if as_of - since > LONGEST:
        raise UsageError("since lies more than 30 days before the moment judged", "judge less")
