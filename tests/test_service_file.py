import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gate import service_file
from gate.document import parse
from gate.errors import UsageError
from gate.metric import BudgetShare, Direction, Kind, Margin
from gate.presets import PRESETS
from gate.request import Request
from gate.service import Arms, Service
from gate.service_file import from_document, load
from gate.slo import Indicator
from gate.surfaces.cli.main import run
from gate.template import render

EXAMPLES = Path(__file__).parents[1] / "examples"

HEAD = """\
apiVersion: gate/v1
kind: Service
name: shop
sources:
  prom: {kind: prometheus, url: "http://127.0.0.1:9090"}
"""
ARMS = """\
arms:
  canary: 'version="{{canary}}"'
  baseline: 'version="{{baseline}}"'
"""
METRICS = "metrics: [{preset: http}]\n"
SHOP = HEAD + ARMS + METRICS  # ten lines; what a test adds begins on line 10
TWO_SOURCES = SHOP.replace("sources:\n", "sources:\n  old: {kind: file, path: old.json}\n")


def service(text: str) -> Service:
    return from_document(parse(text, "gate.yaml")).service


def complaint(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        service(text)
    return str(caught.value)


def with_metric(metric: str) -> str:
    """The shop with one metric, whose text begins at 10:5."""
    return HEAD + ARMS + f"metrics:\n  - {metric}\n"


def with_slo(slo: str) -> str:
    """The shop with one SLO, whose text begins at 11:5."""
    return SHOP + f"slos:\n  - {slo}\n"


def with_arms(arms: str) -> str:
    """The shop with these arms, on line 6."""
    return HEAD + f"arms: {arms}\n" + METRICS


def test_the_smallest_file_and_what_its_defaults_are():
    shop = service(SHOP)
    assert [metric.name for metric in shop.metrics] == ["errors", "latency"]
    assert {metric.source for metric in shop.metrics} == {"prom"}
    assert all(metric.critical for metric in shop.metrics)
    assert shop.metrics[0].margin == Margin(1.25, 0.0005)
    assert shop.metrics[1].quantiles == (0.5, 0.99)
    assert (shop.tier, shop.policy, shop.step, shop.lag) == (1, "standard", 60.0, 30.0)
    assert (shop.alpha, shop.beta, shop.slos, shop.change) == (0.01, 0.05, (), None)


def test_the_example_is_right():
    file = service_file.load(EXAMPLES / "recorded" / "gate.yaml")
    assert [metric.kind for metric in file.service.metrics] == [
        Kind.EVENTS,
        Kind.HISTOGRAM,
        Kind.GAUGE,
    ]
    assert file.folder == EXAMPLES / "recorded"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHOP + "tiers: 1\n", ("gate.yaml:10:1: unknown key 'tiers'; did you mean 'tier'?\n"
            "  known here: apiVersion, arms, change, history, judge, kind, labels, lag, metrics, "
            "name, owner, policy, slos, sources, step, tier, variables")),
        (with_arms("{rollot: web}"), ("gate.yaml:6:8: unknown key 'rollot'; did you mean "
            "'rollout'?\n  known here: baseline, canary, earlier, health, rollout")),
        (with_arms("{canary: a, baseline: {ofset: 1w}}"),
            "gate.yaml:6:30: unknown key 'ofset'; did you mean 'offset'?\n  known here: offset"),
        (with_metric("{preset: http, sources: prom}"), ("gate.yaml:10:20: unknown key 'sources'; "
            "did you mean 'source'?\n  known here: bad, buckets, critical, direction, "
            "effect_size, good, groups, kind, margin, must_have_data, muted, name, nan_strategy, "
            "only, outlier_factor, preset, quantiles, source, total, unit, value, values, "
            "warmup, worse")),
        (with_metric("{preset: http, margin: {ratoi: 2}}"),
            ("gate.yaml:10:29: unknown key 'ratoi'; did you mean 'ratio'?\n"
            "  known here: absolute, budget, ratio")),
        (with_slo("{name: up, objectiv: 99%}"), ("gate.yaml:11:16: unknown key 'objectiv'; "
            "did you mean 'objective'?\n  known here: bad, budgeting, calendar, error_ratio, good, "
            "name, objective, recorded, slices, source, stated, total, window")),
        (with_slo("{name: up, objective: 99%, stated: [{window: 30d, ratio: 0.1}]}"),
            ("gate.yaml:11:55: unknown key 'ratio'; did you mean 'error_ratio'?\n"
            "  known here: bad, error_ratio, total, window")),
        (SHOP + "change: {source: prom, bas: x}\n", ("gate.yaml:10:24: unknown key 'bas'; "
            "did you mean 'base'?\n  known here: base, catalog, components, dependents, entity, "
            "generated, head, model, paths, pull, source, vendored")),
        (SHOP + "judge: {alfa: 0.01}\n", ("gate.yaml:10:9: unknown key 'alfa'; did you mean "
            "'alpha'?\n  known here: alpha, beta, kind")),
    ],
)  # fmt: skip
def test_unknown_keys_are_refused_at_every_level(text, said):
    assert complaint(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHOP.replace("gate/v1", "gate/v2"),
            "gate.yaml:1:1: apiVersion: should be 'gate/v1', not 'gate/v2'"),
        (SHOP.replace("Service", "ReleasePolicy"),
            "gate.yaml:2:1: kind: should be 'Service', not 'ReleasePolicy'"),
        (SHOP.replace("name: shop\n", ""), "gate.yaml:1:1: name is missing"),
        (SHOP.replace("name: shop", "name: sh|op"), ("gate.yaml:3:1: name: string should match "
            "pattern '^[A-Za-z0-9][A-Za-z0-9 ._/-]*$', not 'sh|op'")),
        (HEAD + ARMS, "gate.yaml:1:1: metrics is missing"),
        (HEAD + ARMS + "metrics: []\n", "gate.yaml:9:1: metrics: must not be empty"),
        (HEAD + METRICS, "gate.yaml:1:1: arms is missing"),
        (SHOP.replace('{kind: prometheus, url: "http://127.0.0.1:9090"}', "prometheus"),
            "gate.yaml:5:3: sources.prom: should be a mapping of keys to values, not 'prometheus'"),
        (SHOP.replace('  prom: {kind: prometheus, url: "http://127.0.0.1:9090"}', "  {}"),
            "gate.yaml:4:1: sources: must not be empty"),
        (SHOP + "tier: 3\n", "gate.yaml:10:1: tier: should be less than or equal to 2, not 3"),
        (SHOP + "tier: true\n", "gate.yaml:10:1: tier: should be a valid integer, not true"),
        (SHOP + "owner: 7\n", "gate.yaml:10:1: owner: should be a valid string, not 7"),
        (SHOP + "labels: {team: 7}\n",
            "gate.yaml:10:10: labels.team: should be a valid string, not 7"),
        (SHOP + "step: 60\n", ("gate.yaml:10:1: step: '60' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        (SHOP + "step: 0s\n", "gate.yaml:10:1: step: should be greater than 0, not 0.0"),
        (SHOP + "lag: 1M\n", ("gate.yaml:10:1: lag: '1M' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        (SHOP + "judge: {alpha: 0}\n",
            "gate.yaml:10:9: judge.alpha: should be greater than 0, not 0"),
        (SHOP + "judge: {alpha: .nan}\n",
            "gate.yaml:10:9: judge.alpha: should be less than or equal to 0.2, not NaN"),
        (SHOP + "name: other\n", "gate.yaml:10:1: key 'name' is written twice"),
    ],
)  # fmt: skip
def test_the_service_itself(text, said):
    assert complaint(text) == said


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("{preset: htpp}", ("10:6: unknown preset 'htpp'; did you mean 'http'?\n"
            "  known presets: http, otel, istio, nginx-ingress")),
        ("{preset: http, only: [error]}", ("10:20: preset 'http' has no 'error'; did you mean "
            "'errors'?\n  it has: errors, latency")),
        ("{preset: http, only: []}", "10:20: metrics.0.only: must not be empty"),
        ("{preset: http, only: errors}",
            "10:20: metrics.0.only: should be a list, not 'errors'"),
        ("{only: [errors]}", "10:6: `only` picks from a preset; there is none"),
        ("{preset: http, margin: {ratio: 2}}", ("10:20: `margin` cannot apply to errors and "
            "latency at once\n  write one entry for each, with `only: [errors]`")),
        ("{preset: http, only: [latency], bad: x}", ("10:5: metric 'latency' of kind histogram "
            "needs the queries buckets; it has bad and buckets")),
        ("{kind: gauge, value: x}", "10:5: a metric needs a name"),
        ("{name: q, value: x}", ("10:5: a metric needs a kind\n"
            "  one of: events, histogram, gauge, samples")),
        ("{name: q, kind: guage, value: x}", ("10:15: metrics.0.kind: should be 'events', "
            "'histogram', 'gauge' or 'samples', not 'guage'")),
        ("{name: q, kind: gauge}",
            "10:5: metric 'q' of kind gauge needs the queries value; it has none"),
        ("{name: q, kind: events, bad: x}", ("10:5: metric 'q' of kind events needs the queries "
            "bad and total or good and total; it has bad")),
        ("{name: q, kind: events, bad: x, good: y, total: z}", ("10:5: metric 'q' of kind events "
            "needs the queries bad and total or good and total; it has bad and good and total")),
        ("{name: q, kind: samples, value: x}",
            "10:5: metric 'q' of kind samples needs the queries values; it has value"),
        ("{name: q, kind: gauge, value: ''}", "10:28: metrics.0.value: must not be empty"),
        ("{name: q, kind: events, bad: x, total: y, worse: lower}", ("10:47: more bad events are "
            "always worse\n  to count good events write `good:` instead of `bad:`")),
        ("{name: q, kind: gauge, value: x, worse: down}",
            "10:38: metrics.0.worse: should be 'higher' or 'lower', not 'down'"),
        ("{name: q, kind: gauge, value: x, critical: no}",
            "10:38: metrics.0.critical: should be true or false, not 'no'"),
        ("{name: q, kind: gauge, value: x, margin: {ratio: 0.9}}",
            "10:47: metrics.0.margin.ratio: should be greater than or equal to 1, not 0.9"),
        ("{name: q, kind: gauge, value: x, margin: {absolute: -1}}",
            "10:47: metrics.0.margin.absolute: should be greater than or equal to 0, not -1"),
        ("{name: q, kind: gauge, value: x, margin: {ratio: .inf}}",
            "10:47: metrics.0.margin.ratio: should be a finite number, not Infinity"),
        ("{name: q, kind: gauge, value: x, margin: {ratio: true}}",
            "10:47: metrics.0.margin.ratio: should be a valid number, not true"),
        ("{name: q, kind: gauge, value: x, quantiles: [0.5]}", "10:38: gauge has no quantiles"),
        ("{name: q, kind: histogram, buckets: x, quantiles: [1.0]}",
            "10:56: metrics.0.quantiles.0: should be less than 1, not 1.0"),
        ("{name: q, kind: histogram, buckets: x, quantiles: [0.5, 99]}",
            "10:61: metrics.0.quantiles.1: should be less than 1, not 99"),
        ("{name: q, kind: histogram, buckets: x, quantiles: [0]}",
            "10:56: metrics.0.quantiles.0: should be greater than 0, not 0"),
        ("{name: q, kind: histogram, buckets: x, quantiles: []}",
            "10:44: metrics.0.quantiles: must not be empty"),
        ("{name: q, kind: histogram, buckets: x, quantiles: [0.5, 0.5]}",
            "10:44: a quantile is written twice"),
        ("{preset: http, source: pron}", ("10:20: unknown source 'pron'; did you mean 'prom'?\n"
            "  sources of this file: prom")),
        ("{preset: http, critical: false}", ("9:1: no metric is critical, so nothing could ever "
            "earn a promote\n  leave `critical` out (it is true by default) or set it to true for "
            "one metric")),
        ("{preset: http}\n  - {preset: otel}", "9:1: two metrics are named 'errors'\n  rename one"),
    ],
)  # fmt: skip
def test_metrics(metric, said):
    assert complaint(with_metric(metric)) == f"gate.yaml:{said}"


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ("{name: up, objective: 1.0}", ("11:16: slos.0.objective: '1.0' is not a share strictly "
            "between 0 and 1; a target of 100 % leaves no budget to judge by")),
        ("{name: up, objective: 99.9}", ("11:16: slos.0.objective: '99.9' is not a share strictly "
            "between 0 and 1; did you mean 99.9%?")),
        ("{name: up, objective: high}", ("11:16: slos.0.objective: 'high' is not a share; "
            "write 99.9% or 0.999")),
        ("{name: up, objective: 99%, window: 1M}", ("11:32: slos.0.window: '1M' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        # What took a window until now is computed for every alert.
        ("{name: up, objective: 99%, burn_window: 1h}", ("11:32: unknown key 'burn_window'; did "
            "you mean 'window'?\n  known here: bad, budgeting, calendar, error_ratio, good, name, "
            "objective, recorded, slices, source, stated, total, window")),
        ("{name: up, objective: 99%, window: 7d, calendar: {unit: month}}", ("11:44: the window "
            "either rolls or follows the calendar\n  drop window or calendar")),
        ("{name: up, objective: 99%, calendar: {unit: month, zone: Mars}}", ("11:32: unknown time "
            "zone 'Mars'\n  write an IANA name such as Europe/Berlin (the package tzdata holds "
            "them)")),
        ("{name: up, objective: 99%, calendar: {unit: month, start: soon}}", ("11:32: 'soon' is no "
            "local date\n  write 2026-01-01, or 2026-01-01T09:00:00")),
        ("{name: up, objective: 99%, calendar: {unit: moon}}", ("11:43: slos.0.calendar.unit: "
            "should be 'day', 'week', 'month', 'quarter' or 'year', not 'moon'")),
        ("{name: up, objective: 99%, slices: {length: 1m}}", ("11:32: slices belong to another "
            "budgeting\n  write budgeting: timeslices, or ratio timeslices")),
        ("{name: up, objective: 99%, budgeting: timeslices}", ("11:5: budgeting timeslices needs "
            "the share that makes a slice good\n  write slices: {length: 1m, target: 99%}")),
        ("{name: up, objective: 99%, bad: x, total: y, recorded: {sloth_id: a}}", ("11:50: an SLO "
            "is either computed or read from recordings\n  drop the queries or recorded")),
        ("{name: up, objective: 99%, calendar: {unit: month}, stated: [{window: 30d, bad: 0}]}",
            "11:57: stated numbers are of a rolling window\n  write window: 30d"),
        ("{name: up, objective: 99%, bad: x}",
            "11:5: an SLO is measured by bad (or good) and total, or by error_ratio"),
        ("{name: up, objective: 99%, bad: x, total: y, error_ratio: z}",
            "11:5: an SLO is measured by bad (or good) and total, or by error_ratio"),
        ("{name: up, objective: 99%, source: pron}", ("11:32: unknown source 'pron'; did you mean "
            "'prom'?\n  sources of this file: prom")),
        ("{name: up, objective: 99%}\n  - {name: up, objective: 99%}",
            "10:1: two slos are named 'up'\n  rename one"),
        ("{name: up, objective: 99%, stated: [{window: 30d}]}",
            "11:41: state bad and total with bad <= total, or error_ratio"),
        ("{name: up, objective: 99%, stated: [{window: 30d, bad: 3, total: 2}]}",
            "11:41: state bad and total with bad <= total, or error_ratio"),
        ("{name: up, objective: 99%, stated: [{window: 30d, bad: 1, total: 2, error_ratio: 0}]}",
            "11:41: state bad and total with bad <= total, or error_ratio"),
        ("{name: up, objective: 99%, stated: [{window: 30d, error_ratio: 1.5}]}", ("11:55: "
            "slos.0.stated.0.error_ratio: should be less than or equal to 1, not 1.5")),
        (("{name: up, objective: 99%, stated: [{window: 30d, error_ratio: 0.1}, "
            "{window: 31d, error_ratio: 0.1}]}"),
            "11:74: a stated window is longer than the SLO's own"),
        # The short window alone says how fast it goes, but not what is left.
        ("{name: up, objective: 99%, stated: [{window: 1h, error_ratio: 0.1}]}",
            "11:32: state the SLO's own window, and each window once\n  its window is 30d"),
        ("{name: up, objective: 99%, stated: [{window: 30d, error_ratio: 0.1}], source: prom}",
            "11:32: an SLO is either stated or measured\n  drop one of them"),
    ],
)  # fmt: skip
def test_slos(slo, said):
    assert complaint(with_slo(slo)) == f"gate.yaml:{said}"


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ("{}", ("6:1: arms.canary is missing\n  write `rollout: NAME`, or two selectors such as "
            "canary: 'version=\"{{canary}}\"'")),
        ("{canary: a}", ("6:1: arms.baseline is missing\n  write `rollout: NAME`, or two selectors "
            "such as canary: 'version=\"{{canary}}\"'")),
        ("{rollout: web, canary: a}",
            "6:1: `rollout` already tells the arms apart\n  drop it or the rest"),
        ("{canary: a, baseline: 7}", "6:19: arms.baseline: should be a valid string, not 7"),
        ("{canary: a, baseline: {}}", "6:19: arms.baseline.offset is missing"),
        ("{canary: a, baseline: {offset: 0s}}",
            "6:30: arms.baseline.offset: should be greater than 0, not 0.0"),
        ("{canary: a, baseline: {offset: 1 week}}", ("6:30: arms.baseline.offset: '1 week' is not "
            "a duration; write a number and a unit: 30s, 20m, 1h30m, 30d")),
    ],
)  # fmt: skip
def test_arms(arms, said):
    assert complaint(with_arms(arms)) == f"gate.yaml:{said}"


