"""The API is what its document says, and the document in the repository is that document."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gate.surfaces.cli.main import run
from gate.surfaces.http.openapi import document
from tests.http.parts import BAD, HOUR, past, running

CHECKED_IN = Path(__file__).parents[2] / "docs" / "openapi.json"
CHECKS = [
    not_a_server_error, content_type_conformance, response_schema_conformance,
    status_code_conformance,
]  # fmt: skip


def test_the_one_in_the_repository_is_up_to_date(capfdbinary):
    assert run(["schema", "openapi"]) == 0
    assert capfdbinary.readouterr().out == CHECKED_IN.read_bytes(), "gate schema openapi > docs/..."


def test_it_names_every_route(server):
    assert server.get("/v1/openapi.json")[1] == document()
    told = {
        (path.replace("{id}", "<>"), method.upper())
        for path, methods in document()["paths"].items()
        for method in methods
    }
    there = {
        (str(rule).replace("<id_>", "<>").replace("<service>", "<>").replace("<run_id>", "<>"), one)
        for rule in server.client.application.url_map.iter_rules()
        for one in rule.methods - {"HEAD"}
    }
    assert there == told


def _operations():
    return [(path, method) for path, methods in document()["paths"].items() for method in methods]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), _operations())
def test_generated_requests_get_the_answers_it_promises(tmp_path, path, method):
    server = running(tmp_path)
    server.clock.now += HOUR
    server.post("/v1/decisions", past(BAD))
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", server.client.application)
    operation = schema[path][method.upper()]

    @hypothesis.settings(
        max_examples=25, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy())
    def conforms(case):
        for name in ("service", "name"):  # or nearly all would end with "no such service"
            if isinstance(case.body, dict) and name in case.body:
                case.body[name] = "checkout"
        case.call_and_validate(checks=CHECKS)

    conforms()
    assert server.ledger.verify().faults == ()
