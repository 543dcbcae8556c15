import pytest

from gate.objectives.reader import read
from gate.slo import TimeWindow
from tests.objectives.writing import DATA, PYRRA, changed, complaint, declared, only, warnings

RATIO = PYRRA[PYRRA.index("    ratio:") :]
ERRORS = """      errors: {metric: 'requests_total{code="500"}'}\n"""
TOTAL = "      total: {metric: requests_total}\n"


def test_the_published_examples():
    errors, latency, native, gauge = read(DATA / "pyrra" / "slos.yaml").slos
    assert (errors.name, errors.objective) == ("prometheus-query-errors", 0.99)
    assert errors.window == TimeWindow(length=14 * 86_400)
    assert errors.recorded == {"slo": "prometheus-query-errors"}
    assert errors.labels == {"prometheus": "k8s", "team": "storage"}
    assert errors.queries == {
        "bad": 'sum(increase(prometheus_http_requests_total{job="prometheus-k8s",code=~"5.."}'
        "[{{window}}] offset 1m))",
        "total": 'sum(increase(prometheus_http_requests_total{job="prometheus-k8s"}'
        "[{{window}}] offset 1m))",
    }
    assert latency.queries
    assert latency.queries["good"] == (
        "sum(increase(nginx_ingress_controller_request_duration_seconds_bucket"
        '{ingress="lastfm",le=~"1([.]0)?"}[{{window}}]))'
    )
    count = "sum(increase(connect_server_requests_duration_seconds"
    count += '{job="pyrra",code="ok"}[{{window}}]))'
    assert native.queries == {
        "good": f"histogram_fraction(0, 0.2, {count}) * histogram_count({count})",
        "total": f"histogram_count({count})",
    }
    assert gauge.queries == {
        "good": 'sum(sum_over_time(up{job="prometheus-k8s"}[{{window}}]))',
        "total": 'sum(count_over_time(up{job="prometheus-k8s"}[{{window}}]))',
    }
    assert (gauge.objective, gauge.window.length) == (0.999, 28 * 86_400)


def test_the_quirks_of_the_published_examples_are_told_with_their_lines():
    told = [one.rpartition("/")[2] for one in read(DATA / "pyrra").warnings]
    assert told == [
        "slos.yaml:17: Pyrra keeps a budget for each handler; here all of them share one",
        "slos.yaml:31: `latency` is no key of Pyrra's here; the bucket's `le` counts",
    ]


def test_success_may_stand_for_errors_or_for_the_total(tmp_path):
    success = "      success: {metric: ok_total}\n"
    of_all = only(tmp_path, changed(PYRRA, ERRORS, success))
    assert of_all.queries == {
        "good": "sum(increase(ok_total[{{window}}]))",
        "total": "sum(increase(requests_total[{{window}}]))",
    }
    bad = 'sum(increase(requests_total{code="500"}[{{window}}]))'
    both = only(tmp_path, changed(PYRRA, TOTAL, success))
    assert both.queries == {
        "bad": bad,
        "total": f"({bad} or vector(0)) + sum(increase(ok_total[{{{{window}}}}]))",
    }


def test_a_fraction_of_a_second_is_a_bucket_as_written(tmp_path):
    latency = """    latency:
      success: {metric: 'took_bucket{le="0.25"}'}
      total: {metric: took_count}
"""
    slo = only(tmp_path, changed(PYRRA, RATIO, latency))
    assert slo.queries
    assert 'le="0.25"' in slo.queries["good"]


def test_a_target_may_be_a_number_and_the_list_of_kubernetes_is_read(tmp_path):
    item = "".join(f"  {line}" for line in PYRRA.splitlines(keepends=True))
    text = "apiVersion: v1\nkind: List\nitems:\n-" + item[1:].replace('"99.9"', "99.95")
    (slo,) = declared(tmp_path, text).slos
    assert (slo.objective, slo.origin) == (0.9995, f"{tmp_path}/slo.yaml:4")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"99.9"', '"100"', "slo.yaml:5:3: a target of 100 is a budget of zero: every single bad"),
        ('"99.9"', '"0.999"', "slo.yaml:5:3: a target of 0.999 percent"),
        ('"99.9"', '"99,9"', "slo.yaml:5:3: '99,9' is not a number"),
        ("28d", "1y", "slo.yaml:6:3: spec.window: '1y' is not a duration"),
        ("28d", "0d", "slo.yaml:6:3: spec.window: should be greater than 0"),
        ("  window: 28d\n", "", "slo.yaml:4:1: spec.window is missing"),
        (RATIO, "    {}\n", "slo.yaml:7:3: exactly one indicator is wanted, and there is none"),
        (
            RATIO,
            RATIO + "    bool_gauge: {metric: up}\n",
            "slo.yaml:7:3: exactly one indicator is wanted, and there is ratio and bool_gauge",
        ),
        (ERRORS, "", "slo.yaml:8:5: a ratio needs two of errors, success and total"),
        (
            "{metric: requests_total}",
            "{metric: sum(requests_total)}",
            "slo.yaml:10:15: 'sum(requests_total)' is not a metric selector",
        ),
        (
            RATIO,
            "    latency: {success: {metric: took_bucket}, total: {metric: took_count}}\n",
            "slo.yaml:8:25: the metric has no matcher for `le`, so it adds up all buckets",
        ),
        (
            RATIO,
            "    latencyNative: {latency: fast, total: {metric: took}}\n",
            "slo.yaml:8:21: spec.indicator.latencyNative.latency: 'fast' is not a duration",
        ),
        ("ratio:", "ratios:", "slo.yaml:8:5: unknown key 'ratios'; did you mean 'ratio'?"),
        ("Objective\n", "Objectives\n", "slo.yaml:2:1: unknown kind 'ServiceLevelObjectives'; di"),
    ],
)
def test_what_cannot_be_read_is_refused_in_its_place(tmp_path, old, new, told):
    assert complaint(tmp_path, changed(PYRRA, old, new)).startswith(told)


def test_every_grouping_is_told(tmp_path):
    assert warnings(tmp_path, PYRRA + "      grouping: [handler, code]\n") == [
        "slo.yaml:11: Pyrra keeps a budget for each handler, code; here all of them share one"
    ]
