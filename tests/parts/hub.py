"""A GitHub of one repository: it answers in the shapes of docs.github.com, page by page.

    hub = FakeGitHub(pulls=[a_pull(7, reviews=[approved("ann")])])
    with answering(hub) as server:
        ...

What is not in it answers 404, as GitHub does. `first` are replies that come before all others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.parts.broken import Asked, Reply

REPO = "acme/shop"


def sha(name: str) -> str:
    """A commit's name, the same for the same word."""
    return hashlib.sha1(name.encode()).hexdigest()


def account(login: str | None, kind: str = "User") -> dict[str, Any] | None:
    """A simple user; None is a deleted one's."""
    return login and {"login": login, "id": 1, "type": kind, "site_admin": False}


def a_commit(
    name: str, message: str = "fix: x", *, author: str | None = "ann", parents: Iterable[str] = ()
) -> dict[str, Any]:
    return {
        "sha": sha(name),
        "commit": {"message": message, "author": {"name": author, "email": "a@example.org"}},
        "author": account(author),
        "committer": account("web-flow"),
        "parents": [{"sha": sha(one)} for one in parents],
    }


def a_file(name: str, added: int = 3, deleted: int = 1, **said: Any) -> dict[str, Any]:
    return {
        "sha": sha(name),
        "filename": name,
        "status": "modified",
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
        "patch": "@@ -1 +1 @@",
        **said,
    }


def a_binary(name: str) -> dict[str, Any]:
    one = a_file(name, 0, 0, status="added")
    return {key: value for key, value in one.items() if key != "patch"}


def a_review(
    who: str | None, state: str, of: str = "head", kind: str = "User", role: str = "MEMBER"
) -> dict[str, Any]:
    return {
        "id": hash((who, state, of)) % 1000,
        "user": account(who, kind),
        "state": state,
        "commit_id": sha(of),
        "author_association": role,
        "submitted_at": "2026-11-02T10:00:00Z",
    }


def approved(who: str | None, of: str = "head", **said: Any) -> dict[str, Any]:
    return a_review(who, "APPROVED", of, **said)


@dataclass(kw_only=True)
class PullOf:
    """A pull request as the fake keeps it; `said` overrides keys of its JSON."""

    number: int = 7
    author: str | None = "ann"
    head: str = "head"
    base: str = "main"
    merged_by: str | None = None
    merged: bool = False
    labels: tuple[str, ...] = ()
    files: list[dict[str, Any]] = field(default_factory=lambda: [a_file("app/a.py")])
    commits: list[dict[str, Any]] = field(default_factory=lambda: [a_commit("head")])
    reviews: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "title": "Some change",
            "state": "closed" if self.merged else "open",
            "draft": False,
            "merged": self.merged,
            "merged_at": "2026-11-02T10:00:00Z" if self.merged else None,
            "merge_commit_sha": sha(f"merge of {self.number}"),
            "merged_by": account(self.merged_by),
            "user": account(self.author),
            "labels": [{"id": 1, "name": name} for name in self.labels],
            # The repository of a deleted fork is null.
            "head": {"ref": "topic", "sha": sha(self.head), "repo": None, "user": None},
            "base": {"ref": self.base, "sha": sha("base"), "repo": {"name": "shop"}},
            "commits": len(self.commits),
            "additions": sum(one["additions"] for one in self.files),
            "deletions": sum(one["deletions"] for one in self.files),
            "changed_files": len(self.files),
            **self.said,
        }


