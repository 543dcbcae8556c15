"""The file of tokens: who may ask what about which services.

Only a digest of each token is kept. A plain SHA-256 is enough, because a token is 256 random bits
that no dictionary holds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

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


class TokensSection(Section):
    """A whole file of tokens."""

    tokens: list[TokenSection] = Field(min_length=1)


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


class Tokens:
    """The callers of a file, found by their token."""

    def __init__(self, callers: Sequence[tuple[str, Caller]]) -> None:
        self._callers = tuple(callers)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is. Every digest is compared, so that time tells nothing."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        found: Caller | None = None
        for known, caller in self._callers:
            if hmac.compare_digest(known, digest):
                found = caller
        return found


def load(path: Path) -> Tokens:
    """The tokens of a file; raises UsageError naming file, line and column."""
    document = read(path, "`gate token new` prints what it holds")
    section = fit(document, TokensSection)
    names = [one.name for one in section.tokens]
    for index, name in enumerate(names):
        if names.index(name) != index:
            raise refuse(document, ("tokens", index, "name"), f"two tokens are named {name!r}")
    return Tokens(
        [
            (one.sha256, Caller(one.name, tuple(one.services), frozenset(one.verbs)))
            for one in section.tokens
        ]
    )


def new() -> tuple[str, str]:
    """A fresh token, and the digest of it that is kept."""
    token = f"gate_{secrets.token_urlsafe(32)}"
    return token, hashlib.sha256(token.encode()).hexdigest()
