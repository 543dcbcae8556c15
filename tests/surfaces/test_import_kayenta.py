"""`gate import kayenta`: canary configs as teams have them, and what becomes of them."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.document import parse as parse_document
from gate.errors import UsageError
from gate.kayenta import Thresholds
from gate.kayenta_config import parse
from gate.metric import DEFAULT_MARGINS, Direction, Kind, Margin
from gate.service import Service
from gate.service_file import ServiceFile, from_document
from gate.surfaces.cli.kayenta_defects import defects
from gate.surfaces.cli.kayenta_service import service_file
from gate.surfaces.cli.main import run


def metric(name: str = "errors", query: Any = None, **keys: Any) -> dict[str, Any]:
    """A metric as Spinnaker stores it; `canary` is its analysis configuration."""
    promql = 'PromQL:sum(rate(http_errors_total{app="${scope}"}[5m]))'
    canary = {"direction": "increase", "nanStrategy": "remove", **keys.pop("canary", {})}
    return {
        "name": name,
        "query": query or {"type": "prometheus", "customInlineTemplate": promql},
        "groups": ["Errors"],
        "analysisConfigurations": {"canary": canary},
        "scopeName": "default",
        **keys,
    }


def config(*metrics: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {
        "name": "checkout",
        "description": "golden signals",
        "configVersion": "1",
        "applications": ["checkout"],
        "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}},
        "metrics": list(metrics or [metric()]),
        "templates": {},
        "classifier": {"groupWeights": {"Errors": 100}},
        **keys,
    }


def text(*metrics: dict[str, Any], own_judge: bool = True, **keys: Any) -> str:
    read = parse(json.dumps(config(*metrics, **keys)), "canary.json")
    return service_file(read, "checkout", own_judge=own_judge)


def loaded(*metrics: dict[str, Any], **keys: Any) -> ServiceFile:
    return from_document(parse_document(text(*metrics, **keys), "gate.yaml"))


def warned(*metrics: dict[str, Any], **keys: Any) -> set[str]:
    found = defects(parse(json.dumps(config(*metrics, **keys)), "canary.json"))
    return {defect.name for defect in found} - {
        "Error labels score 100",
        "unit-dependent tolerance",
    }


# -- the command ---------------------------------------------------------------------------------


def imported(capfd, tmp_path, content: str | bytes, *flags: str) -> tuple[int, str, str]:
    path = tmp_path / "canary.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    code = run(["import", "kayenta", str(path), *flags])
    captured = capfd.readouterr()
    return code, captured.out, captured.err.replace(str(tmp_path) + "/", "")


def test_the_file_goes_to_standard_output_and_the_warnings_to_standard_error(capfd, tmp_path):
    code, out, err = imported(capfd, tmp_path, json.dumps(config()))
    assert code == 0
    (tmp_path / "gate.yaml").write_text(out)
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    warnings = re.findall(r"^warning: (.*?) \(", err, re.MULTILINE)
    assert warnings == ["Error labels score 100", "unit-dependent tolerance"]
    assert "the gate calls such a metric unfit and holds" in err


def test_the_service_may_be_named(capfd, tmp_path):
    out = imported(capfd, tmp_path, json.dumps(config()), "--name", "shop/web")[1]
    assert "name: 'shop/web'" in out
    code, out, err = imported(capfd, tmp_path, json.dumps(config()), "--name", "shop: web")
    assert (code, out) == (2, "")
    assert "--name 'shop: web' cannot name a service" in err


def test_the_body_of_an_ad_hoc_run_is_a_config_too(capfd, tmp_path):
    body = {"canaryConfig": config(), "executionRequest": {"scopes": {}}}
    assert imported(capfd, tmp_path, "\ufeff" + json.dumps(body))[0] == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"metrics": [\n  {"name": }]}', "canary.json:2:12: not valid JSON: Expecting value"),
        ("", "canary.json:1:1: not valid JSON"),
        (b"\xff", "canary.json: not UTF-8 text (byte 0)"),
        ("[" * 100_000, "canary.json: not valid JSON"),
        ('{"metrics": ' + "1" * 5000 + "}", "canary.json: not valid JSON"),
        ("[]", "not a canary config of Kayenta: it has no `metrics`"),
        ('{"apiVersion": "v1"}', "not a canary config of Kayenta: it has no `metrics`"),
        ('{"canaryConfig": 3}', "not a canary config of Kayenta"),
        ('{"metrics": []}', "canary.json: metrics: List should have at least 1 item"),
        ('{"metrics": {"a": 1}}', "canary.json: metrics: Input should be a valid list"),
        ('{"metrics": [{"name": "a"}]}', "canary.json: metrics[0].groups: Field required"),
        (
            json.dumps({"canaryConfig": config(metric(canary={"critical": "true"}))}),
            "metrics[0].analysisConfigurations.canary.critical: Input should be a valid boolean",
        ),
        (json.dumps(config(name="\ud800")), "canary.json: not valid JSON: 'utf-8' codec"),
        (
            json.dumps(config(metric(canary={"direction": None}))),
            "metrics[0].analysisConfigurations.canary.direction: Input should be a valid string",
        ),
        (
            json.dumps(config(metric(canary={"effectSize": {"allowedIncrease": "1.2"}}))),
            "effectSize.allowedIncrease: Input should be a valid number",
        ),
        (
            json.dumps(config(metric(canary={"effectSize": {"allowedIncrease": float("nan")}}))),
            "effectSize.allowedIncrease: Input should be a finite number",
        ),
        (
            json.dumps(
                config(metric(canary={"outliers": {"strategy": "remove", "outlierFactor": 0}}))
            ),
            "outliers: outlierFactor must be above 0",
        ),
    ],
)
def test_what_is_no_canary_config_is_refused_with_its_place(capfd, tmp_path, content, complaint):
    code, out, err = imported(capfd, tmp_path, content)
    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err


def test_a_file_that_is_not_there_or_not_a_file(capfd, tmp_path):
    assert run(["import", "kayenta", str(tmp_path / "none.json")]) == 2
    assert run(["import", "kayenta", str(tmp_path)]) == 2
    err = capfd.readouterr().err
    assert "none.json: no such file" in err
    assert "cannot be read: Is a directory" in err


# -- the service file ----------------------------------------------------------------------------


def test_a_scope_matcher_becomes_the_arms_and_the_sum_each_pods_own():
    file = loaded()
    assert file.service.arms.canary == 'app="{{canary}}"'
    assert file.service.arms.baseline == 'app="{{baseline}}"'
    (one,) = file.service.metrics
    assert (one.kind, one.worse, one.critical) == (Kind.GAUGE, Direction.HIGHER, True)
    asked = "sum by (pod, instance) (rate(http_errors_total{ {{selector}} }[5m]))"
    assert one.queries == {"value": asked}


@pytest.mark.parametrize("escaped", ["$\\{scope}", "${scope}"])
def test_a_whole_scope_and_other_variables(escaped):
    promql = f'PromQL:sum(rate(x{{zone="${{location}}",step="${{step}}",{escaped}}}[5m]))'
    file = loaded(metric(query={"type": "prometheus", "customInlineTemplate": promql}))
    assert file.service.arms.canary == 'REPLACE_ME="{{canary}}"'
    asked = file.service.metrics[0].queries["value"]
    assert 'zone="{{location}}",step="{{kayenta_step}}",{{selector}} }' in asked
    assert file.service.variables == {"location": "REPLACE_ME", "kayenta_step": "REPLACE_ME"}


@pytest.mark.parametrize(
    ("promql", "kind"),
    [
        ('sum(x{a="${scope}"}) / sum(y{a="${scope}"})', Kind.SAMPLES),
        ('histogram_quantile(0.99, sum(rate(x_bucket{a="${scope}"}[5m])) by (le))', Kind.SAMPLES),
        ('avg(sum by (zone) (x{a="${scope}"}))', Kind.SAMPLES),
        ('avg by (pod) (x{a="${scope}"})', Kind.GAUGE),
        ('process_resident_memory_bytes{a="${scope}"}', Kind.GAUGE),
    ],
)
def test_one_series_for_all_pods_is_samples_and_one_a_pod_a_gauge(promql, kind):
    query = {"type": "prometheus", "customInlineTemplate": f"PromQL:{promql}"}
    (one,) = loaded(metric(query=query)).service.metrics
    assert one.kind is kind
    assert "{{selector}}" in next(iter(one.queries.values()))
    assert one.quantiles == ((0.5,) if kind is Kind.SAMPLES else ())


def test_a_named_metric_with_bindings_and_a_filter_template():
    query = {
        "type": "prometheus",
        "metricName": "container_cpu_usage_seconds_total",
        "labelBindings": ['mode=~"user|system"'],
        "customFilterTemplate": "own",
    }
    (one,) = loaded(metric(query=query), templates={"own": 'name="${box}"'}).service.metrics
    assert one.queries["value"] == (
        "avg by (pod, instance) (rate(container_cpu_usage_seconds_total"
        '{ {{selector}},mode=~"user|system",name="{{box}}" }[{{step}}]))'
    )


def test_another_systems_query_is_a_placeholder_with_the_query_beside_it():
    query = {"type": "stackdriver", "metricType": "compute.googleapis.com/cpu"}
    assert '"metricType": "compute.googleapis.com/cpu"' in text(metric(query=query))
    asked = loaded(metric(query=query)).service.metrics[0].queries
    assert asked == {"value": "REPLACE_ME{ {{selector}} }"}


@pytest.mark.parametrize(
    ("canary", "worse", "margin"),
    [
        ({"effectSize": {"allowedIncrease": 1.5}}, Direction.HIGHER, Margin(1.5, 0.0)),
        (
            {"direction": "decrease", "effectSize": {"allowedDecrease": 0.8}},
            Direction.LOWER,
            Margin(1.25, 0.0),
        ),
        ({}, Direction.HIGHER, DEFAULT_MARGINS[Kind.GAUGE]),
        (
            {"effectSize": {"measure": "cles", "allowedIncrease": 1.5}},
            Direction.HIGHER,
            DEFAULT_MARGINS[Kind.GAUGE],
        ),
        (
            {"direction": "decrease", "effectSize": {"allowedDecrease": 0}},
            Direction.LOWER,
            DEFAULT_MARGINS[Kind.GAUGE],
        ),
    ],
)
def test_the_allowed_change_is_the_margin_where_it_can_be(canary, worse, margin):
    (one,) = loaded(metric(canary=canary)).service.metrics
    assert (one.worse, one.margin) == (worse, margin)


def test_something_is_always_critical():
    both = metric("a", canary={"critical": True}), metric("b")
    assert [one.critical for one in loaded(*both).service.metrics] == [True, False]
    none = metric("a", canary={"muted": True}), metric("b"), metric("c")
    assert [one.critical for one in loaded(*none).service.metrics] == [False, True, True]
    muted = metric("a", canary={"muted": True, "critical": True})
    assert [one.critical for one in loaded(muted).service.metrics] == [True]


def test_names_the_gate_cannot_take_are_changed_and_stay_apart():
    names = [metric(name) for name in ("p99 (ms)", "p99 [ms]", "héß", "💥", "")]
    found = [one.name for one in loaded(*names).service.metrics]
    assert found == ["p99 ms", "p99 ms 2", "h", "metric", "metric 2"]


def test_what_is_lost_is_said_beside_the_metric():
    canary = {
        "direction": "either",
        "nanStrategy": "replace",
        "outliers": {"strategy": "remove"},
        "critical": True,
        "effectSize": {"criticalIncrease": 2.0},
        "colour": "red",
    }
    other = metric("b", canary={"mustHaveData": True, "muted": True}, scopeName="zone", groups=[])
    comments = " ".join(re.findall(r"# (.*)", text(metric("a", canary=canary), other)))
    for said in (
        "Kayenta's 'a', in Errors",
        "Kayenta's 'b', in no group",
        "for a fall, repeat the metric with `worse: lower`",
        "Kayenta read missing points as 0",
        "Kayenta dropped outliers",
        "criticalIncrease, criticalDecrease",
        "not translated: colour",
        "mustHaveData",
        "Kayenta did not count it (muted)",
        "Kayenta's scope: zone",
    ):
        assert said in comments, said


def test_two_ways_of_telling_arms_apart_are_said():
    second = 'PromQL:sum(rate(x{version="${scope}"}[5m]))'
    third = metric("b", query={"type": "prometheus", "customInlineTemplate": second})
    assert 'Kayenta selected by version="${scope}" here' in text(metric("a"), metric("c"), third)


def test_text_of_the_config_cannot_leave_its_comment_or_quotes():
    evil = "x\npolicy: yolo\n# 'y'"
    query = {"type": "prometheus", "customInlineTemplate": f"PromQL:up{{${{scope}}}} {evil}"}
    file = loaded(metric(evil, query=query), name=evil, judge={"name": evil})
    assert file.service.policy == "standard"
    assert evil in file.service.metrics[0].queries["value"]


# -- for Kayenta's judge -------------------------------------------------------------------------


def migrated(*metrics: dict[str, Any], **keys: Any) -> Service:
    return loaded(*metrics, own_judge=False, **keys).service


def test_importing_migrates_to_kayentas_judge_unless_told_otherwise(capfd, tmp_path):
    body = json.dumps(config())
    assert "kind: kayenta" in imported(capfd, tmp_path, body)[1]
    assert "judge:" not in imported(capfd, tmp_path, body, "--judge", "gate")[1]
    assert imported(capfd, tmp_path, body, "--judge", "other")[0] == 2


def test_the_rules_stay_what_they_were():
    canary = {
        "direction": "either",
        "nanStrategy": "replace",
        "outliers": {"strategy": "remove", "outlierFactor": 2.0},
        "critical": True,
        "effectSize": {"measure": "cles", "allowedIncrease": 0.7, "criticalIncrease": 0.9},
    }
    other = metric("b", groups=["Other", "Errors"], canary={"mustHaveData": True, "muted": True})
    read = parse(json.dumps(config(metric("a", canary=canary), other)), "canary.json")
    service = migrated(metric("a", canary=canary), other)
    assert service.kayenta.rules.metrics == read.rules.metrics
    assert service.kayenta.rules.group_weights == {"Errors": 100.0}
    assert service.kayenta.thresholds == Thresholds(95.0, 75.0)


def test_the_thresholds_are_the_configs_where_it_has_some():
    for said, taken in (
        ({"pass": 90, "marginal": 50.5}, Thresholds(90.0, 50.5)),
        ({"pass": "90", "marginal": 50}, Thresholds(95.0, 75.0)),
        ({"pass": 50, "marginal": 90}, Thresholds(95.0, 75.0)),
    ):
        classifier = {"groupWeights": {"Errors": 100}, "scoreThresholds": said}
        assert migrated(classifier=classifier).kayenta.thresholds == taken


@pytest.mark.parametrize(
    ("groups", "weights", "taken"),
    [
        ([["E"], ["L"]], {"E": 30}, {"E": 30.0, "L": 70.0}),
        ([["E"], ["L"]], {"E": 30, "L": 30}, {"E": 50.0, "L": 50.0}),
        ([["E"], ["L"]], {"E": 150, "nobody's": 50}, {"E": 100.0, "L": 0.0}),
        ([["E"], []], {"E": 100}, {"E": 100.0, "m1": 0.0}),
        ([[], []], {"E": 100}, {}),
        ([["E"], ["L"]], {}, {"E": 50.0, "L": 50.0}),
    ],
)
def test_weights_are_kayentas_where_they_sum_to_100_and_scaled_where_not(groups, weights, taken):
    metrics = [metric(f"m{number}", groups=names) for number, names in enumerate(groups)]
    service = migrated(*metrics, classifier={"groupWeights": weights})
    assert service.kayenta.rules.group_weights == pytest.approx(taken)


def test_the_query_stays_as_it_was():
    (one,) = migrated().metrics
    assert one.kind is Kind.SAMPLES
    assert one.queries == {"values": "sum(rate(http_errors_total{ {{selector}} }[5m]))"}
    (named,) = migrated(metric(query={"type": "prometheus", "metricName": "queue"})).metrics
    assert named.queries == {"values": "avg(queue{ {{selector}} })"}


def test_where_all_are_muted_all_count():
    service = migrated(metric(canary={"muted": True}))
    assert not service.kayenta.rules.metrics[0].muted


GAUGES = {"memory": 4e8, "queue": 20.0}


def recording(worse: float) -> dict[str, Any]:
    """An hour of two gauges on both versions, a point a minute; the canary's queue is longer."""
    rng = np.random.default_rng(3)
    times = [1_700_000_040 + 60 * minute for minute in range(1, 61)]
    series = []
    for name, mean in GAUGES.items():
        for version in ("v1", "v2"):
            factor = worse if (name, version) == ("queue", "v2") else 1.0
            values = (mean * factor * (1 + 0.05 * rng.standard_normal(60))).tolist()
            series.append(
                {"name": name, "labels": {"version": version}, "times": times, "values": values}
            )
    return {"series": series}


