import pytest

from gate.policy.conditions import ConditionError, atoms, words_read
from gate.policy.syntax import Atom


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("true", [Atom((), ())]),
        ("analysis.safe", [Atom(("analysis.safe",), ())]),
        ("budget.remaining < -1.5", [Atom(("budget.remaining",), (-1.5,))]),
        (
            'risk.level in ["high", "critical"]',
            [Atom(("risk.level",), ("high", "critical"))],
        ),
        (
            "!(change.lines > -3) && analysis.safe || change.lines == 4000000000",
            [
                Atom(("change.lines",), (-3,)),
                Atom(("analysis.safe",), ()),
                Atom(("change.lines",), (4_000_000_000,)),
            ],
        ),
        (
            'analysis.safe ? budget.asked : service.labels["team"] == "pay"',
            [
                Atom(("analysis.safe",), ()),
                Atom(("budget.asked",), ()),
                Atom(("service.labels",), ("team", "pay")),
            ],
        ),
        (
            "budget.burn_1h > 2.0 * budget.burn_6h",
            [Atom(("budget.burn_1h", "budget.burn_6h"), (2.0,))],
        ),
        ("has(service.labels.region)", [Atom(("service.labels",), ("region",))]),
    ],
)
def test_a_condition_falls_into_its_parts_with_their_facts_and_literals(condition, found):
    assert list(atoms(condition)) == found


def test_a_fact_in_a_text_and_the_variable_of_a_comprehension_are_not_read():
    condition = 'analysis.unclear.exists(safe, safe == "budget.remaining" && change.files > 3)'
    assert words_read(condition) == ("analysis.unclear", "change.files")
    (atom,) = atoms(condition)
    assert {"budget.remaining", 3} <= set(atom.literals)


def test_what_cannot_be_compiled_has_no_parts():
    with pytest.raises(ConditionError, match="unknown fact"):
        atoms("budget.remainig > 0.0")
