"""One wrong thing at a time, written into Argo manifests in which nothing is wrong."""

from __future__ import annotations

import pytest

from gate.finding import Level
from tests.rollout_lint.parts import checks, example, found

TEMPLATE = "argo/analysis-template.yaml"
URL = "http://release-gate.release-gate.svc:8080/v1/argo/verdict"
CSL = "      consecutiveSuccessLimit: 1\n"
CONDITIONS = (
    '      successCondition: result == "promote"\n      failureCondition: result == "rollback"\n'
)

# what is changed: the check that speaks, its level, and words of what it says
WEB = [
    (("failureLimit: 0", "failureLimit: 3"), "failure-limit", "warning", "after 3 rollback"),
    (("failureLimit: 0", "failureLimit: -1"), "failure-limit-off", "error", "never acted on"),
    (("failureLimit: 0", "failureLimit: '{{args.service}}'"), "unreadable", "warning", "not known"),
    (("inconclusiveLimit: 60", "inconclusiveLimit: 0"), "first-hold", "warning", "resumes"),
    ((CSL, ""), "endless", "error", "asks for ever"),
    (("ErrorLimit: 30", "ErrorLimit: 4"), "error-limit", "warning", "restart of the gate of 50"),
    (("ErrorLimit: 30", "ErrorLimit: 100000"), "error-limit", "warning", "278 hours"),
    (("interval: 30s", "interval: 30s\n      initialDelay: 5m"), "initial-delay", "warning",
     "not seen"),
    ((CONDITIONS, ""), "no-conditions", "error", "also rollback"),
    (('      failureCondition: result == "rollback"\n', ""), "one-condition", "error",
     "hold is Failed"),
    (('      successCondition: result == "promote"\n', ""), "one-condition", "error",
     "hold is Successful"),
    (('== "rollback"', '== "roll back"'), "wrong-words", "error", "rollback is Inconclusive"),
    (('== "promote"', '== "Promote"'), "wrong-words", "error", "promote is Inconclusive"),
    (('== "promote"', '!= "rollback"'), "wrong-words", "error", "hold is Successful"),
    (('result == "promote"', 'result in ["promote", "hold"]'), "wrong-words", "error",
     "hold is Successful"),
    (('result == "promote"', "result >= 1"), "wrong-words", "error", "rollback is Error"),
    (('result == "promote"', "result matches 'pro.*'"), "unreadable", "warning", "not read here"),
    (('"{$.verdict}"', '"{$.outcome}"'), "json-path", "error", "every measurement is an Error"),
    (('"{$.verdict}"', '"$.verdict"'), "json-path", "error", "every measurement is an Error"),
    (('"{$.verdict}"', '"{$.score}"'), "json-path", "error", "no verdict"),
    (('          jsonPath: "{$.verdict}"\n', ""), "json-path", "error", "whole answer"),
    (("method: POST", "method: GET"), "method", "error", "GET is an error"),
    (("          method: POST\n", ""), "method", "error", "(the default)"),
    (("canaryHash:", "canaryhash:"), "request-body", "error", "did you mean 'canaryHash'?"),
    (('            stableHash: "{{args.stable-hash}}"\n', ""), "request-body", "error",
     "stableHash is missing"),
    (("jsonBody:", "body: '{}'\n          jsonBody:"), "request-body", "error", "exclude"),
    (("timeoutSeconds: 20", "timeoutSeconds: 10"), "timeout", "error", "Argo waits 10"),
    (("          timeoutSeconds: 20\n", ""), "timeout", "error", "Argo waits 10"),
    (("timeoutSeconds: 20", "timeoutSeconds: 600"), "timeout", "warning", "within 60 s"),
    ((URL, "https://gate.example.com/v1/argo/verdict"), "public-host", "warning", "as a success"),
    ((URL, f"{URL}?token=gate_x"), "token-in-url", "error", "written into events"),
    ((URL, "'{{args.service}}'"), "unreadable", "note", "comes from an argument"),
    ((URL, "http://{{args.service}}"), "unreadable", "note", "comes from an argument"),
    ((URL, URL.replace("argo/verdict", "argo/outcome")), "wrong-path", "error", "no verdict"),
    ((URL, URL.replace("argo/verdict", "flagger/rollout")), "wrong-path", "error", "Flagger"),
    ((URL, URL.replace("argo/verdict", "argo/verdicts")), "wrong-path", "error", "has no path"),
    (("          method: POST", "          insecure: true\n          method: POST"), "insecure",
     "warning", "whoever stands between"),
    (('            - {key: Authorization, value: "Bearer {{args.token}}"}\n', ""), "no-token",
     "warning", "401"),
    (("Bearer {{args.token}}", "Bearer gate_abc"), "token-in-manifest", "warning", "may read it"),
    (('"{{args.service}}"', '"{{args.servce}}"'), "placeholder", "error", "did you mean 'service'"),
    (('"{{args.service}}"', '"{{service}}"'), "placeholder", "error", "stands for no argument"),
    (('"{{args.service}}"', '"${{ args.service }}"'), "placeholder", "error", "no placeholder"),
    (("{{args.stable-hash}}", "{{args.canary-hash}}"), "same-arms", "error", "with itself"),
    (("  metrics:", "  dryRun: [{metricName: '.*'}]\n  metrics:"), "dry-run", "warning",
     "does not count"),
    (("inconclusiveLimit", "inconclusivelimit"), "unknown-field", "error",
     "did you mean 'inconclusiveLimit'?"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "check", "level", "says"), WEB)
