"""The evidence table as it is written: what it becomes, and where each complaint points."""

import pytest

from gate.errors import UsageError
from gate.policy.demand import Demand, Settle, Untold
from gate.policy.load import from_text, load
from gate.surfaces.cli.policy_file import policy_yaml

HEAD = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: test
rules:
  - {name: safe, when: analysis.safe, then: promote, message: shown}
evidence:
"""


def table(text):
    return from_text(HEAD + text, "test.yaml").evidence


def complaint(text):
    with pytest.raises(UsageError) as caught:
        table(text)
    return str(caught.value)


def test_a_table_is_read_as_it_is_written():
    assert table(
        """\
  - name: ordinary
    minutes: 10
  - name: risky or thin
    when: risk.level in ["high", "critical"] || budget.remaining < 0.25
    on_unknown: ignore
    alpha: 0.5%
    beta: 1%
    margins: 0.5
    minutes: 30
    events: 2000
    required: [latency, "http *"]
    settle: {after: 2h, beta: 20%}
  - {name: tier 0, when: service.tier == 0, settle: never}
"""
    ) == (
        Demand(name="ordinary", minutes=10.0),
        Demand(
            name="risky or thin",
            when='risk.level in ["high", "critical"] || budget.remaining < 0.25',
            on_unknown=Untold.IGNORE,
            alpha=0.005,
            beta=0.01,
            margins=0.5,
            minutes=30.0,
            events=2000,
            required=("latency", "http *"),
            settle=Settle(after=7200.0, beta=0.2),
        ),
        Demand(name="tier 0", when="service.tier == 0", never_settle=True),
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{name: x, minutes: 0}", "7:15: evidence.0.minutes: should be greater than 0, not 0"),
        ("{name: x, alpha: 30%}", "7:15: evidence.0.alpha: should be less than or equal to 0.2"),
        ("{name: x, beta: 50%}", "7:15: evidence.0.beta: should be less than 0.5, not '50%'"),
        ("{name: x, margins: 1.5}", "7:15: evidence.0.margins: should be less than or equal to 1"),
        ("{name: x, margins: .nan}", "7:15: evidence.0.margins"),
        ("{name: x, events: 0.5}", "7:15: evidence.0.events"),
        ("{name: x, settle: maybe}", "7:15: evidence.0.settle: should be 'never', not 'maybe'"),
        ("{name: x, settle: {beta: 20%}}", "7:15: evidence.0.settle.after is missing"),
        ("{name: x, minuets: 5}", "7:15: unknown key 'minuets'; did you mean 'minutes'?"),
        ("{name: x}", "7:5: evidence 'x' asks for nothing"),
        (
            "{name: x, minutes: 1, on_unknown: ignore}",
            "7:27: evidence 'x' always applies: on_unknown means nothing without `when`",
        ),
        (
            "{name: x, minutes: 1, when: budget.remainig < 0.5}",
            "7:33: evidence 'x': unknown fact 'budget.remainig'; did you mean 'budget.remaining'?",
        ),
        (
            "{name: x, minutes: 1, when: service.tier == 0 && !analysis.safe}",
            "7:55: evidence 'x': analysis.safe is not known yet",
        ),
        ("{name: x, minutes: 1, when: evidence.enough}", "7:33: evidence 'x': evidence.enough is"),
        (
            "{name: x, beta: 10%, settle: {after: 1h, beta: 5%}}",
            "7:46: evidence 'x': settle.beta must be larger than beta",
        ),
    ],
)
def test_a_complaint_says_where_and_what(row, told):
    assert complaint(f"  - {row}\n").startswith(f"test.yaml:{told}")


def test_what_gate_policy_show_prints_of_it_is_a_table_again():
    policy = from_text(
        HEAD
        + """\
  - {name: ordinary, minutes: 10, alpha: 2%, margins: 0.5, events: 9, required: ["e*"]}
  - {name: soft, when: service.tier == 2, settle: {after: 1h30m, beta: 20%}, on_unknown: ignore}
  - {name: hard, when: service.tier == 0, settle: never}
""",
        "test.yaml",
    )
    assert from_text(policy_yaml(policy), "shown.yaml").evidence == policy.evidence


def test_two_rows_of_one_name_are_refused():
    rows = "  - {name: x, minutes: 1}\n  - {name: x, minutes: 2}\n"
    assert complaint(rows) == "test.yaml:8:6: two rows are named 'x'"


def test_rows_are_inherited_and_replaced_by_name(tmp_path):
    (tmp_path / "base.yaml").write_text(
        HEAD + "  - {name: long, minutes: 30}\n  - {name: sure, beta: 1%}\n"
    )
    child = tmp_path / "child.yaml"
    child.write_text(
        "apiVersion: gate/v1\nkind: ReleasePolicy\nname: child\nextends: ./base.yaml\n"
        "evidence:\n  - {name: long, minutes: 60}\n"
    )
    assert load(child).evidence == (
        Demand(name="long", minutes=60.0),
        Demand(name="sure", beta=0.01),
    )


def test_parents_that_disagree_about_a_row_are_refused(tmp_path):
    for name, minutes in (("a", 10), ("b", 20)):
        (tmp_path / f"{name}.yaml").write_text(f"{HEAD}  - {{name: long, minutes: {minutes}}}\n")
    child = tmp_path / "child.yaml"
    child.write_text(
        "apiVersion: gate/v1\nkind: ReleasePolicy\nname: child\n"
        "extends: [./a.yaml, ./b.yaml]\nrules: []\n"
    )
    with pytest.raises(UsageError, match="have an evidence row 'long', and they differ"):
        load(child)
