"""A question over HTTP to a decision: in time, once for all who ask it, from the first sight on.

What a client may rely on. A verdict rests on evidence at most `FRESH` seconds old, and never on an
older interval than there is. Who asks about the same rollout meanwhile gets the same decision, by
its id. Whoever cannot wait is told to hold; the judging goes on, and the next ask gets the answer,
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
from gate.template import checked_value

# Seconds. A target's death shows before the next interval ends, so an answer lives no longer.
FRESH = 10.0
# Seconds that a repeated Idempotency-Key is answered as before. Longer would let a promote outlive
# what it rests on: a key is for the same request sent twice, not for polling. They are kept in
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
        self._flights: Flights[Question, Decision] = Flights(lanes, ticks)
        self._lock = threading.Lock()
        self._keys: OrderedDict[tuple[str, str], tuple[Question, Decision, float]] = OrderedDict()

    def ask(self, question: Question, within: float) -> Decision | None:
        """The decision, or None where judging takes longer than `within` seconds.

        Raises UsageError for a question that cannot be asked, FullError where too many are under
        way, and GateError where nothing can be decided.
        """
        gate = self._catalogue()[question.service].gate
        service = gate.service
        asked_at = self._clock()
        _check(question, service, asked_at)
        return self._flights.get(
            question,
            question.service,
            lambda: self._decide(gate, question, asked_at),
            lambda decision: self._serves(question, decision.request, service),
            within,
        )

    def ask_once(self, question: Question, within: float, key: tuple[str, str]) -> Decision | None:
        """The same, and the same again for whoever sends the (caller's) key again in a minute."""
        with self._lock:
            known = self._keys.get(key)
        if known is not None and self._ticks() < known[2]:
            if known[0] != question:
                raise KeyReusedError(
                    "this Idempotency-Key came with another question a moment ago",
                    "use a new key for each question",
                )
            return known[1]
        decision = self.ask(question, within)
        if decision is not None:
            self._remember(key, question, decision)
        return decision

    def _remember(self, key: tuple[str, str], question: Question, decision: Decision) -> None:
        with self._lock:
            self._keys.pop(key, None)
            self._keys[key] = question, decision, self._ticks() + REPEATED
            while len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)

    def _decide(self, gate: Gate, question: Question, asked_at: float) -> Decision:
        decision = gate.decide(self._request(question, asked_at))
        self._decided(decision)
        return decision

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

    def _serves(self, question: Question, asked: Request, service: Service) -> float:
        """Seconds until there is more to be seen, at most until the look is `FRESH` seconds old."""
        if question.as_of is not None:  # the past does not change
            return FRESH
        next_interval = Window.of(asked, service.step, service.lag).end + service.step + service.lag
        until = min(asked.as_of + FRESH, next_interval)
        # A clock set back since the look must not make it younger than it is.
        return min(FRESH, until - self._clock())


def _words(question: Question) -> Mapping[str, str]:
    """The free words of the queries; the namespace is one of them, where it was told."""
    namespace = {"namespace": question.namespace} if question.namespace else {}
    return {**namespace, **dict(question.variables)}


def _check(question: Question, service: Service, now: float) -> None:
    """Before anything is stored of it; raises UsageError."""
    told = {"canary": question.canary, **_words(question)}
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