def test_a_trap_in_a_template(change, check, level, says):
    told = [one for one in found(example(TEMPLATE, change)) if one.check == check]
    (one,) = (one for one in told if says in one.message)
    assert one.level == level
    assert one.hint


@pytest.mark.parametrize(
    ("limits", "check", "says"),
    [
        # Argo Rollouts 1.9 arrived at Successful in each: #4393, #4479, and its own simulation.
        ("count: 10\n      inconclusiveLimit: 10", "inconclusive-limit", "10 measurements"),
        ("count: 1\n      failureLimit: 1", "failure-limit", "1 measurement:"),
        ("count: 5\n      failureLimit: 5", "failure-limit", "each of them fails"),
        ("failureLimit: 1", "failure-limit", "1 measurement:"),
        ("count: 6\n      failureLimit: 3\n      inconclusiveLimit: 3", "limits-together", "one"),
        ("count: 6\n      inconclusiveLimit: 3", "last-answer", "if the last is a hold"),
    ],
)
def test_limits_that_the_count_never_exceeds(limits, check, says):
    text = example(TEMPLATE, (CSL, ""), ("      inconclusiveLimit: 60\n", ""))
    text = text.replace("      interval: 30s\n", "") if "count" not in limits else text
    text = text.replace("      failureLimit: 0\n", f"      {limits}\n")
    one = next(one for one in found(text) if one.check == check)
    assert says in one.message


@pytest.mark.parametrize(
    ("seconds", "header", "level", "says"),
    [
        ("timeoutSeconds: 3", "3s", "warning", "3 s is little"),
        ("timeoutSeconds: 8", "", "error", "takes up to 10 s"),
        ("insecure: false", "", "note", "Argo waits 10 s"),
    ],
)
def test_how_long_argo_waits_is_told_to_the_gate(seconds, header, level, says):
    line = "            - {key: X-Gate-Timeout, value: 20s}"
    told = line.replace("20s", header) if header else ""
    (one,) = found(example(TEMPLATE, ("timeoutSeconds: 20", seconds), (line, told)))
    assert (one.check, one.level) == ("timeout", level)
    assert says in one.message


def test_a_finding_stands_at_its_line_and_column():
    text = example(TEMPLATE, ("failureLimit: 0", "failureLimit: -1"))
    (one,) = found(text)
    lines = text.splitlines()
    assert lines[one.line - 1][one.column - 1 :] == "failureLimit: -1"
    assert (one.file, one.level) == ("0.yaml", Level.ERROR)


def test_conditions_on_the_whole_answer_are_read_too():
    path = ('          jsonPath: "{$.verdict}"\n', "")
    assert checks(example(TEMPLATE, path, ("result ==", "result.verdict =="))) == set()
    worse = ('result.verdict == "rollback"', 'result.verdict == "no"')
    told = example(TEMPLATE, path, ("result ==", "result.verdict ==")).replace(*worse)
    assert checks(told) == {"wrong-words"}


