"""`gate schema`: JSON Schema of the files people write."""

from __future__ import annotations

import click
import orjson
import pydantic

from gate.policy.load import PolicySection
from gate.policy.suite import SuiteSection
from gate.service_file import ServiceSection
from gate.surfaces.cli.console import emit

MODELS: dict[str, type[pydantic.BaseModel]] = {
    "service": ServiceSection,
    "policy": PolicySection,
    "policy-test": SuiteSection,
}


@click.command(epilog="Example: gate schema service > gate.schema.json")
@click.argument("kind", type=click.Choice(list(MODELS)))
def schema(kind: str) -> None:
    """JSON Schema of a Service, ReleasePolicy or PolicyTest file, for editors."""
    body = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **MODELS[kind].model_json_schema(),
    }
    emit(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
