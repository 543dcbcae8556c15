"""`gate risk fit` from files, from clones and from the ledger, and the model it writes in use."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gate.deployment import Deployment, Result
from gate.errors import UsageError
from gate.ledger.memory import remember
from gate.ledger.sqlite import SqliteLedger
from gate.model_file import load
from gate.risk.features import ALL, SIZES
from gate.surfaces.cli.main import run
from gate.surfaces.cli.outcomes import of_file
from tests.parts.clones import Repository
from tests.risk.test_refit import by_a_quarter, by_the_shipped_model, by_trodden_files, commits
from tests.surfaces.test_risk import SERVICE


def a_table(path: Path, labelled, names=ALL) -> Path:
    with path.open("w") as file:
        table = csv.writer(file)
        table.writerow(["at", *names, "incident"])
        for one in labelled:
            row = [one.features[name] for name in names]
            table.writerow([one.time, *row, int(one.buggy)])
    return path


def fit(*flags: str) -> int:
    return run(["risk", "fit", *flags])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Path:
    """A model fitted to a team that is hurt where files change often."""
    folder = tmp_path_factory.mktemp("fitted")
    table = a_table(folder / "labels.csv", commits(600, by_trodden_files))
    assert fit("--outcomes", str(table), "--out", str(folder / "risk.json")) == 0
    return folder / "risk.json"


def test_a_better_model_is_written_and_says_of_what(fitted):
    assert "gate risk fit, 600 changes" in fitted.read_text()
    assert load(fitted).sha256
    assert {path.name for path in fitted.parent.iterdir()} == {"labels.csv", "risk.json"}


def test_where_it_is_no_better_nothing_is_written_and_the_figures_are_told(tmp_path, capfd):
    table = a_table(tmp_path / "labels.csv", commits(600, by_the_shipped_model))
    out = tmp_path / "risk.json"
    assert fit("--outcomes", str(table), "--out", str(out), "--format", "json") == 30
    told, err = capfd.readouterr()
    assert "the shipped model stays: on the newest changes it is not better" in err
    assert not out.exists()
    found = json.loads(told)
    assert (found["schema"], found["better"], found["written"]) == ("gate.risk_fit/v1", False, None)
    assert found["trial"]["held_out"] == 180


def test_labels_without_history_give_a_model_by_size(tmp_path, capfd):
    table = a_table(tmp_path / "labels.csv", commits(900, by_a_quarter), SIZES)
    assert fit("--outcomes", str(table), "--out", str(tmp_path / "m.json")) == 0
    assert "A MODEL OF YOUR OWN" in capfd.readouterr().out
    assert set(load(tmp_path / "m.json").history.curves) == set(SIZES)


def test_revisions_are_counted_by_the_clone_and_those_it_lacks_are_named(tmp_path, capfd):
    made = Repository(tmp_path / "shop")
    for number in range(6):
        made.commit(f"v{number}", {"app/a.py": "x\n" * number}, at=1.7e9 + number)
    labels = [{"base": f"v{n}", "head": f"v{n + 1}", "rolled_back": n % 2 == 0} for n in range(5)]
    labels.append({"base": "v1", "head": "gone", "incident": 1})
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(map(json.dumps, labels)))
    flags = ["--outcomes", str(path), "--repo", str(made.folder), "--format", "json"]
    assert fit(*flags) == 30
    told, err = capfd.readouterr()
    assert "5 changes are labelled, 3 of them bad; 200 with 30 bad ones are needed" in err
    assert "git knows no revision 'gone'" in json.loads(told)["left_out"][0]
    assert fit("--outcomes", str(path), "--repo", str(tmp_path / "none")) == 30
    assert "none" in capfd.readouterr().err


def test_what_the_ledger_was_told_are_labels(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    ledger = SqliteLedger(tmp_path / "ledger.db")
    for n, one in enumerate(commits(12, lambda _: 0.5)):
        told = Deployment(
            service="shop", version=f"v{n}", at=one.time, counted=tuple(one.features.values()),
            result=Result.INCIDENT if one.buggy else Result.COMPLETED,
        )  # fmt: skip
        remember(ledger, told)
    remember(ledger, replace(told, version="v99", result=Result.ABORTED))
    assert fit("--from-ledger", "--service", "shop", "--format", "json") == 30
    assert json.loads(capfd.readouterr().out)["changes"] == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base,head\na,b\n", "labels.csv:2: no label"),
        ("base,bad\na,1\n", "labels.csv:2: neither counted nor named"),
        ("base,head,bad\na,b,2\n", "labels.csv:2: bad is '2', neither 0 nor 1"),
        ("base,head,result\na,b,fine\n", "labels.csv:2: result is 'fine'"),
        ("base,head,bad,at\na,b,1,noon\n", "labels.csv:2: time is 'noon'"),
        ('{"base": "a"\n', "labels.csv:1: not valid JSON"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, text, said):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        of_file(path)
    assert said in str(caught.value)


def test_labels_are_named_once(capfd):
    assert fit() == 2
    assert "name the labels once" in capfd.readouterr().err
    assert fit("--outcomes", "x", "--from-ledger") == 2


def test_a_service_weighs_by_its_own_model_and_the_decision_replays_without_the_file(
    tmp_path, capfd, monkeypatch, fitted
):
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    made = Repository(tmp_path / "shop")
    made.commit("v1", {"app/a.py": "x = 1\n" * 40})
    made.commit("v2", {"app/a.py": "x = 2\n"})
    (tmp_path / "empty.json").write_text('{"series": []}')
    (tmp_path / "risk.json").write_bytes(fitted.read_bytes())
    own = SERVICE.replace("change: {source: clone}", "change: {source: clone, model: risk.json}")
    likelihoods = []
    for text in (SERVICE, own):
        (tmp_path / "gate.yaml").write_text(text)
        run(["check", "-f", str(tmp_path / "gate.yaml"), "--canary", "v2", "--baseline", "v1",
             "--since", "20m", "--format", "json"])  # fmt: skip
        told = json.loads(capfd.readouterr().out)
        likelihoods.append(told["risk"]["likelihood"])
    assert likelihoods[0] != likelihoods[1]
    (tmp_path / "risk.json").unlink()
    assert run(["replay", told["id"]]) == 0
    assert "every number is the same" in capfd.readouterr().out
    run(["ledger", "show", told["id"], "--format", "stored"])
    stored = json.loads(capfd.readouterr().out)
    assert stored["service"]["risk_model"]["sha256"] == load(fitted).sha256


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"trained":', '"traind":', "unknown key 'traind'; did you mean 'trained'?"),
        ('"sizes":{"intercept":-', '"sizes":{"intercept":.nan,"x":-', "unknown key 'x'"),
        ('"medians":{"la":', '"medians":{"x":.nan,"la":', "medians.x: "),
        ('"la":[0.0,1.0,3', '"la":[0.0,3.0,1', "knots.la: the numbers should rise"),
        ('"values":{"la":[0.0,', '"values":{"la":[9.0,', "sizes.values.la: the numbers should"),
        ('"values":{"la":[0.0,', '"values":{"la":[', "values for another number of knots"),
        ('"values":{"la"', '"values":{"lb"', "unknown feature 'lb'\n  known: la, ld"),
        ('"medians":{"la"', '"medians":{"lx"', "'la' is not among the `medians`"),
    ],
)
def test_a_model_that_was_changed_by_hand_is_refused_with_its_place(
    tmp_path, fitted, old, new, said
):
    text = fitted.read_text()
    assert old in text
    path = tmp_path / "risk.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{path}:1:")
