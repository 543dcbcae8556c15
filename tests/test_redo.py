"""Every part that a decision may rest on is stored with it: decided again, it is the same."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from gate.backtest import backtest
from gate.decision import decided, from_json, redo, to_json
from gate.deployment import Deployment, History, Result
from gate.evidence.evidence import Evidence
from gate.ledger.ledger import Entry, Record
from gate.override import Override
from gate.policy.calendar import closures
from gate.policy.explain import explain
from gate.policy.given import typed
from gate.policy.load import from_text
from gate.policy.situation import situation
from gate.pull import PullRequests
from gate.request import Intent
from gate.risk.model import shipped
from gate.service import ChangeRange, PullRange
from gate.surfaces.report.document import as_json
from gate.surfaces.report.input import input_json
from tests.parts.rollouts import (
    HOUR,
    MONTH,
    SLO,
    SMALL,
    WINDOW,
    a_pair,
    a_request,
    a_service,
)

NOW = WINDOW.end
POLICY = from_text(
    """\
apiVersion: gate/v1
kind: ReleasePolicy
name: everything
extends: error-budget
rules:
  - {name: alone, when: change.approvals < 1, then: warn, message: "{change.approvals}"}
  - {name: failing, when: history.failure_rate > 0.5, then: hold, message: "{history.last_result}"}
  - {name: hours, when: calendar.minutes_to_freeze < 60.0, then: warn, mode: audit, message: soon}
freezes:
  - {name: always, from: 2023-01-01, until: 2024-01-01, zone: Europe/Berlin, except: [hotfix]}
  - {name: nights, cron: "0 22 * * *", duration: 8h, zone: Asia/Kolkata}
  - {name: open, kind: allow, cron: "0 9 * * 1-5", duration: 8h}
overrides: {rules: [regression], longest: 2h}
evidence:
  - {name: risky, when: risk.likelihood > 0.01, alpha: 0.5%, margins: 0.5, minutes: 60, events: 90}
  - {name: known, when: history.deployments > 2, beta: 1%, required: ["err*"]}
  - {name: patient, settle: {after: 10m, beta: 20%}}
