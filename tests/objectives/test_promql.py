import pytest

from gate.errors import UsageError
from gate.objectives.promql import as_counts, averaged, counted, selector, templated, worded


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("requests_total", "sum(increase(requests_total[{{window}}]))"),
        ('sum( requests{code="2{3"} )', 'sum(increase(requests{code="2{3"}[{{window}}]))'),
        ('{__name__="requests"}', 'sum(increase({__name__="requests"}[{{window}}]))'),
        ("sum(requests offset 5m)", "sum(increase(requests[{{window}}] offset 5m))"),
        ("sum(rate(requests[{{.window}}]))", "sum(rate(requests[{{window}}]))"),
        ("increase(requests[{{ window }}])", "increase(requests[{{window}}])"),
    ],
)
def test_a_counter_is_asked_how_much_it_grew(written, asked):
    assert counted(written, counter=True) == (asked, "")


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("in_flight", "sum(sum_over_time(in_flight[{{window}}]))"),
        ("sum(up) - 1", "sum_over_time((sum(up) - 1)[{{window}}:1m])"),
        ("up # one or none", "sum(sum_over_time(up[{{window}}]))"),
    ],
)
def test_a_number_of_events_at_each_moment_is_added_up(written, asked):
    assert counted(written, counter=False) == (asked, "")


@pytest.mark.parametrize("counter", [True, False, None])
def test_a_fixed_range_stands_for_the_window_and_is_told(counter):
    query, remark = counted(
        'sum(rate(a{x="[1m]"}[5m])) - sum(rate(b[5m] offset 1h))', counter=counter
    )
    assert query == 'sum(rate(a{x="[1m]"}[{{window}}])) - sum(rate(b[{{window}}] offset 1h))'
    assert remark == "the range [5m] is read as the window asked about; write [{{.window}}]"


@pytest.mark.parametrize(
    ("written", "counter", "why"),
    [
        ("requests_total", None, "whether this metric only grows is not said"),
        ("sum(a) + sum(b)", True, "cannot be asked of a window"),
        ("sum by (code) (a)", True, "cannot be asked of a window"),
        ("sum(max_over_time(a[5m]))", True, r"the range \[5m\] cannot be turned"),
        ("sum(irate(a[5m]))", True, r"the range \[5m\] cannot be turned"),
        ("sum_over_time(up[1h:1m])", False, r"the range \[1h:1m\] cannot be turned"),
        ("sum(rate(a[{{.step}}]))", True, "the query uses {{.step}}"),
        ("sum(rate(a[{{step}}]))", True, "the query uses {{step}}"),
        ("  # nothing here", True, "the query is empty"),
    ],
)
def test_what_cannot_be_asked_of_a_window_is_refused(written, counter, why):
    with pytest.raises(UsageError, match=why):
        counted(written, counter=counter)


@pytest.mark.parametrize(
    ("rate", "count"),
    [
        ("sum(rate(a[{{window}}]))", "sum(increase(a[{{window}}]))"),
        (
            'sum(rate(a{job="rate(x)"}[{{window}}] offset 5m)) or vector(0)',
            'sum(increase(a{job="rate(x)"}[{{window}}] offset 5m)) or vector(0)',
        ),
        (
            "sum by (job) (rate(a[{{window}}])) - sum(rate(b[{{window}}])) by (job)",
            "sum by (job) (increase(a[{{window}}])) - sum(increase(b[{{window}}])) by (job)",
        ),
        (
            "(\n  sum(rate(a[{{window}}]))\n  -\n  sum(rate(b[{{window}}]))\n)",
            "(\n  sum(increase(a[{{window}}]))\n  -\n  sum(increase(b[{{window}}]))\n)",
        ),
    ],
)
def test_sums_of_rates_become_counts(rate, count):
    total = "sum(rate(all[{{window}}]))"
    assert as_counts({"bad": rate, "total": total}) == (
        {"bad": count, "total": "sum(increase(all[{{window}}]))"},
        "",
    )


@pytest.mark.parametrize(
    "odd",
    [
        "sum(rate(a[{{window}}])) > 5",
        "sum(rate(a[{{window}}])) + 1",
        "sum(rate(a[{{window}}])) * sum(rate(b[{{window}}]))",
        "sum(rate(a[{{window}}])) - b",
        "sum(rate(a[{{window}}])) or vector(1)",
        "avg(rate(a[{{window}}]))",
        "sum(clamp_max(rate(a[{{window}}]), 1))",
        "sum(increase(a[{{window}}]))",
    ],
)
def test_anything_else_stays_a_rate_and_is_told(odd):
    given = {"bad": odd, "total": "sum(rate(all[{{window}}]))"}
    assert as_counts(given) == (
        given,
        "its queries give events a second: shares are right, counts are not",
    )


def test_counts_stay_counts():
    given = {"bad": "sum(increase(a[{{window}}]))", "total": "sum(increase(b[{{window}}]))"}
    assert as_counts(given) == (given, "")


def test_a_ratio_made_elsewhere_is_averaged_over_time():
    assert averaged("job:errors:ratio")[0] == "avg_over_time(job:errors:ratio[{{window}}])"
    query, remark = averaged("max(a[5m])")
    assert query == "avg_over_time((max(a[5m]))[{{window}}:1m])"
    assert "a quiet hour like a busy one" in remark
    assert averaged("errors:ratio{{.window}}") == ("errors:ratio{{window}}", "")


def test_a_template_must_say_where_the_window_stands():
    with pytest.raises(UsageError, match="over which window"):
        templated("sum(rate(a[5m]))")


def test_a_value_may_have_no_window():
    assert worded("max(lag)") == "max(lag)"


@pytest.mark.parametrize("text", ["sum(a)", "a[5m]", "a + b", "rate(a[5m])", "1", 'a{b="c"'])
def test_only_a_selector_is_one(text):
    with pytest.raises(UsageError, match="is not a metric selector"):
        selector(text)
