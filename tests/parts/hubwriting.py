"""A GitHub that can be written to: statuses, check runs, deployment statuses and comments."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.parts.broken import Asked, Reply
from tests.parts.hub import REPO, account, said

ROOT = f"/repos/{REPO}"
BOT = account("github-actions[bot]", "Bot")


def a_comment(number: int, body: str, user: Any = BOT) -> dict[str, Any]:
    url = f"https://github.com/{REPO}/pull/7#issuecomment-{number}"
    return {"id": number, "body": body, "user": user, "html_url": url}


class Board:
    """Keeps what is written to it. `may`: the permissions of the token; `login`: whose it is.

    A workflow's token (`login` None) may not ask who it is.
    """

    def __init__(
        self,
        *comments: dict[str, Any],
        may: Iterable[str] = ("statuses", "checks", "deployments", "pull-requests"),
        login: str | None = None,
    ) -> None:
        self.comments = list(comments)
        self.may, self.login = set(may), login
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.first: list[Reply] = []

    def __call__(self, asked: Asked) -> Reply:
        if self.first:
            return self.first.pop(0)
        body = json.loads(asked.raw) if asked.raw else None
        return self._answered(asked, body)

    def _answered(self, asked: Asked, body: Any) -> Reply:
        path = asked.path.removeprefix("/api/v3")
        match asked.method, path.removeprefix(ROOT).strip("/").split("/"):
            case "GET", ["user"]:
                return self._who()
            case "GET", ["issues", "7", "comments"]:
                return self._page(asked)
            case "POST", ["issues", "7", "comments"]:
                return self._comment(path, body)
            case "PATCH", ["issues", "comments", number]:
                (one,) = (it for it in self.comments if it["id"] == int(number))
                one["body"] = body["body"]
                return self._write("pull-requests", path, body, 200)
            case "POST", ["statuses" | "check-runs" | "deployments" as kind, *_]:
                return self._write(kind.replace("check-runs", "checks"), path, body)
        return said(404, "Not Found")

    def _who(self) -> Reply:
        if self.login is None:
            return said(403, "Resource not accessible by integration")
        return made(200, account(self.login))

    def _comment(self, path: str, body: Any) -> Reply:
        if len(body["body"]) > 65_536:
            return said(422, "Body is too long (maximum is 65536 characters)")
        answer = self._write("pull-requests", path, body)
        if answer.status == 201:
            self.comments.append(a_comment(900 + len(self.comments), body["body"]))
        return answer

    def _write(self, permission: str, path: str, body: Any, status: int = 201) -> Reply:
        if permission not in self.may:
            return said(403, "Resource not accessible by integration")
        self.written.append((path, body))
        return made(status, {"id": 1, "html_url": f"https://github.com{path}"})

    def _page(self, asked: Asked) -> Reply:
        page, size = int(asked.form.get("page", 1)), int(asked.form.get("per_page", 30))
        answer = made(200, self.comments[(page - 1) * size : page * size])
        if page * size < len(self.comments):
            link = f"http://{asked.headers['Host']}{asked.path}?per_page={size}&page={page + 1}"
            answer.headers["Link"] = f'<{link}>; rel="next"'
        return answer


def made(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), headers={"x-ratelimit-remaining": "4999"})