@pytest.mark.parametrize(
    ("worse", "weights", "outcome", "score"),
    [
        (1.0, {"Memory": 50, "Queue": 50}, "promote", 100.0),
        (2.0, {"Memory": 50, "Queue": 50}, "rollback", 50.0),
        (2.0, {"Memory": 80, "Queue": 20}, "hold", 80.0),
    ],
)
def test_a_migrated_config_decides_on_a_recording(capfd, tmp_path, worse, weights, outcome, score):
    asked = {name: f'PromQL:{name}{{version="${{scope}}"}}' for name in GAUGES}
    metrics = [
        metric(name, {"type": "prometheus", "customInlineTemplate": text}, groups=[name.title()])
        for name, text in asked.items()
    ]
    body = json.dumps(config(*metrics, classifier={"groupWeights": weights}))
    file = imported(capfd, tmp_path, body)[1]
    file = re.sub(r"prometheus: \{.*\}", "prometheus: {kind: file, path: seen.json}", file)
    (tmp_path / "gate.yaml").write_text(file)
    (tmp_path / "seen.json").write_text(json.dumps(recording(worse)))
    code = run(
        ["check", "-f", str(tmp_path / "gate.yaml"), "--canary", "v2", "--baseline", "v1",
         "--since", "61m", "--as-of", "1700003670", "--format", "json",
         "--ledger", str(tmp_path / "ledger.db")]
    )  # fmt: skip
    told = json.loads(capfd.readouterr().out)
    assert told["verdict"] == outcome, told["analysis"]
    assert told["facts"]["analysis.score"] == told["analysis"]["score"] == score
    assert code == {"promote": 0, "hold": 10, "rollback": 20}[outcome]