def test_an_argo_rollout_tells_the_arms_apart_by_its_pods():
    assert service(with_arms("{rollout: web}")).arms == Arms(
        canary='pod=~"web-{{canary}}-.*"',
        baseline='pod=~"web-{{baseline}}-.*"',
        health="up{ {{selector}} }",
    )


def test_a_historical_baseline_is_the_canary_s_own_query_earlier():
    arms = service(with_arms("{canary: a, baseline: {offset: 1w}, health: ''}")).arms
    assert arms == Arms(canary="a", baseline="a", offset=604_800.0, health="")


def test_an_earlier_baseline_may_stand_beside_a_concurrent_one():
    told = service(with_arms("{canary: a, baseline: b, earlier: {selector: c, offset: 1w}}"))
    assert told.arms.offset is None
    assert told.earlier == Arms(canary="a", baseline="c", offset=604_800.0)
    twice = "{canary: a, baseline: {offset: 1d}, earlier: {selector: c, offset: 1w}}"
    assert complaint(with_arms(twice)).startswith(
        "gate.yaml:6:43: the baseline is historical already"
    )


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("sum(increase(took_bucket{ {{selector}} }[{{step}}]))", True),
        ("sum by (pod) (increase(took_bucket{ {{selector}} }[{{step}}]))", True),
        ("sum without (le) (increase(took_bucket{ {{selector}} }[{{step}}]))", True),
        ("sum by (le) (increase(took_bucket{ {{selector}} }[{{step}}]))", False),
        ("sum(increase(took_bucket{ {{selector}} }[{{step}}])) by (pod, le)", False),
        ("sum without (pod) (increase(took_bucket{ {{selector}} }[{{step}}]))", False),
        ("sum(increase(took{ {{selector}} }[{{step}}]))", False),  # a native histogram
        ("took_bucket{ {{selector}} }", False),  # of a recording
    ],
)
def test_a_histogram_that_loses_its_edges_is_refused(query, refused):
    metric = f"{{name: took, kind: histogram, buckets: {query!r}}}"
    text = with_metric(metric)
    if refused:
        assert "no `le` is left to tell them apart" in complaint(text)
    else:
        assert service(text).metrics[0].queries == {"buckets": query}


