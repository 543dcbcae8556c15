"""Files that change while the server runs are in force whole, or not at all."""

from __future__ import annotations

import os
import shutil

import pytest

from gate.settings import Settings
from gate.surfaces.http.app import create
from gate.surfaces.http.configuration import build, parts, setup
from gate.surfaces.http.reloading import Reloading
from tests.http.parts import BAD, EXAMPLE, ask, past
from tests.parts.services import service_file

URL = "http://127.0.0.1:9"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "services").mkdir()
    service_file(tmp_path / "services", URL)
    return tmp_path / "services"


@pytest.fixture
def served(folder, tmp_path):
    own = setup({}, services=(folder,), insecure=True)
    settings = Settings(ledger=tmp_path / "ledger.db")
    its = build(own, settings, {})
    reloading = Reloading(its, lambda: parts(own, settings, {}), own.files)
    return create(its).test_client(), reloading


def names(client):
    return [one["name"] for one in client.get("/v1/services").get_json()["services"]]


def test_a_new_service_is_served_once_its_file_is_there(served, folder):
    client, reloading = served
    reloading.if_changed()
    assert names(client) == ["shop"]
    text = (folder / "gate.yaml").read_text()
    (folder / "other.yaml").write_text(text.replace("name: shop", "name: other"))
    reloading.if_changed()
    assert names(client) == ["other", "shop"]
    told = client.post("/v1/decisions", json=ask() | {"service": "other"})
    assert told.status_code == 200


def test_a_broken_file_changes_nothing_and_is_told(served, folder, caplog):
    client, reloading = served
    caplog.set_level("INFO", "gate.http")
    good = (folder / "gate.yaml").read_text()
    (folder / "gate.yaml").write_text(good.replace("lag:", "lagg:"))
    reloading.if_changed()
    assert names(client) == ["shop"]
    ready = client.get("/readyz")
    assert (ready.status_code, "cannot be loaded" in ready.get_json()["files"]) == (200, True)
    assert b"gate_configuration_current 0.0" in client.get("/metrics").data
    assert "did you mean 'lag'" in caplog.text
    (folder / "gate.yaml").write_text(good)
    os.utime(folder / "gate.yaml", (1, 1))
    reloading.if_changed()
    assert client.get("/readyz").get_json()["files"] == "loaded"
    assert b"gate_configuration_current 1.0" in client.get("/metrics").data


POLICY = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: {name}
extends: {extends}
"""
SLO = """\
version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: {objective}
    sli: {{events: {{error_query: "sum(rate(bad[{{{{.window}}}}]))",
                     total_query: "sum(rate(all[{{{{.window}}}}]))"}}}}
    alerting: {{page_alert: {{disable: true}}, ticket_alert: {{disable: true}}}}
"""


def policies(client):
    return {one["name"]: one["sha256"] for one in client.get("/v1/policies").get_json()["policies"]}


def test_files_that_the_named_ones_name_are_watched_too(tmp_path):
    (tmp_path / "services").mkdir()
    (tmp_path / "slos").mkdir()
    file = service_file(tmp_path / "services", URL, policy="../above.yaml")
    file.write_text(file.read_text() + "slos: [{files: ../slos}]\n")
    (tmp_path / "above.yaml").write_text(POLICY.format(name="above", extends="./base.yaml"))
    (tmp_path / "base.yaml").write_text(POLICY.format(name="base", extends="standard"))
    (tmp_path / "slos" / "one.yaml").write_text(SLO.format(objective=99.9))
    own = setup({}, services=(file,), insecure=True)
    settings = Settings(ledger=tmp_path / "ledger.db")
    its = build(own, settings, {})
    client = create(its).test_client()
    reloading = Reloading(its, lambda: parts(own, settings, {}), own.files)
    digest = policies(client)["above"]

    (tmp_path / "base.yaml").write_text(POLICY.format(name="base", extends="tier-0"))
    reloading.if_changed()
    assert policies(client)["above"] != digest
    (tmp_path / "slos" / "one.yaml").write_text(SLO.format(objective=101))
    reloading.if_changed()
    assert its.stale
    (tmp_path / "slos" / "one.yaml").write_text(SLO.format(objective=99.95))
    reloading.if_changed()
    assert its.catalogue["shop"].gate.service.slos[0].objective == pytest.approx(0.9995)
    assert not its.stale
    (tmp_path / "slos" / "two.yaml").write_text(SLO.format(objective=99))  # of the same name
    reloading.if_changed()
    assert its.stale


def test_a_new_recording_is_read(tmp_path):
    shutil.copytree(EXAMPLE.parent, tmp_path / "recorded")
    own = setup({}, services=(tmp_path / "recorded" / EXAMPLE.name,), insecure=True)
    settings = Settings(ledger=tmp_path / "ledger.db")
    its = build(own, settings, {})
    client = create(its).test_client()
    reloading = Reloading(its, lambda: parts(own, settings, {}), own.files)
    assert client.post("/v1/decisions", json=past(BAD)).get_json()["verdict"] == "rollback"
    (recording,) = (
        one for one in its.files if one.parent.name == "recorded" and one != own.files[0]
    )
    recording.write_text('{"series": []}')
    reloading.if_changed()
    told = client.post("/v1/decisions", json=past(BAD) | {"step": "2"}).get_json()
    assert told["verdict"] == "hold"


def test_a_folder_that_is_gone_is_not_the_end_of_what_it_held(served, folder):
    client, reloading = served
    folder.rename(folder.with_name("moved"))
    reloading.if_changed()
    assert names(client) == ["shop"]
