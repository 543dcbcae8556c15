import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import UsageError
from gate.template import checked_value, render, words_of

WORDS = {"canary": "7d4b9c", "baseline": "5f8c2a", "step": "1m"}


def test_words_inside_values_are_replaced_too():
    words = {**WORDS, "selector": 'pod=~"web-{{canary}}-.*"'}
    assert render("rate(x{ {{selector}} }[{{step}}])", words) == (
        'rate(x{ pod=~"web-7d4b9c-.*" }[1m])'
    )


def test_a_text_without_words_stays_as_it_is():
    assert render('x{code=~"5.."} / {{ {', WORDS) == 'x{code=~"5.."} / {{ {'


@pytest.mark.parametrize("word", ["canarry", "Canary", "canary.name"])
def test_an_unknown_word_is_refused_by_name(word):
    with pytest.raises(UsageError) as caught:
        render(f"up{{ {{{{{word}}}}} }}", WORDS)
    assert f"{{{{{word}}}}}" in caught.value.message
    assert caught.value.hint == (
        f"known words: baseline, canary, step; give others with --var {word}=VALUE"
    )


def test_the_word_that_was_meant_is_named():
    with pytest.raises(UsageError, match=r"\{\{canarry\}\}; did you mean 'canary'\?"):
        render("{{canarry}}", WORDS)


def test_a_value_that_holds_itself_is_not_replaced_for_ever():
    assert render("{{a}}", {"a": "{{a}}!"}) == "{{a}}!!"


def test_words_are_told_in_order():
    assert words_of("{{b}} {{ a }} {{b}}") == ["b", "a", "b"]


@pytest.mark.parametrize("value", ["7d4b9c", "v1.9.0", "registry/shop@sha256:0a", "a+b", "1_0-x"])
def test_names_hashes_and_image_references_may_stand_in_a_query(value):
    assert checked_value("canary", value) == value


@pytest.mark.parametrize(
    "value", ['a"} or vector(0) #', "a b", "", "a\n", "{{canary}}", "a\\", "ä", "a|b", ".*", "a'"]
)
def test_a_value_that_could_change_a_query_is_refused(value):
    with pytest.raises(UsageError) as caught:
        checked_value("canary", value)
    assert caught.value.message == f"canary {value!r} cannot stand in a query"


@given(st.text(max_size=20))
def test_a_checked_value_never_ends_a_string_in_a_query(value):
    try:
        checked_value("canary", value)
    except UsageError:
        return
    assert not set(value) & set("\"'`\\{}()[]|* \n\t")
