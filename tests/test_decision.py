import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from gate import service_file
from gate.decide import Gate
from gate.decision import decided, from_json, redo, to_json
from gate.errors import LedgerError
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.ledger.sqlite import SqliteLedger
from gate.metric import Kind
from gate.request import Window
from gate.series import Buckets, Counts, Levels, Samples, array
from gate.service import ChangeRange
from gate.settings import Settings
from gate.verdict import Outcome
from gate.wiring import gate
from tests.parts.rollouts import (
    HOUR,
    MONTH,
    RECORDED,
    SLO,
    SMALL,
    STANDARD,
    T0,
    WINDOW,
    FixedSource,
    a_metric,
    a_pair,
    a_policy,
    a_request,
    a_series,
    a_service,
    an_evidence,
)

RELEASES = {
    "v1.9.0": ("2026-11-02T11:00:00Z", 3600.0, Outcome.PROMOTE),
    "v1.9.1": ("2026-11-03T11:00:00Z", 3600.0, Outcome.ROLLBACK),
    "v1.9.2": ("2026-11-04T10:08:00Z", 480.0, Outcome.HOLD),
}


def recorded_request(canary):
    moment, since, _ = RELEASES[canary]
    return a_request(
        service="checkout", canary=canary, baseline="v1.8.0", since=since,
        as_of=datetime.fromisoformat(moment).timestamp(),
    )  # fmt: skip


@pytest.fixture
def recorded(tmp_path):
    """The gate of examples/recorded, with its ledger in a folder of this test."""
    return gate(service_file.load(RECORDED), Settings(ledger=tmp_path / "ledger.db"), {})


def a_decision(*pairs, service=None, **said):
    usual = {
        "request": a_request(), "service": service or a_service(), "policy": STANDARD,
        "evidence": an_evidence(*pairs), "at": 1_700_002_000.5, "gate_version": "0.1.0",
    }  # fmt: skip
    return decided(**{**usual, **said})


def again(decision):
    """The decision as stored and read back, decided once more, as JSON."""
    read = from_json(to_json(decision))
    assert to_json(read) == to_json(decision)
    return to_json(redo(read))


@pytest.mark.parametrize("canary", RELEASES)
def test_a_recorded_release_is_decided_stored_and_decided_again(recorded, canary):
    decision = recorded.decide(recorded_request(canary))
    assert decision.verdict.outcome is RELEASES[canary][2]

    record = recorded.ledger.entry(decision.id).record
    assert record.body == to_json(decision)
    assert (record.service, record.outcome) == ("checkout", decision.verdict.outcome)
    assert record.at == decision.decided_at

    stored = from_json(record.body)
    assert stored.id == decision.id
    assert to_json(redo(stored)) == to_json(decision.conclusion)
    assert recorded.ledger.verify().faults == ()


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_series_is_decided_again_byte_for_byte(kind, holes):
    service = a_service(a_metric("it", kind))
    pair = Pair("it", baseline=a_series(kind), canary=a_series(kind, holes=holes))
    decision = a_decision(pair, service=service)
    (comparison,) = decision.conclusion.analysis.comparisons
    assert comparison.log_e_worse is not None, comparison.why
    assert again(decision) == to_json(decision.conclusion)


def test_all_kinds_at_once_with_budget_change_gaps_and_doubts():
    gap = Gap("metric lost", Cause.TIMEOUT, "no answer within 20 s")
    doubt = Gap("metric gauge", Cause.PARTIAL, "pod b is down")
    pairs = tuple(
        Pair(str(kind), a_series(kind), a_series(kind, holes=True), concurrent=kind is Kind.EVENTS)
        for kind in Kind
    )
    evidence = Evidence(
        WINDOW, (replace(pairs[0], doubts=(doubt,)), *pairs[1:]), (MONTH, HOUR), SMALL, (gap, doubt)
    )
    service = a_service(
        *(a_metric(str(kind), kind) for kind in Kind), a_metric("lost"),
        slos=(SLO,), change=ChangeRange(source="m", base="{{baseline}}", head="{{canary}}"),
        labels={"team": "pay"}, variables={"cluster": "eu"},
    )  # fmt: skip
    request = a_request(variables={"cluster": "us"})
    decision = a_decision(evidence=evidence, service=service, request=request)
    assert again(decision) == to_json(decision.conclusion)


NOTHING = {
    Kind.EVENTS: Counts(bad=array([]), total=array([])),
    Kind.HISTOGRAM: Buckets(edges=array([0.1]), counts=array(np.empty((0, 2)))),
    Kind.GAUGE: Levels(pods=("a", "b"), values=array(np.empty((0, 2)))),
    Kind.SAMPLES: Samples(times=array([]), values=array([])),
}