def test_a_template_that_asks_somebody_else_is_left_its_ways():
    text = example(TEMPLATE, (URL, "http://tests.shop.svc/smoke"), (CSL, ""))
    assert checks(text) == set()
    assert checks(text.replace(CONDITIONS, "")) == {"no-conditions"}


PROMETHEUS = [
    (("result[0] == -1", "result[0] < -1"), "wrong-words", "rollback is Inconclusive"),
    (("result[0] == 1", "result[0] >= 0"), "wrong-words", "hold is Successful"),
    (("result[0] == 1", "result == 1"), "wrong-words", "promote is Error"),
    (("result[0] == 1", "len(result) == 0 || result[0] == 1"), "wrong-words",
     "no verdict is Error"),
    (("stable-hash}}\"}", "stable-hash}}\"} or vector(1)"), "query", "plain selector"),
    ((',baseline="{{args.stable-hash}}"', ""), "query", "label baseline"),
    (("timeout: 20", "rangeQuery: {start: '1', end: '2', step: 1s}"), "query", "instant queries"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "check", "says"), PROMETHEUS)
def test_a_trap_in_asking_as_a_prometheus(change, check, says):
    told = found(example("argo/prometheus.yaml", change))
    if "len(result)" in change[1]:
        # Nothing seen is a success by the first condition, and an Error by the second.
        assert told == ()
        change = ("result[0] == -1", "len(result) > 0 && result[0] == -1")
        both = ("result[0] == 1", "len(result) == 0 || result[0] == 1")
        told = found(example("argo/prometheus.yaml", change, both))
        says = "no verdict is Successful"
    (one,) = told
    assert (one.check, one.level) == (check, Level.ERROR)
    assert says in one.message


KAYENTA = [
    (("threshold: {", "thresholds: {"), {"unknown-field", "threshold"}),
    (("pass: 90", "pass: 75"), {"threshold"}),
    (("marginal: 75", "marginal: 0"), {"threshold"}),
    (("      interval: 30s\n", ""), {"kayenta-window"}),
    (("{{args.stable-hash}}", "{{args.canary-hash}}"), {"same-arms"}),
]


@pytest.mark.parametrize(("change", "expected"), KAYENTA)
def test_a_trap_in_asking_as_a_kayenta(change, expected):
    assert checks(example("argo/kayenta.yaml", change)) == expected


JOB = [
    (("backoffLimit: 0", "backoffLimit: 3"), "backoff-limit"),
    (("            backoffLimit: 0  # the", "            # the"), "backoff-limit"),
    (("restartPolicy: Never", "restartPolicy: OnFailure"), "restart-policy"),
    (("            activeDeadlineSeconds: 2100", "           "), "deadline"),
    (("Seconds: 2100", "Seconds: 600"), "deadline"),
    (("                      - --wait=30m\n", ""), "job-hold"),
    (("                      - --on-timeout=rollback\n", ""), "job-hold"),
    (("--on-timeout=rollback", "--on-timeout=rollback || true"), "exit-code-lost"),
    (("--on-timeout=rollback", "--on-timeout=rollback | tee /data/log"), "exit-code-lost"),
    (("--on-timeout=rollback", "--on-timeout=rollback; echo done"), "exit-code-lost"),
]


@pytest.mark.parametrize(("change", "check"), JOB)
def test_a_trap_in_running_a_job(change, check):
    assert checks(example("argo/job.yaml", change)) == {check}


def test_a_job_that_runs_the_image_s_own_command_is_looked_into():
    command = ("                    command: [gate, check]\n", "")
    first = (
        "                    args:\n",
        "                    args:\n                      - check\n",
    )
    assert checks(example("argo/job.yaml", command, first)) == set()
    again = ("backoffLimit: 0", "backoffLimit: 3")
    assert checks(example("argo/job.yaml", command, first, again)) == {"backoff-limit"}


def test_a_job_that_runs_something_else_is_left_its_ways():
    text = example("argo/job.yaml", ("[gate, check]", "[pytest]"), ("backoffLimit: 0", "x: 1"))
    assert checks(text) == set()
