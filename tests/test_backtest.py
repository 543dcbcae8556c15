"""Another policy over the decisions of a ledger: what it would have said, and why."""

from dataclasses import replace

import orjson
import pytest

from gate.backtest import backtest, became
from gate.decision import conclude, decided, to_json
from gate.deployment import Deployment, Result
from gate.ledger.ledger import Entry, Record, following
from gate.ledger.memory import remember
from gate.ledger.sqlite import SqliteLedger
from gate.policy.load import from_text
from gate.request import Intent
from gate.verdict import Outcome
from tests.parts.rollouts import (
    HOUR,
    MONTH,
    SLO,
    STANDARD,
    a_metric,
    a_pair,
    a_request,
    a_service,
    an_evidence,
)

PROMOTE, HOLD, ROLLBACK = Outcome.PROMOTE, Outcome.HOLD, Outcome.ROLLBACK
AT = 1_700_002_000.0
SHARES = {"good": 0.002, "bad": 0.03}
STRICTER = """\
  - {name: thin, when: budget.remaining < 0.7, then: hold, message: "{budget.remaining:.0%} left"}
"""


def a_policy(rules="", evidence=""):
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: other\nextends: standard\nrules:\n"
    table = f"evidence:\n{evidence}" if evidence else ""
    return from_text(f"{head}{rules}{table}" if rules else f"{head[:-1]} []\n{table}", "other.yaml")


def a_decision(canary="good", at=AT, policy=STANDARD, slos=(SLO,), intent=Intent.RELEASE):
    indicators = (MONTH, HOUR) if slos else ()
    return decided(
        a_request(canary=canary, intent=intent), a_service(slos=slos), policy,
        an_evidence(a_pair(canary=SHARES[canary]), indicators=indicators),
        at=at, gate_version="0.1.0",
    )  # fmt: skip


def kept(ledger, *decisions):
    for one in decisions:
        ledger.append(Record(one.id, "shop", one.verdict.outcome, one.decided_at, to_json(one)))
    return ledger


@pytest.fixture
def ledger(tmp_path):
    return SqliteLedger(tmp_path / "ledger.db")


def under(ledger, policy, limit=50, since=0.0):
    return backtest(ledger.entries(), policy, became(ledger, None, since), limit)


def test_the_same_policy_says_the_same(ledger):
    kept(ledger, a_decision(), a_decision("bad"), a_decision(at=AT + 1.0))
    found = under(ledger, STANDARD)
    assert found.moves == {(PROMOTE, PROMOTE): 2, (ROLLBACK, ROLLBACK): 1}
    assert (found.decisions, found.changes, found.changed, found.rejudged) == (3, 0, (), 0)


def test_another_rule_is_asked_over_the_stored_facts_alone(ledger):
    decision = a_decision()
    body = orjson.loads(to_json(decision))
    body["conclusion"]["analysis"] = "nothing of it is read"
    body["evidence"] = {"history": None}  # and of the rest neither
    ledger.append(Record("d", "shop", PROMOTE, AT, orjson.dumps(body)))
    found = under(ledger, a_policy(STRICTER))
    assert found.moves == {(PROMOTE, HOLD): 1}
    (one,) = found.changed
    assert one.why == ("hold: thin: 60% left",)
    assert (one.id, one.version, one.rejudged) == ("d", "good", False)


def test_what_a_milder_policy_lets_go_names_the_rules_that_are_silent_now(ledger):
    strict = a_policy(STRICTER)
    kept(ledger, a_decision(policy=strict))
    (one,) = under(ledger, STANDARD).changed
    assert (one.before, one.after) == (HOLD, PROMOTE)
    assert one.why == ("no longer hold: thin: 60% left",)


@pytest.mark.parametrize(
    "row", ["minutes: 45", "events: 200000", "margins: 0.01", "beta: 0.0000000001%"]
)
def test_more_evidence_is_asked_of_what_was_stored(ledger, row):
    decision = a_decision()
    kept(ledger, decision)
    policy = a_policy(evidence=f"  - {{name: more, {row}}}\n")
    found = under(ledger, policy)
    (one,) = found.changed
    assert one.after is HOLD
    assert found.rejudged == (not row.startswith(("minutes", "events")))
    # The quick way says what the whole way says.
    whole = conclude(decision.request, decision.service, policy, decision.evidence)
    assert whole.verdict.outcome is HOLD
    assert one.why[0] == "hold: {0.rule}: {0.message}".format(whole.verdict.reasons[0])


def test_decisions_that_were_judged_by_the_same_table_are_not_judged_again(ledger):
    policy = a_policy(evidence="  - {name: closer, margins: 0.5}\n")
    kept(ledger, a_decision(policy=policy))
    assert under(ledger, policy).rejudged == 0
    assert under(ledger, STANDARD).rejudged == 1


