"""`judge:` in a service file, and what each judge is told of the metrics."""

import json

import pytest

from gate.kayenta import Direction as Fails
from gate.kayenta import EffectSize, Measure, NanStrategy, Thresholds
from gate.metric import Direction
from gate.surfaces.cli.main import run
from tests.test_service_file import ARMS, HEAD, SHOP, complaint, service

KAYENTA = HEAD + ARMS + "judge: kayenta\n"


def with_metric(metric: str, judge: str = "kayenta", more: str = "") -> str:
    """The shop with its judge on line 9 and one gauge, whose own keys begin at 11:40."""
    gauge = "{name: a, kind: gauge, value: x, "
    return HEAD + ARMS + f"judge: {judge}\nmetrics:\n  - {gauge}{metric}}}\n{more}"


@pytest.mark.parametrize("said", ["", "judge: gate\n", "judge: {kind: gate}\n", "judge: {}\n"])
def test_the_gates_own_judge_where_no_other_is_chosen(said):
    shop = service(SHOP + said)
    assert shop.kayenta is None
    assert (shop.alpha, shop.history) == (0.01, 3600.0)


def test_kayentas_judge_by_its_name_alone():
    shop = service(KAYENTA + "metrics: [{preset: http}]\n")
    assert shop.kayenta.thresholds == Thresholds(95.0, 75.0)
    errors, latency = shop.kayenta.rules.metrics
    assert (errors.name, errors.groups, errors.critical) == ("errors", ("errors",), True)
    assert latency.direction is Fails.INCREASE
    # Less than the margin is no failure, unless `effect_size` says so.
    assert latency.effect == EffectSize(allowed_increase=1.2, allowed_decrease=1 / 1.2)
    told = service(with_metric("effect_size: {allowed_increase: 1, critical_increase: 2}"))
    assert told.kayenta.rules.metrics[0].effect == EffectSize(
        allowed_increase=1.0, allowed_decrease=1 / 1.2, critical_increase=2.0
    )
    assert shop.history == 0.0


def test_all_that_it_can_be_told():
    rules = (
        "groups: [Slow, Main], direction: either, nan_strategy: replace, outlier_factor: 2.5, "
        "effect_size: {measure: cles, allowed_increase: 0.6, critical_increase: 0.7}"
    )
    judge = "{kind: kayenta, pass: 90, marginal: 50, weights: {Slow: 40, Main: 60}}"
    shop = service(with_metric(rules, judge))
    assert shop.kayenta.thresholds == Thresholds(90.0, 50.0)
    assert shop.kayenta.rules.group_weights == {"Slow": 40.0, "Main": 60.0}
    (rule,) = shop.kayenta.rules.metrics
    assert (rule.groups, rule.direction) == (("Slow", "Main"), Fails.EITHER)
    assert (rule.nan_strategy, rule.outlier_factor) == (NanStrategy.REPLACE, 2.5)
    assert rule.effect == EffectSize(
        measure=Measure.CLES, allowed_increase=0.6, allowed_decrease=0.5,
        critical_increase=0.7, critical_decrease=0.5,
    )  # fmt: skip


@pytest.mark.parametrize("said", ["direction: decrease", "worse: lower"])
def test_which_way_is_worse_is_said_in_either_word(said):
    shop = service(with_metric(said))
    assert shop.metrics[0].worse is Direction.LOWER
    assert shop.kayenta.rules.metrics[0].direction is Fails.DECREASE


def test_a_muted_metric_is_not_critical_and_a_score_needs_no_critical_metric():
    other = "  - {name: b, kind: gauge, value: x, critical: false}\n"
    shop = service(with_metric("muted: true", more=other))
    assert [one.critical for one in shop.metrics] == [False, False]


