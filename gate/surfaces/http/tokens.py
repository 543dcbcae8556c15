"""The file of tokens: who may ask what about which services.

Beside tokens of its own it may name jobs of GitHub Actions, which bring tokens that GitHub signed.
Only a digest of each token is kept. A plain SHA-256 is enough, because a token is 256 random bits
that no dictionary holds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field

from gate.document import Name, Section, Text, fit, read, refuse

# As `gate.document.Name`.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]*")


class Verb(StrEnum):
    """What a token may do. `ask` reads as well; `admin` may do all of it."""

    ASK = "ask"
    OUTCOME = "outcome"
    OVERRIDE = "override"
    ADMIN = "admin"


class TokenSection(Section):
    """One token: the digest of it, and what it is good for."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    services: list[Text] = Field(min_length=1)
    verbs: list[Verb] = Field(min_length=1)


class WorkflowSection(Section):
    """Jobs of GitHub Actions, known by the claims of their tokens; patterns such as `shop-*`."""

    name: Name
    repository: Annotated[str, Field(pattern=r"^[^*?\[\]/]+/[^/]+$")]
    environment: Text | None = None
    ref: Text | None = None
    workflow: Text | None = None
    services: list[Text] = Field(min_length=1)
    verbs: list[Verb] = Field(min_length=1)


class GitHubSection(Section):
    """`issuer` is another one on an Enterprise Server."""

    issuer: Annotated[str, Field(pattern=r"^https?://[^?#]+$")] | None = None
    audience: Text | None = None
    workflows: list[WorkflowSection] = Field(min_length=1)


class TokensSection(Section):
    """A whole file of tokens."""

    tokens: list[TokenSection] = Field(default_factory=list)
    github: GitHubSection | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `services` are patterns such as `shop-*`."""

    name: str
    services: tuple[str, ...]
    verbs: frozenset[Verb]

    def may(self, verb: Verb) -> bool:
        return verb in self.verbs or Verb.ADMIN in self.verbs

    def knows(self, service: str) -> bool:
        return any(fnmatchcase(service, pattern) for pattern in self.services)


# Whoever reaches a server that has no tokens.
ANYBODY = Caller("anybody", ("*",), frozenset(Verb))


class Signed(Protocol):
    """Callers whose tokens somebody else signs."""

    def caller(self, token: str) -> Caller | None:
        """Whose it is; raises GateError where that cannot be told now."""


class Tokens:
    """The callers of a file, found by their token; `signed` ones are asked about the rest."""

    def __init__(self, callers: Sequence[tuple[str, Caller]], signed: Signed | None = None) -> None:
        self._callers, self._signed = tuple(callers), signed

    def caller(self, token: str) -> Caller | None:
        """Whose token it is. Every digest is compared, so that time tells nothing."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        found: Caller | None = None
        for known, caller in self._callers:
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None and self._signed is not None and token.count(".") == 2:
            return self._signed.caller(token)
        return found


def load(path: Path) -> Tokens:
    """The tokens of a file; raises UsageError naming file, line and column."""
    document = read(path, "`gate token new` prints what it holds")
    section = fit(document, TokensSection)
    if not section.tokens and section.github is None:
        raise refuse(document, (), "the file names nobody", "write tokens:, or github: workflows:")
    names = [one.name for one in section.tokens]
    for index, name in enumerate(names):
        if names.index(name) != index:
            raise refuse(document, ("tokens", index, "name"), f"two tokens are named {name!r}")
    callers = [(one.sha256, _caller(one)) for one in section.tokens]
    return Tokens(callers, _workflows(section.github) if section.github else None)


def _caller(one: TokenSection | WorkflowSection) -> Caller:
    return Caller(one.name, tuple(one.services), frozenset(one.verbs))


def _workflows(section: GitHubSection) -> Signed:
    """Imported when a file asks for it, as cryptography takes a while to load."""
    from gate.surfaces.http.oidc import AUDIENCE, ISSUER, Job, Workflows

    jobs = [Job(claims=tuple(_claims(one)), caller=_caller(one)) for one in section.workflows]
    return Workflows(jobs, section.issuer or ISSUER, section.audience or AUDIENCE)


def _claims(one: WorkflowSection) -> Iterator[tuple[str, str]]:
    """The name of each claim as GitHub has it, and its pattern."""
    told = {
        "repository": one.repository, "environment": one.environment, "ref": one.ref,
        "job_workflow_ref": one.workflow,
    }  # fmt: skip
    yield from ((name, pattern) for name, pattern in told.items() if pattern is not None)


def new() -> tuple[str, str]:
    """A fresh token, and the digest of it that is kept."""
    token = f"gate_{secrets.token_urlsafe(32)}"
    return token, hashlib.sha256(token.encode()).hexdigest()
