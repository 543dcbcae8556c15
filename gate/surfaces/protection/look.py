"""One look at a waiting deployment: what is asked about it, and what the answer means for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gate.decision import Decision
from gate.errors import GateError, UsageError
from gate.surfaces.exit_code import exit_code
from gate.surfaces.http.asking import Asking, Question
from gate.surfaces.http.catalogue import Catalogue
from gate.surfaces.http.lanes import FullError
from gate.surfaces.protection.app_file import OF_THE_STABLE, EnvironmentSection
from gate.surfaces.protection.callback import Callback, Stable
from gate.surfaces.protection.journal import Step, Work
from gate.surfaces.report.report import voiced
from gate.template import render, words_of

# Seconds that one look waits for a decision; the judging goes on, and the next look gets it.
WITHIN = 30.0
# As the exit codes of `gate check`: a policy that only observes keeps nobody waiting.
STATES = {0: Step.APPROVED, 20: Step.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a look came to; `state` None where the deployment has to wait.

    `mood` changes when people are to be told; empty, it is no news. `changes`: what would change
    the answer.
    """

    state: Step | None
    title: str
    reasons: tuple[str, ...]
    mood: str
    changes: tuple[str, ...] = ()
    decision: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.reasons, *(f"would change it: {one}" for one in self.changes))


UNSEEN = View(
    state=None,
    title="Not looked at",
    reasons=("the gate did not run, or was not done with its first look",),
    mood="",
)


def never(why: str, *changes: str) -> View:
    """Nothing will come of waiting."""
    return View(
        state=Step.REJECTED, title="Rejected", reasons=(why,), mood="rejected", changes=changes
    )


def later(title: str, why: str) -> View:
    """The gate could not look; that may pass."""
    return View(state=None, title=title, reasons=(why,), mood=title)


def busy(why: str) -> View:
    """The gate was not done looking, which is no news."""
    return View(state=None, title="Waiting", reasons=(why,), mood="")


class Look:
    """Asks the gate about waiting deployments, as `place` (an entry of the App's file) says.

    The `catalogue` in force is asked for at each look.
    """

    def __init__(self, asking: Asking, catalogue: Callable[[], Catalogue]) -> None:
        self._asking, self._catalogue = asking, catalogue

    def question(
        self, place: EnvironmentSection | None, callback: Callback, work: Work
    ) -> Question | View:
        """What is to be asked, or why nothing ever can be; raises SourceError."""
        wish = work.wish
        if place is None:
            why = f"the gate knows no environment {wish.environment} of {wish.repository}"
            return never(why, "an entry for it in the file of --github")
        if not wish.sha:
            return never("GitHub told no commit with this deployment")
        try:
            stable = self._stable(callback, work, place)
            return _question(work, place, stable)
        except UsageError as error:
            return never(error.message, error.hint)

    def __call__(self, question: Question) -> View:
        """What the gate says now."""
        if question.service not in self._catalogue():
            return later("Waiting", f"no service {question.service} is served at present")
        try:
            decision = self._asking.ask(question, WITHIN)
        except UsageError as error:
            return never(error.message, *filter(None, [error.hint]))
        except FullError:
            return busy("too much is under way")
        except GateError as error:
            return later("The gate cannot decide", error.message)
        return _view(decision) if decision else busy("still judging")

    def _stable(self, callback: Callback, work: Work, place: EnvironmentSection) -> Stable | None:
        """None where no template asks for it; UsageError where there is none."""
        templates = (place.baseline, place.namespace, *place.variables.values())
        if not {word for one in templates for word in words_of(one)} & {*OF_THE_STABLE}:
            return None
        environment = place.stable or work.wish.environment
        found = callback.stable(work.wish, environment)
        if found is None:
            raise UsageError(
                f"no other commit was deployed to {environment} successfully, so there is no "
                "baseline",
                "a deployment status of success there, or a baseline in the file of --github",
            )
        return found


def late(view: View, waited: str) -> View:
    """The same at the deadline, after so long a wait."""
    return replace(
        view,
        state=Step.REJECTED,
        title="Rejected: no verdict in time",
        reasons=(f"waited {waited} for a promote", *view.reasons),
        changes=(*view.changes, "a new run of the job, once more is known"),
        mood="late",
    )


def _question(work: Work, place: EnvironmentSection, stable: Stable | None) -> Question:
    words = dict(work.wish.words)
    if stable:
        words |= {"stable": stable.sha, "short_stable": stable.sha[:7], "stable_ref": stable.ref}
    return Question(
        service=place.service,
        canary=render(place.canary, words),
        baseline=render(place.baseline, words),
        namespace=render(place.namespace, words),
        variables=tuple(sorted((name, render(v, words)) for name, v in place.variables.items())),
        since=None if place.since is None else max(0.0, work.at - place.since),
    )


def _view(decision: Decision) -> View:
    verdict, request = decision.verdict, decision.request
    about = f"{request.service}  {request.baseline or 'before'} -> {request.canary}"
    return View(
        state=STATES.get(exit_code(decision)),
        title=f"{verdict.headline}: {about}",
        reasons=tuple(map(voiced, verdict.reasons)),
        # Messages count minutes and events; what is news is who speaks.
        mood=" ".join([verdict.outcome, *sorted({one.rule for one in verdict.reasons})]),
        changes=verdict.changes,
        decision=decision.id,
    )