# -- the warnings --------------------------------------------------------------------------------


def test_a_sound_config_has_the_two_warnings_no_config_can_avoid():
    found = list(defects(parse(json.dumps(config()), "canary.json")))
    assert [one.name for one in found] == ["Error labels score 100", "unit-dependent tolerance"]
    assert warned() == set()


REPLACE = {"nanStrategy": "replace"}
PLAIN = {"type": "prometheus", "metricName": "queue_length"}


@pytest.mark.parametrize(
    ("metrics", "keys", "name"),
    [
        ([metric(canary=REPLACE)], {}, "sparse errors are invisible"),
        ([metric(canary={**REPLACE, "mustHaveData": True})], {}, "mustHaveData without effect"),
        ([metric("a", groups=[]), metric("b")], {}, "ungrouped metrics are ignored"),
        ([metric(canary={"muted": True})], {}, "nothing that counts scores 0"),
        ([metric("skew drift")], {}, "negative metrics never fail"),
        (
            [metric(query={**PLAIN, "groupByFields": ["zone"]})],
            {},
            "untagged series are thrown away",
        ),
        ([metric(canary={"direction": "Increase"})], {}, "unknown words become defaults"),
        ([metric(canary={"nanStrategy": "none"})], {}, "unknown words become defaults"),
        ([metric(canary={"outliers": {"strategy": "drop"}})], {}, "unknown words become defaults"),
        ([metric(canary={"effectSize": {"measure": "x"}})], {}, "unknown words become defaults"),
        ([metric("a"), metric("a")], {}, "one name, one rule"),
        (
            [],
            {"classifier": {"groupWeights": {"Errors": 60}}},
            "weights that do not sum to 100",
        ),
        (
            [],
            {"classifier": {"groupWeights": {"Errors": 50, "nobody's": 50}}},
            "weights that do not sum to 100",
        ),
        ([metric("a"), metric("b", groups=["Other"])], {}, "groups that weigh nothing"),
        (
            [],
            {"classifier": {"groupWeights": {"Errors": 100}, "scoreThresholds": {"pass": 95}}},
            "score thresholds of the config are ignored",
        ),
        (
            [],
            {"judge": {"judgeConfigurations": {"tolerance": 0.1}}},
            "judge settings are ignored",
        ),
    ],
)
def test_each_defect_is_warned_of_where_the_config_runs_into_it(metrics, keys, name):
    assert name in warned(*metrics, **keys)


