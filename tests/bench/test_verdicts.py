"""The bench is itself measured: scenarios are what they say, and trials are counted right."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from scipy import stats

from bench.verdicts.__main__ import main
from bench.verdicts.judge import Judge
from bench.verdicts.judges import JUDGES
from bench.verdicts.rollout import EDGES, MINUTES, PODS, Measured, Rollout, dashboard, quantile
from bench.verdicts.scenarios import SCENARIOS
from bench.verdicts.score import Score, Share, scores
from bench.verdicts.simulation import CPU, MEDIAN, SPREAD, Z99, Traffic, rollout
from bench.verdicts.table import alarms, detections
from bench.verdicts.trial import Task, Trial, known, trials, watched
from bench.verdicts.welch import p_higher
from gate.series import Buckets, Counts
from gate.verdict import Outcome

USUAL = Traffic()  # 100 requests per second, a tenth on the canary
MANY = 30


def rollouts(name: str, count: int = MANY, traffic: Traffic = USUAL) -> list[Rollout]:
    return [rollout(name, traffic, seed=7, index=index) for index in range(count)]


def error_rate(arms: list[Measured], minutes: slice = slice(None)) -> float:
    bad = sum(one.bad[minutes].sum() for one in arms)
    return float(bad / sum(one.requests[minutes].sum() for one in arms))


def both(shown: list[Rollout]) -> tuple[list[Measured], list[Measured]]:
    return [one.baseline for one in shown], [one.canary for one in shown]


def pooled(arms: list[Measured], level: float, minutes: slice = slice(None)) -> float:
    counts = np.sum([one.latency[minutes].sum(axis=0) for one in arms], axis=0)
    return float(quantile(counts[None], level)[0])


# The scenarios


def test_the_ordinary_service_is_the_one_described() -> None:
    baseline, canary = both(rollouts("steady"))
    requests = sum(one.requests.sum() for one in canary) / MANY / MINUTES
    assert requests == pytest.approx(600, rel=0.01)
    assert sum(one.requests.sum() for one in baseline) / MANY / MINUTES == pytest.approx(
        5400, rel=0.01
    )
    assert error_rate(baseline) == pytest.approx(0.001, rel=0.03)
    assert pooled(baseline, 0.5) == pytest.approx(MEDIAN, rel=0.01)
    assert pooled(baseline, 0.99) == pytest.approx(MEDIAN * np.exp(SPREAD * Z99), rel=0.02)
    assert np.mean([one.cpu.mean() for one in baseline]) == pytest.approx(CPU, rel=0.02)


@pytest.mark.parametrize("weight", [0.01, 0.05, 0.10, 0.50])
@pytest.mark.parametrize("rps", [10.0, 1000.0])
def test_traffic_is_split_as_asked(rps: float, weight: float) -> None:
    baseline, canary = both(rollouts("steady", 3, Traffic(rps, weight)))
    ours = sum(one.requests.sum() for one in canary)
    whole = ours + sum(one.requests.sum() for one in baseline)
    assert whole == pytest.approx(3 * 3600 * rps, rel=0.02)
    assert ours / whole == pytest.approx(weight, rel=0.15)


@pytest.mark.parametrize(
    "name", [name for name, one in SCENARIOS.items() if one.fault is None and not one.uneven]
)
def test_without_a_fault_the_arms_are_alike(name: str) -> None:
    baseline, canary = both(rollouts(name))
    late = slice(30, None)  # a cold start has warmed up
    weighing = [one.requests.sum(axis=1) for one in canary]
    expected = sum(
        (rates.bad.sum(axis=1) / rates.requests.sum(axis=1) * weight).sum()
        for rates, weight in zip(baseline, weighing, strict=True)
    )
    loose = 0.6 if name == "pod incidents" else 0.3 if name == "bursty errors" else 0.1
    assert sum(one.bad.sum() for one in canary) == pytest.approx(expected, rel=loose)
    assert pooled(canary, 0.5, late) == pytest.approx(pooled(baseline, 0.5, late), rel=0.03)
    assert np.mean([one.cpu[late].mean() for one in canary]) == pytest.approx(
        np.mean([one.cpu[late].mean() for one in baseline]), rel=0.03
    )


def test_bursts_are_ten_times_as_uneven_at_the_same_rate() -> None:
    def dispersion(name: str) -> float:
        counts = np.concatenate([one.baseline.bad.sum(axis=1) for one in rollouts(name)])
        return float(counts.var() / counts.mean())

    assert error_rate(both(rollouts("bursty errors"))[0]) == pytest.approx(0.001, rel=0.1)
    assert dispersion("steady") == pytest.approx(1.0, abs=0.15)
    assert dispersion("bursty errors") == pytest.approx(10.0, rel=0.15)


@pytest.mark.parametrize(
    ("name", "rho"),
    [("steady", 0), ("gauges ar 0.5", 0.5), ("gauges ar 0.8", 0.8), ("gauges ar 0.95", 0.95)],
)
def test_gauges_remember_as_much_as_they_say(name: str, rho: float) -> None:
    shown = rollouts(name)
    noise = np.concatenate([np.log(one.canary.cpu / CPU) for one in shown], axis=1)
    assert float((noise[1:] * noise[:-1]).mean() / (noise**2).mean()) == pytest.approx(
        rho, abs=0.03
    )
    assert float(noise.std()) == pytest.approx(0.10, rel=0.1)
    assert float(noise[0].std()) == pytest.approx(
        0.10, rel=0.15
    )  # stationary from the first minute


def test_the_day_swings_for_both_arms_alike() -> None:
    shown = rollouts("daily swing")
    assert np.ptp([one.baseline.requests.sum() for one in shown]) > 0.8 * 3600 * 90
    for one in shown:
        ratio = one.canary.requests.sum() / one.baseline.requests.sum()
        assert ratio == pytest.approx(1 / 9, rel=0.05)


def test_weights_step_and_waves_of_errors_are_common() -> None:
    shown = rollouts("stepped weights")
    ours = np.sum([one.canary.requests.sum(axis=1) for one in shown], axis=0)
    theirs = np.sum([one.baseline.requests.sum(axis=1) for one in shown], axis=0)
    share = (ours / (ours + theirs)).reshape(5, 12).mean(axis=1)
    assert share.tolist() == pytest.approx([0.01, 0.05, 0.10, 0.25, 0.50], rel=0.05)
    last = slice(48, None)  # the canary has traffic enough to see the wave in it
    rates = np.array(
        [
            [error_rate([arm], slice(minute, minute + 4)) for arm in (one.baseline, one.canary)]
            for one in shown
            for minute in range(last.start, MINUTES, 4)
        ]
    )
    assert rates[:, 0].max() > 4 * rates[:, 0].min()
    assert float(np.corrcoef(rates.T)[0, 1]) > 0.8


def test_a_pause_reaches_the_p99_and_not_the_median() -> None:
    calm, paused = (pooled(both(rollouts(name))[0], 0.99) for name in ("steady", "gc pauses"))
    assert paused > 1.3 * calm
    assert pooled(both(rollouts("gc pauses"))[0], 0.5) == pytest.approx(MEDIAN, rel=0.02)


def test_a_cold_canary_warms_up() -> None:
    baseline, canary = both(rollouts("cold start"))
    assert pooled(canary, 0.5, slice(1)) > 1.9 * pooled(baseline, 0.5, slice(1))
    assert pooled(canary, 0.5, slice(20, None)) == pytest.approx(pooled(baseline, 0.5), rel=0.01)
    assert error_rate(canary) == pytest.approx(error_rate(baseline), rel=0.1)


def test_uneven_pods_stay_uneven() -> None:
    levels = [np.log(one.baseline.cpu).mean(axis=0) for one in rollouts("uneven pods")]
    assert float(np.std(levels)) == pytest.approx(0.15, rel=0.15)
    one = levels[0] - np.log(rollouts("uneven pods", 1)[0].before.cpu).mean(axis=0)
    assert np.abs(one).max() < 0.1  # the same pods, the hour before


def test_incidents_are_short_and_befall_either_arm() -> None:
    for arms in both(rollouts("pod incidents")):
        ill = [(one.bad > 0.1 * one.requests) & (one.bad > 3) for one in arms]
        assert np.sum(ill) / MANY == pytest.approx(3.0, rel=0.4)
        assert max(int(one.sum(axis=0).max()) for one in ill) <= 9


@pytest.mark.parametrize(
    ("name", "onset", "rate"),
    [("errors 0.3 %", 0, 0.003), ("errors 1 %", 0, 0.01), ("late errors 1 %", 20, 0.01)],
)
def test_errors_rise_at_the_onset(name: str, onset: int, rate: float) -> None:
    baseline, canary = both(rollouts(name))
    assert error_rate(canary, slice(onset, None)) == pytest.approx(rate, rel=0.05)
    if onset:
        assert error_rate(canary, slice(onset)) == pytest.approx(0.001, rel=0.1)
    assert error_rate(baseline) == pytest.approx(0.001, rel=0.03)


def test_bursts_rise_too() -> None:
    _, canary = both(rollouts("bursty errors 1 %"))
    assert error_rate(canary) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(
    ("name", "median", "p99"), [("p50 +10 %", 1.1, 1.1), ("p99 +20 %", 1.0, 1.2)]
)
def test_latency_is_slower_where_it_is_said_to_be(name: str, median: float, p99: float) -> None:
    baseline, canary = both(rollouts(name))
    assert pooled(canary, 0.5) / pooled(baseline, 0.5) == pytest.approx(median, rel=0.01)
    assert pooled(canary, 0.99) / pooled(baseline, 0.99) == pytest.approx(p99, rel=0.02)


def test_gauge_faults_are_as_large_as_they_say() -> None:
    _, leaking = both(rollouts("leak 1 %/min"))
    memory = np.mean([one.memory.mean(axis=1) for one in leaking], axis=0)
    assert memory[-1] / memory[0] == pytest.approx(1.59, rel=0.03)
    baseline, canary = both(rollouts("cpu +30 %"))
    assert np.mean([one.cpu for one in canary]) / np.mean(
        [one.cpu for one in baseline]
    ) == pytest.approx(1.3, rel=0.03)


def test_dead_is_dead() -> None:
    one = rollouts("one dead pod", 1)[0].canary
    assert (one.bad[:, 0] == one.requests[:, 0]).all()
    assert np.isnan(one.cpu[:, 0]).all()
    assert not np.isnan(one.cpu[:, 1:]).any()
    assert error_rate([one]) == pytest.approx(0.1, rel=0.1)
    out = rollouts("outage", 1)[0].canary
    assert (out.bad == out.requests).all()


# What a judge sees


def test_a_look_sees_the_past_only() -> None:
    one = rollouts("late errors 1 %", 1)[0]
    evidence = one.evidence(10)
    assert evidence.window.count == 10
    assert [pair.metric for pair in evidence.pairs] == ["errors", "latency", "cpu", "memory"]
    errors, latency = evidence.pairs[0].canary, evidence.pairs[1].canary
    before = evidence.pairs[0].history
    assert isinstance(errors, Counts)
    assert isinstance(before, Counts)
    assert before.bad.tolist() == one.before.bad.sum(axis=1).tolist()
    assert errors.bad.tolist() == one.canary.bad[:10].sum(axis=1).tolist()
    assert isinstance(latency, Buckets)
    assert latency.counts.shape == (10, len(EDGES) + 1)


def test_every_judge_is_shown_the_same_rollout() -> None:
    first, again = (rollout("steady", USUAL, seed=1, index=3) for _ in range(2))
    other = rollout("steady", USUAL, seed=1, index=4)
    assert first.canary.latency.tolist() == again.canary.latency.tolist()
    assert first.canary.bad.tolist() != other.canary.bad.tolist()


def test_the_dashboard_shows_nothing_where_nothing_was() -> None:
    none = np.zeros((1, PODS))
    shown = dashboard(Measured(none, none, np.zeros((1, PODS, len(EDGES) + 1)), none, none))
    assert all(np.isnan(shown[name][0]) for name in ("errors", "p50", "p99"))


def test_welch_is_welch() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(1, 1, 12), rng.normal(0, 3, 20)
    expected = stats.ttest_ind(x, y, equal_var=False, alternative="greater").pvalue
    assert p_higher(y, x) == pytest.approx(expected, rel=1e-9)
    assert p_higher(np.array([1.0]), x) == 1.0


# Counting


@dataclass(frozen=True)
class Scripted:
    """Says what it is told to say at a minute; hold in between."""

    lines: dict[int, Outcome]

    def look(self, rollout: Rollout, minute: int) -> Outcome:
        return self.lines.get(minute, Outcome.HOLD)


def scripted(**said: int) -> Judge:
    return Scripted({minute: Outcome(word) for word, minute in said.items()})


def score_of(name: str, *judges: Judge) -> Score:
    """The score of trials in each of which the next judge decides."""
    shown, task = rollouts(name, 1)[0], Task(name, USUAL, 1, 0)
    (score,) = scores([watched(task, "scripted", partial(copy, one), shown) for one in judges])
    return score


def test_holding_for_ever_counts_as_nothing() -> None:
    score = score_of("steady", scripted(), scripted())
    assert (score.rolled_back.hits, score.alarmed.hits, score.promoted.hits) == (0, 0, 0)
    assert (score.after, score.promoted_at) == (None, None)
    assert score.bad_served == rollouts("steady", 1)[0].canary.bad.sum()


def test_rolling_back_at_once_is_always_an_alarm() -> None:
    score = score_of("steady", scripted(rollback=1))
    assert (score.rolled_back, score.after) == (Share(1, 1), 1)
    assert score.bad_served == rollouts("steady", 1)[0].canary.bad[0].sum()


def test_an_alarm_after_the_promote_is_no_verdict_but_an_alarm() -> None:
    score = score_of("steady", scripted(promote=10, rollback=30), scripted(promote=20))
    assert score.promoted == Share(2, 2)
    assert score.promoted_at == 15
    assert score.rolled_back == Share(0, 2)
    assert (score.alarmed, score.alarmed_after) == (Share(1, 2), 30)


def test_detection_counts_from_the_onset() -> None:
    score = score_of("late errors 1 %", scripted(rollback=23), scripted(rollback=20), scripted())
    assert (score.rolled_back, score.after) == (Share(1, 3), 3)
    assert score.too_soon == Share(1, 3)


def test_looks_may_be_rarer() -> None:
    task = Task("steady", USUAL, 1, 0, every=15)
    one = watched(task, "s", lambda: scripted(promote=14, rollback=45), rollouts("steady", 1)[0])
    assert (one.promoted, one.rolled_back) == (None, 45)


@pytest.mark.parametrize(("hits", "of"), [(0, 60), (1, 60), (30, 60), (60, 60)])
def test_bounds_are_clopper_pearson(hits: int, of: int) -> None:
    exact = stats.binomtest(hits, of).proportion_ci(0.90, "exact")  # 5 % on each side
    share = Share(hits, of)
    assert (share.low, share.high) == pytest.approx((100 * exact.low, 100 * exact.high), abs=1e-9)


def test_an_alarm_rate_beyond_alpha_for_certain_is_marked() -> None:
    def cell(hits: int) -> str:
        found = [
            Trial(
                scenario="steady", judge="j", traffic=USUAL, promoted=None,
                rolled_back=1 if index < hits else None, bad_served=0,
            )
            for index in range(60)
        ]  # fmt: skip
        return alarms(scores(found), ["j"], alpha=0.01)[1][1]

    assert cell(0) == "0 (<5) +0"
    assert cell(2) == "3 (<10) +0"
    assert cell(3) == "5! (<12) +0"


def test_a_missed_fault_shows_its_promotes() -> None:
    score = score_of("errors 1 %", scripted(promote=10), scripted(rollback=4))
    assert detections([score], ["scripted"]) == [["fault", "scripted"], ["errors 1 %", "50@4 +50"]]


def test_two_processes_find_what_one_finds() -> None:
    tasks = [Task(name, USUAL, 1, index) for name in ("steady", "outage") for index in range(3)]
    asked = ["thresholds", "welch"]
    alone = list(trials(tasks, asked, workers=1))
    assert len(alone) == 12
    assert alone == list(trials(tasks, asked, workers=2))


def test_an_unknown_name_is_refused() -> None:
    assert known([], JUDGES) == list(JUDGES)
    with pytest.raises(ValueError, match="unknown: 'gaet'; there are gate, "):
        known(["gaet"], JUDGES)
    with pytest.raises(SystemExit, match="unknown: 'snowy'"):
        main(["--scenario", "snowy"])


def test_one_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    asked = "--rollouts 2 --scenario outage --judge thresholds --workers 1 --markdown --full"
    main(asked.split())
    told = capsys.readouterr().out
    assert "| outage | 100@4 |" in told
    assert "| outage | thresholds | 100.0 |" in told


@pytest.mark.slow
def test_every_judge_decides_in_every_scenario() -> None:
    tasks = [Task(name, USUAL, 1, 0, every=30) for name in SCENARIOS]
    assert len(list(trials(tasks, list(JUDGES), workers=1))) == len(SCENARIOS) * len(JUDGES)
