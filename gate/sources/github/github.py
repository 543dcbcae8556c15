"""The change and its pull requests, as GitHub tells them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from gate.change import Change
from gate.document import Duration, Section, Text
from gate.errors import UsageError
from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError, Surroundings
from gate.pull import PullRequests
from gate.service import ChangeRange, PullRange
from gate.sources.address import plain_url
from gate.sources.exchange import Patience
from gate.sources.github import files, pulls
from gate.sources.github.hub import Hub
from gate.sources.github.pulls import Reading
from gate.sources.github.reference import REPO
from gate.sources.github.session import Server
from gate.sources.secret import refuse_letters, secret
from gate.template import render

DEFAULT_URL = "https://api.github.com"
URL_ENV = "GITHUB_API_URL"  # set by the runners of GitHub Actions, on GitHub Enterprise Server too
TOKEN_ENV = "GITHUB_TOKEN"  # noqa: S105  the name of a variable

LabelType = Literal["hotfix", "revert", "security", "reliability", "emergency"]
LABEL_TYPES: dict[str, list[str]] = {
    "hotfix": ["hotfix"],
    "revert": ["revert"],
    "security": ["security"],
    "reliability": ["reliability"],
    "emergency": ["emergency"],
}


class GitHubSpec(Section):
    """One repository, `owner/name`, on github.com or a GitHub Enterprise Server.

    `url` is that of the API (`https://ghe.example/api/v3`); without it GITHUB_API_URL of the
    environment, or https://api.github.com. `token_env` names the environment variable that holds
    the token (GITHUB_TOKEN, where there is one). `label_types`: the labels that make a change a
    hotfix, revert, security, reliability or emergency one, each by default the word itself.
    `flags`: labels of changes behind a feature flag. `ignore_checks`: globs of checks that are not
    looked at; name the gate's own, which is pending while it asks. `timeout` bounds one attempt,
    `attempts` their number.
    """

    repo: str
    url: str | None = None
    token_env: Text | None = None
    label_types: dict[LabelType, list[Text]] = Field(default_factory=dict)
    flags: tuple[Text, ...] = ("feature-flag",)
    ignore_checks: tuple[Text, ...] = ()
    timeout: Annotated[Duration, Field(gt=0, le=600)] = 10.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5

    @field_validator("repo")
    @classmethod
    def _owner_and_name(cls, repo: str) -> str:
        if not REPO.fullmatch(repo):
            raise ValueError("a repository is written owner/name")
        return repo

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str | None) -> str | None:
        return url and plain_url(url, "use token_env")


class GitHub:
    """Tells the change and its pull requests from GitHub; the constructor asks nothing.

    `environ` holds the token and the address where `spec` has none; `clock`, `sleep` and `jitter`
    as in `Patience`.
    """

    Spec = GitHubSpec

    @classmethod
    def open(cls, spec: GitHubSpec, surroundings: Surroundings) -> GitHub:
        return cls(spec, surroundings.environ)

    def __init__(
        self,
        spec: GitHubSpec,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._spec, self._environ = spec, environ
        self._url = spec.url or _url_of(environ)
        self._patience = Patience(
            timeout=spec.timeout, attempts=spec.attempts, clock=clock, sleep=sleep, jitter=jitter
        )
        self._reading = Reading(
            label_types=LABEL_TYPES | {str(key): one for key, one in spec.label_types.items()},
            flags=spec.flags,
            ignore_checks=spec.ignore_checks,
        )

    def change(self, wanted: ChangeRange, asked: Asked) -> Change:
        """The files of the pull request where one is named, else what head has and base lacks."""
        hub = self._hub(asked.deadline)
        if wanted.pull and wanted.pull.number:
            one = pulls.told(hub, _number(wanted.pull.number, asked))
            return files.of_pull(hub, one.pull, one.commits)
        base, head = _ends(wanted, asked)
        return files.between(hub, base, head)

    def pulls(self, wanted: PullRange, asked: Asked) -> PullRequests:
        """The pull request that is named, or all between base and head, as one."""
        hub = self._hub(asked.deadline)
        base, head = _ends(wanted, asked)
        if wanted.number:
            return pulls.released(hub, _number(wanted.number, asked), head, self._reading)
        return pulls.between(hub, base, head, self._reading)

    def both(self, number: int, deadline: float) -> tuple[Change, PullRequests]:
        """The change that one pull request makes, and the facts around it; raises SourceError."""
        hub = self._hub(deadline)
        one = pulls.told(hub, number)
        change = files.of_pull(hub, one.pull, one.commits)
        return change, pulls.facts(hub, one, self._reading)

    def _hub(self, deadline: float) -> Hub:
        name = self._spec.token_env or TOKEN_ENV
        token = ""
        if self._spec.token_env or self._environ.get(name):
            token = secret(name, None, self._environ)
            refuse_letters(token)
        return Hub(Server(self._url, token, name, self._patience), self._spec.repo, deadline)


def _url_of(environ: Mapping[str, str]) -> str:
    url = environ.get(URL_ENV) or DEFAULT_URL
    try:
        return plain_url(url, "use token_env")
    except ValueError as error:
        raise UsageError(f"{URL_ENV}: {error}", f"write {DEFAULT_URL}, or leave it out") from None


def _ends(wanted: ChangeRange | PullRange, asked: Asked) -> tuple[str, str]:
    base, head = (render(one, asked.words) for one in (wanted.base, wanted.head))
    return base, head


def _number(template: str, asked: Asked) -> int:
    text = render(template, asked.words)
    if not text.isdecimal() or not 0 < int(text[:19]) < 10**18:
        raise SourceError(Cause.BAD_QUERY, f"{text!r} is not the number of a pull request")
    return int(text)
