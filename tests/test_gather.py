import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from gate.analysis.comparison import Finding
from gate.analysis.judge import judge
from gate.decision import conclude, to_json
from gate.errors import UsageError
from gate.evidence.evidence import Cause, Gap
from gate.evidence.gather import MOST_AT_ONCE, gather
from gate.evidence.source import SourceError
from gate.metric import Kind
from gate.pull import PullRequests
from gate.series import Counts, Levels, array
from gate.service import Arms, ChangeRange, PullRange
from gate.slo import Indicator
from gate.verdict import Outcome
from tests.parts.rollouts import (
    HOUR,
    MONTH,
    ROOT,
    SLO,
    SMALL,
    STANDARD,
    WINDOW,
    FixedSource,
    a_metric,
    a_pair,
    a_request,
    a_service,
)

CHANGE = ChangeRange(source="m", base="{{baseline}}", head="{{canary}}")
WATCHED = a_service(slos=(SLO,), change=CHANGE)
ALL = {"errors": a_pair(), "availability": (MONTH, HOUR), "change": SMALL}
SOON = 5.0


def seen(service=WATCHED, within=SOON, **answers):
    return gather(a_request(), service, {"m": FixedSource(**{**ALL, **answers})}, within)


def raising(error):
    def answer(asked):
        raise error

    return answer


def promoted(evidence, service=WATCHED):
    return conclude(a_request(), service, STANDARD, evidence).verdict.outcome is Outcome.PROMOTE


def test_when_all_answer_all_is_seen():
    evidence = seen()
    assert evidence.window == WINDOW
    assert evidence.pairs == (ALL["errors"],)
    assert evidence.indicators == (MONTH, HOUR)
    assert evidence.change == SMALL
    assert evidence.gaps == ()
    assert promoted(evidence)


NO_COUNT = "a count of the change is no number from 0 upwards"
ASKED = {"errors": "metric errors", "availability": "slo availability", "change": "change"}


@pytest.mark.parametrize("name", ASKED)
def test_a_source_that_says_what_went_wrong(name):
    evidence = seen(**{name: raising(SourceError(Cause.SERVER_ERROR, "prometheus: 504"))})
    assert evidence.gaps == (Gap(ASKED[name], Cause.SERVER_ERROR, "prometheus: 504"),)
    assert not promoted(evidence)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("kaput"),
        ZeroDivisionError("kaput"),
        SystemExit(0),
        KeyboardInterrupt("kaput"),
        GeneratorExit("kaput"),
        MemoryError("kaput"),
        TimeoutError("kaput"),
    ],
)
@pytest.mark.parametrize("name", ASKED)
def test_a_source_that_raises_anything_at_all_costs_only_its_own_answer(name, error):
    evidence = seen(**{name: raising(error)})
    assert [(gap.about, gap.cause) for gap in evidence.gaps] == [(ASKED[name], Cause.CRASHED)]
    assert evidence.gaps[0].detail.startswith(f"{type(error).__name__}: ")
    assert len(evidence.pairs) + bool(evidence.indicators) + bool(evidence.change) == 2
    assert not promoted(evidence)


class Silent:
    """Answers only when it is let go, whatever its deadline."""

    def __init__(self):
        self.go = threading.Event()
        self.asked = 0

    def pair(self, metric, asked):
        self.asked += 1
        self.go.wait(60)
        return a_pair(metric.name)

    def change(self, wanted, asked):
        self.go.wait(60)
        return SMALL


@pytest.fixture
def silent():
    source = Silent()
    yield source
    source.go.set()


def test_a_silent_source_is_not_waited_for_beyond_the_deadline(silent):
    service = replace(WATCHED, metrics=(a_metric(source="silent"),))
    started = time.monotonic()
    evidence = gather(a_request(), service, {"silent": silent, "m": FixedSource(**ALL)}, 0.3)
    assert time.monotonic() - started < 3
    assert evidence.gaps == (Gap("metric errors", Cause.TIMEOUT, "no answer within 0.3 s"),)
    assert evidence.change == SMALL
    assert not promoted(evidence, service)


