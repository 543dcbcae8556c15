"""`gate serve`: the gate behind HTTP."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from gate.settings import settings
from gate.surfaces.cli import options
from gate.surfaces.cli.console import tell
from gate.surfaces.cli.extra import needed

DEFAULT = "127.0.0.1:8080"


@click.command(
    epilog="Example: gate serve --services services/ --policies policies/ --tokens tokens.yaml"
)
@click.option(
    "--services", multiple=True, help="A service file, or a folder of them (GATE_SERVICES)."
)
@click.option("--policies", help="Where policies are looked for by name first (GATE_POLICIES).")
@click.option("--listen", default=DEFAULT, show_default=True, help="Host and port.")
@click.option("--tokens", help="Who may ask: a file of `gate token new` lines (GATE_TOKENS).")
@click.option("--github", help="The GitHub App it is: a file (GATE_GITHUB).")
@click.option("--url", help="How people reach it, for links in answers (GATE_URL).")
@click.option("--insecure", is_flag=True, default=None, help="Without tokens (GATE_INSECURE).")
@click.option("--ledger", help="Where decisions are kept (GATE_LEDGER).")
@options.TIMEOUT
def serve(**flags: Any) -> None:
    """Answer over HTTP until told to stop: Argo Rollouts, Flagger, GitHub, whatever can POST.

    Exits 2 when a file is wrong. On SIGTERM it answers what was begun and exits 0. Changed files
    are loaded within ten seconds, or on SIGHUP; while they are wrong, those of before are in force.
    """
    with needed():
        from gate.surfaces.http import configuration, logs, reloading
        from gate.surfaces.http import serve as http
    own = configuration.setup(
        os.environ,
        services=tuple(map(Path, flags["services"])) or None,
        policies=Path(flags["policies"]) if flags["policies"] else None,
        tokens=Path(flags["tokens"]) if flags["tokens"] else None,
        github=Path(flags["github"]) if flags["github"] else None,
        url=flags["url"],
        insecure=flags["insecure"],
        listen=configuration.address(flags["listen"]),
    )
    found = settings(os.environ, ledger=flags["ledger"], timeout=flags["timeout"])
    its = configuration.build(own, found, os.environ)
    host, port = own.listen or ("", 0)
    with http.listen(host, port) as listening:
        for one in its.catalogue.values():
            for warning in one.file.warnings:
                tell(f"warning: {warning}")
        where = f"http://{flags['listen'].rpartition(':')[0]}:{listening.getsockname()[1]}"
        tell(f"gate: {', '.join(sorted(its.catalogue))} on {where}")
        logs.to_standard_error()
        load = partial(configuration.parts, own, found, os.environ)
        http.serve(its, listening, reloading.Reloading(its, load, own.files))