def test_samples_are_compared_by_the_means_of_intervals():
    samples = KAYENTA + "metrics: [{name: a, kind: samples, values: x}]\n"
    assert service(samples).metrics[0].quantiles == ()
    said = complaint(samples.replace("values: x", "values: x, quantiles: [0.5]"))
    assert said.startswith("gate.yaml:10:47: samples has no quantiles for Kayenta's judge")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHOP + "judge: kaienta\n", ("gate.yaml:10:1: judge: unknown judge 'kaienta'; did you mean "
            "'kayenta'?\n  known here: gate, kayenta")),
        (SHOP + "judge: {kind: kaienta}\n", ("gate.yaml:10:9: judge.kind: unknown judge 'kaienta'; "
            "did you mean 'kayenta'?")),
        (SHOP + "judge: 3\n", "gate.yaml:10:1: judge: should be 'gate' or 'kayenta', not 3"),
        (SHOP + "judge: {kind: kayenta, alpha: 0.01}\n", "gate.yaml:10:24: unknown key 'alpha'"),
        (SHOP + "judge: {pass: 95}\n", "gate.yaml:10:9: unknown key 'pass'"),
        (SHOP + "judge: {kind: kayenta, pass: 0}\n", ("gate.yaml:10:24: judge.pass: should be "
            "greater than 0, not 0")),
        (SHOP + "judge: {kind: kayenta, pass: 60}\n", "`marginal` must not be above `pass`"),
        (SHOP + "judge: {kind: kayenta, weights: {errors: -1}}\n", ("gate.yaml:10:34: "
            "judge.weights.errors: should be greater than or equal to 0, not -1")),
        (SHOP + "judge: {kind: kayenta, weights: {erors: 50}}\n", ("gate.yaml:10:34: no metric "
            "that counts is in the group 'erors'; did you mean 'errors'?")),
        (SHOP + "judge: {kind: kayenta, weights: {errors: 100}}\n", ("gate.yaml:10:24: the weights "
            "leave nothing of 100 for the groups latency")),
        (SHOP + "judge: {kind: kayenta, weights: {errors: 20, latency: 40}}\n", ("gate.yaml:10:24: "
            "the weights sum to 60, so that is what a perfect canary would score")),
        (SHOP + "history: 1h\njudge: kayenta\n", "gate.yaml:10:1: `history` means nothing to"),
        (with_metric("effect_size: {allowed_increase: 1.5}", "gate"), ("gate.yaml:11:38: "
            "`effect_size` means nothing to the gate's own judge\n"
            "  drop it, or choose `judge: kayenta`")),
        (with_metric("groups: [a]", "{alpha: 0.02}"), "gate.yaml:11:38: `groups` means nothing"),
        (with_metric("groups: []"), "metrics.0.groups: must not be empty"),
        (with_metric("direction: up"), ("metrics.0.direction: should be 'increase', 'decrease' or "
            "'either', not 'up'")),
        (with_metric("effect_size: {allowed: 2}"), "unknown key 'allowed'"),
        (with_metric("outlier_factor: 0"), "should be greater than 0, not 0"),
        (with_metric("direction: either, worse: higher"), ("gate.yaml:11:38: `direction` and "
            "`worse` say the same")),
        (with_metric("must_have_data: true, nan_strategy: replace"), ("with `nan_strategy: replace`"
            ", `must_have_data` has no effect")),
        (with_metric("muted: true, critical: true"), "so it cannot be critical"),
        (with_metric("muted: true"), "every metric is muted"),
        (KAYENTA + "metrics: [{preset: http, only: [errors], direction: decrease}]\n",
            "more bad events are always worse"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_place(text, said):
    assert said in complaint(text)


def test_it_is_shown_and_in_the_schema(capfd, tmp_path):
    (tmp_path / "gate.yaml").write_text(KAYENTA + "metrics: [{preset: http}]\n")
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    out = capfd.readouterr().out
    assert out.startswith("judge: kayenta\n")
    assert "passing: 95.0" in out
    assert run(["schema", "service"]) == 0
    schema = json.loads(capfd.readouterr().out)
    text = json.dumps(schema)
    for word in ("marginal", "effect_size", "meanRatio", "must_have_data", "outlier_factor"):
        assert f'"{word}"' in text
    one_of = json.dumps(schema["properties"]["judge"])
    assert "GateJudgeSection" in one_of
    assert "KayentaJudgeSection" in one_of
    assert '["gate", "kayenta"]' in one_of
