"""What is asked of GitHub for one waiting deployment, and told to it. Nothing follows a redirect.

https://docs.github.com/en/rest/actions/workflow-runs#review-custom-deployment-protection-rules-for-a-workflow-run
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.exchange import PassingError, Patience
from gate.sources.github.hub import Hub
from gate.sources.github.session import BoundedSession, RefusedError, Server
from gate.sources.github.shapes import Shape
from gate.surfaces.protection.app_file import App
from gate.surfaces.protection.credentials import CALL, Credentials
from gate.surfaces.protection.journal import Answer, Work
from gate.surfaces.protection.wish import EVENT, Wish

POSTED = frozenset({200, 204})
# Of the deployments to an environment so many are looked at for one that succeeded.
MOST_LOOKED_AT = 30
UNAUTHORIZED = 401
FINAL = frozenset({"approved", "rejected"})

# What people can do about a status, beside GitHub's own words for it.
ADVICE = {
    401: "check the id and the key of the App, and this machine's clock",
    403: "give the App Deployments: read and write and Actions: read, and accept them",
    404: "install the App on the repository; it may have been removed, or the run deleted",
    422: "the run may be cancelled or decided by somebody else, or the App lacks a permission",
}


@dataclass(frozen=True, slots=True)
class Stable:
    """The last successful deployment: its commit, and the name it was asked by."""

    sha: str
    ref: str


class _Named(Shape):
    name: str = ""


class _Review(Shape):
    state: str = ""
    comment: str | None = None
    environments: tuple[_Named, ...] = ()


class _Deployment(Shape):
    id: int
    sha: str
    ref: str


class _Status(Shape):
    state: str


class Callback:
    """GitHub, as one App sees it. Its methods raise SourceError."""

    def __init__(self, app: App, credentials: Credentials) -> None:
        self._app, self._credentials = app, credentials

    def tell(self, work: Work, comment: str) -> None:
        """Progress: a comment without a verdict."""
        self._post(work.wish, {"environment_name": work.wish.environment, "comment": comment})

    def answer(self, work: Work, answer: Answer) -> None:
        """The verdict. Sent once: whether to send it again is the caller's to find out."""
        said = {"state": str(answer.state), "comment": answer.comment}
        self._post(work.wish, {"environment_name": work.wish.environment, **said})

    def answered(self, work: Work) -> bool:
        """Whether GitHub has our answer: it is known by the request's id in its comment.

        The comments on the way have it too, and GitHub may list what is pending beside the rest.
        """
        hub = self._hub(work.wish)
        reviews = hub.many(_Review, "actions", "runs", str(work.wish.run), "approvals")
        wanted = work.wish.environment.casefold()
        return any(
            one.state in FINAL
            and work.id in (one.comment or "")
            and wanted in {environment.name.casefold() for environment in one.environments}
            for one in reviews
        )

    def stable(self, wish: Wish, environment: str) -> Stable | None:
        """What ran there before: the newest successful deployment of another commit."""
        hub = self._hub(wish)
        there = hub.newest(_Deployment, MOST_LOOKED_AT, "deployments", environment=environment)
        for one in there:
            if one.sha != wish.sha and _succeeded(hub, one.id):
                return Stable(one.sha, one.ref)
        return None

    def _hub(self, wish: Wish) -> Hub:
        server = self._server(self._credentials.token(self._app, wish), 3)
        return Hub(server, wish.repository, time.monotonic() + CALL)

    def _post(self, wish: Wish, said: dict[str, str]) -> None:
        token = self._credentials.token(self._app, wish)
        session = BoundedSession(self._server(token, 1), time.monotonic() + CALL)
        # Made of the configured address: not the one that came with the delivery.
        url = f"{self._app.url}/repos/{wish.repository}/actions/runs/{wish.run}/{EVENT}"
        try:
            session.post(url, json=said)
        except RefusedError as error:
            if error.status == UNAUTHORIZED:
                self._credentials.forget(token)
            raise

    def _server(self, token: str, attempts: int) -> Server:
        patience = Patience(attempts=attempts)
        return Server(
            self._app.url, token, "the App's installation", patience, hops=0, accepted=POSTED
        )


def _succeeded(hub: Hub, deployment: int) -> bool:
    """A later one makes it inactive, so any of its statuses counts."""
    told = hub.newest(_Status, MOST_LOOKED_AT, "deployments", str(deployment), "statuses")
    return any(one.state == "success" for one in told)


def refused(error: SourceError) -> bool:
    """Whether GitHub, or we ourselves, would say the same again soon."""
    return isinstance(error, RefusedError) or error.cause in {Cause.REFUSED, Cause.BAD_QUERY}


def advised(error: SourceError) -> str:
    """What happened, and what to do about it."""
    advice = ADVICE.get(error.status, "") if isinstance(error, RefusedError) else ""
    return f"{error.message}; {advice}" if advice else error.message


def asked_to_wait(error: BaseException) -> float:
    """Seconds that GitHub named before the next attempt; 0 for none."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, PassingError):
        inner = inner.__cause__
    return inner.wait or 0.0 if inner else 0.0