def test_unsaid_weights_share_what_is_left_and_sum_to_100():
    rules = metric("a"), metric("b", groups=["Other"])
    assert warned(*rules, classifier={"groupWeights": {"Errors": 30}}) == set()
    assert warned(*rules, classifier=None) == set()


def test_a_metric_whose_unit_and_strategy_are_safe_is_not_warned_of():
    found = defects(
        parse(json.dumps(config(metric("queue", PLAIN, canary=REPLACE))), "canary.json")
    )
    assert [one.name for one in found] == ["sparse errors are invisible"]


def test_a_warning_says_where_what_and_what_to_do():
    many = [metric(f"m{number}", groups=[]) for number in range(7)]
    found = {one.name: str(one) for one in defects(parse(json.dumps(config(*many)), "canary.json"))}
    told = found["ungrouped metrics are ignored"]
    assert "(metrics 'm0', 'm1', 'm2', 'm3', 'm4' and 2 more): a metric in no group" in told
    assert "\n  put it in a group; under `judge: kayenta` it is a group of its own" in told


# -- anything ------------------------------------------------------------------------------------

words = st.text(max_size=12) | st.sampled_from(
    ["increase", "cles", "remove", "${scope}", "PromQL:"]
)
numbers = st.floats() | st.integers() | st.just(10**400)
leaves = st.none() | st.booleans() | numbers | words
queries = st.fixed_dictionaries(
    {},
    optional={
        "type": words,
        "metricName": words,
        "labelBindings": st.lists(words, max_size=3),
        "customInlineTemplate": st.lists(words, max_size=4).map("".join).map("PromQL:{}".format),
        "customFilterTemplate": words,
        "other": leaves,
    },
)
effects = st.dictionaries(
    st.sampled_from(["measure", "allowedIncrease", "allowedDecrease", "criticalIncrease"]), leaves
)
canaries = st.fixed_dictionaries(
    {},
    optional={
        "direction": words,
        "nanStrategy": words,
        "critical": st.booleans(),
        "muted": st.booleans(),
        "effectSize": effects | st.none(),
        "unknown": leaves,
    },
)
metrics_of_any_kind = st.builds(
    metric, name=words, query=queries, canary=canaries, groups=st.lists(words, max_size=2)
)
weights = st.dictionaries(words, numbers, max_size=3)


@settings(deadline=None)
@given(
    metrics=st.lists(metrics_of_any_kind, min_size=1, max_size=3),
    name=words,
    weights=weights,
    templates=st.dictionaries(words, words, max_size=2),
)
def test_any_config_is_refused_as_such_or_becomes_a_file_that_loads(
    metrics, name, weights, templates
):
    written = json.dumps(
        config(*metrics, name=name, classifier={"groupWeights": weights}, templates=templates)
    )
    try:
        read = parse(written, "canary.json")
    except UsageError:
        return
    for own_judge in (True, False):
        made = service_file(read, "checkout", own_judge=own_judge)
        made.encode()
        file = from_document(parse_document(made, "gate.yaml"))
        assert len(file.service.metrics) == len(metrics)
        assert (file.service.kayenta is None) is own_judge
    assert all(str(defect).count("\n") >= 1 for defect in defects(read))


@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(words, inner)))
def test_any_json_is_refused_or_read(data):
    with contextlib.suppress(UsageError):
        parse(json.dumps({"metrics": data}), "canary.json")
