"""Whatever a source does, the gate ends in hold, rollback or exit 30; never in promote.

Unless two people answer for it: an override in the ledger, for this version and in force, lifts the
hold and is quoted. It is the only way, and none where something critical was shown worse.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gate.ledger.overrides import grant
from gate.ledger.sqlite import SqliteLedger
from gate.override import Override
from gate.surfaces.cli.main import run
from tests.parts.broken import BROKEN, HEALTHY
from tests.parts.services import service_file

AS_OF = 1_700_003_640.0  # a multiple of the step; half an hour is judged


def check(url, tmp_path, capfd, judge="gate", since="30m"):
    """The exit code and the report of one `gate check` against the server."""
    file = service_file(tmp_path, url)
    file.write_text(f"{file.read_text()}judge: {judge}\n")
    code = run(
        ["check", "-f", str(file), "--canary", "v2", "--baseline", "v1", "--since", since,
         "--as-of", str(AS_OF), "--format", "json", "--timeout", "4s",
         "--ledger", str(tmp_path / "ledger.db")]
    )  # fmt: skip
    return code, json.loads(capfd.readouterr().out)


def test_a_healthy_source_does_promote(tmp_path, capfd):
    # Without this one, a gate that always holds would pass the tests below.
    with HEALTHY.serve() as url:
        code, report = check(url, tmp_path, capfd)
    assert (code, report["verdict"]) == (0, "promote"), report["reasons"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_source_that(name, tmp_path, capfd):
    behaviour = BROKEN[name]
    with behaviour.serve() as url:
        code, report = check(url, tmp_path, capfd)
    if behaviour.promotes:
        assert (code, report["verdict"]) == (0, "promote"), report["gaps"]
        return
    assert code in (10, 30)
    assert report["verdict"] == "hold"
    assert report["analysis"]["safe"] is False
    if behaviour.cause:
        assert {gap["cause"] for gap in report["gaps"]} >= {behaviour.cause}
        unfit = [one for one in report["analysis"]["comparisons"] if one["finding"] == "unfit"]
        assert any(behaviour.cause in one["why"] for one in unfit)


def test_a_healthy_source_does_promote_by_kayentas_judge(tmp_path, capfd):
    with HEALTHY.serve() as url:
        code, report = check(url, tmp_path, capfd, "kayenta", "60m")
    assert (code, report["verdict"]) == (0, "promote"), report["analysis"]
    assert report["analysis"]["score"] == 100.0


@pytest.mark.parametrize("name", [name for name, one in BROKEN.items() if not one.promotes])
def test_by_kayentas_judge_a_source_that(name, tmp_path, capfd):
    with BROKEN[name].serve() as url:
        code, report = check(url, tmp_path, capfd, "kayenta", "60m")
    assert (code, report["verdict"]) in ((10, "hold"), (30, "hold")), report["analysis"]
    assert report["analysis"]["safe"] is False


BREAK_GLASS = Override(
    id="", service="shop", version="v2", by="ada", approved_by="grace", ticket="INC-1",
    reason="monitoring is down", created_at=AS_OF - 60, expires_at=AS_OF + 3600,
)  # fmt: skip
# One of each kind of failure: nothing there, an error, an answer that is none.
FAILURES = [name for name in BROKEN if not BROKEN[name].promotes][::6]


@pytest.mark.parametrize("name", FAILURES)
def test_an_approved_override_alone_lifts_the_hold_of_a_source_that(name, tmp_path, capfd):
    granted = grant(SqliteLedger(tmp_path / "ledger.db"), BREAK_GLASS)
    with BROKEN[name].serve() as url:
        code, report = check(url, tmp_path, capfd)
    assert (code, report["verdict"]) == (0, "promote"), report["reasons"]
    assert report["analysis"]["safe"] is False
    lifted = [one for one in report["reasons"] if one["lifted"]]
    assert {one["lifted"] for one in lifted} == {f"override {granted.id[:8]}"}
    assert "shown, not assumed" in [one["rule"] for one in lifted]
    assert "ada, approved by grace" in report["notes"][0]


@pytest.mark.parametrize(
    "said",
    [
        {"version": "v3"},
        {"service": "web"},
        {"created_at": AS_OF - 7200, "expires_at": AS_OF - 1},
        {"rules": ("blind",)},
        {"created_at": AS_OF + 1},
    ],
    ids=lambda said: next(iter(said)),
)
def test_an_override_that_is_not_for_this_lifts_nothing(said, tmp_path, capfd):
    grant(SqliteLedger(tmp_path / "ledger.db"), replace(BREAK_GLASS, **said))
    with BROKEN[FAILURES[0]].serve() as url:
        code, report = check(url, tmp_path, capfd)
    assert code in (10, 30)
    assert report["verdict"] == "hold"
