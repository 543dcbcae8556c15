"""`gate outcome`: what became of releases, told on the command line."""

from __future__ import annotations

import json

import pytest

from gate.surfaces.cli.main import run
from tests.parts.clones import Repository
from tests.surfaces.test_risk import SERVICE

CHANGE = "change: {source: clone, components: {web: [app/**], library: [lib*/]}}\n"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A service with a clone of two versions, and a ledger of its own."""
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    made = Repository(tmp_path / "shop")
    made.commit("v1", {"app/a.py": "x = 1\n"})
    made.commit("v2", {"app/a.py": "x = 2\n"})
    text = SERVICE.replace("change: {source: clone}\n", CHANGE)
    (tmp_path / "gate.yaml").write_text(text)
    (tmp_path / "empty.json").write_text('{"series": []}')
    return tmp_path / "gate.yaml"


def tell(capfd, *flags: str, version: str = "v2", result: str = "completed"):
    said = ["outcome", "--service", "shop", "--version", version, "--result", result]
    assert run([*said, "--format", "json", *flags]) == 0
    return json.loads(capfd.readouterr().out)


def check(capfd, file, canary="v2"):
    run(["check", "-f", str(file), "--canary", canary, "--baseline", "v1", "--since", "20m",
         "--format", "json"])  # fmt: skip
    return json.loads(capfd.readouterr().out)


def test_the_decision_about_a_version_tells_what_changed_in_it(shop, capfd):
    decision = check(capfd, shop)
    assert decision["facts"]["change.components"] == ["web"]
    told = tell(capfd, result="rolled_back")
    assert told["schema"] == "gate.outcome/v1"
    assert told["deployment"]["components"] == ["web"]
    assert told["deployment"]["head"] == decision["change"]["head"]
    assert told["deployment"]["counted"] == [1, 1, 1, 1, 1, 0, 0, 1]
    facts = check(capfd, shop, canary="HEAD")["facts"]
    assert facts["history.deployments"] == 1
    assert facts["history.last_result"] == "rolled_back"


def test_the_same_word_told_again_is_kept_once(shop, capfd):
    first = tell(capfd)
    assert tell(capfd) == first
    assert tell(capfd, "--at", "1700000000")["id"] != first["id"]
    again = tell(capfd, "--at", "1700000000")
    assert again == tell(capfd, "--at", "1700000000")
    run(["ledger", "list", "--kind", "deployment", "--format", "json"])
    assert len(json.loads(capfd.readouterr().out)) == 2
    assert tell(capfd, result="incident")["id"] != first["id"]


def test_other_revisions_than_the_decisions_take_nothing_from_it(shop, capfd):
    check(capfd, shop)
    told = tell(capfd, "--base", "abc", "--head", "def")["deployment"]
    assert (told["base"], told["head"]) == ("abc", "def")
    assert (told["components"], told["counted"]) == (None, [])


def test_the_ledger_lists_and_shows_each_kind(shop, capfd):
    check(capfd, shop)
    id_ = tell(capfd, "--note", "paged", "--by", "ci", result="incident")["id"]
    run(["ledger", "list"])
    assert "incident" not in capfd.readouterr().out
    run(["ledger", "list", "--kind", "deployment"])
    assert "incident  shop v2" in capfd.readouterr().out
    run(["ledger", "list", "--kind", "all"])
    assert len(capfd.readouterr().out.splitlines()) == 2
    assert run(["ledger", "show", id_]) == 0
    shown = capfd.readouterr().out
    assert shown.startswith("shop v2: incident (")
    assert shown.endswith(", by ci, paged\n")


def test_the_service_file_names_the_service(shop, capfd):
    flags = ["--version", "v2", "--result", "completed"]
    assert run(["outcome", "-f", str(shop), *flags]) == 0
    assert capfd.readouterr().out.startswith("shop v2: completed (")
    assert run(["outcome", "-f", str(shop), "--service", "web", *flags]) == 2
    assert "is about 'shop', not 'web'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--result", "fine"], "'fine' is not one of 'completed', 'rolled_back'"),
        (["--result", "completed", "--base", "a"], "--base and --head belong together"),
        (["--result", "completed", "--at", "2999-01-01T00:00:00Z"], "--at lies in the future"),
        (["--result", "completed", "--note", "a\x1b[2J"], "without control codes"),
    ],
)
def test_what_cannot_be_stored_as_told_is_refused(shop, capfd, flags, said):
    assert run(["outcome", "--service", "shop", "--version", "v2", *flags]) == 2
    assert said in capfd.readouterr().err
    assert not (shop.parent / "ledger.db").exists()
