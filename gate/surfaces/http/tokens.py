"""Who may ask what about which services, and how their tokens are known.

Only a digest of each token is kept. A plain SHA-256 is enough, because a token is 256 random bits
that no dictionary holds. Every comparison is of digests and takes the same time whatever is given.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

# As `gate.document.Name`.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]*")
# A token as `new` makes it, and a JSON Web Token.
_TOKEN = re.compile(r"gate_[A-Za-z0-9_-]{43}|eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


class Verb(StrEnum):
    """What a token may do. `ask` reads as well; `admin` may do all of it."""

    ASK = "ask"
    OUTCOME = "outcome"
    OVERRIDE = "override"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `services` are patterns such as `shop-*`.

    `vouches`: may say which person asks for an override; others ask in their own name.
    """

    name: str
    services: tuple[str, ...]
    verbs: frozenset[Verb]
    vouches: bool = False

    def may(self, verb: Verb) -> bool:
        return verb in self.verbs or Verb.ADMIN in self.verbs

    def knows(self, service: str) -> bool:
        return any(fnmatchcase(service, pattern) for pattern in self.services)


# Whoever reaches a server that has no tokens.
ANYBODY = Caller("anybody", ("*",), frozenset(Verb), vouches=True)


class BadTokenError(Exception):
    """A token that says who it is for, and is refused; the reason holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What came with a signed body: `X-Gate-Signature-256`, and `X-Gate-Timestamp` if it came."""

    text: str
    timestamp: str | None


class Tokens:
    """The callers of a file, found by their token.

    `signers` knows who signed a body, by the moment it came (Unix seconds); `workflows` whose a
    JSON Web Token is, or raises BadTokenError.
    """

    def __init__(
        self,
        callers: Sequence[tuple[str, Caller]],
        signers: Callable[[bytes, Signature, float], Caller | None] | None = None,
        workflows: Callable[[str], Caller] | None = None,
    ) -> None:
        self._callers = tuple(callers)
        self._signers, self._workflows = signers, workflows

    def caller(self, token: str) -> Caller | None:
        """Whose token it is. Every digest is compared, so that time tells nothing.

        Raises BadTokenError, and GateError while it cannot be told.
        """
        if self._workflows is not None and token.count(".") == 2:
            return self._workflows(token)
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        found: Caller | None = None
        for known, caller in self._callers:
            if hmac.compare_digest(known, digest):
                found = caller
        return found

    def signer(self, body: bytes, signature: Signature, now: float) -> Caller | None:
        """Who signed the body, byte for byte."""
        return self._signers(body, signature, now) if self._signers else None


def new() -> tuple[str, str]:
    """A fresh token, and the digest of it that is kept."""
    token = f"gate_{secrets.token_urlsafe(32)}"
    return token, hashlib.sha256(token.encode()).hexdigest()


def holds_token(text: str) -> bool:
    """Whether something in it looks like a token."""
    return _TOKEN.search(text) is not None


def masked(text: str) -> str:
    """The same without what looks like a token: clients put them where none belongs."""
    return _TOKEN.sub("***", text)
