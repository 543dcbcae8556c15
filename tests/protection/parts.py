"""What GitHub sends, signed; and a server over the recorded example that is an App."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from gate.surfaces.http.signatures import signature
from gate.surfaces.protection.app_file import App, load
from gate.surfaces.protection.protection import Protection
from tests.http.parts import BASELINE, GOOD, HOUR, STARTED, Clock, Running, running
from tests.parts.hub import sha
from tests.protection.apphub import CLIENT, INSTALLATION, REPO, REPO_ID, AppHub, Deployed, pem
from tests.protection.shapes import filled

SECRET, OLD = "It's a Secret to Everybody", "another secret"
ENVIRON = {"HOOK_SECRET": SECRET, "OLD_HOOK_SECRET": OLD}
RUN = 5_000_000_001

FILE = """\
apiVersion: gate/v1
kind: GitHubApp
app: {client}
private_key: app.pem
webhook_secret_env: [HOOK_SECRET, OLD_HOOK_SECRET]
url: {url}
environments:
  - repository: Acme/Shop
    environment: production
    service: {service}
{more}"""

TAGS = """\
    canary: "{{ref}}"
    baseline: "{{stable_ref}}"
    since: 60m
"""


def app_file(folder: Path, url: str, more: str = TAGS, service: str = "checkout") -> Path:
    (folder / "app.pem").write_bytes(pem())
    file = folder / "github.yaml"
    file.write_text(FILE.format(client=CLIENT, url=url, more=more, service=service))
    return file


def payload(
    hub: AppHub, ref: str = GOOD, run: int = RUN, deployment: int = 900, **said: Any
) -> dict[str, Any]:
    """The body of a delivery, whole as GitHub's schema knows it; None for a key takes it away."""
    callback = f"{hub.url}/repos/{REPO}/actions/runs/{run}/deployment_protection_rule"
    body = filled(
        "hook-webhook-deployment-protection-rule-requested",
        optional=True,
        action="requested",
        environment="production",
        event="push",
        deployment_callback_url=callback,
        deployment=filled("hook-deployment", id=deployment, sha=sha(ref), ref=ref),
        repository=filled("hook-repository-webhooks", id=REPO_ID, full_name=REPO),
        installation={"id": INSTALLATION, "node_id": "MDIz"},
        **said,
    )
    return {name: value for name, value in body.items() if value is not None}


def delivery(
    body: Any, *, secret: str = SECRET, guid: str = "", event: str = "deployment_protection_rule"
) -> tuple[bytes, dict[str, str]]:
    """The body and headers as GitHub sends them."""
    raw = orjson.dumps(body)
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid or str(uuid.uuid4()),
        "X-GitHub-Hook-ID": "1",
        "X-Hub-Signature-256": signature(raw, secret),
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
    }
    return raw, headers


@dataclass
class Waiting:
    """A server that is an App, the GitHub it is an App of, and the hand on both their clocks."""

    server: Running
    hub: AppHub
    clock: Clock

    @property
    def protection(self) -> Protection:
        return self.server.its.protection

    def deliver(self, body: Any = None, **how: Any) -> tuple[int, Any]:
        raw, headers = delivery(payload(self.hub) if body is None else body, **how)
        sent = {name.replace("-", "_"): text for name, text in headers.items()}
        del sent["Content_Type"]
        return self.server.post("/v1/github/webhook", raw, **sent)

    def keep_waiting(self, seconds: float | None) -> None:
        """The policy that decides has this deadline from now on."""
        gate = self.server.its.catalogue["checkout"].gate
        gate.policy = replace(gate.policy, deadline=seconds)

    def turn(self, run: int = RUN, environment: str = "production") -> float | None:
        return self.protection.turn((REPO_ID, run, environment))

    def log(self, caplog: Any, event: str) -> list[Any]:
        told = [orjson.loads(one.message) for one in caplog.records if one.name == "gate.http"]
        return [one for one in told if one["event"] == event]


def waiting(
    folder: Path, hub: AppHub, more: str = TAGS, *, deadline: float = 1800.0, **about: Any
) -> Waiting:
    """An hour after the good release began; its baseline is the last that was deployed."""
    clock = Clock(STARTED[GOOD] + HOUR)
    hub.clock = clock
    hub.deployed = [
        Deployed(1, sha("v1.7.0"), "v1.7.0"),
        Deployed(2, sha(BASELINE), BASELINE, states=("inactive", "success", "in_progress")),
        Deployed(3, sha("v1.8.1"), "v1.8.1", states=("failure", "in_progress")),
        Deployed(900, sha(GOOD), GOOD, states=("waiting",)),
    ]
    hub.wait(RUN)
    server = running(folder, github=app(folder, hub, more), **about)
    server.clock.now = clock.now
    hub.clock = server.clock
    gate = Waiting(server, hub, server.clock)
    gate.keep_waiting(deadline)
    return gate


def app(folder: Path, hub: AppHub, more: str = TAGS) -> App:
    return load(app_file(folder, hub.url, more), ["checkout"], ENVIRON)
