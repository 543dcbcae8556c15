import pytest

from gate.objectives.reader import read
from gate.slo import Budgeting
from tests.objectives.writing import DATA, OPENSLO, changed, complaint, declared, only, warnings

SLICES = "budgetingMethod: Timeslices\n  objectives:\n    - target: 0.999"
OCCURRENCES = "budgetingMethod: Occurrences\n  objectives:\n    - target: 0.999"
RATIO = OPENSLO[OPENSLO.index("      ratioMetric:") : OPENSLO.index("  timeWindow:")]
RAW = "      ratioMetric:\n        rawType: {}\n        raw: {{metricSource: {{type: Prometheus, \
spec: {{query: '{}'}}}}}}\n"
THRESHOLD = "      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'max(lag)'}}}\n"


def with_metric(text: str) -> str:
    return changed(OPENSLO, RATIO, text)


def with_source(source: str) -> str:
    """The SLO whose `bad` has this metricSource, on line 10."""
    return changed(OPENSLO, "{type: Prometheus, spec: {query: 'errors_total'}}", source)


def test_the_published_examples_with_their_parts_in_another_file():
    answer = read(DATA / "openslo")
    internal, second, sla, lag = answer.slos
    assert (internal.name, internal.objective) == ("web-availability/Internal", 0.9995)
    assert (second.name, second.objective) == ("web-availability/2", 0.995)
    assert internal.queries == {
        "good": 'sum(increase(http_requests{component="web",code=~"2xx|4xx"}[{{window}}]))',
        "total": 'sum(increase(http_requests{component="web"}[{{window}}]))',
    }
    assert internal.origin.endswith("slos.yaml:35")
    assert (sla.name, sla.budgeting) == ("service-availability", Budgeting.TIMESLICES)
    assert (sla.slice_length, sla.slice_target, sla.window.zone) == (60, 0.99, "America/New_York")
    assert (sla.source, sla.queries and sla.queries["bad"]) == (
        "main-prometheus",
        'sum(increase(http_requests_total{code=~"5.."}[{{window}}]))',
    )
    assert (lag.op, lag.threshold, lag.slice_length) == ("lte", 500, 300)
    assert (lag.budgeting, lag.slice_target) == (Budgeting.RATIO_TIMESLICES, None)


def test_the_quirks_of_the_published_examples_are_told_with_their_lines():
    told = [one.rpartition("/")[2] for one in read(DATA / "openslo").warnings]
    assert told == [
        "parts.yml:8: the range [5m] is read as the window asked about; write [{{.window}}]",
        "parts.yml:13: the range [5m] is read as the window asked about; write [{{.window}}]",
        "slos.yaml:48: `1m` is minutes in OpenSLO; read as months, which it writes `1M`",
        "slos.yaml:56: `op` has no meaning beside a ratioMetric; left out",
        "slos.yaml:68: no Service is named 'annotator'",
    ]


def test_labels_of_the_service_hold_where_the_slo_has_none():
    web = read(DATA / "openslo").slos[0]
    assert web.labels == {
        "serviceTier": "tier-1",
        "team": "team-a,team-b",
        "userImpacting": "true",
    }


def test_the_smallest_slo(tmp_path):
    slo = only(tmp_path, OPENSLO)
    assert (slo.name, slo.service, slo.objective, slo.source) == ("web", "shop", 0.999, "")
    assert slo.queries == {
        "bad": "sum(increase(errors_total[{{window}}]))",
        "total": "sum(increase(requests_total[{{window}}]))",
    }
    assert slo.recorded == {}
    assert slo.origin == f"{tmp_path}/slo.yaml:17"


def test_a_service_nearly_named_is_told(tmp_path):
    services = "---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: shops}\nspec: {}\n"
    assert warnings(tmp_path, OPENSLO + services) == [
        "slo.yaml:5: no Service is named 'shop'; did you mean 'shops'?"
    ]


