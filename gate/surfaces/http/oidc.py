"""Workflows of GitHub as callers, by the token that GitHub signs for each job.

No secret is shared: the server knows which repository, environment, branch and workflow may ask,
and GitHub's public keys say whether the job is one of those. The claims are those of
https://docs.github.com/en/actions/reference/openid-connect-reference
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import jwt
import requests

from gate.errors import GateError
from gate.surfaces.http.tokens import Caller

ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "release-gate"
KEYS_LIVE = 3_600.0  # seconds; GitHub changes its keys every few weeks
# Seconds between two looks for a key that was not there: or anybody could make us ask GitHub.
LOOK_AGAIN = 60.0
TIMEOUT = 5.0
LEEWAY = 60.0  # seconds that clocks may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Which jobs a caller is: patterns by the name of the claim, all of which must match."""

    claims: tuple[tuple[str, str], ...]
    caller: Caller

    def is_of(self, claims: Mapping[str, Any]) -> bool:
        return all(
            isinstance(told := claims.get(name), str) and fnmatchcase(told, pattern)
            for name, pattern in self.claims
        )


class Workflows:
    """Callers by their jobs. Safe to use from several threads; the constructor asks nothing."""

    def __init__(
        self,
        jobs: Sequence[Job],
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs, self._issuer, self._audience = tuple(jobs), issuer.rstrip("/"), audience
        self._clock, self._lock = clock, threading.Lock()
        self._keys: Mapping[str, Any] = {}
        self._asked_at: float | None = None

    def caller(self, token: str) -> Caller | None:
        """Whose job's token it is, None where it is no valid one of a known job.

        Raises GateError where GitHub's keys cannot be had.
        """
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                return None
            claims = jwt.decode(
                token, key, algorithms=["RS256"], audience=self._audience, issuer=self._issuer,
                leeway=LEEWAY, options={"require": ["exp", "iat", "nbf", "iss", "aud"]},
            )  # fmt: skip
        except jwt.PyJWTError:
            return None
        return next((job.caller for job in self._jobs if job.is_of(claims)), None)

    def _key(self, name: str) -> Any:
        with self._lock:
            age = None if self._asked_at is None else self._clock() - self._asked_at
            if age is None or age >= KEYS_LIVE or (name not in self._keys and age >= LOOK_AGAIN):
                self._keys = self._fetched()
                self._asked_at = self._clock()
            return self._keys.get(name)

    def _fetched(self) -> Mapping[str, Any]:
        url = f"{self._issuer}/.well-known/jwks"
        try:
            answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (OSError, ValueError, AttributeError, TypeError, jwt.PyJWTError) as error:
            raise GateError(f"the keys of {self._issuer} cannot be had: {error}") from None
        return {str(key.key_id): key for key in keys}
