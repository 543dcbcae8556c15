"""Environments on GitHub that wait for the gate: from the delivery of a request to its answer.

What GitHub may rely on. A delivery that was answered 202 is stored, and each stored request comes
to an end: approved when the gate says promote, rejected when it says roll back or nothing by the
deadline. A server that was stopped or killed goes on with what it finds in the ledger, and so does
another one that is there already, as where a new one takes an old one's place. The answer is stored
before it is sent, and sent again only where GitHub does not have it yet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gate.errors import GateError
from gate.evidence.source import SourceError
from gate.ledger.ledger import Ledger
from gate.policy.policy import LONGEST_DEADLINE, USUAL_DEADLINE
from gate.surfaces.http.asking import Asking, Question
from gate.surfaces.http.catalogue import Catalogue
from gate.surfaces.http.logs import log, log_crash
from gate.surfaces.protection.agenda import Agenda
from gate.surfaces.protection.app_file import App, EnvironmentSection
from gate.surfaces.protection.callback import Callback, advised, asked_to_wait, refused
from gate.surfaces.protection.comment import MOST, comment
from gate.surfaces.protection.credentials import Credentials
from gate.surfaces.protection.journal import Answer, Journal, Step, Work
from gate.surfaces.protection.look import UNSEEN, Look, View, late, later
from gate.surfaces.protection.wish import Wish
from gate.units import duration

Key = tuple[int, int, str]

# Seconds. Pauses double while GitHub does not take an answer.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
# What GitHub refuses may be its own being late ("nothing to approve yet"), or put right by people;
# after so long the delivery has to be sent again.
REFUSED_FOR = 600.0
# An approval rests on what was seen then: not sent by now, the canary is looked at again.
APPROVAL_HOLDS = 300.0
# GitHub fails the job itself when it has waited so long.
GIVEN_UP_AFTER = LONGEST_DEADLINE + 86_400.0
AGAIN = 30.0  # after a fault of our own, such as a full disk
# How often the ledger is searched for what another server took, and how far back: none is left
# longer than it takes to stop one.
ADOPTS, RECENT = 60.0, 3600.0

# What is counted beside the steps: troubles on the way, and deliveries nobody could answer.
FAULT, REFUSED = "fault", "refused"
COUNTED = (*map(str, Step), FAULT, REFUSED)


@dataclass
class _Memo:
    """What is known of a work while the process runs. `question` was made as `place` says."""

    view: View = UNSEEN
    question: Question | None = None
    place: EnvironmentSection | None = None
    attempts: int = 0
    refused_since: float | None = None


class Protection:
    """Answers the requests of one App. Safe to use from several threads.

    `app` and `catalogue` tell those in force. `url` is how people reach the server. `counted` is
    told each step of a request. `clock` tells Unix seconds.
    """

    def __init__(
        self,
        app: Callable[[], App | None],
        asking: Asking,
        catalogue: Callable[[], Catalogue],
        ledger: Ledger,
        clock: Callable[[], float],
        *,
        url: str = "",
        counted: Callable[[str], None],
    ) -> None:
        self._app, self._catalogue, self._look = app, catalogue, Look(asking, catalogue)
        self._clock, self._url, self._counted = clock, url, counted
        self._journal, self._credentials = Journal(ledger), Credentials(clock)
        self._lock = threading.Lock()
        self._works: dict[Key, Work] = {}
        self._memos: dict[str, _Memo] = {}
        self._agenda: Agenda[Key | None] = Agenda(self._safely)
        self.state = "nothing asked yet"

    @property
    def waiting(self) -> int:
        """Requests without an end."""
        return len(self._works)

    def start(self) -> None:
        """Goes on with what is unfinished; raises LedgerError where it cannot be read."""
        if self._app() is None:
            return
        self.adopt(GIVEN_UP_AFTER)
        self._agenda.put(None, ADOPTS)
        self._agenda.start()

    def adopt(self, seconds: float = RECENT) -> float:
        """Takes what was requested within so many seconds and is unfinished; when to do so again.

        Two servers may have the same work: each step is stored once, and GitHub is asked before an
        answer is given that the other may have given.
        """
        for work in self._journal.unfinished(self._clock() - seconds):
            if work.wish.key not in self._works:
                log("protection resumed", **_about(work))
                self._take(work)
        return ADOPTS

    def request(self, wish: Wish, delivery: str) -> Work | None:
        """Stored when this returns; None for what was asked before. Raises LedgerError.

        The deadline is that of the policy which decides about the service now, and stays.
        """
        app, now = self._app(), self._clock()
        place = _place(app, wish) if app else None
        service = place.service if place else ""
        until = now + self._longest_wait(service)
        work = self._journal.requested(wish, service, delivery, now, until)
        if work is not None:
            self._note(work, Step.REQUESTED)
            self._take(work)
        return work

    def _longest_wait(self, service: str) -> float:
        served = self._catalogue().get(service)
        return served.gate.policy.longest_wait if served else USUAL_DEADLINE

    def turn(self, key: Key) -> float | None:
        """One step of a work; seconds until the next, None when it is over."""
        work, app = self._works.get(key), self._app()
        if work is None:
            return None
        if app is None:  # taken out of the settings
            return AGAIN
        callback = Callback(app, self._credentials)
        if work.answer is None:
            work = self._judged(work, app, callback)
        if self._works[key].id != work.id:  # another took its place meanwhile
            return 0.0
        if work.answer is None:
            return self._pace(work, app)
        return self._delivered(work, work.answer, callback)

    def _judged(self, work: Work, app: App, callback: Callback) -> Work:
        """With its answer, where there is one now."""
        memo = self._memo(work)
        if self._clock() < work.until:
            view = memo.view = self._seen(work, memo, app, callback)
        else:
            view = late(memo.view, duration(work.until - work.at))
        if view.state is None:
            return self._told(work, view, callback)
        answer = Answer(view.state, self._comment(work, view), self._clock())
        answered = self._journal.answered(work, answer, view.decision)
        self._note(answered, view.state, why=view.title, decision=view.decision)
        return self._keep(answered)

    def _seen(self, work: Work, memo: _Memo, app: App, callback: Callback) -> View:
        place = _place(app, work.wish)
        if memo.question is None or place != memo.place:
            try:
                found = self._look.question(place, callback, work)
            except SourceError as error:
                self._fault(work, error)
                return later("Waiting for GitHub", advised(error))
            if isinstance(found, View):
                return found
            memo.question, memo.place = found, place
        return self._look(memo.question)

    def _told(self, work: Work, view: View, callback: Callback) -> Work:
        """Progress, where there is news and GitHub takes one more; one report is the answer's."""
        if view.mood in ("", work.mood) or work.told >= MOST - 1:
            return work
        text = self._comment(work, view)
        news = self._journal.told(work, view.mood, text, self._clock())
        work = self._keep(replace(work, told=work.told + 1, mood=view.mood))
        if not news:
            return work
        try:
            callback.tell(work, text)
            self.state = "answering"
        except SourceError as error:  # a comment is no verdict
            self._fault(work, error)
        return work

    def _delivered(self, work: Work, answer: Answer, callback: Callback) -> float | None:
        """Seconds until it is tried again, None when GitHub has the answer or never will."""
        memo, tried = self._memo(work), work.tried
        work = self._keep(replace(work, tried=True))
        try:
            if not (tried and self._has_it(work, callback)):
                if self._outdated(answer):
                    return self._withdraw(work, memo)
                callback.answer(work, answer)
        except SourceError as error:
            self._fault(work, error)
            return self._later(work, memo, error)
        self.state = "answering"
        self._end(work, Step.POSTED, "")
        return None

    def _outdated(self, answer: Answer) -> bool:
        """Also where the clock was set back, as nobody knows then how old it is."""
        return answer.state is Step.APPROVED and abs(self._clock() - answer.at) > APPROVAL_HOLDS

    def _withdraw(self, work: Work, memo: _Memo) -> float:
        """It is judged again, or rejected where the deadline is over."""
        self._keep(self._journal.withdrawn(work, self._clock()))
        memo.view = later("Waiting for GitHub", "GitHub did not take an approval in time")
        self._note(work, Step.WITHDRAWN)
        return 0.0

    def _has_it(self, work: Work, callback: Callback) -> bool:
        """Whether GitHub has the answer; where it may not be asked, sending it again is safer."""
        try:
            return callback.answered(work)
        except SourceError as error:
            if not refused(error):
                raise
            self._fault(work, error)
            return False

    def _later(self, work: Work, memo: _Memo, error: SourceError) -> float | None:
        now = self._clock()
        memo.refused_since = (memo.refused_since or now) if refused(error) else None
        refusals = now - memo.refused_since if memo.refused_since else 0.0
        if refusals > REFUSED_FOR or now - work.at > GIVEN_UP_AFTER:
            self._end(work, Step.GIVEN_UP, advised(error))
            return None
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(memo.attempts, 16))
        memo.attempts += 1
        return max(pause, asked_to_wait(error))

    def _end(self, work: Work, end: Step, why: str) -> None:
        self._journal.ended(work, end, why, self._clock())
        self._note(work, end, why=why)
        with self._lock:
            self._memos.pop(work.id, None)
            if self._works[work.wish.key].id == work.id:
                del self._works[work.wish.key]

    def _pace(self, work: Work, app: App) -> float:
        """Until the next look; the deadline is not overslept."""
        place = _place(app, work.wish)
        every = place.every if place else AGAIN
        return max(0.0, min(every, work.until - self._clock()))

    def _comment(self, work: Work, view: View) -> str:
        url = f"{self._url.rstrip('/')}/v1/decisions/{view.decision}"
        link = url if view.decision and self._url else ""
        return comment(view.title, view.lines, work.id, decision=view.decision, url=link)

    def _take(self, work: Work) -> None:
        """In place of an earlier work for the same run and environment, which nobody waits for."""
        with self._lock:
            before = self._works.get(work.wish.key)
            self._works[work.wish.key] = work
            if before is not None:
                self._memos.pop(before.id, None)
        self._agenda.put(work.wish.key)

    def _keep(self, work: Work) -> Work:
        """Remembered, unless another took its place."""
        with self._lock:
            if self._works[work.wish.key].id == work.id:
                self._works[work.wish.key] = work
        return work

    def _memo(self, work: Work) -> _Memo:
        return self._memos.setdefault(work.id, _Memo())

    def _note(self, work: Work, step: Step, **more: str) -> None:
        self._counted(str(step))
        log("protection", step=str(step), **_about(work), **more)

    def _fault(self, work: Work, error: SourceError) -> None:
        """The cause alone is told to whoever asks; the log says more."""
        self.state = f"failing: {error.cause}"
        self._counted(FAULT)
        log("protection fault", why=advised(error), **_about(work))

    def _safely(self, key: Key | None) -> float | None:
        """A turn that cannot end the thread it runs in; without a key it is one of the ledger."""
        try:
            return self.turn(key) if key else self.adopt()
        except GateError as error:
            log("protection fault", why=str(error))
        except Exception as error:  # noqa: BLE001  the request must come to its end all the same
            log_crash(error)
        self._counted(FAULT)
        return AGAIN


def _place(app: App, wish: Wish) -> EnvironmentSection | None:
    return app.entry(wish.repository, wish.environment)


def _about(work: Work) -> Mapping[str, str | int]:
    wish = work.wish
    return {
        "id": work.id, "repository": wish.repository, "run": wish.run,
        "environment": wish.environment, "service": work.service,
    }  # fmt: skip
