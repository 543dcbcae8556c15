"""`gate analyze`: the judge's findings, told so that nobody takes them for a verdict."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from gate.surfaces.cli.main import run
from tests.parts.broken import BROKEN
from tests.parts.services import service_file

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "recorded" / "gate.yaml")
BAD = ["--canary", "v1.9.1", "--since", "1h", "--as-of", "2026-11-03T11:00:00Z"]
EARLY = ["--canary", "v1.9.2", "--since", "8m", "--as-of", "2026-11-04T10:08:00Z"]
ANALYZE = ["analyze", "-f", EXAMPLE, "--baseline", "v1.8.0"]
NOTHING = "analysis only: no policy was asked, nothing was decided"


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("GATE_LEDGER", str(path))
    return path


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_bad_canary_is_analysed_with_exit_0_and_a_warning_that_this_is_no_gate(
    capfd, ledger, form
):
    assert run([*ANALYZE, *BAD, "--format", form]) == 0
    out, err = capfd.readouterr()
    assert err.strip() == NOTHING
    assert "worse" in out
    assert not any(word in out.lower() for word in ("promote", "rollback", "hold"))
    assert not ledger.exists()


def test_it_tells_ratio_evidence_and_forecast(capfd):
    assert run([*ANALYZE, *BAD]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "7.36 times the baseline [5.94, 8.59]; margin 1.25 x baseline + 0.05%" in told
    assert "evidence for worse 1e106 of 400 needed, for not worse 0.0 of 20" in told
    assert "35,890 canary and 324,789 baseline requests" in told
    assert run([*ANALYZE, *EARLY]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "clear in about 8m more at this traffic, if the canary is as good" in told
    assert "3 intervals seen in both arms, 5 needed" in told


def test_it_finds_what_check_finds(capfd):
    run(["check", *ANALYZE[1:], *BAD, "--format", "json"])
    checked = json.loads(capfd.readouterr().out)
    run([*ANALYZE, *BAD, "--format", "json"])
    analysed = json.loads(capfd.readouterr().out)
    assert analysed["schema"] == "gate.analysis/v1"
    for part in ("analysis", "window", "request", "service"):
        assert analysed[part] == checked[part]
    errors = analysed["analysis"]["comparisons"][0]
    assert errors["ratio"] == pytest.approx(errors["canary"] / errors["baseline"])
    assert errors["ratio_interval"]["low"] < errors["ratio"] < errors["ratio_interval"]["high"]


@pytest.fixture
def stored(capfd, tmp_path):
    run(["check", *ANALYZE[1:], *BAD, "--format", "json"])
    id_ = json.loads(capfd.readouterr().out)["id"]
    run(["ledger", "show", id_, "--format", "stored"])
    file = tmp_path / "decision.json"
    file.write_text(capfd.readouterr().out)
    return file


def test_a_stored_decision_is_judged_again(capfd, stored, monkeypatch):
    assert run(["analyze", str(stored)]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("ANALYSIS  checkout  v1.8.0 -> v1.9.1\n")
    assert err.strip() == NOTHING
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stored.read_bytes())))
    assert run(["analyze", "-"]) == 0
    assert capfd.readouterr().out == out


def test_a_report_is_not_a_stored_decision_and_says_where_one_comes_from(capfd, tmp_path):
    run(["check", *ANALYZE[1:], *BAD, "--format", "json"])
    report = tmp_path / "report.json"
    report.write_text(capfd.readouterr().out)
    for file in (report, tmp_path / "gone.json", Path(EXAMPLE)):
        assert run(["analyze", str(file)]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert str(file) in err
        assert "Traceback" not in err
    assert run(["analyze", str(report)]) == 2
    assert "gate ledger show ID --format stored" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["-f", EXAMPLE], "--canary is missing"),
        (["-f", EXAMPLE, "--canary", "v2"], "--since is missing"),
        (["-f", EXAMPLE, "--canary", "v2", "--since", "1h"], "--baseline is missing"),
        (["decision.json", "--canary", "v2"], "a stored decision has its evidence"),
        ([*ANALYZE[1:], *BAD, "--policy", "standard"], "No such option"),
    ],
)
def test_a_wrong_flag_is_one_message_and_exit_2(capfd, flags, complaint):
    assert run(["analyze", *flags]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert complaint in err


def test_where_nothing_could_be_judged_it_exits_30(capfd, tmp_path):
    with BROKEN["500"].serve() as url:
        file = str(service_file(tmp_path, url))
        flags = ["-f", file, "--canary", "v2", "--baseline", "v1", "--since", "30m"]
        assert run(["analyze", *flags, "--timeout", "1s"]) == 30
    out, err = capfd.readouterr()
    assert "unfit" in out
    assert err.strip() == NOTHING


def test_its_help_says_that_it_is_no_gate(capfd):
    assert run(["analyze", "--help"]) == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "This is no gate" in told
    assert "Exits 0 when metrics were judged, whatever was found; 30 when none could be" in told