def test_two_sources_without_saying_which():
    assert complaint(TWO_SOURCES) == (
        "gate.yaml:10:11: there are several sources; say which one answers\n"
        "  add `source:` with one of: old, prom"
    )
    chosen = TWO_SOURCES.replace("{preset: http}", "{preset: http, source: prom}")
    assert complaint(chosen + "slos: [{name: up, objective: 99%}]\n").startswith(
        "gate.yaml:11:8: there are several sources"
    )
    assert {metric.source for metric in service(chosen).metrics} == {"prom"}


def test_a_change_names_its_source():
    assert complaint(SHOP + "change: {}\n") == "gate.yaml:10:1: change.source is missing"
    assert complaint(SHOP + "change: {source: git}\n") == (
        "gate.yaml:10:10: unknown source 'git'\n  sources of this file: prom"
    )
    change = service(SHOP + "change: {source: prom}\n").change
    assert change is not None
    assert (change.base, change.head) == ("{{baseline}}", "{{canary}}")


@pytest.mark.parametrize("value", ["1.10", "true", "~", "[a]", "{a: b}"])
def test_a_variable_that_would_not_stay_as_written_is_refused(value):
    assert complaint(SHOP + f"variables: {{release: {value}}}\n") == (
        "gate.yaml:10:13: variables.release: write the value in quotes, so that it stays as written"
    )


