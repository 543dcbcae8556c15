import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.comparison import Analysis, Comparison, Finding
from gate.budget.alerts import WINDOWS, Rate
from gate.budget.budget import Budget, burn
from gate.decision import conclude
from gate.evidence.evidence import Cause, Gap
from gate.metric import Direction, Margin
from gate.policy.evaluate import evaluate
from gate.policy.facts import facts, missing
from gate.policy.words import WORDS, Type
from gate.request import Intent
from gate.risk.assess import assess
from gate.risk.level import Level
from gate.service import ChangeRange
from gate.slo import Indicator
from gate.verdict import Outcome
from tests.parts.rollouts import (
    HOUR,
    MONTH,
    SLO,
    SMALL,
    STANDARD,
    a_metric,
    a_policy,
    a_request,
    a_service,
    an_evidence,
)

PYTHON = {
    Type.BOOL: bool,
    Type.INT: int,
    Type.DOUBLE: float,
    Type.STRING: str,
    Type.STRINGS: tuple,
    Type.LABELS: dict,
}
WATCHED = a_service(
    slos=(SLO,), change=ChangeRange(source="m", base="{{baseline}}", head="{{canary}}")
)


SAID = {"touches": ("migrations",), "types": ("fix",)}


def compared(metric, finding, *, critical=True, aspect=""):
    return Comparison(
        metric=metric, aspect=aspect, finding=finding, why="", critical=critical, unit="",
        worse=Direction.HIGHER, margin=Margin(1.0, 0.0),
    )  # fmt: skip


def an_analysis(*comparisons, **said):
    usual = {"log_e_worse": 0.0, "alpha": 0.01, "beta": 0.05, "minutes": 30.0, "concurrent": True}
    return Analysis(comparisons=comparisons, **{**usual, **said})


def known(service=WATCHED, evidence=None, analysis=None, budgets=(), risk=None):
    return facts(
        a_request(),
        service,
        evidence or an_evidence(),
        analysis or an_analysis(compared("errors", Finding.NOT_WORSE)),
        budgets,
        risk,
    )


# Of pull requests, components and deployments, which a clone alone does not know.
OTHERS = {word for word in WORDS if word.startswith("history.")} | {
    f"change.{word}"
    for word in (
        "components", "owners", "dependents", "pull_asked", "pull_requests", "labels", "approvals",
        "changes_requested", "self_approved", "checks_failing", "checks_missing", "checks_pending",
        "flagged",
    )
}  # fmt: skip


def test_when_all_is_seen_every_word_has_a_value_of_its_type():
    every = [replace(HOUR, window=window) for window in WINDOWS]
    before = [replace(one, until=600.0) for one in every]
    since = replace(HOUR, window=600.0)
    month = replace(MONTH, coverage=1.0)
    change = replace(SMALL, recent=((5.0, 0.0, 1.0, 1.0, 1.0, 0.0),) * 50, **SAID)
    evidence = an_evidence(indicators=(month, *every, *before, since), change=change)
    found = conclude(a_request(), WATCHED, STANDARD, evidence).facts
    assert set(missing(found)) == OTHERS | {"analysis.score"}
    assert set(found) == set(WORDS) - OTHERS - {"analysis.score"}
    for word, value in found.items():
        assert type(value) is PYTHON[WORDS[word].type], word


def test_what_is_said_of_the_comparisons():
    analysis = an_analysis(
        compared("errors", Finding.WORSE),
        compared("latency", Finding.NOT_WORSE, aspect="p99"),
        compared("memory", Finding.WORSE, critical=False),
        compared("queue", Finding.UNCLEAR),
        compared("cpu", Finding.UNFIT, critical=False),
        log_e_worse=math.log(1000),
    )
    found = known(analysis=analysis)
    assert found["analysis.safe"] is False
    assert found["analysis.worse"] == ("errors", "memory")
    assert found["analysis.critical_worse"] == ("errors",)
    assert found["analysis.not_worse"] == ("latency p99",)
    assert found["analysis.unclear"] == ("queue",)
    assert found["analysis.unfit"] == ("cpu",)
    assert found["analysis.evidence_worse"] == pytest.approx(3.0)


def test_kayentas_judge_has_a_score_and_no_evidence():
    found = known(analysis=an_analysis(log_e_worse=None, alpha=None, beta=None, score=78.0))
    assert found["analysis.score"] == 78.0
    assert "analysis.evidence_worse" not in found


def test_no_comparison_is_not_safe():
    assert known(analysis=an_analysis())["analysis.safe"] is False
    only = an_analysis(compared("memory", Finding.NOT_WORSE, critical=False))
    assert known(analysis=only)["analysis.safe"] is False


def a_budget(name, remaining, burn_rate=1.0):
    return Budget(
        slo=name, objective=0.999, window=2_592_000.0, consumed=1 - remaining,
        remaining=remaining, rates=(Rate(window=3_600.0, burn=burn_rate),),
    )  # fmt: skip


TWO = replace(WATCHED, slos=(SLO, replace(SLO, name="latency")))


def test_the_budget_is_that_of_the_worst_slo():
    found = known(TWO, budgets=(a_budget("availability", 0.9, 0.1), a_budget("latency", 0.2, 3.0)))
    assert (found["budget.remaining"], found["budget.burn_1h"]) == (0.2, 3.0)
    assert (found["budget.worst_slo"], found["budget.exhausted"]) == ("latency", ())


