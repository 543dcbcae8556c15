"""The App's own tokens: a JWT signed with its key, and for it a token of one installation.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import orjson

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.exchange import Patience
from gate.sources.github.session import BoundedSession, Server
from gate.sources.github.shapes import Shape
from gate.surfaces.protection.app_file import App
from gate.surfaces.protection.wish import Wish

# Seconds. GitHub's clock may be behind ours, and takes a JWT for ten minutes at most.
BACKDATED, LIVES = 60, 540
# A token that is about to expire would do so on its way.
BEFORE_EXPIRY = 300.0
PERMISSIONS = {"deployments": "write", "actions": "read"}
CREATED = frozenset({200, 201})
# Seconds for one question to GitHub, with its repetitions.
CALL = 20.0


Read = TypeVar("Read", bound=Shape)


class _Token(Shape):
    token: str
    expires_at: datetime


class _Installation(Shape):
    id: int


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str = field(repr=False)
    until: float


class Credentials:
    """Tokens of the App's installations, each for one repository. Safe to use from threads.

    `clock` tells Unix seconds. Its methods raise SourceError.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, int, int], _Kept] = {}

    def token(self, app: App, wish: Wish) -> str:
        """A token for the repository of the wish, good for five minutes at least."""
        own = (app.url, app.id, wish.installation or 0, wish.repository_id)
        with self._lock:
            kept = self._kept.get(own)
        if kept is None or self._clock() >= kept.until:
            kept = self._fetched(app, wish)
            with self._lock:
                self._kept[own] = kept
        return kept.token

    def forget(self, token: str) -> None:
        """GitHub says that it is not valid."""
        with self._lock:
            self._kept = {own: one for own, one in self._kept.items() if one.token != token}

    def _fetched(self, app: App, wish: Wish) -> _Kept:
        session = self._as_app(app)
        installation = wish.installation or self._installation(app, wish, session)
        wanted = {"repository_ids": [wish.repository_id], "permissions": PERMISSIONS}
        url = f"{app.url}/app/installations/{installation}/access_tokens"
        told = _read(_Token, url, session.post(url, json=wanted).content)
        return _Kept(told.token, told.expires_at.timestamp() - BEFORE_EXPIRY)

    def _installation(self, app: App, wish: Wish, session: BoundedSession) -> int:
        """For a delivery that does not tell its installation."""
        url = f"{app.url}/repos/{wish.repository}/installation"
        return _read(_Installation, url, session.get(url).content).id

    def _as_app(self, app: App) -> BoundedSession:
        jwt = signed(app, self._clock())
        server = Server(
            app.url, jwt, "the App's private key", Patience(attempts=3), hops=0, accepted=CREATED
        )
        session = BoundedSession(server, time.monotonic() + CALL)
        session.app_bearer_token_auth(jwt, LIVES)
        return session


def signed(app: App, now: float) -> str:
    """The App's JWT: RS256 over who it is, from a minute ago for ten minutes in all."""
    import jwt

    said = {"iss": app.id, "iat": int(now) - BACKDATED, "exp": int(now) + LIVES}
    return jwt.encode(said, app.key, algorithm="RS256")


def _read(shape: type[Read], url: str, body: bytes) -> Read:
    try:
        return shape.model_validate(orjson.loads(body))
    except ValueError:  # without what came: it may hold a token
        raise SourceError(Cause.MALFORMED, f"{url}: the answer is not GitHub's") from None
