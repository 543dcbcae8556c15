import pytest

from gate.objectives.reader import read
from gate.slo import TimeWindow
from tests.objectives.writing import DATA, SLOTH, changed, complaint, declared, only, warnings

EVENTS = SLOTH[SLOTH.index("      events:") :]
KUBERNETES = """\
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: shop}
spec:
"""


def test_the_published_examples():
    answer = read(DATA / "sloth" / "getting-started.yml")
    requests, wifi = answer.slos
    assert (requests.name, requests.objective) == ("myservice-requests-availability", 0.999)
    assert requests.window == TimeWindow(length=30 * 86_400)
    assert requests.recorded == {  # as in examples/_gen/getting-started.yml
        "sloth_id": "myservice-requests-availability",
        "sloth_service": "myservice",
        "sloth_slo": "requests-availability",
    }
    assert requests.labels == {"owner": "otherteam", "tier": "2"}
    assert requests.queries == {
        "bad": "sum(increase(http_request_duration_seconds_count"
        '{job="myservice",code=~"(5..|429)"}[{{window}}]))',
        "total": 'sum(increase(http_request_duration_seconds_count{job="myservice"}[{{window}}]))',
    }
    assert list(wifi.queries or {}) == ["error_ratio"]
    (told,) = answer.warnings
    assert told.partition("sloth/")[2] == (
        "getting-started.yml:35: `errorRatioQuery` is spelled `error_ratio_query` in prometheus/v1"
    )


def test_two_services_may_name_their_slos_alike():
    shop, till = read(DATA / "sloth" / "k8s-multifile.yml").slos
    assert (shop.name, shop.service) == ("shop-requests-availability", "shop")
    assert (till.name, till.objective) == ("till-requests-availability", 0.9999)
    assert till.queries
    assert till.queries["bad"].endswith("[{{window}}:]) OR on() vector(0)")


def test_kubernetes_says_the_same(tmp_path):
    plain = only(tmp_path, SLOTH)
    spec = "".join(f"  {line}" for line in SLOTH.splitlines(keepends=True)[1:])
    spec = spec.replace("error_query", "errorQuery").replace("total_query", "totalQuery")
    kubernetes = only(tmp_path, KUBERNETES + spec)
    assert kubernetes.queries == plain.queries
    assert (kubernetes.name, kubernetes.recorded) == (plain.name, plain.recorded)


def test_the_period_is_sloths_flag(tmp_path):
    (tmp_path / "slo.yml").write_text(SLOTH)
    (tmp_path / "windows.yml").write_text(  # after examples/windows/7d.yaml
        "apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec:\n  sloPeriod: 7d\n  page: {}\n"
    )
    week = read(tmp_path, period=7 * 86_400)
    assert (week.slos[0].window.length, week.warnings) == (7 * 86_400, ())
    (told,) = read(tmp_path).warnings
    assert told.startswith(f"{tmp_path}/windows.yml:4: alert windows for 7d are passed over; ")
    assert told.endswith("SLOs of Sloth are read over 30d")


def test_rates_that_are_no_sums_are_told(tmp_path):
    text = changed(SLOTH, "sum(rate(errors_total[{{.window}}]))", "max(rate(e[{{.window}}]))")
    assert warnings(tmp_path, text) == [
        "slo.yaml:7: its queries give events a second: shares are right, counts are not"
    ]
    assert declared(tmp_path, text).slos[0].queries == {
        "bad": "max(rate(e[{{window}}]))",
        "total": "sum(rate(requests_total[{{window}}]))",
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("99.9", "100", "slo.yaml:5:5: a target of 100 is a budget of zero: every single"),
        ("99.9", "0.999", "slo.yaml:5:5: a target of 0.999 percent promises"),
        ("99.9", "0", "slo.yaml:5:5: a target of 0 promises nothing"),
        ("99.9", "120", "slo.yaml:5:5: a target of 120 is out of range"),
        ("99.9", "'99.9'", "slo.yaml:5:5: slos.0.objective: should be a valid number, not '99.9'"),
        (
            EVENTS,
            "      plugin: {id: getting_started_availability}\n",
            "slo.yaml:7:7: a plugin is a program that writes the queries",
        ),
        (EVENTS, "      {}\n", "slo.yaml:6:5: an SLI needs exactly one of events, raw and plugin"),
        (
            EVENTS,
            EVENTS + "      raw: {error_ratio_query: 'x{{.window}}'}\n",
            "slo.yaml:6:5: an SLI needs exactly one of",
        ),
        (
            "errors_total[{{.window}}]",
            "errors_total[5m]",
            "slo.yaml:8:9: the query does not say over which window\n  write its range as [{{.win",
        ),
        (
            "errors_total[{{.window}}]",
            "errors_total{job='{{.service}}'}[{{.window}}]",
            "slo.yaml:8:9: the query uses {{.service}}\n  the only word here is {{.window}}",
        ),
        ("error_query:", "eror_query:", "slo.yaml:8:9: unknown key 'eror_query'; did you mean 'er"),
        (
            "        error_query",
            "        errorQuery: x\n        error_query",
            "slo.yaml:8:9: `error",
        ),
        (
            "        error_query: sum(rate(errors_total[{{.window}}]))\n",
            "",
            "slo.yaml:7:7: error_query is missing",
        ),
        ("service: shop\n", "", "slo.yaml:1:1: service is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_its_place(tmp_path, old, new, told):
    assert complaint(tmp_path, changed(SLOTH, old, new)).startswith(told)


def test_another_kind_is_refused(tmp_path):
    text = changed(KUBERNETES, "ServiceLevel", "ServiceLevels") + "  {}\n"
    assert complaint(tmp_path, text).startswith(
        "slo.yaml:2:1: unknown kind 'PrometheusServiceLevels'; "
        "did you mean 'PrometheusServiceLevel'?"
    )