def test_variables_are_words():
    text = SHOP + "variables: {cluster: eu-1, shard: 7, release: '1.10', on: off}\n"
    assert service(text).variables == {
        "cluster": "eu-1", "shard": "7", "release": "1.10", "on": "off",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["canary", "baseline", "selector", "step", "window"])
def test_a_variable_cannot_replace_a_word_of_the_gate(word):
    assert complaint(SHOP + f"variables: {{{word}: x}}\n") == (
        f"gate.yaml:10:13: variables.{word}: variable '{word}' is a word of the gate's own; "
        "those are baseline, canary, selector, step, window"
    )


def test_a_stated_slo_is_asked_of_nobody():
    text = TWO_SOURCES.replace("{preset: http}", "{preset: http, source: prom}") + (
        "slos:\n"
        "  - name: up\n"
        "    objective: 99.9%\n"
        "    stated: [{window: 30d, bad: 5, total: 1000}, {window: 1h, error_ratio: 0.25}]\n"
    )
    (slo,) = service(text).slos
    assert slo.source == ""
    assert slo.stated == (
        Indicator("up", 2_592_000.0, 0.005, 5.0, 1000.0, method="stated"),
        Indicator("up", 3_600.0, 0.25, method="stated"),
    )


BUDGET = "{preset: http, only: [errors], margin: {budget: {share: 0.1, within: 24h%s}}}"


