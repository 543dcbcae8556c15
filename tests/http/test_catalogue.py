"""Every service file of a folder, or every complaint about them."""

from __future__ import annotations

import pytest

from gate.errors import UsageError
from gate.settings import Settings
from gate.surfaces.cli.main import run
from gate.surfaces.http.catalogue import catalogue
from tests.http.parts import EXAMPLE
from tests.parts.services import QUICK, service_file

URL = "http://127.0.0.1:9"


def served(tmp_path, *paths, policies=None):
    return catalogue(paths, policies, Settings(ledger=tmp_path / "ledger.db"), {})


def test_a_folder_holds_services_and_may_hold_policies(tmp_path):
    service_file(tmp_path, URL, policy="./quick.yaml")
    (tmp_path / ".hidden.yaml").write_text("nonsense: [")
    (tmp_path / "notes.txt").write_text("")
    found = served(tmp_path, tmp_path, EXAMPLE)
    assert set(found) == {"shop", "checkout"}
    assert found["shop"].gate.policy.name == "quick"


def test_the_folder_of_policies_comes_before_the_shipped_ones(tmp_path):
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "standard.yaml").write_text(QUICK)
    found = served(tmp_path, service_file(tmp_path, URL), policies=policies)
    assert found["shop"].gate.policy.name == "quick"


def test_all_that_is_wrong_is_told_at_once(tmp_path, capfd):
    folder = tmp_path / "services"
    folder.mkdir()
    good = service_file(folder, URL).read_text()
    (folder / "quick.yaml").unlink()
    (folder / "typo.yaml").write_text(good.replace("lag:", "lagg:"))
    (folder / "kind.yaml").write_text(good.replace("kind: Service", "kind: Servcie"))
    (folder / "policy.yaml").write_text(good.replace("policy: standard", "policy: standrad"))
    assert run(["serve", "--services", str(folder), "--services", str(tmp_path / "no.yaml")]) == 2
    told = capfd.readouterr().err
    for complaint in ("typo.yaml:", "did you mean 'lag'", "kind.yaml:", "did you mean 'standard'",
                      "no.yaml: no such file"):  # fmt: skip
        assert complaint in told, told


def test_services_on_one_prometheus_share_what_is_known_of_it(tmp_path):
    text = service_file(tmp_path, URL, policy="standard").read_text()
    (tmp_path / "other.yaml").write_text(text.replace("name: shop", "name: other"))
    found = served(tmp_path, tmp_path / "gate.yaml", tmp_path / "other.yaml", EXAMPLE)
    breakers = {name: {id(one._breaker) for one in its.gate.sources.values()}
                for name, its in found.items()}  # fmt: skip
    assert breakers["shop"] == breakers["other"] != breakers["checkout"]


def test_two_files_of_one_service_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        service_file(tmp_path / name, URL)
    with pytest.raises(UsageError, match="service 'shop' is declared in"):
        served(tmp_path, tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ([], "no service file is named"),
        (["--services", str(EXAMPLE), "--listen", "here"], "is no address to listen on"),
        (["--services", str(EXAMPLE), "--listen", "0.0.0.0:1"], "without tokens anybody could ask"),
        (["--services", str(EXAMPLE), "--tokens", "no.yaml"], "no.yaml: no such file"),
        (["--services", str(EXAMPLE), "--policies", "nowhere"], "nowhere: no such folder"),
        (["--services", str(EXAMPLE), "--url", "gate"], "is no URL"),
    ],
)
def test_a_server_that_cannot_start_is_one_message_and_exit_2(capfd, flags, complaint):
    assert run(["serve", *flags]) == 2
    assert complaint in capfd.readouterr().err
