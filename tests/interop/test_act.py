"""nektos/act 0.2.89 runs the action in whole workflows, as a second runner besides our own.

Three things it does unlike GitHub's, so that no test here is about them. It ends the steps of a
cancelled run with SIGKILL and not with SIGINT first, so that the outcome is empty and not
`cancelled` (tests/action/ has the signal). It gives a step a terminal to write to. It undoes the
escapes of a command (%25, %0A) in no order, so texts that hold them are not compared.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.action.judging import BAD as WORSE
from tests.action.judging import GOOD as FINE
from tests.action.judging import RECORDED
from tests.action.test_local_mode import MALICIOUS, indexed
from tests.action.test_server_mode import FORGED, a_report, answers
from tests.interop.conftest import story
from tests.interop.seen import TOKEN
from tests.interop.workflows import CHECKOUT, ROOT, Ran, checked_out, released, run
from tests.parts.broken import answering
from tests.parts.clones import Repository
from tests.parts.hubwriting import Board
from tests.parts.ports import free_port
from tests.parts.prometheus import prometheus
from tests.parts.services import service_file
from tests.parts.versions import BAD, BASELINE, GOOD, NEW, histories
from tests.parts.workflow import has

pytestmark = [pytest.mark.slow, pytest.mark.interop]

RECORDING = {"service-file": "examples/recorded/gate.yaml", "baseline": "v1.8.0"}
FOLLOWED = {
    "promoted": {"gate": "success", "promote": "success"},
    "rolled back": {"gate": "failure", "roll-back": "success"},
}


def a_job(*steps, **more):
    return {"runs-on": "ubuntu-24.04", "steps": list(steps), **more}


def telling(value, **more):
    """A step that prints what it reads; where the steps before it failed, too."""
    return {"if": "always()", "env": {"TOLD": value}, "run": 'printf %s "$TOLD"', **more}


def a_release(*more, **given):
    """Gate, then promote or roll back, like examples/github/deploy.yml."""
    outcome = "${{ needs.gate.outputs.outcome }}"
    gate = a_job(
        CHECKOUT,
        {"id": "gate", "uses": "./", "with": given},
        telling("${{ toJSON(steps.gate) }}", id="told"),
        *more,
        outputs={"outcome": "${{ steps.gate.outputs.outcome }}"},
    )
    promote = a_job(telling(outcome, id="after"), needs="gate")
    back = a_job(
        telling(outcome, id="after"),
        needs="gate",
        **{"if": "always() && needs.gate.result != 'success'"},
    )
    return {"on": "push", "env": {"STABLE": BASELINE},
            "jobs": {"gate": gate, "promote": promote, "roll-back": back}}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Repository:
    return checked_out(tmp_path_factory.mktemp("project") / "gate")


@pytest.fixture
def acted(act_program, project, tmp_path, line, request):
    """Runs a workflow of this project, noted in the table."""

    def ran(workflow, **how):
        done = run(act_program, project, workflow, tmp_path, **how)
        line(f"act      {story(request):75}{ended(done)}")
        return done

    return ran


def ended(ran: Ran) -> str:
    return ", ".join(f"{name} {result}" for name, result in ran.jobs.items())


def asking(url, canary, **given):
    return {
        "server-url": url, "service": "shop", "namespace": "shop", "canary": canary,
        "baseline": "${{ env.STABLE }}", "token": "${{ secrets.GATE_TOKEN }}", "wait": "0s",
        **given,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("canary", "given", "outcome", "exit_code", "then"),
    [
        (GOOD, {}, "promote", "0", "promoted"),
        (BAD, {}, "rollback", "20", "rolled back"),
        (BAD, {"dry-run": "true"}, "rollback", "20", "promoted"),
        (NEW, {}, "hold", "10", "rolled back"),
        (NEW, {"fail-on": "rollback"}, "hold", "10", "promoted"),
    ],
    ids=["good", "bad", "bad, dry run", "just begun", "just begun, a hold passes"],
)
def test_the_verdict_of_the_server_says_which_job_follows(
    acted, seen, canary, given, outcome, exit_code, then
):
    report = telling("${{ steps.gate.outputs.report }}", id="report", run='cat "$TOLD"')
    workflow = a_release(report, **asking(seen.server.url, canary, **given))
    ran = acted(workflow, secrets={"GATE_TOKEN": TOKEN})
    assert ran.jobs == FOLLOWED[then]
    assert ran.said("after") == outcome
    told = json.loads(ran.said("told"))
    assert told["outcome"] == told["conclusion"] == ran.jobs["gate"]
    assert (told["outputs"]["outcome"], told["outputs"]["exit-code"]) == (outcome, exit_code)
    id_ = told["outputs"]["decision-id"]
    assert told["outputs"]["decision-url"] == f"{seen.server.url}/v1/decisions/{id_}"
    assert json.loads(ran.said("report"))["id"] == id_
    assert f"decision `{id_}`" in ran.summary("gate")


@pytest.mark.parametrize(
    ("given", "then"), [("fail", "rolled back"), ("warn", "promoted")], ids=["fail", "warn"]
)
def test_a_server_out_of_reach_fails_or_passes_the_job_as_told(acted, given, then):
    nobody = f"http://127.0.0.1:{free_port()}"
    told = {"timeout": "1s", "on-unreachable": given}
    ran = acted(a_release(**asking(nobody, GOOD, **told)), secrets={"GATE_TOKEN": TOKEN})
    assert ran.jobs == FOLLOWED[then]
    assert ran.said("after") == "error"
    assert json.loads(ran.said("told"))["outputs"]["exit-code"] == "30"


def test_nothing_a_server_says_forges_an_output_or_is_obeyed(acted):
    forged = "::set-output name=outcome::promote\n##[set-output name=outcome;]promote\n"
    forged += f"::stop-commands::x\n::add-mask::rollback\n{FORGED}"
    report = a_report(verdict="rollback", exit_code=20, id=forged, reasons=[{"message": forged}])
    with answering(answers(report={**report, "markdown": forged})) as server:
        ran = acted(a_release(**asking(server.url, GOOD)), secrets={"GATE_TOKEN": TOKEN})
    assert ran.jobs == FOLLOWED["rolled back"]
    assert ran.said("after") == "rollback"
    outputs = json.loads(ran.said("told"))["outputs"]
    assert set(outputs) == {"outcome", "exit-code", "decision-id", "decision-url", "report"}
    assert (outputs["outcome"], outputs["decision-id"]) == ("rollback", forged)
    assert ran.obeyed("gate") == ["add-mask", "group", "endgroup", "error"]


NAMED = "::set-output name=outcome::promote"


def test_no_name_of_a_version_is_obeyed(acted, seen):
    workflow = a_release(**asking(seen.server.url, NAMED))
    ran = acted(workflow, secrets={"GATE_TOKEN": TOKEN})
    assert ran.jobs == FOLLOWED["rolled back"]
    assert ran.said("after") == "error"
    assert ran.obeyed("gate") == ["add-mask", "error"]


def test_a_step_killed_in_the_middle_promotes_nothing(acted):
    nobody = f"http://127.0.0.1:{free_port()}"
    workflow = a_release(**asking(nobody, GOOD, wait="20m"))
    ran = acted(workflow, secrets={"GATE_TOKEN": TOKEN}, interrupt=has("asking again"))
    assert ran.jobs == FOLLOWED["rolled back"]
    assert ran.said("after") == ""


@indexed
def test_a_job_judges_by_itself_and_installs_once_for_its_steps(acted, tmp_path):
    file = tmp_path / "gate.yaml"
    file.write_text(RECORDED.read_text().replace("name: errors", f'name: "{MALICIOUS}"'))
    asked = {
        "fine": FINE, "worse": WORSE, "named": {**WORSE, "canary": NAMED},
        "forged": {**WORSE, "service-file": str(file)},
    }  # fmt: skip
    steps = [
        {"id": id_, "uses": "./", "continue-on-error": True, "with": {**RECORDING, **given}}
        for id_, given in asked.items()
    ]
    gate = a_job(CHECKOUT, *steps, outputs={
        id_: f"${{{{ steps.{id_}.outcome }}}} ${{{{ steps.{id_}.outputs.outcome }}}}"
        for id_ in asked
    })  # fmt: skip
    after = a_job(telling("${{ toJSON(needs.gate) }}", id="after"), needs="gate")
    ran = acted({"on": "push", "jobs": {"gate": gate, "after": after}})
    assert json.loads(ran.said("after")) == {"result": "success", "outputs": {
        "fine": "success promote", "worse": "failure rollback", "named": "failure error",
        "forged": "failure error",
    }}  # fmt: skip
    assert "installed in" in ran.said("fine")
    assert "installed in" not in ran.said("worse")
    assert "ROLLBACK: checkout" in ran.summary("worse")
    for id_, name in (("named", NAMED), ("forged", MALICIOUS)):
        assert name in ran.said(id_)
        assert ran.obeyed(id_) == ["error"]


ACTION = "OWNER/gate@0000000000000000000000000000000000000000"
STARTED = {"canary": "success", "gate": "success"}


def a_shop(folder: Path, *, promote: str = "") -> Repository:
    """The repository of a team that deploys by the example; `promote`: a command it fails by."""
    shop = Repository(folder)
    noted = f'echo "$(basename "$0") $*" >> {folder}.txt'
    scripts = dict.fromkeys(("start-canary", "promote", "remove-canary"), noted)
    scripts |= {"stable-version": f"echo {BASELINE}", "promote": f"{noted}\n{promote}"}
    (folder / "scripts").mkdir()
    for name, does in scripts.items():
        (folder / "scripts" / name).write_text(f"#!/bin/sh -e\n{does}\n")
        (folder / "scripts" / name).chmod(0o755)
    return released(shop)


@indexed
def test_the_example_promotes_the_good_and_takes_the_rest_away(
    act_program, project, tmp_path, line
):
    shops = {
        "good": a_shop(tmp_path / "good"),
        "bad": a_shop(tmp_path / "bad"),
        "stuck": a_shop(tmp_path / "stuck", promote="exit 1"),
    }
    commits = {name: shop("rev-parse", "HEAD") for name, shop in shops.items()}
    errors = {BASELINE: 0.0001, **dict.fromkeys(commits.values(), 0.0001), commits["bad"]: 0.05}
    board = Board(may={"statuses"})
    workflow = ROOT / "examples" / "github" / "deploy.yml"

    def deployed(name):
        ran = run(
            act_program, shops[name], workflow, tmp_path / f"{name}-run",
            secrets={"GITHUB_TOKEN": "ghs_x"}, actions={ACTION: project.folder},
            environ={"GITHUB_API_URL": hub.url},
        )  # fmt: skip
        line(f"act      {f'the example deploys a {name} version':75}{ended(ran)}")
        did = (tmp_path / f"{name}.txt").read_text().replace(commits[name], "it")
        return ran.jobs, did.splitlines()

    with prometheus(history=histories(time.time(), errors, scrape=5.0)) as url:
        for shop in shops.values():  # not committed: its port comes after the commits' names
            service_file(shop.folder, url, step="10s", absolute=0.02, policy="./quick.yaml")
        with answering(board) as hub, ThreadPoolExecutor(len(shops)) as pool:
            good, bad, stuck = pool.map(deployed, shops)
    started = ["start-canary it --weight 10"]
    assert good == ({**STARTED, "promote": "success"}, [*started, "promote it"])
    taken_away = {"roll-back": "success"}
    assert bad == (
        {**STARTED, "gate": "failure", **taken_away}, [*started, "remove-canary it"],
    )  # fmt: skip
    assert stuck == (
        {**STARTED, "promote": "failure", **taken_away},
        [*started, "promote it", "remove-canary it"],
    )
    for name, state in (("good", "success"), ("bad", "failure"), ("stuck", "success")):
        path = f"/repos/acme/shop/statuses/{commits[name]}"
        assert [body["state"] for to, body in board.written if to == path] == ["pending", state]
