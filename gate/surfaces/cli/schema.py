"""`gate schema`: JSON Schema of the files people write."""

from __future__ import annotations

from typing import Any

import click
import orjson
import pydantic

from gate.policy.load import PolicySection
from gate.policy.suite import SuiteSection
from gate.service_file import ServiceSection
from gate.surfaces.cli.console import emit
from gate.surfaces.cli.extra import needed
from gate.surfaces.protection.app_file import AppSection

MODELS: dict[str, type[pydantic.BaseModel]] = {
    "service": ServiceSection,
    "policy": PolicySection,
    "policy-test": SuiteSection,
    "github-app": AppSection,
}
OPENAPI = "openapi"


@click.command(epilog="Example: gate schema service > gate.schema.json")
@click.argument("kind", type=click.Choice([*MODELS, OPENAPI]))
def schema(kind: str) -> None:
    """JSON Schema of the files people write; the server's API as OpenAPI."""
    body = _openapi() if kind == OPENAPI else _schema(kind)
    emit(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _schema(kind: str) -> dict[str, Any]:
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **MODELS[kind].model_json_schema()}


def _openapi() -> dict[str, Any]:
    with needed():
        from gate.surfaces.http.openapi import document
    return document()
