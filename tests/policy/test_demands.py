"""The evidence table: which rows apply, what they ask for together, and what follows."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.decision import Decision, conclude, decided, from_json, redo, to_json
from gate.errors import UsageError
from gate.evidence.evidence import Cause, Gap
from gate.kayenta import Kayenta, Thresholds
from gate.metric import Kind, Margin
from gate.policy.demand import Demand, Settle, Untold
from gate.policy.demands import Applied, adapted, because, check, demanded, loosest, shifting
from gate.policy.evaluate import NOT_ENOUGH, evaluate
from gate.policy.load import from_text
from gate.policy.shortfall import lacking
from gate.request import Intent
from gate.surfaces.report.document import document
from gate.surfaces.report.markdown import markdown
from gate.surfaces.report.report import report
from gate.surfaces.report.text import text
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

RISKY = 'risk.level in ["high", "critical"] || budget.remaining < 0.25'
SAFE = "name: safe, when: analysis.safe, then: promote, message: shown"
WORSE = 'name: worse, when: "size(analysis.worse) > 0", then: rollback, message: worse'


def a_policy(*rows):
    head = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: test\nrules:\n"
    rules = "".join(f"  - {{{rule}}}\n" for rule in (SAFE, WORSE))
    table = "".join(f"  - {{{row}}}\n" for row in rows)
    return from_text(f"{head}{rules}evidence:\n{table}", "test.yaml")


def a_row(name="row", when="", **said):
    return Demand(name=name, when=when, **said)


# Which rows apply


def test_every_row_that_holds_applies_and_the_strictest_wins():
    asked = demanded(
        (
            a_row("ordinary", minutes=10.0, beta=0.04, required=("errors",)),
            a_row("risky", RISKY, minutes=30.0, margins=0.5, events=2_000, required=("cpu",)),
            a_row("thin", "budget.remaining < 0.5", beta=0.01, margins=0.8, events=500),
            a_row("tier 0", "service.tier == 0", minutes=120.0),
        ),
        {"risk.level": "high", "budget.remaining": 0.4, "service.tier": 1},
    )
    assert [row.name for row in asked.rows] == ["ordinary", "risky", "thin"]
    assert (asked.minutes, asked.margins, asked.events, asked.beta) == (30.0, 0.5, 2_000, 0.01)
    assert asked.required == ("cpu", "errors")


def test_of_a_known_good_version_rows_about_its_surroundings_ask_nothing():
    table = (
        a_row("ordinary", minutes=10.0),
        a_row("thin", "budget.remaining < 0.5", minutes=60.0),
        a_row("young", "rollout.minutes < 60.0", minutes=20.0),
    )
    facts = {"budget.remaining": 0.1, "rollout.minutes": 5.0, "history.known_good": True}
    assert [row.name for row in demanded(table, facts).rows] == ["ordinary", "young"]


@pytest.mark.parametrize(("on_unknown", "applies"), [(Untold.APPLY, True), (Untold.IGNORE, False)])
def test_a_row_that_cannot_be_told_takes_its_on_unknown(on_unknown, applies):
    asked = demanded(
        (a_row("thin", "budget.remaining < 0.5", minutes=60.0, on_unknown=on_unknown),), {}
    )
    told = (Applied(name="thin", because="budget.remaining is not known"),)
    assert asked.rows == (told if applies else ())
    assert asked.minutes == (60.0 if applies else 0.0)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"risk.level": "high", "budget.remaining": 0.6}, "risk.level is high"),
        ({"risk.level": "low", "budget.remaining": 0.1}, "budget.remaining is 0.1"),
        (
            {"risk.level": "high", "budget.remaining": 0.1},
            "risk.level is high, budget.remaining is 0.1",
        ),
        ({"risk.level": "low"}, "budget.remaining is not known"),
    ],
)
def test_why_a_row_applies_names_the_facts_that_made_it(facts, why):
    assert because(RISKY, facts) == why


def test_of_two_alphas_the_smaller_counts_and_it_replaces_the_files():
    rows = (a_row("a", alpha=0.1), a_row("b", alpha=0.05))
    assert adapted(a_service(), demanded(rows, {})).alpha == 0.05
    assert adapted(a_service(), demanded(rows[:1], {})).alpha == 0.1  # more sensitive than 1 %
    assert adapted(a_service(), demanded((), {})).alpha == 0.01


def test_a_table_is_a_floor_for_what_the_file_asks():
    service = a_service(beta=0.01)
    softer = demanded((a_row(beta=0.04, margins=1.0),), {})
    assert adapted(service, softer) == service
    assert adapted(service, demanded((a_row(beta=0.001),), {})).beta == 0.001


def test_margins_are_scaled_and_required_metrics_become_critical():
    service = a_service(
        a_metric("errors", margin=Margin(1.5, 0.002)),
        a_metric("http latency", Kind.HISTOGRAM, critical=False),
        a_metric("cpu", Kind.GAUGE, critical=False),
    )
    asked = adapted(service, demanded((a_row(margins=0.5, required=("http *",)),), {}))
    assert asked.metrics[0].margin == Margin(1.25, 0.001)
    assert [one.critical for one in asked.metrics] == [True, True, False]


def test_settling_needs_a_row_that_applies_for_certain_and_none_that_forbids_it():
    soft = a_row("soft", settle=Settle(after=7200.0, beta=0.2))
    softer = a_row("softer", settle=Settle(after=3600.0, beta=0.3))
    assert demanded((soft, softer), {}).settle == Settle(after=7200.0, beta=0.2)
    doubtful = replace(soft, when="budget.remaining > 0.5")
    assert demanded((doubtful,), {}).settle is None
    assert demanded((doubtful,), {"budget.remaining": 0.6}).settle
    never = a_row("never", "risk.level == 'high'", never_settle=True)
    assert demanded((soft, never), {"risk.level": "high"}).settle is None
    assert demanded((soft, never), {}).settle is None
    assert demanded((soft, never), {"risk.level": "low"}).settle


rows = st.lists(
    st.builds(
        a_row,
        name=st.text(min_size=1, max_size=2),
        when=st.sampled_from(["", RISKY, "budget.remaining < 0.5", "service.tier == 0"]),
        beta=st.none() | st.floats(0.001, 0.4),
        margins=st.none() | st.floats(0.1, 1.0),
        minutes=st.none() | st.floats(1, 100),
        events=st.none() | st.integers(1, 1000),
        required=st.sampled_from([(), ("errors",), ("cpu",)]),
    ),
    max_size=4,
)
known = st.fixed_dictionaries(
    {}, optional={"risk.level": st.sampled_from(["low", "high"]),
                  "budget.remaining": st.floats(-1, 1), "service.tier": st.integers(0, 2)},
)  # fmt: skip


@given(rows, known, st.randoms(use_true_random=False))
def test_order_means_nothing_and_one_more_row_never_asks_for_less(table, facts, chance):
    asked = demanded(table, facts)
    shuffled = demanded(chance.sample(table, len(table)), facts)
    assert {**_plain(shuffled), "rows": ()} == {**_plain(asked), "rows": ()}
    more = demanded([*table, a_row("one more", minutes=20.0, beta=0.01, margins=0.5)], facts)
    assert more.minutes >= max(asked.minutes, 20.0)
    assert more.beta <= min(asked.beta or 1.0, 0.01)
    assert more.margins <= min(asked.margins, 0.5)
    assert more.events >= asked.events
    assert set(more.required) >= set(asked.required)


def _plain(demands):
    return {name: getattr(demands, name) for name in demands.__dataclass_fields__}


def test_the_loosest_levels_over_a_rollout_are_those_of_some_facts():
    service = a_service()
    assert loosest((a_row(minutes=10.0), a_row(beta=0.05)), service) is None
    assert loosest((a_row(when=RISKY, alpha=0.05, beta=0.01),), service) == (0.05, 0.05)
    always = (a_row(alpha=0.02, beta=0.02), a_row(when=RISKY, alpha=0.1, beta=0.01))
    assert loosest(always, service) == (0.02, 0.02)
    assert shifting((a_row(when=RISKY, margins=0.5),))
    assert not shifting((a_row(margins=0.5), a_row(when=RISKY, beta=0.01)))
    assert loosest((a_row(settle=Settle(after=60.0, beta=0.2)),), service) == (0.01, 0.2)


# What does not fit the service


def test_a_metric_that_the_service_has_not_is_refused_with_those_it_has():
    service = a_service(a_metric("errors"), a_metric("latency", Kind.HISTOGRAM))
    with pytest.raises(UsageError) as caught:
        check((a_row("risky", RISKY, required=("latncy", "errors", "http *")),), service)
    assert str(caught.value) == (
        "evidence 'risky' requires 'latncy', which is no metric of shop; did you mean 'latency'?; "
        "its metrics: errors, latency\n"
        "evidence 'risky' requires 'http *', which is no metric of shop; its metrics: errors, "
        "latency"
    )


def kayentas():
    return a_service(kayenta=Kayenta(rules={}, thresholds=Thresholds(95.0, 75.0)))


def test_kayentas_judge_is_not_asked_for_what_it_does_not_know():
    check((a_row(minutes=30.0, margins=0.5),), kayentas())
    with pytest.raises(UsageError, match="asks for alpha, events, settle, which Kayenta's judge"):
        check((a_row(alpha=0.1, events=5, settle=Settle(after=1.0, beta=0.2)),), kayentas())


def test_a_table_that_does_not_fit_decides_nothing_but_lets_one_go_back():
    policy = a_policy("name: x, required: [nothing]")
    with pytest.raises(UsageError, match="no metric of shop"):
        conclude(a_request(), a_service(), policy, an_evidence())
    back = conclude(a_request(intent=Intent.ROLLBACK), a_service(), policy, an_evidence())
    assert back.verdict.outcome is Outcome.PROMOTE


# What follows


def a_decision(policy, *pairs, request=None, service=None, **said) -> Decision:
    return decided(
        request or a_request(), service or a_service(), policy, an_evidence(*pairs, **said),
        at=1_700_002_000.5, gate_version="0.1.0",
    )  # fmt: skip


def test_too_few_minutes_withhold_a_promote_and_say_how_many_are_missing():
    decision = a_decision(a_policy("name: long, minutes: 45"))
    assert decision.conclusion.analysis.safe
    assert decision.verdict.outcome is Outcome.HOLD
    assert [one.rule for one in decision.verdict.reasons] == [NOT_ENOUGH, "safe"]
    assert decision.verdict.reasons[0].message == "the policy asks for 45 minutes, 30 judged"
    assert decision.verdict.changes == ("30 of 45 minutes judged: 15 more",)
    facts = decision.conclusion.facts
    assert facts["evidence.enough"] is False
    assert facts["evidence.needed_minutes"] == 45.0
    assert facts["evidence.missing"] == ("45 minutes, 30 judged",)
    assert facts["evidence.rows"] == ("long",)


def test_too_few_events_are_foretold_from_their_rate():
    decision = a_decision(a_policy("name: many, events: 200000"))
    assert decision.verdict.outcome is Outcome.HOLD
    # 5,000 a minute: 150,000 in the half hour.
    assert decision.verdict.changes == (
        "errors: 150,000 of 200,000 canary events: about 10m more at this rate",
    )


def test_enough_is_enough():
    decision = a_decision(a_policy("name: x, minutes: 30, events: 150000"))
    assert decision.verdict.outcome is Outcome.PROMOTE
    assert decision.conclusion.facts["evidence.enough"] is True


def test_nothing_withholds_a_rollback():
    decision = a_decision(a_policy("name: x, minutes: 600"), a_pair(canary=0.03))
    assert decision.verdict.outcome is Outcome.ROLLBACK


def test_what_is_asked_for_reaches_the_judge_and_is_decided_again():
    policy = a_policy(
        "name: sure, beta: 0.1%, alpha: 2%, margins: 0.5",
        f"name: risky, when: '{RISKY}', minutes: 20",
    )
    service = a_service(slos=(SLO,))
    decision = a_decision(policy, service=service, indicators=(MONTH, HOUR))
    analysis = decision.conclusion.analysis
    assert (analysis.alpha, analysis.beta) == (0.02, 0.001)
    assert analysis.comparisons[0].margin == service.metrics[0].margin.scaled(0.5)
    assert decision.service.beta == 0.05  # what the file says is kept as it is
    read = from_json(to_json(decision))
    assert read.policy.evidence == policy.evidence
    assert to_json(read) == to_json(decision)
    assert to_json(redo(read)) == to_json(decision.conclusion)
    again = read.conclusion.demands
    assert [row.because for row in again.rows] == ["it always does", "risk.level is not known"]


def test_a_required_metric_that_was_not_seen_holds():
    service = a_service(a_metric("errors"), a_metric("memory", Kind.GAUGE, critical=False))
    gap = Gap("metric memory", Cause.EMPTY, "no series")
    for rows_, outcome in (((), Outcome.PROMOTE), (("name: x, required: [mem*]",), Outcome.HOLD)):
        policy = a_policy(*rows_) if rows_ else a_policy("name: y, minutes: 1")
        assert a_decision(policy, service=service, gaps=(gap,)).verdict.outcome is outcome


def a_soft_pass():
    # 12 % more errors are within the quarter that is fine, but half an hour shows it at 20 % only.
    policy = a_policy("name: soft, beta: 0.0000001%, settle: {after: 20m, beta: 20%}")
    return a_decision(policy, a_pair(canary=0.0022))


def test_a_soft_pass_is_said_loudly_and_is_a_fact():
    decision = a_soft_pass()
    (one,) = decision.conclusion.analysis.comparisons
    assert one.settled == 0.2
    assert one.log_e_not_worse < -math.log(1e-9)
    assert decision.conclusion.facts["analysis.settled"] == ("errors",)
    assert decision.verdict.outcome is Outcome.PROMOTE
    assert to_json(redo(from_json(to_json(decision)))) == to_json(decision.conclusion)
    for told in (text(report(decision), width=400), markdown(report(decision))):
        assert "SOFT PASS: errors did not show not worse at" in told
        assert "a bad release passes so with probability up to 20%" in told
        assert "soft pass" in told


def test_before_its_time_a_soft_pass_is_foretold():
    policy = a_policy("name: soft, beta: 0.0000001%, settle: {after: 2h, beta: 20%}")
    decision = a_decision(policy, a_pair(canary=0.0022))
    assert decision.verdict.outcome is Outcome.HOLD
    assert decision.verdict.changes[-1] == (
        "what is unclear may settle in 1h30m: the policy then takes not worse at an error "
        "probability of 20% for enough"
    )


def test_the_report_says_which_rows_applied_why_and_what_became_of_each_quantity():
    policy = a_policy(
        f"name: thin, when: '{RISKY}', alpha: 0.5%, beta: 1%, margins: 0.5, minutes: 40, "
        "events: 2000, required: [cpu]",
    )
    service = a_service(a_metric("errors"), a_metric("cpu", Kind.GAUGE, critical=False))
    decision = a_decision(policy, service=service)
    lines = report(decision).demands
    assert lines[1:] == (
        "false alarms (alpha) 0.5% instead of 1%",
        "a bad release not worse (beta) 1% instead of 5%",
        "margins times 0.5: so much less worse is still fine",
        "40 judged minutes",
        "2,000 canary events of each critical metric that counts some",
        "critical too: cpu",
        (
            "the rows may change between looks; over the whole rollout the loosest levels of the "
            "table hold: worse 1%, not worse 5%"
        ),
        (
            "should margins or critical metrics change between looks, each setting is a claim of "
            "its own, and their error probabilities add up"
        ),
    )
    assert lines[0].startswith("thin: applies because")
    assert document(decision, 10)["demands"] == decision.conclusion.demands
    assert "Evidence asked for" in text(report(decision))


def test_without_a_table_nothing_is_said_of_it():
    decision = a_decision(replace(STANDARD, evidence=()))
    assert report(decision).demands == ()
    assert decision.conclusion.facts["evidence.enough"] is True


# Facts written by hand


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"rollout.seen_minutes": 30.0}, ""),
        ({"rollout.seen_minutes": 12.0}, "the policy asks for 30 minutes, 12 judged"),
        ({}, "the policy asks for 30 minutes, and how many were judged is not known"),
        ({"rollout.seen_minutes": 12.0, "evidence.enough": True}, ""),
        (
            {"rollout.seen_minutes": 99.0, "evidence.enough": False},
            "the policy asks for more than there is",
        ),
        ({"evidence.enough": False, "evidence.missing": ("x", "y")}, "the policy asks for x; y"),
    ],
)  # fmt: skip
def test_a_table_counts_for_facts_that_a_policys_test_states(facts, says):
    assert lacking((a_row(minutes=30.0),), facts) == says


def test_the_standard_policy_asks_more_of_a_risky_change_and_of_a_thin_budget():
    good = {
        "analysis.safe": True, "analysis.worse": (), "analysis.critical_worse": (),
        "analysis.unclear": (), "analysis.unfit": (), "budget.asked": True,
        "budget.remaining": 0.6, "budget.page_firing": (), "risk.asked": True,
        "risk.level": "low", "rollout.seen_minutes": 15.0,
    }  # fmt: skip
    for changed, outcome in (
        ({}, Outcome.PROMOTE),
        ({"risk.level": "high"}, Outcome.HOLD),
        ({"budget.remaining": 0.2}, Outcome.HOLD),
        ({"risk.level": "high", "rollout.seen_minutes": 30.0}, Outcome.PROMOTE),
    ):
        verdict = evaluate(STANDARD, {**good, **changed}, Intent.RELEASE, ())
        assert verdict.outcome is outcome, changed
    assert demanded(STANDARD.evidence, {**good, "risk.level": "high"}).margins == 0.75