class FakeGitHub:
    """Answers what it is asked; `refused` are endings of paths that a token may not read."""

    def __init__(
        self,
        *pulls: PullOf,
        commits: Iterable[dict[str, Any]] = (),
        compare: dict[str, Any] | None = None,
        brought: dict[str, list[int]] | None = None,
        runs: Iterable[tuple[str, str, str | None]] = (),
        statuses: Iterable[tuple[str, str]] = (),
        required: Iterable[str] = (),
        ruled: Iterable[str] = (),
        refused: Iterable[str] = (),
        first: Iterable[Reply] = (),
    ) -> None:
        self.url = ""
        self.refused = tuple(refused)
        self.first = list(first)
        root = f"/repos/{REPO}"
        self.answers: dict[str, Any] = {
            f"{root}/branches/main": {
                "name": "main",
                "protected": bool([*required]),
                "protection": {
                    "enabled": True,
                    "required_status_checks": {"contexts": list(required), "checks": []},
                },
            },
            f"{root}/rules/branches/main": [
                {"type": "deletion"},
                {
                    "type": "required_status_checks",
                    "parameters": {"required_status_checks": [{"context": one} for one in ruled]},
                },
            ],
        }
        runs, statuses = list(runs), list(statuses)
        known = [a_commit("head"), *commits, *(one for pull in pulls for one in pull.commits)]
        for one in known:
            at = f"{root}/commits/{one['sha']}"
            self.answers[at] = one
            self.answers[f"{at}/check-runs"] = Keyed(
                "check_runs", [{"name": n, "status": s, "conclusion": c} for n, s, c in runs]
            )
            self.answers[f"{at}/status"] = Keyed(
                "statuses", [{"context": name, "state": state} for name, state in statuses]
            )
            self.answers[f"{at}/pulls"] = []
        for pull in pulls:
            at = f"{root}/pulls/{pull.number}"
            self.answers |= {
                at: pull.json(),
                f"{at}/files": pull.files,
                f"{at}/commits": pull.commits,
                f"{at}/reviews": pull.reviews,
            }
        for name, numbers in (brought or {}).items():
            briefs = [one.json() for one in pulls if one.number in numbers]
            self.answers[f"{root}/commits/{sha(name)}/pulls"] = briefs
        self.answers |= {f"{root}/compare/{ends}": one for ends, one in (compare or {}).items()}

    def __call__(self, asked: Asked) -> Reply:
        if self.first:
            return self.first.pop(0)
        path = unquote(asked.path).removeprefix("/api/v3")
        if path.endswith(self.refused):
            return said(403, "Resource not accessible by integration")
        if path not in self.answers:
            return said(404, "Not Found")
        return self._page(path, self.answers[path], asked)

    def _page(self, path: str, whole: Any, asked: Asked) -> Reply:
        page, size = int(asked.form.get("page", 1)), int(asked.form.get("per_page", 30))
        if isinstance(whole, dict) and "total_commits" not in whole:
            return reply(whole)
        entries = whole.entries if isinstance(whole, Keyed) else whole
        if isinstance(whole, dict):
            entries = whole["commits"]
        part = entries[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(entries):
            host = asked.headers["Host"]
            prefix = "/api/v3" if asked.path.startswith("/api/v3") else ""
            link = f"http://{host}{prefix}{path}?per_page={size}&page={page + 1}"
            headers["Link"] = f'<{link}>; rel="next", <{link}>; rel="last"'
        if isinstance(whole, Keyed):
            return reply({"total_count": len(entries), whole.key: part}, headers)
        if isinstance(whole, dict):
            files = whole["files"] if page == 1 else []
            return reply({**whole, "commits": part, "files": files}, headers)
        return reply(part, headers)


@dataclass
class Keyed:
    """A list that GitHub wraps in an object."""

    key: str
    entries: list[dict[str, Any]]


def a_comparison(*commits: dict[str, Any], files: Iterable[dict[str, Any]] = (), behind: int = 0):
    """`compare/BASE...HEAD`."""
    return {
        "status": "ahead",
        "ahead_by": len(commits),
        "behind_by": behind,
        "total_commits": len(commits),
        "base_commit": a_commit("base"),
        "commits": list(commits),
        "files": list(files),
    }


def reply(body: Any, headers: dict[str, str] | None = None) -> Reply:
    told = {"x-ratelimit-remaining": "4999", "x-ratelimit-reset": "1800000000", **(headers or {})}
    return Reply(200, json.dumps(body).encode(), headers=told)


def said(status: int, message: str, **headers: str) -> Reply:
    """An error as GitHub writes one."""
    body = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), headers=told)


Answering = Callable[[Asked], Reply]
