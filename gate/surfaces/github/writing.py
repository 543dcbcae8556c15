"""Writes to GitHub: each with its own permission, and each failure a sentence, never a verdict.

The answers are read no further than they are needed, through the bounded session of the GitHub
source. What can be sent twice without harm is sent again after a passing fault; what would make a
second comment or check run is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from github3.exceptions import GitHubException
from github3.structs import GitHubIterator

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.github.session import BoundedSession, RefusedError, Server
from gate.surfaces.github.limits import CHECK_TEXT, COMMENT, cut, short
from gate.surfaces.github.notice import Notice, State
from gate.surfaces.github.place import Place

PAGE, MOST_COMMENTS = 100, 10_000
_DEPLOYMENT = {State.PENDING: "in_progress"}
# A neutral check run lets a branch merge like a success, so a hold is not one.
_CONCLUSIONS = {State.SUCCESS: "success", State.FAILURE: "failure", State.ERROR: "action_required"}
_MADE = frozenset({200, 201})
FORK = "a pull request from a fork has a token that may only read; README has the way around it"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write, and where it is or why it is not."""

    what: str
    detail: str
    done: bool = False


class Writer:
    """Writes about one place, by one deadline (of the clock of the server's patience)."""

    def __init__(self, server: Server, place: Place, deadline: float) -> None:
        self._place = place
        self._root = f"{server.url}/repos/{place.repo}"
        self._user = f"{server.url}/user"
        server = replace(server, accepted=_MADE)
        once = replace(server, patience=replace(server.patience, attempts=1))
        self._session, self._once = (BoundedSession(one, deadline) for one in (server, once))

    def status(self, notice: Notice) -> Written:
        """The commit status of the service; a later one takes its place."""
        body = {
            "state": notice.state,
            "context": notice.context,
            "description": short(notice.line),
            "target_url": self._place.url,
        }
        url = f"{self._root}/statuses/{self._place.sha}"
        return self._try("commit status", "statuses", lambda: self._post(url, body))

    def deployment(self, notice: Notice, number: int) -> Written:
        """The status of a deployment; `log_url` leads to the run."""
        body = {
            "state": _DEPLOYMENT.get(notice.state, notice.state),
            "description": short(notice.line),
            "log_url": self._place.url,
        }
        url = f"{self._root}/deployments/{number}/statuses"
        return self._try("deployment status", "deployments", lambda: self._post(url, body))

    def check(self, notice: Notice) -> Written:
        """A finished check run with the report."""
        body = {
            "name": notice.context,
            "head_sha": self._place.sha,
            "status": "completed",
            "conclusion": _CONCLUSIONS[notice.state],
            "details_url": self._place.url,
            "output": {
                "title": notice.line,
                "summary": cut(notice.body, CHECK_TEXT, self._place.url),
            },
        }
        url = f"{self._root}/check-runs"
        return self._try("check run", "checks", lambda: self._post(url, body, once=True))

    def comment(self, notice: Notice, number: int | None, *, create: bool) -> Written:
        """The one comment about the service, rewritten where it is; else made, if `create`."""
        pull = number or self._place.pull
        if pull is None:
            return Written("comment", "this run is of no pull request; name one")
        mark = f"<!-- {notice.context} -->"
        room = COMMENT - len(mark.encode()) - 1
        body = {"body": f"{mark}\n{cut(notice.body, room, self._place.url)}"}

        def write() -> Any:
            own = self._own(pull, mark)
            if own is not None:
                return self._patch(f"{self._root}/issues/comments/{own}", body)
            if create:
                return self._post(f"{self._root}/issues/{pull}/comments", body, once=True)
            return {"html_url": "there is none to bring up to date"}

        return self._try("comment", "pull-requests", write)

    def _own(self, pull: int, mark: str) -> int | None:
        """The id of our comment: with the mark, and by us; anybody can write the mark."""
        url, params = f"{self._root}/issues/{pull}/comments", {"per_page": str(PAGE)}
        pages = GitHubIterator(MOST_COMMENTS, url, dict, self._session, params)
        try:
            marked = [one for one in pages if str(one.get("body", "")).startswith(mark)]
        except (GitHubException, AttributeError, TypeError) as error:
            raise SourceError(Cause.MALFORMED, f"{url}: no list of comments: {error}") from None
        by_us = self._by_us() if marked else None
        return next((one["id"] for one in marked if by_us and by_us(one.get("user") or {})), None)

    def _by_us(self) -> Callable[[dict[str, Any]], bool]:
        """A workflow's token may not ask who it is; what it writes is by a bot."""
        try:
            login = orjson.loads(self._session.get(self._user).content)["login"]
        except (RefusedError, ValueError, KeyError, TypeError):
            return lambda user: user.get("type") == "Bot"
        return lambda user: user.get("login") == login

    def _post(self, url: str, body: dict[str, Any], *, once: bool = False) -> Any:
        session = self._once if once else self._session
        return orjson.loads(session.post(url, json=body).content)

    def _patch(self, url: str, body: dict[str, Any]) -> Any:
        return orjson.loads(self._session.patch(url, json=body).content)

    def _try(self, what: str, permission: str, write: Callable[[], Any]) -> Written:
        try:
            answer = write()
        except RefusedError as error:
            lacks = error.status in {401, 403, 404}
            hint = f"; needs `permissions: {permission}: write`" if lacks else ""
            fork = f"; {FORK}" if lacks and self._place.fork else ""
            return Written(what, f"not written{hint}{fork}: {error.message}")
        except (SourceError, ValueError) as error:
            return Written(what, f"not written: {error}")
        where = answer.get("html_url") or answer.get("url") if isinstance(answer, dict) else ""
        return Written(what, str(where or "written"), done=True)
