"""One JSON question over HTTP with the standard library: bounded in time and size.

No redirect is followed, so that the token stays with the server it is for.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from email.message import Message
from http.client import HTTPException
from threading import Thread
from typing import Any

MOST_BYTES = 64 * 2**20
SLICE = 0.5  # seconds; on Windows a wait is not interrupted, so it is cut
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class PassingError(Exception):
    """May pass: ask again, after `wait` seconds where the server named a time."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class DeniedError(Exception):
    """The server understood, and says no."""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def opener(ca_file: str = "") -> urllib.request.OpenerDirector:
    """As the system is set up (proxies, certificates), with certificates of one's own beside.

    Raises DeniedError for a file that holds none.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise DeniedError(
                f"ca-file {ca_file} cannot be used: {error.strerror or error}"
            ) from None
    return urllib.request.build_opener(_Stay, urllib.request.HTTPSHandler(context=context))


def ask(
    by: urllib.request.OpenerDirector,
    url: str,
    headers: Mapping[str, str],
    within: float,
    body: Any = None,
) -> Any:
    """The JSON that the URL answers; raises PassingError and DeniedError."""
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if data else {}
    request = urllib.request.Request(url, data, {**headers, **kind, "Accept": "application/json"})
    status, told, raw = _within(within, by, request)
    if status in PASSING:
        raise PassingError(f"{status}: {_reason(raw)}", _seconds(told.get("Retry-After", "")))
    if status >= 400:
        raise DeniedError(f"{status}: {_reason(raw)}")
    if status != 200:
        raise PassingError(f"answered {status}, which is no answer; is server-url the gate's own?")
    try:
        return json.loads(raw)
    except ValueError:
        raise PassingError(
            "answered 200 with what is no JSON (a sign-in page?); is server-url the gate's own?"
        ) from None


def _within(
    seconds: float, by: urllib.request.OpenerDirector, request: urllib.request.Request
) -> tuple[int, Message, bytes]:
    """In a thread that is given up at its time: a server that drips can hold a read for hours."""
    answer: Future[tuple[int, Message, bytes]] = Future()

    def run() -> None:
        try:
            answer.set_result(_exchange(by, request, seconds))
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    left = seconds
    while True:
        try:
            return answer.result(timeout=min(SLICE, max(left, 0.0)))
        except Late:
            left -= SLICE
            if left <= 0:
                raise PassingError(f"no whole answer within {seconds:.0f} s") from None
        except (OSError, HTTPException) as error:
            raise PassingError(str(getattr(error, "reason", error))) from None


def _exchange(
    by: urllib.request.OpenerDirector, request: urllib.request.Request, seconds: float
) -> tuple[int, Message, bytes]:
    try:
        with by.open(request, timeout=seconds) as response:
            return response.status, response.headers, response.read(MOST_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read(MOST_BYTES)


def _reason(raw: bytes) -> str:
    """Our server's own words, or the start of what came instead."""
    try:
        error = json.loads(raw)["error"]
        return " ".join(
            part for part in (error["reason"], error["hint"] and f"({error['hint']})") if part
        )
    except (ValueError, KeyError, TypeError):
        return " ".join(raw[:300].decode(errors="replace").split()) or "(no text)"


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) < 6 else None
