"""The public keys of the configured issuer, and of no other: no address is taken from a token."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jwt
import orjson
import requests

from gate.errors import GateError
from gate.evidence.source import SourceError
from gate.sources.exchange import Patience, anonymous, attempted, body_of

# Seconds. A key that the issuer withdraws is believed no longer than FRESH; a stranger's key name
# makes us ask the issuer no more often than each PAUSE.
FRESH, PAUSE = 3_600.0, 30.0
PATIENCE = Patience(timeout=3.0, attempts=2)
LARGEST = 256 * 1024  # bytes


class Issuer:
    """Its keys by their names, asked for when first needed. Safe to use from several threads.

    `url` as in the claim `iss`, the keys lie at `/.well-known/jwks` below it. `clock` in seconds,
    monotonic.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url, self._clock = url, clock
        self._lock = threading.Lock()
        # Together, as they are read without the lock: the keys, and until when they are good.
        self._held: tuple[Mapping[str, Any], float] = {}, -math.inf
        self._tried = -math.inf
        self._fault = ""

    def key(self, name: str) -> Any | None:
        """The key, or None where the issuer has none of this name.

        Raises GateError where the issuer cannot be asked.
        """
        if (found := self._known(name)) is not None:
            return found
        with self._lock:
            if (found := self._known(name)) is None:  # another thread may have asked meanwhile
                self._refresh()
                found = self._known(name)
            if found is None and self._fault:
                raise GateError(f"the keys of {self.url} cannot be had: {self._fault}", "ask again")
            return found

    def _known(self, name: str) -> Any | None:
        keys, until = self._held
        return keys.get(name) if self._clock() < until else None

    def _refresh(self) -> None:
        if self._clock() - self._tried < PAUSE:
            return
        self._tried = self._clock()
        try:
            self._held, self._fault = (self._ask(), self._tried + FRESH), ""
        except SourceError as error:
            self._fault = str(error)

    def _ask(self) -> Mapping[str, Any]:
        def once(seconds: float) -> Mapping[str, Any]:
            return attempted(partial(self._exchange, seconds), seconds)

        return PATIENCE.ask(once, PATIENCE.clock() + 2 * PATIENCE.timeout)

    def _exchange(self, seconds: float) -> Mapping[str, Any]:
        until = PATIENCE.clock() + seconds
        with requests.get(
            f"{self.url}/.well-known/jwks", timeout=seconds, auth=anonymous, stream=True,
            allow_redirects=False,
        ) as response:  # fmt: skip
            if response.status_code != requests.codes.ok:
                raise requests.ConnectionError(f"it answered {response.status_code}")
            return _keys(body_of(response, LARGEST, until, PATIENCE.clock))


def _keys(body: bytes) -> Mapping[str, Any]:
    """The RSA keys by their names: a secret among them is none to verify with."""
    try:
        keys = orjson.loads(body)["keys"]
        found = {
            one["kid"]: jwt.PyJWK(one, "RS256").key
            for one in keys
            if one.get("kty") == "RSA" and one.get("use", "sig") == "sig" and "kid" in one
        }
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise requests.ConnectionError("it answered no set of keys") from error
    if not found:
        raise requests.ConnectionError("it has no RSA key to verify with")
    return found
