import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import UsageError
from gate.units import duration, rate, seconds, share


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("30d", 2_592_000),
        ("1w", 604_800),
        ("250ms", 0.25),
        ("1.5m", 90),
        ("0s", 0),
    ],
)
def test_durations(text, length):
    assert seconds(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "90", "1M", "1y", "-5m", "5 m", "m", "1h 30m", " 5m", "5m\n", "1e3s", "٣m", "5µs", "nan"],
)
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as caught:
        seconds(text)
    assert caught.value.message == f"{text!r} is not a duration"
    assert "1h30m" in caught.value.hint


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_reads_back_to_the_millisecond(milliseconds):
    assert seconds(duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "value"), [("99.9%", 0.999), ("0.999", 0.999), (" 50 % ", 0.5), ("99.99%", 0.9999)]
)
def test_shares(text, value):
    assert share(text) == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.0", "a target of 100 % leaves no budget to judge by"),
        ("100%", "a target of 100 % leaves no budget to judge by"),
        ("99.9", "did you mean 99.9%?"),
        ("0", ""),
        ("-0.5", ""),
        ("nan", ""),
        ("inf", ""),
        ("99.9999999999999%", "a target of 100 % leaves no budget to judge by"),
        ("high", "write 99.9% or 0.999"),
        ("99,9%", "write 99.9% or 0.999"),
    ],
)
def test_what_is_no_share_is_refused(text, hint):
    with pytest.raises(UsageError) as caught:
        share(text)
    assert repr(text) in caught.value.message
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "a_second"),
    [
        ("200rps", 200),
        ("200 rps", 200),
        ("12k rpm", 200),
        ("12krpm", 200),
        ("50/min", 50 / 60),
        ("0.5/s", 0.5),
        ("3600 / h", 1),
        ("86.4k rpd", 1),
        ("2M/d", 2e6 / 86_400),
    ],
)
def test_rates(text, a_second):
    assert rate(text) == pytest.approx(a_second)


@pytest.mark.parametrize(
    "text",
    ["", "200", "rps", "0rps", "-5rps", "5 / fortnight", "1e3rps", "nan rps", "12K rpm", "٣rps"],
)
def test_what_is_no_rate_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as caught:
        rate(text)
    assert caught.value.message == f"{text!r} is not a rate of traffic"
    assert "12k rpm" in caught.value.hint
