"""Ask a running gate, again and again, until its answer is in or the time is up."""

from __future__ import annotations

import ipaddress
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from answer import HOLD, UNDECIDED, Answer, BrokenError, RefusedError, UndecidedError, told
from exchange import DeniedError, PassingError, ask, opener
from inputs import Inputs
from runner import annotate, mask, note

# Seconds. A server that was never reached is probably written wrongly, however long one may wait.
FIRST_CONTACT = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
STILL_JUDGING_PAUSE = 2.0
# Not a hold that is only observed, which blocks nothing.
WAITED_FOR = (HOLD, UNDECIDED)


class Server:
    """The gate at `server-url`, as this job may ask it. Methods raise PassingError, DeniedError."""

    def __init__(self, given: Inputs, environ: Mapping[str, str]) -> None:
        self._given, self._environ = given, environ
        self._by = opener(given.ca_file)
        self._url = given.server_url.rstrip("/")
        self._token = given.token
        if self._token:
            mask(self._token)
        if _open_to_readers(self._url):
            annotate("warning", f"{self._url}: a token can be read on its way; write https://")
        run = [environ.get(f"GITHUB_{name}", "0") for name in ("RUN_ID", "RUN_ATTEMPT", "JOB")]
        self._key = "-".join([*run, secrets.token_hex(4)])[:200]

    def look(self, number: int) -> Answer | None:
        """The answer of one look, None while the server judges; a number twice is one look."""
        headers = {
            "Idempotency-Key": f"{self._key}-{number}",
            "X-Gate-Timeout": f"{max(1, round(self._given.timeout))}s",
        }
        answer = self._ask("/v1/decisions", headers, self._question())
        if not isinstance(answer, dict) or "report" not in answer:
            raise PassingError("answered without a report; is server-url the gate's own?")
        if answer["report"] is None:
            return None
        found = told(answer["report"], url=str(answer.get("url") or ""))
        asked = ("service", "name", self._given.service), ("request", "canary", self._given.canary)
        for part, name, wanted in asked:
            about = answer["report"].get(part)
            if isinstance(about, dict) and about.get(name) != wanted:
                # A cache on the way, say, which knows nothing of bodies.
                raise BrokenError(f"the report is about {about.get(name)!r}")
        return found

    def markdown(self, id_: str) -> str:
        """The report of a decision for people."""
        answer = self._ask(f"/v1/decisions/{quote(id_, safe='')}/markdown", {})
        return str(answer["markdown"]) if isinstance(answer, dict) and "markdown" in answer else ""

    def _ask(self, path: str, headers: Mapping[str, str], body: Any = None) -> Any:
        token = self._token or self._oidc()
        who = {"Authorization": f"Bearer {token}"} if token else {}
        # The server answers in 0.8 of the time; the rest is the way.
        return ask(self._by, self._url + path, {**headers, **who}, self._given.timeout, body)

    def _oidc(self) -> str:
        """The job's own token, fresh for each question as it lives for minutes; empty for none."""
        url = self._environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
        own = self._environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
        if not url or not own:
            return ""
        url += f"&audience={quote(self._given.oidc_audience, safe='')}"
        answer = ask(self._by, url, {"Authorization": f"Bearer {own}"}, self._given.timeout)
        token = str(answer.get("value", "")) if isinstance(answer, dict) else ""
        if not token:
            raise PassingError("GitHub gave no OIDC token")
        mask(token)
        return token

    def _question(self) -> dict[str, Any]:
        given = self._given
        question = {
            "service": given.service,
            "canary": given.canary,
            "baseline": given.baseline,
            "namespace": given.namespace,
            "variables": dict(given.variables),
            "intent": "rollback" if given.rollback else "release",
            "since": given.since,
            "as_of": given.as_of,
        }
        return {name: value for name, value in question.items() if value}


def _open_to_readers(url: str) -> bool:
    """Plain text, past this machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname == "localhost":
        return False
    try:
        return not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True


def answered(given: Inputs, environ: Mapping[str, str]) -> Answer:
    """The last answer within `wait`; raises UndecidedError and RefusedError.

    A server that held and cannot be asked any more has held: that is no gate out of reach.
    """
    try:
        server = Server(given, environ)
        answer = _patiently(server, given)
        return _with_report(server, given, answer)
    except DeniedError as error:
        raise RefusedError(f"{given.server_url}: {error}") from None


def _patiently(server: Server, given: Inputs) -> Answer:
    start = time.monotonic()
    end = start + (0.0 if given.as_of else given.wait)
    number, failures, reached = 1, 0, False
    held: Answer | None = None
    while True:
        try:
            answer = server.look(number)
        except PassingError as error:
            failures += 1
            until = max(end if reached else min(end, start + FIRST_CONTACT), start + given.timeout)
            pause = _pause(failures, error.wait)
            if time.monotonic() + pause >= until:
                why = f"{given.server_url} could not be asked, {failures} times: {error}"
                return _at_last(held, why)
            note(given.server_url, f"{error}; asking again in {pause:.1f} s")
        else:
            number, failures, reached = number + 1, 0, True
            left = end - time.monotonic()
            if answer is not None and (answer.exit_code not in WAITED_FOR or left <= 0):
                return answer
            held = answer or held
            if left <= 0 and time.monotonic() >= start + given.timeout:
                return _at_last(held, "the server was still judging when the time was up")
            pause = _until_next(given, answer, left)
        time.sleep(pause)


def _at_last(held: Answer | None, why: str) -> Answer:
    """What it said before it could not be asked any more; raises UndecidedError where nothing."""
    if held is None or held.exit_code == UNDECIDED:
        raise UndecidedError(why)
    return replace(held, reason=f"{held.reason}; since then {why}")


def _until_next(given: Inputs, answer: Answer | None, left: float) -> float:
    if answer is None:
        return STILL_JUDGING_PAUSE
    pause = min(given.poll_interval, max(left, 0.0))
    note("hold", f"{answer.reason}; asking again in {pause:.0f} s, {left:.0f} s left")
    return pause


def _pause(failures: int, wish: float | None) -> float:
    """Full jitter, or what the server asks for."""
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (min(failures, 10) - 1))
    return random.uniform(0.0, ceiling) if wish is None else wish  # noqa: S311  no secret


def _with_report(server: Server, given: Inputs, answer: Answer) -> Answer:
    """With the report for people; where it cannot be had, the verdict stays what it is."""
    until = time.monotonic() + given.timeout
    attempt, why = 0, ""
    while time.monotonic() < until:
        attempt += 1
        try:
            return replace(answer, markdown=server.markdown(answer.id))
        except PassingError as error:
            why = str(error)
            time.sleep(_pause(attempt, None))
        except DeniedError as error:
            why = str(error)
            break
    annotate("warning", f"the report could not be read, only the verdict: {why}")
    return answer