def with_budget(more="", slos="  - {name: up, objective: 99.9%, error_ratio: x}\n"):
    return with_metric(BUDGET % more) + ("slos:\n" + slos if slos else "")


def test_a_margin_may_come_from_the_budget_of_the_only_slo():
    metric = service(with_budget(", at_least: 0.0003")).metrics[-1]
    assert metric.spends == BudgetShare("up", 0.1, 86_400.0, 0.0003)
    assert metric.margin == Margin(1.0, 0.0003)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (with_budget(slos=""),
            "10:45: say which SLO's budget\n  declare one under `slos:`"),
        (with_budget(", slo: pu"), "10:79: unknown SLO 'pu'\n  SLOs of this file: up"),
        (with_budget().replace("within: 24h", "within: 30s"),
            "10:45: a canary that fails every request would spend no more than that (8.64 x)"),
        (with_budget().replace("{budget:", "{ratio: 1.1, budget:"),
            "10:57: a margin from the budget has no other part"),
        (with_budget().replace("[errors]", "[latency]"),
            "10:46: a budget is of events, and histogram has none"),
    ],
)  # fmt: skip
def test_margins_from_a_budget_that_make_no_sense(text, said):
    assert said in complaint(text)


def test_one_of_a_preset_can_be_changed():
    (latency,) = service(
        with_metric(
            "{preset: http, only: [latency], name: slow, margin: {ratio: 2}, quantiles: [0.9]}"
        )
    ).metrics
    assert (latency.name, latency.margin, latency.quantiles) == ("slow", Margin(2.0, 0.0), (0.9,))
    assert latency.unit == "s"
    assert latency.worse is Direction.HIGHER