def test_facts_that_were_not_known_are_counted_and_stay_unknown(ledger):
    kept(ledger, a_decision(slos=()), a_decision(at=AT + 1.0))
    found = under(ledger, a_policy(STRICTER))
    # The first has no SLO; of neither was a change seen.
    assert found.unknown["budget.remaining"] == 1
    assert found.unknown["risk.level"] == 2
    assert found.changed[-1].why == ("hold: thin: cannot be told: budget.remaining is not known",)


def test_of_promotes_that_went_wrong_it_tells_how_many_would_have_been_held(ledger):
    kept(ledger, a_decision(slos=()), a_decision(at=AT + 1.0))
    told = {"service": "shop", "version": "good", "at": AT + 3600.0}
    remember(ledger, Deployment(**told, result=Result.COMPLETED))
    held = 'budget.asked && budget.remaining < 0.7, then: hold, message: "thin"'
    policy = a_policy(f"  - {{name: thin, when: {held}}}\n")
    assert under(ledger, policy).promoted == {Result.COMPLETED: (2, 1)}
    # A bad word outweighs the good one before, and the good one after.
    remember(ledger, Deployment(**{**told, "at": AT + 7200.0}, result=Result.INCIDENT))
    remember(ledger, Deployment(**{**told, "at": AT + 9000.0}, result=Result.COMPLETED))
    found = under(ledger, policy)
    assert found.promoted == {Result.INCIDENT: (2, 1)}
    assert found.changed[0].result is Result.INCIDENT


def test_what_was_told_before_the_decision_is_not_what_became_of_it(ledger):
    told = Deployment(service="shop", version="good", at=AT - 60.0, result=Result.ROLLED_BACK)
    remember(ledger, told)
    kept(ledger, a_decision())
    assert under(ledger, STANDARD).promoted == {}


def test_going_back_stays_free_even_where_the_table_does_not_fit(ledger):
    back = a_decision(intent=Intent.ROLLBACK)
    kept(ledger, back)
    policy = a_policy(evidence="  - {name: x, minutes: 600, required: [nothing]}\n")
    assert under(ledger, policy).moves == {(PROMOTE, PROMOTE): 1}


def test_what_cannot_be_decided_again_is_told_and_not_left_out(ledger):
    kept(ledger, a_decision())
    ledger.append(Record("old", "shop", HOLD, AT, b'{"schema": "gate.decision/v0"}'))
    ledger.append(Record("odd", "shop", HOLD, AT, b'{"schema": "gate.decision/v1"}'))
    found = under(ledger, a_policy(evidence="  - {name: x, required: [nothing]}\n"))
    assert found.moves == {(PROMOTE, None): 1, (HOLD, None): 2}
    assert [one.why[0].partition(" ")[0] for one in found.changed] == ["the", "the", "evidence"]
    assert "is no metric of shop" in found.changed[-1].why[0]


@pytest.mark.parametrize("part", ["request", "evidence", "conclusion"])
def test_one_with_a_part_of_another_shape_does_not_end_it(ledger, part):
    torn = {**orjson.loads(to_json(a_decision())), part: "gone"}
    ledger.append(Record("torn", "shop", PROMOTE, AT, orjson.dumps(torn)))
    found = under(ledger, a_policy(STRICTER))
    assert found.moves == {(PROMOTE, None): 1}
    assert found.changed[0].why[0].startswith("the stored decision cannot be read: ")


def test_all_are_counted_though_only_some_are_listed(ledger):
    kept(ledger, *(a_decision(at=AT + index) for index in range(5)))
    found = under(ledger, a_policy(STRICTER), limit=2)
    assert (found.changes, len(found.changed)) == (5, 2)
    assert [one.at for one in found.changed] == [AT + 4, AT + 3]  # the newest


def test_entries_are_read_one_by_one():
    alive = 0

    class Watched(bytes):
        def __new__(cls, value):
            nonlocal alive
            alive += 1
            assert alive < 4, "bodies are kept"
            return super().__new__(cls, value)

        def __del__(self):
            nonlocal alive
            alive -= 1

    body = to_json(a_decision())

    def entries():
        for number in range(20):
            entry: Entry = following(number, "", Record(str(number), "shop", PROMOTE, AT, body))
            yield replace(entry, record=replace(entry.record, body=Watched(body)))

    assert backtest(entries(), a_policy(STRICTER), {}, 5).changes == 20


def test_metrics_of_several_kinds_are_no_hindrance(ledger):
    service = a_service(a_metric("errors"), a_metric("checkout"), slos=(SLO,))
    evidence = an_evidence(a_pair(), a_pair("checkout"), indicators=(MONTH, HOUR))
    kept(ledger, decided(a_request(), service, STANDARD, evidence, at=AT, gate_version="0"))
    assert under(ledger, a_policy(STRICTER)).moves == {(PROMOTE, HOLD): 1}
