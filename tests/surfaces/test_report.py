import json
import re
from dataclasses import replace

import pytest
from cmarkgfm import github_flavored_markdown_to_html as html_of  # what GitHub renders with
from hypothesis import example, given
from hypothesis import strategies as st

from gate import service_file
from gate.change import Change
from gate.decision import decided, from_json, to_json
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.evidence.gather import gather
from gate.kayenta import Kayenta, Rule, Rules, Thresholds
from gate.metric import Kind, Margin
from gate.request import Intent
from gate.service import ChangeRange
from gate.surfaces.report.analysis import analysis_page
from gate.surfaces.report.document import as_json
from gate.surfaces.report.markdown import escape, markdown, page_markdown
from gate.surfaces.report.numbers import moment, quantity, rfc3339
from gate.surfaces.report.report import report
from gate.surfaces.report.text import page_text, text
from gate.verdict import Outcome, Reason, Verdict
from gate.wiring import sources
from tests.parts.rollouts import (
    HOUR,
    MONTH,
    RECORDED,
    SLO,
    SMALL,
    STANDARD,
    WINDOW,
    a_metric,
    a_pair,
    a_request,
    a_series,
    a_service,
    an_evidence,
)


def a_decision(**said):
    usual = {"request": a_request(), "service": a_service(), "policy": STANDARD,
             "evidence": an_evidence(), "at": 1_700_002_000.5, "gate_version": "0.1.0"}  # fmt: skip
    return decided(**{**usual, **said})


def recorded(canary, as_of, since):
    file = service_file.load(RECORDED)
    request = a_request(
        service="checkout", canary=canary, baseline="v1.8.0", as_of=as_of, since=since
    )
    evidence = gather(request, file.service, sources(file, {}), 20.0)
    return a_decision(request=request, service=file.service, evidence=evidence)


WATCHED = a_service(
    a_metric(), a_metric("latency", Kind.HISTOGRAM, unit="s"), a_metric("memory", Kind.GAUGE),
    slos=(SLO,), change=ChangeRange(source="m", base="{{baseline}}", head="{{canary}}"),
)  # fmt: skip
BLIND = Evidence(
    WINDOW,
    gaps=(
        Gap("metric errors", Cause.TIMEOUT, "no answer within 20 s"),
        Gap("slo availability", Cause.SERVER_ERROR, "prometheus: 504 " + "upstream " * 40),
        Gap("change", Cause.REFUSED, "https://git.example.com/" + "x" * 200),
    ),
)
LONG = "a-very-long-name-" * 12
BY_KAYENTA = a_service(
    a_metric(critical=False),
    kayenta=Kayenta(Rules(metrics=(Rule(name="errors", groups=("e",)),)), Thresholds(95.0, 75.0)),
)

DECISIONS = {
    "good": lambda: recorded("v1.9.0", 1793617200.0, 3600.0),
    "bad": lambda: recorded("v1.9.1", 1793703600.0, 3600.0),
    "early": lambda: recorded("v1.9.2", 1793786880.0, 480.0),
    "blind": lambda: a_decision(service=WATCHED, evidence=BLIND),
    "going back": lambda: a_decision(request=a_request(intent=Intent.ROLLBACK)),
    "historical": lambda: a_decision(
        request=a_request(baseline=""), evidence=an_evidence(replace(a_pair(), concurrent=False))
    ),
    "without evidence": lambda: a_decision(evidence=Evidence(replace(WINDOW, count=0))),
    "all that can be": lambda: a_decision(
        service=WATCHED,
        evidence=an_evidence(
            a_pair(canary=0.03),
            Pair("latency", a_series(Kind.HISTOGRAM), a_series(Kind.HISTOGRAM, holes=True)),
            Pair("memory", a_series(Kind.GAUGE), a_series(Kind.GAUGE)),
            indicators=(replace(MONTH, bad_share=0.9), replace(HOUR, bad_share=1.0)),
            change=replace(SMALL, lines_added=5000, notes=("a shallow clone",)),
        ),
    ),
    "by Kayenta's judge": lambda: a_decision(service=BY_KAYENTA),
    "long names": lambda: a_decision(
        request=a_request(canary=LONG, baseline=LONG),
        service=a_service(a_metric(LONG, unit="of " + LONG)),
        evidence=an_evidence(a_pair(LONG)),
    ),
}