def test_one_slo_of_two_unseen_leaves_the_budget_unknown():
    # The unseen one could be the spent one.
    found = known(TWO, budgets=(a_budget("availability", 0.9),))
    assert found["budget.asked"] is True
    assert {"budget.remaining", "budget.burn_1h", "budget.exhausted", "budget.page_firing"} <= set(
        missing(found)
    )


def test_one_burn_rate_of_two_unknown_leaves_it_unknown():
    found = known(TWO, budgets=(a_budget("availability", 0.9), a_budget("latency", 0.2, None)))
    assert found["budget.remaining"] == 0.2
    assert "budget.burn_1h" not in found


WHILE = (0.02, 0.02, 0.02, 0.01)  # of 5m, 30m, 1h and 6h: twenty times what lasts


def an_incident(name, before, now=WHILE, month=0.0002):
    """An SLO burning over the pages' windows, and over those that ended at the canary's start."""
    windows = (300.0, 1_800.0, 3_600.0, 21_600.0)
    slo = replace(SLO, name=name)
    indicators = [
        Indicator(name, window, share, until=until)
        for shares, until in ((before, 600.0), (now, 0.0))
        for window, share in zip(windows, shares, strict=True)
    ]
    long = Indicator(name, SLO.window.length, month)
    return burn(slo, (long, *indicators, Indicator(name, 600.0, now[0])))


CALM = (0.0, 0.0, 0.0, 0.0)


def test_an_incident_that_began_before_the_canary_is_not_its_own():
    found = known(budgets=(an_incident("availability", before=WHILE),))
    assert found["budget.page_firing"] == ("availability",)
    assert found["budget.burn_started_before_rollout"] is True
    assert found["budget.burn_before_rollout"] == pytest.approx(20)
    found = known(budgets=(an_incident("availability", before=CALM),))
    assert found["budget.page_firing"] == ("availability",)
    assert found["budget.burn_started_before_rollout"] is False
    assert found["budget.burn_since_rollout"] == pytest.approx(20)


def test_a_policy_can_hold_what_is_not_the_suspect():
    rules = a_policy(
        "name: safe, when: analysis.safe, then: promote, message: z",
        "name: suspect, when: size(budget.page_firing) > 0 && !budget.burn_started_before_rollout,"
        " then: rollback, message: x",
        "name: older, when: budget.burn_started_before_rollout, then: hold, message: y",
    )
    for before, outcome in ((WHILE, Outcome.HOLD), (CALM, Outcome.ROLLBACK)):
        facts_now = known(budgets=(an_incident("availability", before=before),))
        assert evaluate(rules, facts_now, Intent.RELEASE, ()).outcome is outcome


def test_what_fires_or_is_spent_is_said_of_one_though_the_other_is_unknown():
    burning = an_incident("availability", before=WHILE, month=0.002)
    found = known(TWO, budgets=(burning,))
    assert found["budget.page_firing"] == ("availability",)
    assert found["budget.exhausted"] == ("availability",)
    assert found["budget.burn_started_before_rollout"] is True
    # But that nothing fires is known only when every one is.
    quiet = an_incident("availability", before=CALM, now=CALM)
    assert known(budgets=(quiet,))["budget.page_firing"] == ()
    assert "budget.page_firing" not in known(TWO, budgets=(quiet,))
    assert "budget.burn_started_before_rollout" not in known(TWO, budgets=(quiet,))


def test_a_service_without_slo_or_change_asked_for_none():
    found = known(a_service())
    assert (found["budget.asked"], found["risk.asked"]) == (False, False)
    assert {"budget.remaining", "risk.level", "change.lines"} <= set(missing(found))


def test_a_change_that_was_not_seen_is_missing_and_not_small():
    found = known()
    assert found["risk.asked"] is True
    assert {"risk.level", "risk.likelihood", "change.lines", "change.files"} <= set(missing(found))


def test_the_change_and_its_risk():
    found = known(evidence=an_evidence(change=SMALL), risk=assess(SMALL))
    assert (found["change.lines"], found["change.files"], found["change.directories"]) == (34, 2, 1)
    assert found["risk.level"] == Level.MEDIUM
    assert found["risk.likelihood"] == pytest.approx(0.17, abs=0.1)
    assert found["change.commits"] == 1
    # A source that cannot tell leaves them unknown: no rule may read that as "touches nothing".
    assert {"change.touches", "change.types"} <= set(missing(found))
    assert "risk.percentile" not in found  # no earlier changes to stand among


def test_gaps_are_what_was_asked_and_not_seen():
    gaps = (Gap("slo up", Cause.TIMEOUT, "10 s"), Gap("change", Cause.NOT_ASKED, "no source"))
    assert known(evidence=an_evidence(gaps=gaps))["evidence.gaps"] == ("slo up",)


wild = st.floats(allow_nan=True, allow_infinity=True)


@given(log_e=wild, bad_share=wild, month=wild)
def test_no_fact_is_ever_nan_or_infinite(log_e, bad_share, month):
    budget = burn(
        SLO, (Indicator(SLO.name, SLO.window.length, month), replace(HOUR, bad_share=bad_share))
    )
    found = known(analysis=an_analysis(log_e_worse=log_e), budgets=(budget,))
    numbers = [value for value in found.values() if isinstance(value, float)]
    assert numbers
    assert all(math.isfinite(value) for value in numbers)


def test_a_metric_that_nobody_answered_for_is_unfit_and_not_safe():
    service = a_service(a_metric(), a_metric("latency errors"))
    found = conclude(a_request(), service, STANDARD, an_evidence()).facts
    assert found["analysis.unfit"] == ("latency errors",)
    assert found["analysis.safe"] is False