def test_what_the_whole_preset_can_share():
    metrics = service(with_metric("{preset: http, critical: false}\n  - {preset: otel, only: "
                                  "[errors], name: rpc}")).metrics  # fmt: skip
    assert [(metric.name, metric.critical) for metric in metrics] == [
        ("errors", False),
        ("latency", False),
        ("rpc", True),
    ]


def queries_of_presets() -> dict[str, str]:
    """Every query of every preset as it would be sent."""
    request = Request(service="shop", canary="7d4b9c", baseline="5f8c2a", as_of=0.0, since=0.0)
    words = {"selector": 'pod=~"web-{{canary}}-.*"', "canary": request.canary, "step": "1m"}
    return {
        f"{preset}_{metric.name}_{name}": render(query, words)
        for preset in PRESETS
        for metric in service(with_metric(f"{{preset: {preset}}}")).metrics
        for name, query in metric.queries.items()
    }


def test_every_preset_expands_to_errors_and_latency():
    for preset in PRESETS:
        metrics = service(with_metric(f"{{preset: {preset}}}")).metrics
        assert [(metric.name, metric.kind) for metric in metrics] == [
            ("errors", Kind.EVENTS),
            ("latency", Kind.HISTOGRAM),
        ]


def test_every_query_of_a_preset_takes_its_arm_and_one_step():
    for name, query in queries_of_presets().items():
        assert query.count("{") == query.count('{ pod=~"web-7d4b9c-.*"'), name
        assert query.count("increase(") == query.count("[1m])") == 1, name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Prometheus) is missing")
