import pytest

from gate.budget.margin import with_budget_margins
from gate.decision import conclude, decided, from_json, redo, to_json
from gate.evidence.evidence import Evidence
from gate.metric import BudgetShare, Kind, Margin
from gate.policy.load import from_text
from gate.slo import Indicator
from gate.surfaces.report.budget import derived
from gate.verdict import Outcome
from tests.parts.rollouts import (
    HOUR,
    SLO,
    STANDARD,
    WINDOW,
    a_metric,
    a_pair,
    a_request,
    a_service,
)

DAY = 86_400.0
TENTH = BudgetShare("availability", 0.10, DAY, 0.0002)
SHOP = a_service(
    a_metric(spends=TENTH, margin=Margin(1.0, TENTH.at_least)), a_metric("latency", Kind.GAUGE),
    slos=(SLO,),
)  # fmt: skip
# Whether there is budget is the margin's business here, not a rule's.
JUDGE_ONLY = from_text(
    "apiVersion: gate/v1\nkind: ReleasePolicy\nname: test\nrules:\n"
    "  - {name: safe, when: analysis.safe, then: promote, message: safe}\n"
    "  - {name: worse, when: size(analysis.worse) > 0, then: rollback, message: worse}\n",
    "test.yaml",
)


def month(spent):
    """The budget's share that is spent, of an objective of 99.9 %."""
    return Indicator(SLO.name, SLO.window.length, spent * 0.001)


def margin(*indicators):
    evidence = Evidence(WINDOW, indicators=indicators)
    (found,) = conclude(a_request(), SHOP, STANDARD, evidence).margins
    return found


def test_the_worked_example_of_the_docstring():
    found = margin(month(0.4))
    assert found.absolute == pytest.approx(0.0018)
    assert not found.floored
    assert derived(found) == (
        "errors may be worse by 0.18%: all traffic for 1d then spends 10% of what is left of "
        "availability (0.1 x 0.6 left x 0.001 x 30d / 1d)"
    )


def test_it_shrinks_with_the_budget():
    found = [margin(month(spent)).absolute for spent in (0, 0.5, 0.9, 0.95, 1, 7)]
    assert found == pytest.approx([0.003, 0.0015, 0.0003, 0.0002, 0.0002, 0.0002])


def test_an_exhausted_budget_leaves_something_to_test():
    found = margin(month(1.5))
    assert (found.absolute, found.remaining, found.floored) == (0.0002, pytest.approx(-0.5), True)
    assert "raised to the least the file allows" in derived(found)


def test_of_an_unknown_budget_the_least_is_taken_and_said():
    found = margin()
    assert (found.absolute, found.remaining) == (0.0002, None)
    assert derived(found) == (
        "errors may be worse by 0.02%, the least the file allows: what is left of availability "
        "is not known"
    )


def test_other_metrics_keep_their_margin():
    service, _ = with_budget_margins(SHOP, ())
    assert service.metrics[1] == SHOP.metrics[1]


def test_the_same_canary_may_go_on_with_budget_and_not_without():
    # 0.2 % of the baseline's requests fail and 0.3 % of the canary's, a tenth of a percent more.
    service = a_service(a_metric(spends=TENTH, margin=Margin(1.0, 0.0002)), slos=(SLO,))
    pair = a_pair(canary=0.003)
    outcomes = {}
    for spent in (0.0, 0.95):
        evidence = Evidence(WINDOW, (pair,), (month(spent), HOUR))
        decision = decided(
            a_request(), service, JUDGE_ONLY, evidence, at=1_700_002_000.5, gate_version="0.1.0"
        )
        outcomes[spent] = decision.verdict.outcome
        # Derived again from the evidence, byte for byte.
        assert to_json(redo(from_json(to_json(decision)))) == to_json(decision.conclusion)
    assert outcomes == {0.0: Outcome.PROMOTE, 0.95: Outcome.ROLLBACK}