def test_no_method_is_occurrences_as_in_the_standards_own_readme(tmp_path):
    text = changed(OPENSLO, "  budgetingMethod: Occurrences\n", "")
    assert warnings(tmp_path, text) == [
        "slo.yaml:4: budgetingMethod is missing; read as Occurrences"
    ]


def test_a_ratio_made_elsewhere_is_a_share_of_good_or_of_bad(tmp_path):
    bad = declared(tmp_path, with_metric(RAW.format("failure", "job:errors:ratio")))
    assert bad.slos[0].queries == {"error_ratio": "avg_over_time(job:errors:ratio[{{window}}])"}
    assert "weighs a quiet hour like a busy one" in bad.warnings[0]
    good = only(tmp_path, with_metric(RAW.format("success", "avg(ok[{{.window}}])")))
    assert good.queries == {"error_ratio": "1 - (avg(ok[{{window}}]))"}


def test_slices_given_to_occurrences_are_left_out_and_told(tmp_path):
    text = OPENSLO + "      timeSliceWindow: 1m\n      timeSliceTarget: 0.9\n"
    assert warnings(tmp_path, text) == [
        "slo.yaml:19: timeSliceTarget has no meaning with occurrences; left out",
        "slo.yaml:18: timeSliceWindow has no meaning with occurrences; left out",
    ]


