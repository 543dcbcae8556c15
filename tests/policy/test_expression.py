"""CEL's own tree of a condition, read from the serialized form."""

import pytest

from gate.policy.conditions import parsed
from gate.policy.expression import Form
from gate.policy.words import WORDS


def shape(condition):
    """The tree in brackets."""

    def told(node):
        if node.form is Form.CONSTANT:
            return repr(node.value)
        inside = ", ".join(map(told, node.parts))
        return f"{node.name or node.form}({inside})" if node.parts else node.name or node.form

    return told(parsed(condition))


@pytest.mark.parametrize(
    ("condition", "tree"),
    [
        ("analysis.safe", "analysis.safe"),
        ("!analysis.safe || true", "_||_(!_(analysis.safe), True)"),
        ("service.tier > -1", "_>_(service.tier, -1)"),
        ("budget.remaining <= 0.25", "_<=_(budget.remaining, 0.25)"),
        ("change.lines == 9223372036854775807", "_==_(change.lines, 9223372036854775807)"),
        ('service.name == "é\\"x"', "_==_(service.name, 'é\"x')"),
        ('risk.level in ["low", "high"]', "@in(risk.level, list('low', 'high'))"),
        ('service.labels["a"] == "b"', "_==_(_[_](service.labels, 'a'), 'b')"),
        ("has(service.labels.team)", "team(service.labels)"),
        ('service.name.startsWith("x")', "startsWith(service.name, 'x')"),
        ('{"a": true}["a"]', "_[_](map('a', True), 'a')"),
    ],
)
def test_a_tree(condition, tree):
    assert shape(condition) == tree


def test_a_loop_keeps_its_variable_and_what_it_runs_over():
    (loop,) = [
        one
        for one in parsed('analysis.worse.exists(one, one == "errors")').walk()
        if one.form is Form.MACRO
    ]
    assert (loop.name, loop.parts[0].name) == ("one", "analysis.worse")
    assert "errors" in [one.value for one in loop.walk()]


def test_each_part_knows_where_it_stands_in_letters_not_bytes():
    condition = 'service.name == "é" &&\n  risk.level == "low"'
    for node in parsed(condition).walk():
        if node.form is Form.WORD:
            assert condition[node.at :].startswith(node.name)
        elif node.form is Form.CONSTANT:
            assert condition[node.at :].startswith(f'"{node.value}"')


def test_equal_conditions_have_equal_trees_wherever_they_stand():
    assert parsed("analysis.safe&&budget.asked") == parsed("  analysis.safe  &&  budget.asked")
    assert parsed("analysis.safe && budget.asked") != parsed("budget.asked && analysis.safe")


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_found_by_its_whole_name(word):
    (node,) = [one for one in parsed(f"{word} == {word}").walk() if one.at == 0]
    assert (node.form, node.name) == (Form.WORD, word)
