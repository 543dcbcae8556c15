"""`gate import`: the files of other tools as files of the gate."""

from __future__ import annotations

from pathlib import Path

import click

from gate.errors import UsageError
from gate.kayenta_config import load
from gate.surfaces.cli.console import emit, tell
from gate.surfaces.cli.kayenta_defects import defects
from gate.surfaces.cli.kayenta_service import plain_name, service_file


@click.group("import", epilog="Example: gate import kayenta canary.json > gate.yaml")
def import_() -> None:
    """Translate another tool's configuration into a service file."""


@import_.command(epilog="Example: gate import kayenta canary.json --name checkout > gate.yaml")
@click.argument("file")
@click.option("--name", help="The service's name; the config's own where not given.")
@click.option(
    "--judge", type=click.Choice(["kayenta", "gate"]), default="kayenta", show_default=True,
    help="kayenta: the same labels and score, read with care. gate: translated for the gate's own "
    "judge, which may be asked as often as you like.",
)  # fmt: skip
def kayenta(file: str, name: str | None, judge: str) -> None:
    """A canary config of Kayenta (JSON) as a service file, on standard output.

    On standard error, one warning for each known defect of Kayenta's judge it runs into, and what
    the gate does instead.
    """
    config = load(Path(file))
    if name is not None and name != plain_name(name, ""):
        raise UsageError(
            f"--name {name!r} cannot name a service",
            "use letters, digits, spaces and . _ / - only, a letter or digit first",
        )
    called = name or plain_name(config.name or "", "imported")
    emit(service_file(config, called, own_judge=judge == "gate"))
    for defect in defects(config):
        tell(f"warning: {defect}")
