from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import UsageError
from gate.objectives.target import percent, share


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (99.9, 0.999),  # 99.9 / 100 is 0.9990000000000001 in floats
        (99.95, 0.9995),
        (99.99, 0.9999),
        (99.999, 0.99999),
        (99, 0.99),
        ("99.90", 0.999),
        (" 95 ", 0.95),
        (97.7, 0.977),
    ],
)
def test_a_percentage_is_the_share_its_digits_say(written, meant):
    assert percent(written) == meant


@given(st.integers(min_value=100_001, max_value=9_999_999))
def test_every_percentage_of_five_places_is_exact(digits):
    written = Decimal(digits) / 100_000
    assert percent(float(written)) == float(written / 100)


@given(st.integers(min_value=1, max_value=999_999))
def test_a_share_stays_as_written(digits):
    assert share(digits / 1_000_000) == digits / 1_000_000


def test_noise_of_floats_is_no_part_of_a_promise():
    assert share(0.9990000000000001) == 0.999
    assert share(1 - 0.0009999999999999432) == 0.999


@pytest.mark.parametrize("read", [percent, share])
@pytest.mark.parametrize("written", [0, -1, 101, 1e9, float("nan"), float("inf")])
def test_what_cannot_be_promised_is_refused(read, written):
    with pytest.raises(UsageError):
        read(written)


@pytest.mark.parametrize(
    ("read", "written"), [(percent, 100), (percent, "100.0"), (share, 1), (share, 1.0)]
)
def test_all_of_it_leaves_no_budget(read, written):
    with pytest.raises(UsageError, match="a budget of zero: every single bad event would exhaust"):
        read(written)


@pytest.mark.parametrize(
    ("read", "written", "hint"),
    [
        (share, 99.9, "did you mean targetPercent: 99.9?"),
        (percent, 0.999, "did you mean 99.9?"),
        (percent, "0.9", "did you mean 90?"),
        (percent, 1, "write one such as 99.9"),
        (percent, "99,9", "write a percentage such as 99.9"),
    ],
)
def test_a_share_taken_for_a_percentage_is_told(read, written, hint):
    with pytest.raises(UsageError) as caught:
        read(written)
    assert caught.value.hint == hint
