"""Files that change while the server runs are in force whole, or not at all."""

from __future__ import annotations

import os

import pytest

from gate.settings import Settings
from gate.surfaces.http.app import create
from gate.surfaces.http.configuration import build, parts, setup
from gate.surfaces.http.reloading import Reloading
from tests.http.parts import ask
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


def test_a_folder_that_is_gone_is_not_the_end_of_what_it_held(served, folder):
    client, reloading = served
    folder.rename(folder.with_name("moved"))
    reloading.if_changed()
    assert names(client) == ["shop"]
