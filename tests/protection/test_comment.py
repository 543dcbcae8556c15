"""Comments fit, and nothing in them formats, mentions or is cut in half."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gate.surfaces.protection.comment import LONGEST, comment

ID = "0123456789abcdef"
WORDS = st.text(alphabet=st.sampled_from("ab @#*_`[]<>|~&\\\n…"), max_size=900)


def test_a_comment_says_it_all_where_there_is_room():
    told = comment("HOLD: shop", ["hold: too young"], ID, decision="d1", url="https://gate/d1")
    assert told == (
        "**HOLD: shop**\n\n- hold: too young\n\n"
        f"<sub>decision `d1`, request `{ID}`</sub> [see full report: https://gate/d1](https://gate/d1)"
    )


@given(WORDS, st.lists(WORDS, max_size=12))
def test_it_is_never_too_long_and_keeps_its_id(title, lines):
    told = comment(title, lines, ID, decision=ID, url="https://gate.example/v1/decisions/" + ID)
    assert len(told) <= LONGEST
    assert f"request `{ID}`" in told
    body = told.partition("<sub>")[0]
    assert not re.search(r"[@#](?!&\\?#8203;|8203;)", body), body
    for found in re.finditer(r"(?<!\\)(?:\\\\)*[`_\[\]<>|~]", body):
        raise AssertionError(found[0])


def test_what_does_not_fit_is_marked():
    told = comment("T", ["x" * 700, "y" * 700, "z"], ID)
    assert "x" * 700 in told
    assert "y…" in told
    assert "z" not in told
