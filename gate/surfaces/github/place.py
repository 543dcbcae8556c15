"""Where a workflow runs: which repository, commit and pull request its results belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gate.errors import UsageError
from gate.sources.github.reference import REPO


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`sha`: the commit judged, of a pull request its head and not the merge that was tried.

    `pull` is None where the run is of no pull request; `fork`: it comes from another repository,
    so that the run's token may only read. `url` is the page of the run.
    """

    repo: str
    sha: str
    pull: int | None
    fork: bool
    url: str


def place(environ: Mapping[str, str]) -> Place:
    """As the runner's environment and event tell it; raises UsageError outside of a workflow."""
    repo = environ.get("GITHUB_REPOSITORY", "")
    if not REPO.fullmatch(repo):
        raise UsageError("GITHUB_REPOSITORY names no repository", "run it in a GitHub workflow")
    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    pull = _object(event, "pull_request")
    head = _object(pull, "head")
    sources = (head.get("sha"), _object(event, "workflow_run").get("head_sha"),
               _object(event, "deployment").get("sha"), environ.get("GITHUB_SHA"))  # fmt: skip
    number = pull.get("number")
    server = environ.get("GITHUB_SERVER_URL") or "https://github.com"
    return Place(
        repo=repo,
        sha=next((str(one) for one in sources if one), ""),
        pull=number if isinstance(number, int) else None,
        fork=bool(pull) and _object(head, "repo").get("full_name") != repo,
        url=f"{server}/{repo}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}",
    )


def _event(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        event = orjson.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {path} is no event: {error}") from None
    return event if isinstance(event, dict) else {}


def _object(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = event.get(name)
    return found if isinstance(found, dict) else {}
