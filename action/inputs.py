"""What the step was told, read strictly: an unknown value is refused, never a default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

PREFIX = "GATE_ACTION_"
UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
LONGEST = 35 * 86_400.0  # no run of a workflow takes longer
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[wdhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_NAMED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.+")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_VISIBLE = re.compile(r"[!-~]*")
WHEN = ("always", "on-failure", "never")
SERVICE_FILE = "gate.yaml"
ONLY_LOCAL = ("service-file", "policy", "labels")
ONLY_SERVER = ("service", "namespace", "token", "ca-file")


class WrongInputError(Exception):
    """An input that is wrong as written: what, and what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of action.yml. Durations in seconds, lists as tuples; empty text is not given.

    `since` and `as_of` are moments (RFC 3339); `since` is empty where a server knows best.
    """

    service_file: str
    server_url: str
    service: str
    canary: str
    baseline: str
    since: str
    as_of: str
    variables: tuple[tuple[str, str], ...]
    namespace: str
    rollback: bool
    policy: str
    labels: tuple[str, ...]
    wait: float
    poll_interval: float
    timeout: float
    fail_on: str
    on_unreachable: str
    dry_run: bool
    summary: str
    comment: str
    status: bool
    check: bool
    deployment_id: str
    pull_request: str
    github_token: str
    token: str
    oidc_audience: str
    ca_file: str


def inputs(environ: Mapping[str, str], now: datetime) -> Inputs:
    """The inputs that the step's `env:` holds; raises WrongInputError."""
    try:
        return _inputs(_Given(environ), now)
    except OverflowError:
        raise WrongInputError("since or as-of is further away than any calendar") from None


def _inputs(given: _Given, now: datetime) -> Inputs:
    told = Inputs(
        variables=tuple(given.variables()),
        labels=tuple(given.lines("labels")),
        summary=given.one_of("summary", WHEN),
        comment=given.one_of("comment", WHEN),
        since=given.since(now),
        as_of=given.as_of(),
        fail_on=given.one_of("fail-on", ("hold", "rollback")),
        on_unreachable=given.one_of("on-unreachable", ("fail", "warn")),
        **{name: given.yes(name.replace("_", "-")) for name in _YES_OR_NO},  # type: ignore[arg-type]
        **{name: given.seconds(name.replace("_", "-")) for name in _SECONDS},  # type: ignore[arg-type]
        **{name: given.text(name.replace("_", "-")) for name in _TEXTS},  # type: ignore[arg-type]
    )
    _check_together(given, told)
    return replace(told, service_file=told.service_file or SERVICE_FILE)


_YES_OR_NO = ("rollback", "dry_run", "status", "check")
_SECONDS = ("wait", "poll_interval", "timeout")
_TEXTS = (
    "service_file", "server_url", "service", "canary", "baseline", "namespace", "policy",
    "deployment_id", "pull_request", "github_token", "token", "oidc_audience", "ca_file",
)  # fmt: skip


class _Given:
    """The inputs by their own names, as text."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def raw(self, name: str) -> str:
        return self._environ.get(PREFIX + name.replace("-", "_").upper(), "").strip()

    def text(self, name: str) -> str:
        """One line without control characters: it becomes an argument or a header."""
        text = self.raw(name)
        if text and not text.isprintable():
            raise WrongInputError(f"{name} holds a line break or control characters")
        return text

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        text = self.raw(name)
        if text not in known:
            raise WrongInputError(f"{name} is {text!r}; write one of: {', '.join(known)}")
        return text

    def yes(self, name: str) -> bool:
        return self.one_of(name, ("true", "false")) == "true"

    def seconds(self, name: str) -> float:
        text = self.raw(name)
        if not _WHOLE.fullmatch(text):
            raise WrongInputError(f"{name} is {text!r}; write a duration: 30s, 20m, 1h30m")
        if (length := _length(text)) > LONGEST:
            raise WrongInputError(f"{name} is {text!r}; no job runs so long")
        return length

    def since(self, now: datetime) -> str:
        """A moment; the step's own start where this job judges and nothing is said."""
        text = self.raw("since")
        if _WHOLE.fullmatch(text):
            end = self._moment("as-of") or now
            return _written(end - timedelta(seconds=_length(text)))
        if not text and self.raw("as-of"):
            raise WrongInputError("as-of needs since: the canary's start belongs to a past moment")
        if not text and not self.raw("server-url"):
            return _written(now - timedelta(seconds=1))
        found = self._moment("since", "20m, or ")
        return _written(found) if found else ""

    def as_of(self) -> str:
        found = self._moment("as-of")
        return _written(found) if found else ""

    def _moment(self, name: str, or_else: str = "") -> datetime | None:
        text = self.raw(name)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise WrongInputError(f"{name} is {text!r}; write {or_else}2026-11-03T10:00:00Z")
        return found

    def lines(self, name: str) -> Iterator[str]:
        for line in self.raw(name).splitlines():
            if line.strip():
                if not line.strip().isprintable():
                    raise WrongInputError(f"{name} holds control characters")
                yield line.strip()

    def variables(self) -> Iterator[tuple[str, str]]:
        given: set[str] = set()
        for line in self.lines("variables"):
            if not _NAMED.fullmatch(line):
                raise WrongInputError(f"variables: {line!r} is not name=value")
            name, _, value = line.partition("=")
            if name in given:
                raise WrongInputError(f"variables names {name!r} twice")
            given.add(name)
            yield name, value


def _length(text: str) -> float:
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _check_together(given: _Given, told: Inputs) -> None:
    """What goes with what; raises WrongInputError."""
    if not told.canary:
        raise WrongInputError("canary is empty; name the version that is judged")
    _check_forms(given)
    if told.pull_request and told.comment == "never":
        raise WrongInputError("pull-request means nothing without comment: always or on-failure")
    if told.server_url:
        _check_server(given, told)
    else:
        _check_local(given)


def _check_forms(given: _Given) -> None:
    for name in ("poll-interval", "timeout"):
        if given.seconds(name) <= 0:
            raise WrongInputError(f"{name} must be longer than nothing")
    for name in ("deployment-id", "pull-request"):
        number = given.raw(name)
        if number and not _NUMBER.fullmatch(number):
            raise WrongInputError(f"{name} is {number!r}; write its number")
    for name in ("github-token", "token"):
        if not _VISIBLE.fullmatch(given.raw(name)):
            raise WrongInputError(f"{name} holds what no token has: a space, or more than ASCII")


def _check_local(given: _Given) -> None:
    for name in ONLY_SERVER:
        if given.raw(name):
            raise WrongInputError(f"{name} means nothing without server-url")


def _check_server(given: _Given, told: Inputs) -> None:
    parts = _address(told.server_url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise WrongInputError("server-url holds more than an address; a token goes in token")
    if not told.service:
        raise WrongInputError("service is empty; name it as the server does")
    for name in ONLY_LOCAL:
        if given.raw(name):
            raise WrongInputError(
                f"{name} means nothing beside server-url: the server does not ask it"
            )


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        web = parts.scheme in {"http", "https"} and _VISIBLE.fullmatch(parts.path)
        known = bool(web and parts.hostname and parts.port != 0)
        (parts.hostname or "").encode("idna")
    except ValueError:  # of brackets, a port, a name too long
        known = False
    if not known:
        raise WrongInputError("server-url is no http:// or https:// address")
    return parts