""",
    "everything.yaml",
)
SERVICE = a_service(
    slos=(SLO,),
    risk_model=shipped(),
    labels={"region": "eu"},
    change=ChangeRange(
        source="m", base="v1", head="v2", dependents=3, pull=PullRange(source="m", base="", head="")
    ),
)
CHANGE = replace(
    SMALL, subsystems=1, entropy=0.4, age=3.5, changes=7.0, touches=("migrations",), types=("fix",),
    components=("pay",), owners=("@a/pay",), flagged=False,
    recent=tuple((float(n), 1.0, 1.0, 1.0, 1.0, 0.1, 2.0, 3.0) for n in range(60)),
)  # fmt: skip
PULLS = PullRequests(
    numbers=(7,), labels=("hotfix",), types=("fix", "hotfix"), approvals=1, self_approved=False,
    changes_requested=False, failing=(), pending=("e2e",), missing=None, notes=("n",),
)  # fmt: skip
OVERRIDE = Override(
    id="3f9c0a12b4", service="shop", version="v2", by="ada", approved_by="grace", reason="it must",
    ticket="INC-1", created_at=NOW - 60.0, expires_at=NOW + 3_600.0,
)  # fmt: skip
NAMED = replace(OVERRIDE, id="77aa77aa77", rules=("regression", "always"))
TOLD = tuple(
    Deployment(
        service="shop", version=f"v1.{n}", result=Result.ROLLED_BACK if n % 2 else Result.COMPLETED,
        at=NOW - 1_000.0 * n, components=("pay",), counted=(3.0, 1.0, 1.0, 1.0, 1.0, 0.1),
    )
    for n in range(25)
)  # fmt: skip
GOOD = Deployment(service="shop", version="v2", result=Result.COMPLETED, at=NOW - 9_000.0)
CALENDAR = closures(POLICY.freezes, SERVICE, NOW)
WHOLE = Evidence(
    window=WINDOW,
    pairs=(a_pair(),),
    indicators=(MONTH, HOUR),
    change=CHANGE,
    pulls=PULLS,
    calendar=CALENDAR,
    history=History(TOLD, (OVERRIDE, NAMED)),
)
PARTS = {
    "everything": WHOLE,
    "no pull requests": replace(WHOLE, pulls=None),
    "no change": replace(WHOLE, change=None, pulls=None),
    "no calendar": replace(WHOLE, calendar=None),
    "no history": replace(WHOLE, history=None),
    "frozen": replace(WHOLE, pulls=None, history=History(TOLD)),
    "shown worse": replace(WHOLE, pairs=(a_pair(canary=0.02),)),
    "shown worse, not lifted": replace(
        WHOLE, pairs=(a_pair(canary=0.02),), history=History(TOLD, (OVERRIDE,))
    ),
    "known good": replace(WHOLE, history=History((GOOD, *TOLD))),
    "nothing seen": replace(WHOLE, pairs=()),
}


@pytest.fixture(params=PARTS)
def evidence(request):
    return PARTS[request.param]


def a_decision(evidence, intent=Intent.RELEASE):
    request = a_request(intent=intent, labels=("night",))
    return decided(request, SERVICE, POLICY, evidence, at=NOW, gate_version="0.1.0")


@pytest.mark.parametrize("intent", Intent)
def test_it_is_the_same_to_the_last_bit(evidence, intent):
    decision = a_decision(evidence, intent)
    read = from_json(to_json(decision))
    assert to_json(read) == to_json(decision)
    assert to_json(redo(read)) == to_json(decision.conclusion)
    assert as_json(read, 0) == as_json(decision, 0)


def test_a_decision_from_before_policies_had_deadlines_is_the_same(evidence):
    decision = a_decision(evidence)
    old = orjson.loads(to_json(decision))
    assert old["policy"].pop("deadline") == 5400.0
    read = from_json(to_json(old))
    assert (read.policy.deadline, read.policy.longest_wait) == (None, 1800.0)
    assert to_json(redo(read)) == to_json(decision.conclusion)


def test_the_parts_matter():
    """Else what is stored of them would prove nothing."""
    told = {name: a_decision(one).conclusion for name, one in PARTS.items()}
    assert {name: str(one.verdict.outcome) for name, one in told.items()} == {
        **dict.fromkeys(PARTS, "promote"),
        "no history": "hold",
        "frozen": "hold",
        "shown worse, not lifted": "rollback",
    }
    whole = to_json(told.pop("everything"))
    assert all(to_json(one) != whole for one in told.values())


# A backtest reckons the freezes of the policy it asks, also where nobody had.
@pytest.mark.parametrize("name", [name for name in PARTS if PARTS[name].calendar is not None])
@pytest.mark.parametrize("intent", Intent)
def test_its_own_policy_says_the_same_in_a_backtest(name, intent):
    decision = a_decision(PARTS[name], intent)
    record = Record(
        id=decision.id, service="shop", outcome=decision.verdict.outcome, at=NOW,
        body=to_json(decision),
    )  # fmt: skip
    found = backtest([Entry(1, record, "", "")], POLICY, {}, 10)
    assert (found.decisions, found.changes, found.rejudged) == (1, 0, 0)


def test_it_is_explained_as_it_was_decided_and_handed_on(evidence):
    read = from_json(to_json(a_decision(evidence)))
    facts = typed(read.conclusion.facts, "here")
    told = explain(read.policy, facts, Intent.RELEASE, situation(read.request, read.evidence))
    assert told.verdict.outcome is read.verdict.outcome
    assert told.verdict.reasons == read.verdict.reasons
    assert orjson.loads(input_json(read))["facts"]["service"]["name"] == "shop"