def test_prometheus_can_read_every_query_of_every_preset(tmp_path):
    # As recording rules: `promtool promql format` came only after the 2.42 of Debian 12.
    queries = queries_of_presets()
    rules = [
        {"record": re.sub(r"[^a-z0-9]", "_", name), "expr": query}
        for name, query in queries.items()
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "presets", "rules": rules}]}))
    run = subprocess.run(
        ["promtool", "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(queries)} rules found" in run.stdout


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Prometheus) is missing")
def test_the_check_above_can_fail(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("groups: [{name: a, rules: [{record: a, expr: 'sum(increase(x[1m])'}]}]\n")
    run = subprocess.run(["promtool", "check", "rules", file], capture_output=True, check=False)
    assert run.returncode != 0


SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting: {}
"""


STATED = "{name: inline, objective: 99%, stated: [{window: 30d, error_ratio: 0}]}"


def test_objectives_may_stand_in_files_of_other_tools_beside_it(tmp_path):
    (tmp_path / "slo").mkdir()
    (tmp_path / "slo" / "shop.yml").write_text(SLOTH)
    budget = "margin: {budget: {slo: shop-requests, share: 10%, within: 24h}}"
    text = HEAD + ARMS + f"metrics: [{{preset: http, only: [errors], {budget}}}]\n"
    (tmp_path / "gate.yaml").write_text(text + f"slos: [{{files: slo}}, {STATED}]\n")
    file = load(tmp_path / "gate.yaml")
    assert [(slo.name, slo.source) for slo in file.service.slos] == [
        ("shop-requests", "prom"), ("inline", "")
    ]  # fmt: skip
    assert file.service.metrics[0].spends.slo == "shop-requests"
    assert file.warnings == ()


def test_a_file_of_objectives_that_is_not_there_or_repeats_a_name_is_refused(tmp_path):
    (tmp_path / "gate.yaml").write_text(SHOP + "slos: [{files: slo.yml}]\n")
    with pytest.raises(UsageError, match=r"slo\.yml"):
        load(tmp_path / "gate.yaml")
    (tmp_path / "slo.yml").write_text(SLOTH)
    twice = STATED.replace("inline", "shop-requests")
    (tmp_path / "gate.yaml").write_text(SHOP + f"slos: [{{files: slo.yml}}, {twice}]\n")
    with pytest.raises(UsageError, match="two slos are named 'shop-requests'"):
        load(tmp_path / "gate.yaml")


def test_what_a_file_of_objectives_may_not_mean_is_told_on_standard_error(tmp_path, capfd):
    (tmp_path / "slo.yml").write_text(SLOTH.replace("error_query", "errorQuery"))
    (tmp_path / "gate.yaml").write_text(SHOP + "slos: [{files: slo.yml}]\n")
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    out, err = capfd.readouterr()
    assert "shop-requests" in out
    assert "slo.yml:8: `errorQuery`" in err
