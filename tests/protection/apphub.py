"""A GitHub on which an App is installed and jobs wait: it checks tokens, bodies and limits.

    hub = AppHub()
    with hub.serving():
        hub.wait(run=5, environment="production")
        ...
    assert hub.posted[-1]["state"] == "approved"

It answers as docs.github.com says: 401 for a token that is not valid, 404 for what may not be seen,
422 for what cannot be. `faults` are answers that come before all others to a callback: a status, or
LOST for one that is done and never answered.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.parts.loopback import Loopback, Quiet, serving
from tests.protection.shapes import check, filled

REPO, REPO_ID, INSTALLATION, CLIENT = "acme/shop", 4711, 77, "Iv23liTestTestTest"
PERMISSIONS = {"deployments": "write", "actions": "read"}
LOST = -1


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def pem(one: rsa.RSAPrivateKey | None = None) -> bytes:
    return (one or key()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,  # as GitHub's downloads
        serialization.NoEncryption(),
    )


@dataclass
class Deployed:
    id: int
    sha: str
    ref: str
    environment: str = "production"
    states: tuple[str, ...] = ("success", "in_progress")


@dataclass
class AppHub:
    clock: Callable[[], float] = time.time
    prefix: str = ""
    installed: dict[int, int] = field(default_factory=lambda: {INSTALLATION: REPO_ID})
    deployed: list[Deployed] = field(default_factory=list)
    waiting: set[tuple[int, str]] = field(default_factory=set)
    posted: list[dict[str, Any]] = field(default_factory=list)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    may: dict[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    down: bool = False
    asked: list[str] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    moved_to: str = ""
    retry_after: str = ""  # beside a fault
    then: Callable[[], object] = lambda: None  # once a verdict is here
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def serving(self) -> Iterator[AppHub]:
        server = _Http(self)
        self.url = server.url + self.prefix
        with serving(server):
            yield self

    def wait(self, run: int, environment: str = "production") -> None:
        self.waiting.add((run, environment))

    @property
    def answers(self) -> list[str]:
        """The verdicts that were given."""
        return [one["state"] for one in self.posted if "state" in one]

    @property
    def told(self) -> list[str]:
        """The comments without one."""
        return [one["comment"] for one in self.posted if "state" not in one]

    def reply(self, method: str, target: str, token: str, raw: str) -> tuple[int, Any]:
        path = urlsplit(target).path.removeprefix(self.prefix)
        self.asked.append(f"{method} {path}")
        if self.down:
            return 503, {"message": "Service Unavailable"}
        if path.startswith("/app/"):
            return self._token(path, token, json.loads(raw))
        if path == f"/repos/{REPO}/installation":
            return self._installation(token)
        if self.tokens.get(token, 0.0) <= self.clock():
            return 401, {"message": "Bad credentials"}
        if path.endswith("/deployment_protection_rule"):
            return self._callback(int(path.split("/")[-2]), json.loads(raw))
        query = parse_qs(urlsplit(target).query)
        return self._read(path, query.get("environment", [""])[0])

    def _app(self, token: str) -> bool:
        """Whether the JWT is the App's, signed by its key and short enough."""
        try:
            said = jwt.decode(
                token, key().public_key(), ["RS256"], options={"verify_exp": False,
                "verify_iat": False, "require": ["iss", "iat", "exp"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return False
        now = self.clock()
        return said["iss"] == CLIENT and said["iat"] <= now < said["exp"] <= now + 600

    def _installation(self, token: str) -> tuple[int, Any]:
        if not self._app(token):
            return 401, {"message": "A JSON web token could not be decoded"}
        if not self.installed:
            return 404, {"message": "Not Found"}
        return 200, {"id": next(iter(self.installed)), "app_slug": "gate"}

    def _token(self, path: str, token: str, body: Any) -> tuple[int, Any]:
        if not self._app(token):
            return 401, {"message": "A JSON web token could not be decoded"}
        installation = int(path.split("/")[3])
        if installation not in self.installed:
            return 404, {"message": "Not Found"}
        if any(self.may.get(name) != level for name, level in body["permissions"].items()):
            return 422, {"message": "The permissions requested are not granted"}
        if body["repository_ids"] != [self.installed[installation]]:
            return 422, {"message": "There is at least one repository that does not exist"}
        made = f"ghs_{len(self.tokens):036}"
        self.tokens[made] = self.clock() + 3600
        ends = datetime.fromtimestamp(self.tokens[made], UTC)
        answer = filled("installation-token", token=made, expires_at=f"{ends:%Y-%m-%dT%H:%M:%SZ}")
        check("installation-token", answer)
        return 201, answer

    def _callback(self, run: int, body: dict[str, Any]) -> tuple[int, Any]:
        fault = self.faults.pop(0) if self.faults else 0
        if fault > 0:
            return fault, {"message": "There are no pending deployments to approve or reject"}
        name = "state" if "state" in body else "comment"
        check(f"review-custom-gates-{name}-required", body)
        waits = (run, body["environment_name"])
        if len(body["comment"]) > 1024 or len(self.posted) >= 10 or waits not in self.waiting:
            return 422, {"message": "There are no pending deployments to approve or reject"}
        self.posted.append({"run": run, **body})
        environment = [{"id": 1, "name": body["environment_name"]}]
        self.approvals.append(
            filled(
                "environment-approvals", environments=environment,
                state=body.get("state", "pending"), comment=body["comment"],
            )
        )  # fmt: skip
        check("environment-approvals", self.approvals[-1])
        if "state" in body:
            self.waiting.discard(waits)
            self.then()
        return (LOST if fault == LOST else 204), None

    def _read(self, path: str, environment: str) -> tuple[int, Any]:
        root, parts = f"/repos/{REPO}/", path.split("/")
        if path.endswith("/approvals"):
            return 200, self.approvals
        if path == f"{root}deployments":
            there = [one for one in self.deployed if one.environment == environment]
            return 200, [
                filled("deployment", id=one.id, sha=one.sha, ref=one.ref)
                for one in sorted(there, key=lambda one: -one.id)
            ]
        if path.startswith(f"{root}deployments/"):
            states = next(one.states for one in self.deployed if one.id == int(parts[-2]))
            return 200, [filled("deployment-status", state=state) for state in states]
        return 404, {"message": "Not Found"}


class _Http(Loopback):
    def __init__(self, hub: AppHub) -> None:
        super().__init__(_Handler)
        self.hub = hub


class _Handler(Quiet):
    server: _Http

    def reply(self, form: str) -> None:
        token = self.headers.get("Authorization", "").partition(" ")[2]
        hub = self.server.hub
        if hub.moved_to:
            self.send_response(307)
            self.send_header("Location", hub.moved_to + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with hub.lock:
            status, body = hub.reply(self.command, self.path, token, form)
        if status == LOST:
            self.close_connection = True
            return
        self.send(status, "application/json", b"" if body is None else json.dumps(body).encode())

    def end_headers(self) -> None:
        if self.server.hub.retry_after:
            self.send_header("Retry-After", self.server.hub.retry_after)
        super().end_headers()
