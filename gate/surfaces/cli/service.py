"""`gate show`: the service file with presets, defaults and short forms filled in."""

from __future__ import annotations

from typing import Any

import click
import orjson

from gate.surfaces.cli import options
from gate.surfaces.cli.console import emit
from gate.wiring import policy_of


@click.command(epilog="Example: gate show -f gate.yaml")
@click.option("-f", "--file", "path", default="gate.yaml", show_default=True, help="Service file.")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml")
def show(path: str, form: str) -> None:
    """The service as the gate understands it: nothing hidden in a preset or default."""
    file = options.service_file(path)
    policy = policy_of(file)
    whole = {
        "judge": "kayenta" if file.service.kayenta else "gate",
        "service": file.service,
        "sources": file.sources,
        "policy": {
            "name": policy.name,
            "sha256": policy.sha256,
            "mode": policy.mode,
            "rules": policy.rules,
        },
    }
    plain: Any = orjson.loads(orjson.dumps(whole))
    if form == "json":
        emit(orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    import yaml

    emit(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100))
