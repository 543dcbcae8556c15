"""The file of tokens: a line for each caller, known by a token, by signed bodies, or by GitHub.

A complaint about the file never quotes what could be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from gate.document import Document, Name, Section, Text, fit, read, refuse
from gate.errors import UsageError
from gate.surfaces.http.signers import SHORTEST, Signer, Signers
from gate.surfaces.http.tokens import Caller, Tokens, Verb, masked

_DIGEST = re.compile(r"[0-9a-f]{64}")
# Anybody on GitHub may have a repository of some name.
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]+/[^/]+")
# In the clear only on this machine. The keys lie below it.
_ISSUER = r"^(https://|http://127\.0\.0\.1:).*[^/]$"
MOST_SECRETS = 2  # the one in use, and the one that takes its place
GITHUB = "https://token.actions.githubusercontent.com"


def _digest(value: Any) -> str:
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value
    raise PydanticCustomError("unit", "should be a digest of 64 letters, as `gate token new` tells")


def _secrets(value: Any) -> list[str]:
    if (
        isinstance(value, list)
        and 1 <= len(value) <= MOST_SECRETS
        and all(isinstance(one, str) and len(one) >= SHORTEST for one in value)
    ):
        return value
    raise PydanticCustomError("unit", f"should be one or two texts of {SHORTEST} letters or more")


def _repository(value: Any) -> str:
    if isinstance(value, str) and _REPOSITORY.fullmatch(value):
        return value
    raise PydanticCustomError("unit", "should be OWNER/NAME; only the name may be a pattern")


class WorkflowSection(Section):
    """Which workflows of GitHub Actions: globs that the claims of their tokens must match."""

    repository: Annotated[str, BeforeValidator(_repository)]
    environment: Text | None = None
    ref: Text | None = None
    job_workflow_ref: Text | None = None


class TokenSection(Section):
    """One caller: how it is known, and what it is good for."""

    name: Name
    sha256: Annotated[str, BeforeValidator(_digest)] | None = None
    secrets: Annotated[list[str], BeforeValidator(_secrets)] | None = None
    timestamped: bool = False
    github: WorkflowSection | None = None
    services: list[Text] = Field(min_length=1)
    verbs: list[Verb] = Field(min_length=1)
    vouches: bool = False

    @property
    def caller(self) -> Caller:
        return Caller(self.name, tuple(self.services), frozenset(self.verbs), self.vouches)


class IssuerSection(Section):
    """Whose tokens of workflows are believed, and for whom they must have been made out."""

    issuer: Annotated[str, Field(pattern=_ISSUER)] = GITHUB
    audience: Text = "release-gate"


class TokensSection(Section):
    """A whole file of tokens."""

    oidc: IssuerSection = IssuerSection()
    tokens: list[TokenSection] = Field(min_length=1)


def load(path: Path) -> Tokens:
    """The tokens of a file; raises UsageError naming file, line and column."""
    try:
        document = read(path, "`gate token new` prints what it holds")
        section = fit(document, TokensSection)
        for error in _faults(document, section.tokens):
            raise error
    except UsageError as error:
        raise UsageError(masked(error.message), masked(error.hint)) from None
    return Tokens(
        [(one.sha256, one.caller) for one in section.tokens if one.sha256],
        Signers(
            Signer(one.caller, tuple(one.secrets), timestamped=one.timestamped)
            for one in section.tokens
            if one.secrets
        ),
        _workflows(section),
    )


def _workflows(section: TokensSection) -> Any:
    """What knows the callers of GitHub; its libraries are imported where there are any."""
    if not any(one.github for one in section.tokens):
        return None
    from gate.surfaces.http.issuer import Issuer
    from gate.surfaces.http.workflows import Workflow, Workflows

    fitting = [
        Workflow(one.caller, one.github.model_dump(exclude_none=True))
        for one in section.tokens
        if one.github
    ]
    return Workflows(Issuer(section.oidc.issuer), section.oidc.audience, fitting)


def _faults(document: Document, tokens: list[TokenSection]) -> Iterator[UsageError]:
    """What no model can tell of the lines."""
    names = [one.name for one in tokens]
    for index, one in enumerate(tokens):
        place = ("tokens", index)
        if names.index(one.name) != index:
            yield refuse(document, (*place, "name"), f"two tokens are named {one.name!r}")
        if sum(how is not None for how in (one.sha256, one.secrets, one.github)) != 1:
            yield refuse(
                document, place, f"how is {one.name!r} known?", "by sha256, by secrets or by github"
            )
        if one.timestamped and one.secrets is None:
            yield refuse(document, (*place, "timestamped"), "only signed bodies have a timestamp")
        if one.secrets and not {Verb.ASK, Verb.OUTCOME}.issuperset(one.verbs):
            yield refuse(
                document, (*place, "verbs"), "signed bodies may ask and tell an outcome, no more",
                "a signature says nothing of the path it is sent to: use a token",
            )  # fmt: skip
