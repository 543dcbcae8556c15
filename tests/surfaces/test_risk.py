"""`gate risk` on real clones, and its table of quality."""

from __future__ import annotations

import gzip
import json
import os

import pytest

from gate.surfaces.cli.main import run
from tests.parts.clones import Repository

HEADER = "project,t,la,ld,nf,nd,ns,ent,age,nuc,buggy\n"


@pytest.fixture
def repository(tmp_path):
    """Sixty changes of three lines or thirty, a tiny one, then a large one over many folders."""
    made = Repository(tmp_path / "shop")
    made.commit("import", {"README.md": "r\n"})
    for number in range(60):
        made.commit(
            f"c{number}", {f"app/{number % 7}.py": f"{number}\n" * (3 if number % 3 else 30)}
        )
    made.commit("tiny", {"app/new.py": "x\n"})
    made.commit("v2", {f"lib{n}/@team.py": "x\n" * 62 for n in range(20)})
    return made


def a_table(rows=200):
    lines = (f"p,{n},{n},0,1,1,1,0,5,3,{int(n % 3 == 0 or n > 150)}" for n in range(rows))
    return HEADER + "\n".join(lines)


def test_a_large_change_among_small_ones_says_why(repository, capfd):
    assert run(["risk", "--repo", str(repository.folder), "--base", "tiny", "--head", "v2"]) == 0
    out = " ".join(capfd.readouterr().out.split())
    assert out.startswith("CRITICAL RISK tiny -> v2")
    assert "riskier than 100% of the last 61 changes of this repository" in out
    assert "bug-introducing likelihood" in out
    assert "because 1,240 lines were added; the median change here adds 3" in out


def test_a_tiny_change_is_low_in_every_format(repository, capfd):
    tiny = ["risk", "--repo", str(repository.folder), "--base", "c59", "--head", "tiny"]
    for form in ("text", "json", "markdown"):
        assert run([*tiny, "--format", form]) == 0
        out = capfd.readouterr().out
        assert "low" in out.lower()
        assert form == "json" or "1 line in 1 file in 1 directory" in out


def test_json_adds_up_and_tells_how_many_it_was_compared_with(repository, capfd):
    flags = ["--base", "tiny", "--head", "v2", "--format", "json"]
    assert run(["risk", "--repo", str(repository.folder), *flags]) == 0
    told = json.loads(capfd.readouterr().out)
    risk = told["risk"]
    total = risk["usual"] + sum(factor["log_odds"] for factor in risk["factors"])
    assert total == pytest.approx(risk["log_odds"])
    assert told["change"]["recent"] == risk["compared"] == 61
    assert told["schema"] == "gate.risk/v1"


@pytest.mark.parametrize(
    ("base", "head", "code", "said"),
    [
        ("c59", "v3", 30, "git knows no revision 'v3'"),
        ("c59", "c59", 30, "nothing differs between 'c59' and 'c59'"),
        ("c59", "--output=x", 30, "'--output=x' is not a git revision"),
        ("", "v2", 2, "--base is missing"),
    ],
)
def test_what_cannot_be_told_is_one_message(repository, capfd, base, head, code, said):
    flags = ["--base", base, f"--head={head}"]
    assert run(["risk", "--repo", str(repository.folder), *flags]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err


def test_a_folder_that_is_no_clone_is_named(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.sep)
    (tmp_path / "plain").mkdir()
    assert run(["risk", "--repo", str(tmp_path / "plain"), "--base", "a", "--head", "b"]) == 30
    assert "not a git repository" in capfd.readouterr().err


def test_a_service_weighs_its_change_from_its_clone_and_replays_it(
    repository, capfd, monkeypatch, tmp_path
):
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    (tmp_path / "gate.yaml").write_text(SERVICE)
    (tmp_path / "empty.json").write_text('{"series": []}')
    check = ["check", "-f", str(tmp_path / "gate.yaml"), "--canary", "v2", "--since", "20m"]
    run([*check, "--baseline", "tiny", "--format", "json"])
    told = json.loads(capfd.readouterr().out)
    assert told["facts"]["risk.level"] == "critical"
    assert told["facts"]["risk.percentile"] == 100.0
    assert run(["replay", told["id"]]) == 0
    assert "every number is the same" in capfd.readouterr().out
    run([*check, "--baseline", "v2", "--format", "json"])
    told = json.loads(capfd.readouterr().out)
    assert told["risk"] is None
    assert ("change", "empty") in [(gap["about"], gap["cause"]) for gap in told["gaps"]]


SERVICE = """\
apiVersion: gate/v1
kind: Service
name: shop
sources:
  seen: {kind: file, path: empty.json}
  clone: {kind: git, repo: shop}
arms: {canary: 'version="{{canary}}"', baseline: 'version="{{baseline}}"'}
metrics:
  - {name: errors, kind: events, source: seen, bad: 'bad{ {{selector}} }', total: 'all{ {{selector}} }'}
change: {source: clone}
policy: standard
"""  # noqa: E501


@pytest.mark.parametrize("packed", [False, True])
def test_the_quality_of_any_labelled_data(tmp_path, capfd, packed):
    path = tmp_path / "commits.csv"
    text = a_table().encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    assert run(["risk", "evaluate", "--data", str(path), "--format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["commits"] == 200
    assert told["notes"] == []
    assert told["quality"]["lines alone"]["brier"] is None
    # Here only lines tell anything, so the model's order is theirs but for ties.
    lines, model = (told["quality"][name]["auc"] for name in ("lines alone", "size and spread"))
    assert model == pytest.approx(lines, abs=0.01)
    assert run(["risk", "evaluate", "--data", str(path)]) == 0
    assert "with history" in capfd.readouterr().out


def test_data_without_history_is_measured_without(tmp_path, capfd):
    path = tmp_path / "commits.csv"
    path.write_text("la,ld,nf,nd,ns,ent,buggy\n1,1,1,1,1,0,0\n90,1,1,1,1,0,1\n")
    assert run(["risk", "evaluate", "--data", str(path), "--format", "json"]) == 0
    assert set(json.loads(capfd.readouterr().out)["quality"]) == {"lines alone", "size and spread"}


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), (b"\x1f\x8bbroken", "cannot be read"), (b"\xff", "cannot be read"),
     (b"a,b\n1,2\n", "no column la, ld")],
)  # fmt: skip
def test_a_file_that_holds_no_commits_is_named(tmp_path, capfd, content, said):
    path = tmp_path / "commits.csv"
    if content is not None:
        path.write_bytes(content)
    assert run(["risk", "evaluate", "--data", str(path)]) == 2
    err = capfd.readouterr().err
    assert f"{path}: {said}" in err
