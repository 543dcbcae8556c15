"""The dashboard and the alerts in `examples/observe` ask for what the server tells at /metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.http.parts import BAD, EXAMPLE, HOUR, ask

FOLDER = EXAMPLE.parents[1] / "observe"
ALERTS = FOLDER / "alerts.yaml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

# Labels that Prometheus adds, and the edges of a histogram's buckets.
ADDED = {"instance", "job", "le"}


def dashboard():
    board = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["query"] for one in board["templating"]["list"] if one["type"] == "query")


def alerts():
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


@pytest.fixture
def told(server):
    """The series of a server that has decided, with a gap and a budget: name -> labels."""
    for release in (BAD, "v9"):
        server.post("/v1/decisions", ask(release))
    server.clock.now += HOUR
    server.post("/v1/decisions", ask(BAD))
    text = server.client.get("/metrics").text
    series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series


@pytest.mark.parametrize("expressions", [dashboard, lambda: alerts().values()])
def test_every_series_and_label_asked_for_is_told(told, expressions):
    for expression in expressions():
        names = re.findall(r"\bgate_\w+", expression)
        assert names, expression
        assert set(names) <= set(told), expression
        labels = {one for name in names for one in told[name]} | ADDED
        grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
        asked = {one.strip() for group in grouped for one in group.split(",")}
        asked |= set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression))
        assert asked <= labels, expression


def test_the_dashboard_shows_all_that_the_server_tells(told):
    asked = {name for one in dashboard() for name in re.findall(r"\bgate_\w+", one)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in told if "gate_" in name}
    assert families == {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked}


def test_panels_have_ids_and_places_of_their_own():
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    cells = [
        (x, y)
        for one in panels
        for x in range(one["gridPos"]["x"], one["gridPos"]["x"] + one["gridPos"]["w"])
        for y in range(one["gridPos"]["y"], one["gridPos"]["y"] + one["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)


@needs_promtool
def test_promtool_reads_the_alerts():
    found = subprocess.run(
        [PROMTOOL, "check", "rules", "--lint=all", "--lint-fatal", str(ALERTS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(alerts())} rules found" in found.stdout


# What an hour of each looks like, a value a minute; and the alert that must fire at its end.
BUILD = {"series": 'gate_build_info{version="1"}', "values": "1+0x70"}
HOURS = {
    "GateDown": [],
    "GateConfigurationOld": [
        {"series": 'gate_configuration_current{instance="a"}', "values": "0+0x70"}
    ],
    "GateFailing": [
        {"series": 'gate_http_request_seconds_count{route="/v1/argo/verdict",status="503"}',
         "values": "0+10x70"},
        {"series": 'gate_http_request_seconds_count{route="/v1/argo/verdict",status="200"}',
         "values": "0+10x70"},
    ],
    "GateRefusing": [
        {"series": 'gate_http_request_seconds_count{route="/v1/argo/verdict",status="401"}',
         "values": "0+2x70"},
        {"series": 'gate_http_request_seconds_count{route="/v1/argo/verdict",status="200"}',
         "values": "0+2x70"},
    ],
    "GateBlind": [
        {"series": 'gate_gaps_total{service="shop",about="errors",cause="timeout"}',
         "values": "0+1x70"},
        {"series": 'gate_decisions_total{service="shop",outcome="hold"}', "values": "0+1x70"},
        {"series": 'gate_decisions_total{service="shop",outcome="promote"}', "values": "0+0x70"},
        {"series": 'gate_decisions_total{service="shop",outcome="rollback"}', "values": "0+0x70"},
    ],
    "GateRolledBack": [
        {"series": 'gate_decisions_total{service="shop",outcome="rollback"}',
         "values": "0+0x60 1+0x10"},
    ],
    "": [
        {"series": 'gate_configuration_current{instance="a"}', "values": "1+0x70"},
        {"series": 'gate_http_request_seconds_count{route="/v1/argo/verdict",status="200"}',
         "values": "0+10x70"},
        {"series": 'gate_decisions_total{service="shop",outcome="hold"}', "values": "0+1x70"},
        {"series": 'gate_decisions_total{service="shop",outcome="promote"}', "values": "0+1x70"},
        {"series": 'gate_decisions_total{service="shop",outcome="rollback"}', "values": "0+0x70"},
        {"series": 'gate_gaps_total{service="shop",about="errors",cause="timeout"}',
         "values": "0+1x70"},
    ],
}  # fmt: skip


@needs_promtool
@pytest.mark.parametrize("fires", HOURS)
def test_which_alert_fires(tmp_path, fires):
    """`ALERTS` is the series that Prometheus itself keeps of what fires."""
    series = HOURS[fires] if fires == "GateDown" else [*HOURS[fires], BUILD]
    expected = [{"labels": f'{{alertname="{fires}"}}', "value": 1}] if fires else []
    query = "max by (alertname) (ALERTS{alertstate='firing'})"
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m", "input_series": series,
            "promql_expr_test": [{"expr": query, "eval_time": "65m", "exp_samples": expected}],
        }],
    }  # fmt: skip
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    found = subprocess.run(
        [PROMTOOL, "test", "rules", str(tmp_path / "test.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