@pytest.fixture(params=DECISIONS)
def decision(request):
    return DECISIONS[request.param]()


def test_text_is_readable_in_80_columns(decision):
    told = text(report(decision), width=80)
    assert max(map(len, told.splitlines())) <= 80
    assert told.splitlines()[0].startswith(decision.verdict.outcome.upper())
    assert "\x1b" not in told
    assert told.endswith("\n")
    assert not re.search(r"[ \t]\n", told)


def words(told):
    return re.sub(r"\W+", "", told)


def test_text_and_markdown_say_all_there_is_to_say(decision):
    told = report(decision)
    for form in (text(told), markdown(told)):
        plain = words(form.replace("&#8203;", ""))
        for line in (*told.gaps, *told.changes, *told.budgets, *told.risk):
            assert words(line) in plain
        for reason in told.reasons:
            assert words(f"{reason.rule}: {reason.message}") in plain
        for row in told.rows:
            assert words(row.note) in plain
        assert decision.id in form


@pytest.mark.parametrize("width", [40, 60, 120, 200])
def test_text_keeps_to_any_width(width):
    told = report(DECISIONS["bad"]())
    assert max(map(len, text(told, width=width).splitlines())) <= width


def test_colour_changes_no_word():
    told = report(DECISIONS["bad"]())
    coloured = text(told, colour=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == text(told).splitlines()


def test_a_decision_read_from_the_ledger_reads_the_same(decision):
    stored = from_json(to_json(decision))
    assert text(report(stored)) == text(report(decision))
    assert markdown(report(stored)) == markdown(report(decision))
    assert as_json(stored, 10) == as_json(decision, 10)


def hostile(name):
    """A decision in which everything that comes from outside has this name."""
    change = Change(base=name, head=name, commits=1, files=1, directories=1, lines_added=1,
                    lines_deleted=1, notes=(name,))  # fmt: skip
    gap = Gap("change", Cause.SERVER_ERROR, name)
    return a_decision(
        request=a_request(service=name, canary=name, baseline=name),
        service=a_service(a_metric(name, unit=name), a_metric("lost " + name), owner=name),
        evidence=an_evidence(a_pair(name, canary=0.02), change=change, gaps=(gap,)),
    )


def a_page(decision):
    parts = decision.service, decision.request, decision.evidence
    return analysis_page(*parts, decision.conclusion.analysis)


def test_an_analysis_is_readable_in_80_columns_too(decision):
    told = page_text(a_page(decision), width=80)
    assert max(map(len, told.splitlines())) <= 80
    for one in decision.conclusion.analysis.comparisons:
        assert words(one.label) in words(told)
        assert one.log_e_worse is not None or words(one.why) in words(told)


HOSTILE = [
    "@team", "org/repo#12 #7", "<img src=x onerror=alert(1)>", "a|b", "`rm -rf /`", "[x](http://e)",
    "![x](http://e/x.png)", "*bold* _em_ ~~gone~~", "\\@team", "&lt;b&gt; &#64;team", "# title",
    "a\n\n# title\n- item", "</sub><script>", "```\ncode", "$x$ and $$y$$", "https://evil.example/x",
    "www.evil.example", "me@evil.example mailto:me@evil.example", "ftp://evil.example", "GH-12",
    "_www.evil.example", "a_GH-12",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_hostile_names_as_they_are(name):
    told = markdown(report(hostile(name)))
    html = html_of(told)
    own = html_of(markdown(report(hostile("name"))))
    # Not one tag more than the same report about something harmless.
    assert re.findall(r"</?\w+", html) == re.findall(r"</?\w+", own)
    shown = " ".join(name.split())
    for special, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        shown = shown.replace(special, entity)
    assert shown.replace('"', "&quot;") in html.replace("\u200b", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_mentions_nobody_and_refers_to_nothing(name):
    # GitHub looks for both in the rendered text, so a backslash before them is no help.
    html = html_of(markdown(report(hostile(name))))
    assert not re.search(r"@\w", html)
    assert not re.search(r"(?<!&)#\w|GH-[0-9]", html)


def test_the_one_link_is_where_the_policy_says_to_read_more():
    by = Reason(
        "frozen", Outcome.HOLD, "see https://evil.example", docs="https://runbooks.example/f"
    )
    decision = a_decision()
    told = replace(
        decision, conclusion=replace(decision.conclusion, verdict=Verdict(Outcome.HOLD, (by,)))
    )
    html = html_of(markdown(report(told)))
    assert re.findall(r'href="([^"]*)"', html) == ["https://runbooks.example/f"]


def test_a_table_keeps_its_columns():
    rows = [line for line in markdown(report(hostile("a|b|c"))).splitlines() if line[:1] == "|"]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 8}


def test_an_analysis_mentions_nobody_and_obeys_nothing():
    for name in (*HOSTILE, "\x1b[2Jgone", "\u202egnp.exe"):
        page = a_page(hostile(name))
        html = html_of(page_markdown(page))
        assert not re.search(r"@\w|(?<!&)#\w|<script|<img", html)
        lines = page_text(page).split("\n")
        assert all(letter.isprintable() for line in lines for letter in line)


@given(st.text())
@example("see http://a.b/c_d_e,www.f.g and h@i.j")
def test_escaped_text_is_one_line_of_text(raw):
    assert len(escape(raw).splitlines()) <= 1
    html = html_of(escape(raw))
    assert set(re.findall(r"<(\w+)", html)) <= {"p", "br"}


@given(st.text())
@example("- a")
@example("---")
@example("1. a")
@example("+")
@example("= b")
@example("# h")
@example("~~~")
def test_escaped_text_begins_nothing_in_a_list(raw):
    html = html_of(f"- {escape(raw)}\n- end\n")
    assert re.findall(r"<(\w+)", html.replace("<br", "")) == ["ul", "li", "li"]


@pytest.mark.parametrize(
    "name", ["\x1b[2Jgone", "\x1b]0;title\x07", "a\rb", "\u202egnp.exe", "\x9b2J"]
)
def test_text_obeys_nothing_that_came_from_outside(name):
    told = text(report(hostile(name)))
    assert all(letter.isprintable() for line in told.split("\n") for letter in line)
    coloured = text(report(hostile(name)), colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).replace("\n", "").isprintable()


def strict(body):
    """JSON as the standard has it: neither NaN nor Infinity, and no key twice."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    def once(pairs):
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(body, parse_constant=refuse, object_pairs_hook=once)


TOP = {
    "schema", "id", "verdict", "exit_code", "reasons", "what_would_change_it", "service",
    "request", "window", "analysis", "budgets", "margins", "risk", "change", "gaps", "facts",
    "policy", "decided_at", "gate_version",
}  # fmt: skip
COMPARISON = {
    "label", "metric", "aspect", "finding", "why", "critical", "unit", "worse", "margin",
    "baseline", "canary", "difference", "interval", "limit", "log_e_worse", "log_e_not_worse",
    "counted", "events_baseline", "events_canary", "clear_in", "method",
    "ratio", "ratio_interval",
}  # fmt: skip


def test_json_has_every_key_always(decision):
    told = strict(as_json(decision, 10))
    assert told["schema"] == "gate.report/v1"
    assert set(told) >= TOP
    assert told["verdict"] == decision.verdict.outcome
    assert told["exit_code"] == 10
    assert told["id"] == decision.id
    assert set(told["request"]) >= {
        "canary", "baseline", "as_of", "since_seconds", "variables", "intent",
    }  # fmt: skip
    assert told["analysis"]["comparisons"]
    for one in told["analysis"]["comparisons"]:
        assert set(one) >= COMPARISON
    for reason in told["reasons"]:
        assert set(reason) >= {"rule", "outcome", "message", "unknown", "docs"}


def test_json_tells_what_is_not_known_as_null():
    told = strict(as_json(DECISIONS["blind"](), 30))
    assert told["risk"] is told["change"] is None
    assert told["budgets"] == []
    assert told["analysis"]["comparisons"][0]["canary"] is None
    assert "budget.remaining" not in told["facts"]
    assert [gap["cause"] for gap in told["gaps"]] == ["timeout", "server error", "refused"]


def test_kayentas_score_is_told_and_no_probability_is_promised():
    decision = DECISIONS["by Kayenta's judge"]()
    told = strict(as_json(decision, 10))["analysis"]
    assert (told["judge"], told["score"], told["comparisons"][0]["limit"]) == ("kayenta", 100, 95)
    assert told["alpha"] is told["beta"] is told["log_e_worse"] is None
    said = text(report(decision), width=200)
    assert "no error probability is promised" in said
    assert "of 95 needed" in said
    assert "score (Kayenta): passes when the metrics it counts are shown not worse" in said
    own = strict(as_json(DECISIONS["good"](), 0))["analysis"]
    assert (own["judge"], own["score"], own["alpha"]) == ("gate", None, 0.01)


def test_json_times_are_rfc3339():
    told = strict(as_json(a_decision(), 0))
    assert told["decided_at"] == "2023-11-14T22:46:40.500000Z"
    assert told["window"]["end"] == "2023-11-14T22:44:00Z"
    assert told["window"]["intervals"] == 30


def test_json_is_one_object_and_a_newline():
    body = as_json(a_decision(), 0)
    assert body.endswith(b"}\n")
    assert body.count(b"\n}\n") == 1


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0021, "of requests", "0.21%"),
        (1.0, "of requests", "100%"),
        (0.0, "of requests", "0%"),
        (0.00001234, "of requests", "0.00123%"),
        (0.0829, "s", "82.9ms"),
        (1.0, "s", "1s"),
        (0.9999, "s", "1,000ms"),
        (0.00005, "s", "50µs"),
        (0.0, "s", "0µs"),
        (-0.25, "s", "-250ms"),
        (1.02e8, "bytes", "102MB"),
        (0.0, "bytes", "0B"),
        (999.0, "bytes", "999B"),
        (1234.0, "", "1,234"),
        (12.3456, "", "12.3"),
        (250.0, "ms", "250 ms"),
        (1.5e12, "", "1.50e+12"),
        (1e-9, "", "1.00e-09"),
        (None, "s", "?"),
        (float("nan"), "s", "?"),
        (float("inf"), "of requests", "?"),
    ],
)
def test_quantities(value, unit, shown):
    assert quantity(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0003, "+0.03%"), (-0.0003, "-0.03%"), (0.0, "+0%")]
)
def test_differences_have_a_sign(value, shown):
    assert quantity(value, "of requests", signed=True) == shown


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["s", "bytes", "of x", "", "ms"]),
)
def test_every_number_can_be_shown(value, unit):
    assert quantity(value, unit).isprintable()


@given(st.floats(min_value=1e-6, max_value=1e8))
def test_three_digits_are_kept(value):
    shown = quantity(value, "")
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=0.006)


def test_moments():
    assert moment(1_793_617_200.0) == "2026-11-02 11:00:00 UTC"
    assert rfc3339(1_793_617_200.0) == "2026-11-02T11:00:00Z"
    assert rfc3339(1_793_617_200.25) == "2026-11-02T11:00:00.250000Z"


def test_margins_and_limits_are_told_in_the_metric_s_unit():
    service = a_service(a_metric(unit="of requests", margin=Margin(1.5, 0.001)))
    row = report(a_decision(service=service)).rows[0]
    assert row.cells[:3] == ("errors", "0.2%", "0.2%")
    assert row.cells[5:] == ("0.4%", "not worse")