def test_a_type_may_come_from_the_data_source(tmp_path):
    source = "---\napiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: main}\n"
    text = OPENSLO.replace("type: Prometheus", "metricSourceRef: main") + source
    assert only(tmp_path, text + "spec: {type: Prometheus}\n").source == "main"
    assert complaint(tmp_path, text + "spec: {type: Datadog}\n").startswith(
        "slo.yaml:10:15: the gate cannot ask a source of type 'Datadog'"
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("target: 0.999", "target: 1.0", "slo.yaml:17:7: a target of 1 is a budget of zero"),
        ("target: 0.999", "targetPercent: 100", "slo.yaml:17:7: a target of 100 is a budget of ze"),
        ("target: 0.999", "target: 0", "slo.yaml:17:7: a target of 0 promises nothing"),
        ("target: 0.999", "target: 99.9", "slo.yaml:17:7: a target of 99.9 is out of range\n  did"),
        ("target: 0.999", "target: '0.9'", "slo.yaml:17:7: spec.objectives.0.target: should be a"),
        (
            "target: 0.999",
            "{target: 0.9, targetPercent: 90}",
            "slo.yaml:17:7: an objective needs one of target and targetPercent",
        ),
        ("target: 0.999", "{}", "slo.yaml:17:7: an objective needs one of target and targetPerc"),
        (
            "target: 0.999",
            "{target: 0.9, indicatorRef: web, compositeWeight: 2}",
            "slo.yaml:17:21: a composite SLO mixes the budgets",
        ),
        (
            "target: 0.999",
            "{target: 0.9, traget: 1}",
            "slo.yaml:17:21: unknown key 'traget'; did you mean 'target'?\n  known here: comp",
        ),
        ("Occurrences", "occurrences", "slo.yaml:15:3: spec.budgetingMethod: should be 'Occurr"),
        (OCCURRENCES, SLICES, "slo.yaml:17:7: timeSliceTarget is missing, and timeslices needs it"),
        (
            OCCURRENCES,
            SLICES + "\n      timeSliceTarget: 0.9",
            "slo.yaml:17:7: timeSliceWindow is missing",
        ),
        (
            OCCURRENCES,
            SLICES + "\n      timeSliceTarget: 0.9\n      timeSliceWindow: 5w",
            "slo.yaml:19:7: a time slice must be shorter than the window",
        ),
        (
            OCCURRENCES,
            SLICES + "\n      timeSliceTarget: 0.9\n      timeSliceWindow: 0",
            "slo.yaml:19:7: a time slice of 0 minutes has no length",
        ),
        (RATIO, THRESHOLD, "slo.yaml:14:7: op is missing, and a thresholdMetric needs it"),
        (RATIO, THRESHOLD + RATIO, "slo.yaml:7:5: an SLI needs one of ratioMetric and thresho"),
        (RATIO, RAW.format("maybe", "x"), "slo.yaml:9:9: spec.indicator.spec.ratioMetric.rawType"),
        (
            RATIO,
            RAW.format("success", "x") + "        bad: {metricSource: {spec: {query: x}}}\n",
            "slo.yaml:11:9: `bad` cannot stand beside `raw`",
        ),
        (
            RATIO,
            RAW.replace("        rawType: {}\n", "").format("x"),
            "slo.yaml:8:7: rawType is missing",
        ),
        ("        counter: true\n", "", "slo.yaml:9:9: whether this metric only grows is not said"),
        ("bad:", "good_or_bad:", "slo.yaml:10:9: unknown key 'good_or_bad'"),
        ("        total:", "        good:", "slo.yaml:8:7: a ratioMetric needs good and total, ba"),
        ("kind: SLO", "kind: SLOs", "slo.yaml:2:1: unknown kind 'SLOs'; did you mean 'SLO'?"),
        ("{name: web}", "{}", "slo.yaml:3:1: metadata.name is missing"),
        ("  service: shop\n", "", "slo.yaml:4:1: spec.service is missing"),
        (
            "  indicator:\n    spec:\n" + RATIO,
            "  indicatorRef: availabilty\n",
            "slo.yaml:6:3: no SLI is named 'availabilty'",
        ),
        (
            "  indicator:\n    spec:\n" + RATIO,
            "",
            "slo.yaml:4:1: an SLO needs one of indicator and indicatorRef",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_its_place(tmp_path, old, new, told):
    assert complaint(tmp_path, changed(OPENSLO, old, new)).startswith(told)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "{type: Datadog, spec: {query: x}}",
            "slo.yaml:10:30: the gate cannot ask a source of type 'Datadog'\n  known: prometheus",
        ),
        (
            "{metricSourceRef: main, spec: {query: x}}",
            "slo.yaml:10:30: no DataSource is named 'main'\n  the files read hold: none; add it",
        ),
        ("{spec: {query: x}}", "slo.yaml:10:15: a metricSource needs a type or a metricSourceRef"),
        (
            "{type: Prometheus, spec: {expr: x, step: 5}}",
            "slo.yaml:10:48: one PromQL text is wanted here, and there is 'expr', 'step'\n  write",
        ),
        (
            "{type: Prometheus, metricSourceRef: other, spec: {query: x}}",
            "slo.yaml:8:7: the two queries of a ratio name different sources",
        ),
    ],
)
def test_a_source_the_gate_cannot_ask_is_refused(tmp_path, source, told):
    assert complaint(tmp_path, with_source(source)).startswith(told)


def test_a_data_source_of_another_type_than_told_beside_it(tmp_path):
    text = with_source("{type: Prometheus, metricSourceRef: main, spec: {query: x}}")
    text += "---\napiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: main}\n"
    assert complaint(tmp_path, text + "spec: {type: Thanos}\n").startswith(
        "slo.yaml:10:30: the type is 'Prometheus' here and 'Thanos' in the DataSource 'main'"
    )


def test_a_missing_reference_names_what_is_there(tmp_path):
    sli = "---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: availability}\nspec: {}\n"
    start = OPENSLO.index("  indicator:")
    end = OPENSLO.index("  timeWindow:")
    text = OPENSLO[:start] + "  indicatorRef: availabilty\n" + OPENSLO[end:] + sli
    assert complaint(tmp_path, text) == (
        "slo.yaml:6:3: no SLI is named 'availabilty'; did you mean 'availability'?\n"
        "  the files read hold: availability; name a folder to read the files below it together"
    )


def test_two_objects_of_one_name_are_refused(tmp_path):
    assert complaint(tmp_path, f"{OPENSLO}---\n{OPENSLO}").startswith(
        "slo.yaml:21:12: a second SLO is named 'web'\n  the first is at slo.yaml:1; rename one"
    )
