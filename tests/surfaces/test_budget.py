import json
import shutil
import subprocess

import pytest
import yaml

from gate.surfaces.cli.main import run
from tests.parts.prometheus import binary

RECORDED = ["-f", "examples/recorded/gate.yaml", "--as-of", "2026-11-03T11:00:00Z"]
HEAD = """\
apiVersion: gate/v1
kind: Service
name: checkout
sources: {prom: {kind: prometheus, url: "http://127.0.0.1:1", timeout: 1s}}
arms: {rollout: checkout}
metrics: [{preset: http}]
"""
SLOS = (
    HEAD
    + """\
slos:
  - name: availability
    objective: 99.9%
    bad: sum(increase(http_requests_total{app="checkout",code=~"5.."}[{{window}}]))
    total: sum(increase(http_requests_total{app="checkout"}[{{window}}]))
"""
)
STATED = """\
slos:
  - name: spent
    objective: 99%
    stated:
      - {window: 30d, bad: 150, total: 10000}
      - {window: 1h, bad: 30, total: 100}
      - {window: 5m, bad: 3, total: 10}
  - {name: ratio, objective: 99.9%, stated: [{window: 30d, error_ratio: 0.0005}]}
"""


@pytest.fixture(autouse=True)
def here(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "gate.yaml").write_text(text)
        return str(tmp_path / "gate.yaml")

    return write


def told(capfd, *arguments, code=0):
    assert run(["budget", *arguments]) == code
    return capfd.readouterr().out


def test_what_is_left_reads_at_a_glance(capfd):
    out = told(capfd, *RECORDED)
    assert "[##################............] 60.0% left" in out
    assert "40.0% consumed: 103,680 bad events of 259,200 allowed" in out
    assert "at the 1h burn the budget is gone in 30 d" in out
    assert "cannot be told" not in out


def test_programs_get_every_number(capfd):
    document = json.loads(told(capfd, *RECORDED, "--format", "json"))
    assert document["schema"] == "gate.budget/v1"
    assert document["as_of"] == "2026-11-03T11:00:00Z"
    (one,) = document["budgets"]
    assert (one["remaining"], one["bad"], one["coverage"]) == (0.6, 103_680, None)
    thresholds = [alarm["threshold"] for alarm in one["alarms"]]
    assert thresholds == pytest.approx([14.4, 6, 3, 1.5, 1])


def test_a_page_and_an_overspent_budget_are_told(capfd, written):
    out = told(capfd, "-f", written(HEAD + STATED))
    assert "-50.0% left" in out
    assert "nothing is left" in out
    assert "page fires: over 2% of the budget in 1h, and still over 5m" in " ".join(out.split())
    assert "as much as 22 min without service, of 43 min allowed" in out


def test_markdown_is_for_a_pull_request(capfd):
    out = told(capfd, *RECORDED, "--format", "markdown")
    assert out.startswith("### Budget: checkout")
    assert "| burn over | rate | alerts above | fires |" in out


def test_when_nothing_can_be_measured_it_says_so(capfd, written):
    out = told(capfd, "-f", written(SLOS), "--timeout", "2s", code=30)
    assert "slo availability: unreachable" in out


def test_without_an_slo_there_is_no_budget(capfd, written):
    assert run(["budget", "-f", written(HEAD)]) == 2
    assert "declares no SLO" in capfd.readouterr().err


def test_an_objective_is_of_no_version(capfd, written):
    of_a_version = SLOS.replace('app="checkout"}', 'app="checkout",v="{{canary}}"}')
    assert run(["budget", "-f", written(of_a_version)]) == 2
    assert "unknown word {{canary}}" in capfd.readouterr().err


def with_a_budget_margin(tmp_path):
    """The recorded example, but its errors may spend a tenth of what is left within a day."""
    shutil.copytree("examples/recorded", tmp_path / "recorded")
    file = tmp_path / "recorded" / "gate.yaml"
    unit = "    unit: of requests\n"
    budget = "    margin: {budget: {share: 0.1, within: 24h}}\n"
    file.write_text(file.read_text().replace(unit, unit + budget))
    return str(file)


GOOD = ["--canary", "v1.9.0", "--since", "1h", "--baseline", "v1.8.0"]