def test_what_comes_after_the_deadline_is_not_believed(silent):
    service = a_service(a_metric(source="silent"))
    evidence = gather(a_request(), service, {"silent": silent}, 0.1)
    silent.go.set()
    time.sleep(0.05)
    assert evidence.pairs == ()
    assert not promoted(evidence, service)


def test_a_silent_source_does_not_keep_others_from_being_asked(silent):
    many = [a_metric(f"m{i}", source="silent") for i in range(2 * MOST_AT_ONCE)]
    service = a_service(*many, a_metric(), slos=(SLO,), change=CHANGE)
    evidence = gather(a_request(), service, {"silent": silent, "m": FixedSource(**ALL)}, 0.5)
    assert [pair.metric for pair in evidence.pairs] == ["errors"]
    assert evidence.indicators == (MONTH, HOUR)
    assert evidence.change == SMALL
    assert len(evidence.gaps) == 2 * MOST_AT_ONCE
    assert silent.asked == MOST_AT_ONCE


def test_the_deadline_of_a_source_lies_before_that_of_the_gate():
    told = []
    before = time.monotonic()
    seen(within=5.0, change=lambda asked: told.append(asked.deadline) or SMALL)
    assert before < told[0] < before + 5.0


def test_a_silent_source_does_not_hold_up_the_end_of_the_process():
    program = """
import time
from gate.evidence.gather import gather
from tests.parts.rollouts import FixedSource, a_request, a_service
silent = FixedSource(errors=lambda asked: time.sleep(60))
print(gather(a_request(), a_service(), {"m": silent}, 0.1).gaps[0].cause)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, cwd=ROOT
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "timeout\n", "")


def test_all_questions_are_asked_at_once():
    together = threading.Barrier(MOST_AT_ONCE, timeout=SOON)
    names = [f"m{i}" for i in range(MOST_AT_ONCE - 2)]

    def when_all_are_there(answer):
        def ask(asked):
            together.wait()
            return answer

        return ask

    answers = {name: when_all_are_there(a_pair(name)) for name in names}
    answers |= {name: when_all_are_there(ALL[name]) for name in ("availability", "change")}
    service = a_service(*map(a_metric, names), slos=(SLO,), change=CHANGE)
    evidence = gather(a_request(), service, {"m": FixedSource(**answers)}, SOON)
    assert evidence.gaps == ()
    assert [pair.metric for pair in evidence.pairs] == names


def test_no_source_is_asked_too_much_at_once():
    lock, now, most = threading.Lock(), [0], [0]

    def counted(asked, name):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return a_pair(name)

    names = [f"m{i}" for i in range(3 * MOST_AT_ONCE)]
    answers = {name: lambda asked, name=name: counted(asked, name) for name in names}
    evidence = gather(
        a_request(), a_service(*map(a_metric, names)), {"m": FixedSource(**answers)}, SOON
    )
    assert len(evidence.pairs) == len(names)
    assert most[0] <= MOST_AT_ONCE


HALF = Counts(bad=array([1.0]), total=array([[2.0]]))
LISTS = Counts(bad=[1.0], total=[2.0])


@pytest.mark.parametrize(
    ("name", "nonsense", "said"),
    [
        ("errors", None, "the source answered with NoneType"),
        ("errors", 0.0, "the source answered with float"),
        ("errors", SMALL, "the source answered with Change"),
        ("errors", (), "the source answered with tuple"),
        ("errors", a_pair("latency"), "the source answered for metric 'latency'"),
        ("errors", replace(a_pair(), canary="none"),
            "canary: events are Counts, not str"),
        ("errors", replace(a_pair(), baseline=Levels(("a",), array([[1.0]]))),
            "baseline: events are Counts, not Levels"),
        ("errors", replace(a_pair(), canary=LISTS), "canary: bad is no array of float64"),
        ("errors", replace(a_pair(), canary=HALF), "canary: total has 2 dimensions, not 1"),
        ("errors", replace(a_pair(), doubts=(Gap("x", Cause.EMPTY, "\ud800"),)),
            "'\\ud800' is not valid Unicode"),
        ("availability", (), "nothing was measured over the objective's own window, 30d"),
        ("availability", (HOUR,), "nothing was measured over the objective's own window, 30d"),
        ("availability", (MONTH, 0.5), ("the source answered with something that is no indicator "
            "of this objective")),
        ("availability", (replace(MONTH, slo="latency"),), ("the source answered with something "
            "that is no indicator of this objective")),
        ("availability", (replace(MONTH, bad_share=float("nan")),),
            "a bad share is no number from 0 upwards"),
        ("availability", (replace(MONTH, bad_share=-1.0),),
            "a bad share is no number from 0 upwards"),
        ("availability", (replace(MONTH, coverage=float("inf")),),
            "a coverage is no number from 0 upwards"),
        ("availability", (replace(MONTH, bad_share=None),),
            "a bad share is not known, and nothing says why"),
        ("availability", (replace(MONTH, method="\ud800"),), "'\\ud800' is not valid Unicode"),
        ("availability", (replace(MONTH, until=60.0),),
            "nothing was measured over the objective's own window, 30d"),
        ("availability", [MONTH], "the source answered with list"),
        ("change", "v1..v2", "the source answered with str"),
        ("change", replace(SMALL, files=-1), NO_COUNT),
        ("change", replace(SMALL, recent=((math.nan,) * 6,)), NO_COUNT),
        ("change", replace(SMALL, recent=((1.0,),)),
            "an earlier change has neither 6 nor 8 counts"),
        ("change", a_pair(), "the source answered with Pair"),
    ],
)  # fmt: skip
def test_nonsense_is_a_gap(name, nonsense, said):
    evidence = seen(**{name: nonsense})
    assert evidence.gaps == (Gap(ASKED[name], Cause.MALFORMED, said),)
    assert not promoted(evidence)


def wrong(shape):
    return Counts(bad=array(np.zeros(shape)), total=array(np.full(shape, 5000.0)))


@pytest.mark.parametrize(
    "canary",
    [
        wrong(0),
        wrong(3),
        wrong(31),
        Counts(bad=array(np.full(30, np.nan)), total=array(np.full(30, np.nan))),
        Counts(bad=array(np.zeros(30)), total=array(np.zeros(30))),
        Counts(bad=array(np.full(30, 9.0)), total=array(np.full(30, 5.0))),
        Counts(bad=array(np.full(30, -1.0)), total=array(np.full(30, 5.0))),
        Counts(bad=array(np.zeros(30)), total=array(np.full(30, np.inf))),
    ],
)
def test_numbers_that_make_no_sense_are_seen_and_promote_nothing(canary):
    evidence = seen(errors=replace(a_pair(), canary=canary))
    assert len(evidence.pairs) == 1
    assert not promoted(evidence)


def test_what_a_source_says_can_always_be_stored():
    evidence = seen(errors=raising(RuntimeError("broken \ud800 answer")))
    assert evidence.gaps[0].detail == "RuntimeError: broken ? answer"
    to_json(evidence)


def test_doubts_are_gaps_too():
    doubt = Gap("metric errors", Cause.PARTIAL, "pod a is down")
    evidence = seen(errors=replace(a_pair(), doubts=(doubt,)))
    assert evidence.gaps == (doubt,)
    assert not promoted(evidence)


def test_a_source_that_has_no_answers_of_that_kind():
    class OnlyMetrics:
        def pair(self, metric, asked):
            return a_pair()

    evidence = gather(a_request(), WATCHED, {"m": OnlyMetrics()}, SOON)
    assert [str(gap) for gap in evidence.gaps] == [
        "slo availability: bad query: source 'm' (OnlyMetrics) has no indicators",
        "change: bad query: source 'm' (OnlyMetrics) has no change",
    ]


def test_a_source_that_is_not_there():
    evidence = gather(a_request(), a_service(), {}, SOON)
    assert evidence.gaps[0] == Gap("metric errors", Cause.CRASHED, "KeyError: 'm'")
    assert not promoted(evidence, a_service())


def test_what_was_not_asked_is_told():
    evidence = seen(a_service())
    assert [(gap.about, gap.cause) for gap in evidence.gaps] == [
        ("budget", Cause.NOT_ASKED),
        ("change", Cause.NOT_ASKED),
    ]


def test_a_stated_objective_is_asked_of_nobody():
    stated = replace(SLO, source="", stated=(Indicator(SLO.name, SLO.window.length, 0.0001),))
    evidence = gather(a_request(), a_service(slos=(stated,)), {"m": FixedSource(**ALL)}, SOON)
    assert evidence.indicators == stated.stated


def asking(**queries):
    return a_service(a_metric(queries={"bad": "x", "total": "y", **queries}))


@pytest.mark.parametrize(
    "service",
    [
        asking(bad="x{ {{selektor}} }"),
        a_service(arms=Arms(canary="{{canarry}}", baseline="{{baseline}}")),
        a_service(arms=Arms(canary="a", baseline="b", health="up{ {{pod}} }")),
        a_service(slos=(replace(SLO, queries={"error_ratio": "x[{{windows}}]"}),)),
        a_service(change=ChangeRange(source="m", base="{{base}}", head="{{canary}}")),
    ],
)
def test_an_unknown_word_is_a_mistake_in_the_file_and_no_gap(service):
    asked = []
    source = FixedSource(errors=lambda asked_: asked.append(asked_))
    with pytest.raises(UsageError, match="unknown word"):
        gather(a_request(), service, {"m": source}, SOON)
    assert asked == []


def test_words_of_the_request_win_over_those_of_the_file():
    told = []
    service = a_service(variables={"cluster": "eu", "shard": "7"})
    source = FixedSource(errors=lambda asked: told.append(asked.words) or a_pair())
    gather(a_request(variables={"cluster": "us"}), service, {"m": source}, SOON)
    assert told == [{"cluster": "us", "shard": "7", "canary": "v2", "baseline": "v1", "step": "1m"}]


def test_a_canary_without_a_whole_interval_promotes_nothing():
    nothing = replace(a_pair(), canary=wrong(0), baseline=wrong(0))
    source = FixedSource(errors=nothing)
    evidence = gather(a_request(since=30.0), a_service(), {"m": source}, SOON)
    assert evidence.window.count == 0
    assert not promoted(evidence, a_service())


def test_a_source_cannot_end_the_gate_with_the_code_of_promote(tmp_path):
    # sys.exit() in a source, in a process of its own: the code must be that of no verdict but 0.
    (tmp_path / "quitting.py").write_text(
        "import sys\nfrom gate.document import Section\n"
        "class Quits:\n"
        "    class Spec(Section): ...\n"
        "    open = classmethod(lambda cls, spec, around: cls())\n"
        "    def pair(self, metric, asked): sys.exit(0)\n"
    )
    (tmp_path / "gate.yaml").write_text(
        "apiVersion: gate/v1\nkind: Service\nname: shop\n"
        "sources: {m: {kind: 'quitting:Quits'}}\narms: {rollout: shop}\n"
        "metrics: [{name: errors, kind: events, bad: b, total: t}]\n"
    )
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = ["check", "--canary", "v2", "--baseline", "v1", "--since", "30m",
               "--ledger", str(tmp_path / "ledger.db")]  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-m", "gate", *command],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 30, run.stdout + run.stderr
    assert "SystemExit: 0" in run.stdout


@pytest.mark.parametrize("kind", Kind)
def test_an_answer_of_another_kind_is_refused_for_every_kind(kind):
    service = a_service(a_metric(kind=kind))
    other = Levels(("a",), array([[1.0]])) if kind is not Kind.GAUGE else HALF
    evidence = seen(service, errors=replace(a_pair(), canary=other, baseline=other))
    assert evidence.gaps[0].cause is Cause.MALFORMED


WEEK_AGO = Arms(canary="c", baseline="all", offset=604_800.0)


def both_times(asked):
    """An hour in which both arms fail one request in twenty; a week ago one in a thousand."""
    return a_pair(baseline=0.001 if asked.arms.offset else 0.05, canary=0.05)


def test_what_harms_both_arms_alike_shows_beside_an_earlier_time_only():
    service = a_service(earlier=WEEK_AGO)
    evidence = gather(a_request(), service, {"m": FixedSource(errors=both_times)}, SOON)
    assert [pair.metric for pair in evidence.earlier] == ["errors"]
    analysis = judge(service, evidence)
    assert [(one.label, one.finding, one.critical) for one in analysis.comparisons] == [
        ("errors", Finding.NOT_WORSE, True),
        ("errors beside earlier", Finding.WORSE, False),
    ]
    assert not promoted(evidence, service)
    alone = replace(service, earlier=None)
    assert promoted(gather(a_request(), alone, {"m": FixedSource(errors=both_times)}, SOON), alone)


def test_an_earlier_time_like_now_stays_unsaid_and_one_not_seen_is_a_gap():
    service = a_service(earlier=WEEK_AGO)
    quiet = gather(a_request(), service, {"m": FixedSource(errors=a_pair())}, SOON)
    assert [one.label for one in judge(service, quiet).comparisons] == ["errors"]

    def forgotten(asked):
        if asked.arms.offset:
            raise SourceError(Cause.EMPTY, "older than the retention")
        return a_pair()

    seen = gather(a_request(), service, {"m": FixedSource(errors=forgotten)}, SOON)
    assert [gap.about for gap in seen.gaps if gap.cause is Cause.EMPTY] == ["metric errors earlier"]
    own, alarm = judge(service, seen).comparisons
    assert own.finding is Finding.NOT_WORSE
    assert (alarm.label, alarm.finding) == ("errors beside earlier", Finding.UNFIT)
    assert alarm.why == "empty: older than the retention"


PULL = PullRange(source="m", base="{{baseline}}", head="{{canary}}", number="{{pr}}")
PULLED = replace(WATCHED, change=replace(CHANGE, pull=PULL))


def with_pulls(answer, service=PULLED):
    class Hub(FixedSource):
        def pulls(self, wanted, asked):
            return answer(asked) if callable(answer) else answer

    return gather(a_request(variables={"pr": "7"}), service, {"m": Hub(**ALL)}, SOON)


def test_pull_requests_are_seen_beside_the_change():
    seven = PullRequests(numbers=(7,), approvals=1)
    evidence = with_pulls(seven)
    assert (evidence.pulls, evidence.change, evidence.gaps) == (seven, SMALL, ())
    assert with_pulls(seven, WATCHED).pulls is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (SMALL, "the source answered with Change"),
        (PullRequests(numbers=()), "of the pull requests is no number from 0 upwards"),
        (PullRequests(numbers=(7,), approvals=-1), "is no number from 0 upwards"),
        (PullRequests(numbers=(7,), failing=("\ud800",)), "is not valid Unicode"),
        (raising(SourceError(Cause.REFUSED, "403")), "403"),
    ],
)
def test_pull_requests_not_seen_cost_themselves_alone(answer, said):
    evidence = with_pulls(answer)
    (gap,) = evidence.gaps
    assert gap.about == "pull request"
    assert said in gap.detail
    assert (evidence.pulls, evidence.change) == (None, SMALL)


def test_a_number_nobody_gave_is_a_mistake_and_no_gap():
    with pytest.raises(UsageError, match=r"unknown word \{\{pr\}\}"):
        gather(a_request(), PULLED, {"m": FixedSource(**ALL)}, SOON)
