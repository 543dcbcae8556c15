"""What GitHub sends when a job waits for an environment, and the wish that is in it.

Of the body only `action`, `repository` and `sender` are sure to be there:
https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_protection_rule
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from gate.errors import UsageError
from gate.sources.github.reference import REPO
from gate.surfaces.http.bodies import Payload

EVENT = "deployment_protection_rule"
REQUESTED = "requested"

_Id = Annotated[int, Field(ge=0, lt=2**63)]
_RUN = re.compile(rf"/actions/runs/([0-9]{{1,19}})/{EVENT}")
_PORTS = {"http": 80, "https": 443}


class RepositoryTold(Payload):
    """The repository of a delivery."""

    id: _Id
    full_name: Annotated[str, Field(pattern=f"^(?:{REPO.pattern})$", max_length=200)]


class DeploymentTold(Payload):
    """The deployment of a delivery."""

    id: _Id | None = None
    sha: Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")] | None = None
    ref: Annotated[str, Field(max_length=1024)] | None = None


class InstallationTold(Payload):
    """The App's installation."""

    id: _Id


class Delivery(Payload):
    """The body of the event."""

    action: str
    repository: RepositoryTold
    environment: Annotated[str, Field(max_length=255)] | None = None
    deployment_callback_url: Annotated[str, Field(max_length=2048)] | None = None
    deployment: DeploymentTold | None = None
    installation: InstallationTold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """May this run use that environment for that commit?

    What was not told is empty, and None for numbers. `deployment` and `installation` are ids.
    """

    repository_id: int
    repository: str
    run: int
    environment: str
    deployment: int | None = None
    sha: str = ""
    ref: str = ""
    installation: int | None = None

    @property
    def key(self) -> tuple[int, int, str]:
        """One wish at a time is answered for a run and an environment."""
        return self.repository_id, self.run, self.environment

    @property
    def signed(self) -> tuple[int, int, str, int] | None:
        """What tells it from every other, if a deployment does: a run again makes another one."""
        return None if self.deployment is None else (*self.key, self.deployment)

    @property
    def words(self) -> Mapping[str, str]:
        """For templates."""
        return {
            "sha": self.sha,
            "short_sha": self.sha[:7],
            "ref": self.ref,
            "environment": self.environment,
            "repository": self.repository,
            "run": str(self.run),
        }


def wish(told: Delivery, api: str) -> Wish:
    """The wish of a delivery; raises UsageError for one that nobody could answer.

    `api`: the configured address of GitHub's API, where the answer is to go.
    """
    if not told.environment:
        raise UsageError("the delivery names no environment", "none can be approved or rejected")
    if not told.deployment_callback_url:
        raise UsageError("the delivery has no deployment_callback_url", "so it names no run")
    deployment = told.deployment or DeploymentTold()
    return Wish(
        repository_id=told.repository.id,
        repository=told.repository.full_name,
        run=_run(told.deployment_callback_url, api, told.repository.full_name),
        environment=told.environment,
        deployment=deployment.id,
        sha=deployment.sha or "",
        ref=deployment.ref or "",
        installation=told.installation.id if told.installation else None,
    )


def _run(callback: str, api: str, repository: str) -> int:
    """The run that the callback is about, if it leads where tokens may be sent.

    Only the number is taken from it; the address of the answer is made anew from `api`.
    """
    hint = f"{api} is the only API this server answers to; see `url` in the file of --github"
    try:
        given, ours = urlsplit(callback), urlsplit(api)
        same = _origin(given) == _origin(ours)
    except ValueError:  # of a port, or brackets
        raise UsageError("deployment_callback_url is no address", hint) from None
    if not same or given.username is not None or given.query or given.fragment:
        raise UsageError("deployment_callback_url leads elsewhere", hint)
    before = f"{ours.path}/repos/{repository}"
    found = _RUN.fullmatch(given.path[len(before) :])
    if given.path[: len(before)].casefold() != before.casefold() or not found:
        raise UsageError("deployment_callback_url is not that of a run of the repository", hint)
    return int(found[1])


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