def test_a_decision_tells_the_budget_and_the_margin_from_it(capfd, tmp_path):
    file = with_a_budget_margin(tmp_path)
    asked = ["-f", file, *GOOD, "--as-of", "2026-11-02T11:00:00Z", "--ledger", str(tmp_path / "l")]
    assert run(["check", *asked]) == 0
    out = " ".join(capfd.readouterr().out.split())
    assert "60% of the budget left, burning at 0.6x over 1h, gone in 30 d at that rate" in out
    assert "errors may be worse by 0.18%: all traffic for 1d then spends 10% of what is left" in out


def test_a_plan_and_an_analysis_judge_by_the_same_margin(capfd, tmp_path):
    file = ["-f", with_a_budget_margin(tmp_path), "--as-of", "2026-11-02T11:00:00Z"]
    assert run(["analyze", *file, *GOOD]) == 0
    assert "margin 1 x baseline + 0.18%" in capfd.readouterr().out
    traffic = ["--traffic", "100rps", "--weight", "10%", "--effect", "2x", "--format", "json"]
    assert run(["plan", *file, "--baseline", "v1.8.0", *traffic]) == 0
    assert '"absolute": 0.0018' in capfd.readouterr().out


# Rules


def promtool(tmp_path, what, text):
    (tmp_path / "file.yaml").write_text(text)
    return subprocess.run(
        [binary("promtool"), *what, str(tmp_path / "file.yaml")],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip


def rules(capfd, path):
    assert run(["budget", "rules", "-f", path]) == 0
    return capfd.readouterr().out


def test_prometheus_accepts_the_rules(capfd, written, tmp_path):
    more = """\
  - {name: ratio, objective: 99.5%, window: 28d, error_ratio: 'avg_over_time(errors[{{window}}])'}
  - name: month
    objective: 99.95%
    calendar: {unit: month, zone: Europe/Berlin}
    good: sum(increase(good_total[{{window}}]))
    total: sum(increase(all_total[{{window}}]))
"""
    text = rules(capfd, written(SLOS + more))
    checked = promtool(tmp_path, ["check", "rules"], text)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    names = [group["name"] for group in yaml.safe_load(text)["groups"]]
    # A calendar's window is none that a range can be written for.
    assert "gate:checkout:month:budget" not in names
    assert "13.44 * 0.005" in text


def story(errors, minutes, alerts):
    """`errors` a minute of 100 requests from the second hour on, and the alerts after so long."""
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {
                        "series": 'http_requests_total{app="checkout",code="200"}',
                        "values": f"0+100x60 6000+{100 - errors}x600",
                    },
                    {
                        "series": 'http_requests_total{app="checkout",code="500"}',
                        "values": f"0+0x60 0+{errors}x600",
                    },
                ],
                "alert_rule_test": [
                    {
                        "eval_time": f"{60 + minutes}m",
                        "alertname": "ErrorBudgetBurn",
                        "exp_alerts": [
                            {
                                "exp_labels": {
                                    "gate_service": "checkout", "gate_slo": "availability",
                                    "severity": severity, "long_window": long,
                                    "budget_share": share,
                                },
                                "exp_annotations": {
                                    "summary": "availability of checkout spends over "
                                    f"{share} of its budget in {long}"
                                },
                            }
                            for severity, share, long in alerts
                        ],
                    }
                ],
            }
        ],
    }  # fmt: skip


TICKETS = [("ticket", "10%", "1d"), ("ticket", "5%", "1d"), ("ticket", "10%", "3d")]
PAGES = [("page", "2%", "1h"), ("page", "5%", "6h")]


@pytest.mark.parametrize(
    ("errors", "minutes", "alerts"),
    [
        (5, 90, [*PAGES, *TICKETS]),  # 5 % of requests: fifty times what lasts
        (0, 90, []),
        (1, 120, [PAGES[1], *TICKETS]),  # ten times: not 2 % in an hour, but 5 % in six
    ],
)
def test_the_alerts_fire_when_they_should(capfd, written, tmp_path, errors, minutes, alerts):
    (tmp_path / "rules.yaml").write_text(rules(capfd, written(SLOS)))
    tests = yaml.safe_dump(story(errors, minutes, alerts))
    done = promtool(tmp_path, ["test", "rules"], tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_objectives_without_counts_have_no_rules(capfd, written):
    assert run(["budget", "rules", "-f", written(HEAD + STATED)]) == 2
    said = capfd.readouterr().err
    assert "gate.yaml:8: no rules for slo 'spent'" in said
    assert "rules need bad (or good) and total, or error_ratio" in said
