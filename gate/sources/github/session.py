"""github3.py's session, bounded: in time, in size, in attempts, and to one server.

Why not github3.py's own requests: they follow redirects to any host, read answers of any length,
know no deadline over all pages, and ask once. Its models are not used either: they refuse a review
by a deleted account and want dozens of keys that nobody here reads; `gate.sources.github.shapes`
holds what is read. What is used is its session and its walk over pages, which ask through here.

Waiting follows https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson
import requests
from github3.session import GitHubSession
from requests.adapters import HTTPAdapter

from gate import __version__
from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.exchange import (
    PassingError,
    Patience,
    anonymous,
    attempted,
    body_of,
    retry_after,
    start_of,
)

MOST_BYTES = 64 * 2**20
MOST_HOPS = 3  # a renamed repository answers with one redirect on the same server
CONNECTIONS = 8
HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": f"releasegate/{__version__}",
}
REFUSALS = {
    401: Cause.REFUSED,
    403: Cause.REFUSED,
    404: Cause.BAD_QUERY,
    422: Cause.BAD_QUERY,
    451: Cause.REFUSED,
}
PASSING_STATUS = frozenset({408, 500, 502, 503, 504})
UNNAMED_WAIT = 60.0  # seconds: what GitHub asks for where it names no time


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is (`https://api.github.com`, `https://ghe.example/api/v3`), and how it is asked.

    `token` is empty for none; `token_env` names where it would come from.
    """

    url: str
    token: str
    token_env: str
    patience: Patience
    most_bytes: int = MOST_BYTES


class RefusedError(SourceError):
    """GitHub answered, and not with what was asked for. `status`: HTTP's."""

    def __init__(self, cause: Cause, detail: str, status: int) -> None:
        super().__init__(cause, detail)
        self.status = status


class BoundedSession(GitHubSession):  # type: ignore[misc]  # github3.py ships no types
    """Every request through it raises SourceError or returns a whole answer (200, or 201: made).

    `deadline` is in seconds of the clock of the server's patience.
    """

    def __init__(self, server: Server, deadline: float) -> None:
        super().__init__()
        self._server, self._deadline = server, deadline
        self.base_url = server.url
        self.headers.update(HEADERS)
        del self.headers["Content-Type"]
        self.auth = anonymous
        if server.token:
            self.token_auth(server.token)
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """The answer, asked for again while there is reason and time to."""
        try:
            attempt = partial(self._attempt, method, url, options)
            return self._server.patience.ask(attempt, self._deadline)
        except RefusedError:
            raise
        except SourceError as error:
            raise SourceError(error.cause, f"{_plain(url)}: {error.message}") from error

    def _attempt(
        self, method: str, url: str, options: Mapping[str, Any], seconds: float
    ) -> requests.Response:
        response = attempted(partial(self._exchange, method, url, options, seconds), seconds)
        kind, status = response.headers.get("Content-Type", ""), response.status_code
        if "html" in kind.lower() and status < 500:
            raise SourceError(
                Cause.MALFORMED,
                f"answered a web page ({kind}) where the API of GitHub was expected; the url of a "
                f"GitHub Enterprise Server ends in /api/v3: {start_of(response.content)}",
            )
        if status not in {200, 201}:
            raise self._refusal(response)
        return response

    def _exchange(
        self, method: str, url: str, options: Mapping[str, Any], seconds: float
    ) -> requests.Response:
        """One answer with its body read; redirects on the same server are followed."""
        clock = self._server.patience.clock
        until = clock() + seconds
        given = {**options, "allow_redirects": False, "stream": True, "timeout": seconds}
        for _ in range(MOST_HOPS + 1):
            self._refuse_elsewhere(url)
            response: requests.Response = super().request(method, url, **given)
            with response:
                body = body_of(response, self._server.most_bytes, until, clock)
            if not response.is_redirect:
                response.raw = io.BytesIO(body)
                return response
            url, given["params"] = urljoin(url, response.headers["Location"]), None
        raise SourceError(Cause.REFUSED, f"redirects more than {MOST_HOPS} times")

    def _refuse_elsewhere(self, url: str) -> None:
        """A redirect or a link to a next page may point anywhere; the token stays here."""
        if _origin(url) != _origin(self.base_url):
            raise SourceError(
                Cause.REFUSED,
                f"{self.base_url} points to {_plain(url)}, another server, which is not asked; if "
                "it is the right one, put it in url",
            )

    def _refusal(self, response: requests.Response) -> SourceError | PassingError:
        """What a status other than 200 means, in GitHub's own words."""
        status = response.status_code
        said = f"{status}: {self._words(response)}"
        if status in PASSING_STATUS:
            return PassingError(Cause.SERVER_ERROR, said, retry_after(response.headers))
        if limited := _limited(response, said):
            return limited
        text = f"{_plain(response.url)}: {said}{self._hint(status)}"
        return RefusedError(REFUSALS.get(status, Cause.MALFORMED), text, status)

    def _hint(self, status: int) -> str:
        name = self._server.token_env
        own = f"the token in {name}" if self._server.token else f"no token (none is in {name})"
        if status == 401:
            return f" (asked with {own}, which is not valid here)"
        if status == 403:
            return f" (asked with {own}, which lacks the permission)"
        if status == 404:
            return (
                f" (asked with {own}: it does not exist, or it is private and may not be seen; "
                "the two look the same)"
            )
        return ""

    def _words(self, response: requests.Response) -> str:
        """GitHub's message, or the start of what came instead; never with our token in it."""
        body, token = response.content, self._server.token.encode()
        if token:
            body = body.replace(token, b"***")
        try:
            return str(orjson.loads(body)["message"])[:300]
        except (ValueError, KeyError, TypeError):
            return start_of(body) or "(no text)"


def _limited(response: requests.Response, said: str) -> PassingError | None:
    """The rate limit behind a 403 or 429, with the time after which to ask again."""
    if response.status_code not in {403, 429}:
        return None
    headers, until = response.headers, ""
    wait = retry_after(headers)
    if headers.get("x-ratelimit-remaining") == "0":
        reset = _reset(headers)
        wait = _seconds_until(reset, headers) if wait is None else wait
        until = f" until {datetime.fromtimestamp(reset, UTC):%Y-%m-%d %H:%M:%S UTC}" * (reset > 0)
    elif wait is None and "rate limit" in said:
        wait = UNNAMED_WAIT
    elif wait is None and response.status_code == 403:
        return None
    asks = f", to be waited for {wait:.0f} s" if wait is not None else ""
    return PassingError(Cause.SERVER_ERROR, f"rate limit reached{until}{asks}: {said}", wait)


def _reset(headers: Mapping[str, str]) -> int:
    """Unix seconds at which the limit resets; 0 where the server names none."""
    text = headers.get("x-ratelimit-reset", "")
    return int(text) if text.isdecimal() and len(text) <= 11 else 0


def _seconds_until(reset: int, headers: Mapping[str, str]) -> float:
    """By the server's own clock, whole seconds up, as the reset itself is cut to one."""
    try:
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError):
        return UNNAMED_WAIT
    return max(0.0, reset - now) + 1.0 if reset else UNNAMED_WAIT


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443}
    return parts.scheme, parts.hostname, parts.port or ports.get(parts.scheme)


def _plain(url: str) -> str:
    """Without its query, for a message."""
    return url.partition("?")[0]
