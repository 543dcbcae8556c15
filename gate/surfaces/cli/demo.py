"""`gate demo`: the main job on recorded releases; no server, no account."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

import click

from gate.errors import GateError
from gate.packaged import shipped
from gate.request import Request
from gate.service_file import load
from gate.settings import settings
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.show import show
from gate.surfaces.exit_code import exit_code
from gate.units import seconds
from gate.wiring import gate as wired


@dataclass(frozen=True, slots=True)
class _Release:
    """One recorded release: its version, when it is judged, how long it has run."""

    canary: str
    as_of: str
    since: str
    story: str


RELEASES = (
    _Release("v1.9.0", "2026-11-02T11:00:00Z", "1h", "a good release, an hour in"),
    _Release("v1.9.1", "2026-11-03T11:00:00Z", "1h", "a bad release, an hour in"),
    _Release("v1.9.2", "2026-11-04T10:08:00Z", "8m", "too early to tell"),
)
BASELINE = "v1.8.0"
EXPECTED = {"v1.9.0": 0, "v1.9.1": 20, "v1.9.2": 10}


@click.command(epilog="Example: gate demo")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text")
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
def demo(form: str, ledger: str | None) -> None:
    """Judge three recorded releases of one service: one good, one bad, one too young.

    The recording is simulated (examples/recorded/record.py) and judged by the same path as
    `gate check`. Exits 0 when the verdicts are promote, rollback and hold, as they should be.
    """
    path = shipped("examples") / "recorded" / "gate.yaml"
    gate = wired(load(path), settings(os.environ, ledger=ledger), os.environ)
    for release in RELEASES:
        command = (
            f"gate check -f {path} --canary {release.canary} --baseline {BASELINE} "
            f"--since {release.since} --as-of {release.as_of}"
        )
        emit(f"# {release.story}\n$ {command}\n\n")
        decision = gate.decide(
            Request(
                service=gate.service.name,
                canary=release.canary,
                baseline=BASELINE,
                as_of=datetime.fromisoformat(release.as_of).timestamp(),
                since=seconds(release.since),
            )
        )
        code = exit_code(decision)
        show(decision, form, code)
        emit(f"exit code {code}\n\n\n")
        if code != EXPECTED[release.canary]:
            raise GateError(
                f"the recorded release {release.canary} was judged {decision.verdict.outcome}",
                f"expected exit code {EXPECTED[release.canary]}; please report this",
            )