@pytest.mark.parametrize("kind", Kind)
def test_an_empty_window_is_decided_again(kind):
    pair = Pair("it", NOTHING[kind], NOTHING[kind])
    evidence = Evidence(Window(T0, 60.0, 0), (pair,))
    decision = a_decision(service=a_service(a_metric("it", kind)), evidence=evidence)
    assert decision.verdict.outcome is Outcome.HOLD
    assert again(decision) == to_json(decision.conclusion)


def test_when_nothing_was_seen_it_is_decided_again():
    evidence = Evidence(WINDOW, gaps=(Gap("metric errors", Cause.UNREACHABLE, "no route"),))
    decision = a_decision(evidence=evidence)
    assert decision.verdict.outcome is Outcome.HOLD
    assert again(decision) == to_json(decision.conclusion)


def test_a_hole_is_stored_as_null_and_never_as_zero():
    decision = a_decision(Pair("errors", a_series(Kind.EVENTS), a_series(Kind.EVENTS, holes=True)))
    stored = json.loads(to_json(decision))["evidence"]["pairs"][0]["canary"]["bad"]
    assert stored[4] is None
    assert stored.count(None) == 1
    read = from_json(to_json(decision)).evidence.pairs[0].canary
    assert np.isnan(read.bad[4])
    assert not read.bad.flags.writeable


class Refusing(SqliteLedger):
    """A ledger on a full disk."""

    def append(self, record):
        raise LedgerError("ledger.db: database or disk is full")


def test_a_decision_that_cannot_be_stored_is_not_given(tmp_path):
    one = Gate(
        service=a_service(), policy=STANDARD, sources={"m": FixedSource(errors=a_pair())},
        ledger=Refusing(tmp_path / "ledger.db"),
    )  # fmt: skip
    with pytest.raises(LedgerError, match="disk is full"):
        one.decide(a_request())


def test_the_ledger_has_the_decision_before_it_is_answered(tmp_path):
    order = []

    class Telling(SqliteLedger):
        def append(self, record):
            order.append("stored")
            return super().append(record)

    ledger = Telling(tmp_path / "ledger.db")
    one = Gate(
        service=a_service(), policy=STANDARD, sources={"m": FixedSource(errors=a_pair())},
        ledger=ledger, clock=lambda: 1_700_002_000.5,
    )  # fmt: skip
    decision = one.decide(a_request())
    order.append("answered")
    assert order == ["stored", "answered"]
    assert [entry.record.id for entry in ledger.entries()] == [decision.id]
    assert decision.decided_at == 1_700_002_000.5

    # The same second, evidence and id again: the ledger refuses, so the gate does not answer.
    with pytest.raises(LedgerError, match="already stored"):
        one.decide(a_request())


OTHER_POLICY = a_policy("name: safe, when: analysis.safe, then: promote, message: shown")


@pytest.mark.parametrize(
    "changed",
    [
        {"policy": OTHER_POLICY},
        {"policy": replace(STANDARD, sha256="0" * 64)},
        {"evidence": an_evidence(a_pair(canary=0.0021))},
        {"evidence": an_evidence(gaps=(Gap("change", Cause.NOT_ASKED, ""),))},
        {"request": a_request(since=1799.0)},
        {"service": a_service(alpha=0.02)},
        {"at": 1_700_002_001.0},
        {"gate_version": "0.1.1"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_the_id_is_of_all_that_the_decision_rests_on(changed):
    assert a_decision().id == a_decision().id
    assert a_decision(**changed).id != a_decision().id


def stored(**changes):
    return json.dumps({**json.loads(to_json(a_decision())), **changes}).encode()


def test_a_form_of_another_version_is_refused_by_name():
    with pytest.raises(LedgerError) as caught:
        from_json(stored(schema="gate.decision/v2"))
    assert str(caught.value) == (
        "the stored decision has the form 'gate.decision/v2'; this gate reads 'gate.decision/v1'\n"
        "  use the version of the gate that wrote it"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b"[]",
        b'"gate.decision/v1"',
        b"{}",
        b'{"schema": "gate.decision/v1"}',
        b"\xff",
        to_json(a_decision())[:-20],
        stored(evidence=None),
        stored(evidence={}),
        stored(policy=[]),
        stored(request="v2"),
        stored(request={"service": "shop"}),
        stored(decided_at=None),
        stored(conclusion={"verdict": {"outcome": "proceed", "reasons": []}}),
        to_json(a_decision()).replace(b'"events"', b'"evnets"'),
        to_json(a_decision()).replace(b'"bad":[10.0', b'"bad":["ten"'),
        to_json(a_decision()).replace(b'"total":', b'"totals":'),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body):
    with pytest.raises(LedgerError, match="cannot be read"):
        from_json(body)


def test_numbers_read_back_exactly():
    shares = array([0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2**53 + 2, -0.0])
    pair = Pair("errors", Counts(shares, shares), Counts(shares, shares))
    evidence = Evidence(Window(T0, 60.0, len(shares)), (pair,))
    read = from_json(to_json(a_decision(evidence=evidence))).evidence.pairs[0].canary
    assert read.bad.tobytes() == shares.tobytes()
