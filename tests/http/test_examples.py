"""The manifests in `examples/`, sent to the server as their clients send them.

Placeholders are filled as Argo and Flagger fill them, and the answers are read by the conditions
that stand in the manifests.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from gate.deployment import Result
from gate.ledger.ledger import Kind
from gate.rollout_lint import canaries, notifications, web
from gate.rollout_lint.condition import Phase, phase
from gate.surfaces.cli.check import check
from gate.surfaces.cli.main import run
from gate.surfaces.http.argo import Event, Measurement
from gate.surfaces.http.tokens import Caller, Verb
from tests.http.parts import BAD, BASELINE, EXAMPLE, GOOD, HOUR, STARTED, running, token, tokens

EXAMPLES = EXAMPLE.parents[1]
SHOP = Caller("shop", ("checkout",), frozenset({Verb.ASK, Verb.OUTCOME}))
# The release that earns each verdict, and after how long.
VERDICTS = {"promote": (GOOD, HOUR), "hold": (BAD, 60.0), "rollback": (BAD, HOUR)}
PHASES = {
    "promote": Phase.SUCCESSFUL, "hold": Phase.INCONCLUSIVE, "rollback": Phase.FAILED,
}  # fmt: skip
each_verdict = pytest.mark.parametrize("verdict", VERDICTS)


def manifests(name):
    return list(yaml.safe_load_all((EXAMPLES / name).read_text()))


@pytest.fixture
def server(tmp_path):
    return running(tmp_path, tokens=tokens(SHOP))


def test_what_the_lint_knows_of_the_server_is_so(server):
    assert set(web.BODY) == set(Measurement.model_fields)
    assert set(notifications.EVENTS) == set(Event)
    rules = {rule.rule for rule in server.client.application.url_map.iter_rules()}
    assert {f"/v1/flagger/{one}" for one in canaries.TYPES} < rules
    assert {"/v1/argo/verdict", "/v1/argo/outcome", web.NATIVE} < rules


def metric(file, args):
    """The metric of a template with its arguments filled in, as Argo does: in its JSON."""
    (template,) = manifests(file)
    (found,) = template["spec"]["metrics"]
    given = {one["name"] for one in template["spec"]["args"]}
    assert given <= {*args, "token"}
    text = json.dumps(found)
    for name, value in {**args, "token": token("shop")}.items():
        text = text.replace("{{args." + name + "}}", value)
    assert "{{" not in text
    return json.loads(text)


def arguments(analysis, release):
    """Those that a Rollout gives, with what its ReplicaSets are called."""
    hashes = {"Latest": release, "Stable": BASELINE}
    experiment = {
        "{{templates.canary.replicaset.name}}": release,
        "{{templates.baseline.replicaset.name}}": BASELINE,
    }
    found = {}
    for arg in analysis["args"]:
        source = arg.get("valueFrom", {})
        if "fieldRef" in source:
            assert source["fieldRef"]["fieldPath"] == "metadata.namespace"
            found[arg["name"]] = "shop"
        elif source:
            found[arg["name"]] = hashes[source["podTemplateHashValue"]]
        else:
            found[arg["name"]] = experiment.get(arg["value"], arg["value"])
    return found


def analyses(file):
    (rollout,) = manifests(file)
    for step in rollout["spec"]["strategy"]["canary"]["steps"]:
        yield from step.get("experiment", {}).get("analyses", [])
        if "analysis" in step:
            yield step["analysis"]


def twice(server, verdict, asked):
    """The answer to the second ask: the first begins the rollout's window."""
    release, seconds = VERDICTS[verdict]
    server.clock.now = STARTED[release]
    asked(release)
    server.clock.now += seconds
    return asked(release)


@each_verdict
@pytest.mark.parametrize("file", ["argo/rollout.yaml", "argo/experiment.yaml"])
def test_argo_by_its_web_provider(server, verdict, file):
    analysis, *others = analyses(file)
    assert all(arguments(one, BAD) == arguments(analysis, BAD) for one in others)

    def asked(release):
        its = metric("argo/analysis-template.yaml", arguments(analysis, release))
        call = its["provider"]["web"]
        response = server.client.open(
            urlsplit(call["url"]).path, method=call["method"], json=call["jsonBody"],
            headers={one["key"]: one["value"] for one in call["headers"]},
        )  # fmt: skip
        assert response.status_code == 200, response.text
        assert call["jsonPath"] == "{$.verdict}"
        return phase(its["successCondition"], its["failureCondition"], response.json["verdict"])

    assert twice(server, verdict, asked) is PHASES[verdict]


@each_verdict
def test_argo_by_its_prometheus_provider(server, verdict):
    args = {"service": "checkout", "namespace": "shop", "stable-hash": BASELINE}

    def asked(release):
        its = metric("argo/prometheus.yaml", {**args, "canary-hash": release})
        call = its["provider"]["prometheus"]
        response = server.client.post(
            "/api/v1/query", data={"query": call["query"], "time": str(server.clock.now)},
            headers={one["key"]: one["value"] for one in call["headers"]},
        )  # fmt: skip
        assert response.status_code == 200, response.text
        result = [float(one["value"][1]) for one in response.json["data"]["result"]]
        return phase(its["successCondition"], its["failureCondition"], result)

    assert twice(server, verdict, asked) is PHASES[verdict]
    its = metric("argo/prometheus.yaml", {**args, "canary-hash": "x"})
    assert phase(its["successCondition"], its["failureCondition"], []) is Phase.ERROR


@each_verdict
def test_argo_by_its_kayenta_provider(server, verdict):
    def asked(release):
        args = {"namespace": "shop", "stable-hash": BASELINE, "canary-hash": release}
        call = metric("argo/kayenta.yaml", args)["provider"]["kayenta"]
        address = urlsplit(call["address"])  # its user info becomes basic auth in Go's client
        both = b64encode(f"{address.username}:{address.password}".encode()).decode()
        headers = {"Authorization": f"Basic {both}"}
        configs = server.client.get("/canaryConfig", headers=headers).json
        (config,) = (one["id"] for one in configs if one["name"] == call["canaryConfigName"])
        # `region` of the CRD is sent as `location`; the window is the controller's.
        scopes = {
            one["name"]: {
                arm: {"scope": one[arm]["scope"], "location": one[arm]["region"],
                      "step": one[arm]["step"], "start": "2026-11-03T10:00:00Z",
                      "end": "2026-11-03T10:00:30Z"}
                for arm in ("controlScope", "experimentScope")
            }
            for one in call["scopes"]
        }  # fmt: skip
        body = {"scopes": scopes, "thresholds": call["threshold"]}
        begun = server.client.post(f"/canary/{config}", json=body, headers=headers)
        assert begun.status_code == 200, begun.text
        told = server.client.get(f"/canary/{begun.json['canaryExecutionId']}", headers=headers)
        score = told.json["result"]["judgeResult"]["score"]["score"]
        marginal = "Inconclusive" if score >= call["threshold"]["marginal"] else "Failed"
        return Phase("Successful" if score >= call["threshold"]["pass"] else marginal)

    assert twice(server, verdict, asked) is PHASES[verdict]


@pytest.mark.parametrize(("verdict", "code"), [("promote", 0), ("hold", 10), ("rollback", 20)])
def test_argo_by_a_job(capfd, tmp_path, verdict, code):
    release, seconds = VERDICTS[verdict]
    (template,) = manifests("argo/job.yaml")
    job = template["spec"]["metrics"][0]["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    filled = {"{{args.canary-hash}}": release, "{{args.stable-hash}}": BASELINE}
    args = [re.sub(r"\{\{.*?\}\}", lambda it: filled[it[0]], one) for one in container["args"]]
    flags = check.make_context("gate check", list(args)).params
    assert (flags["wait"], flags["on_timeout"]) == (1800.0, "rollback")
    assert flags["wait"] < job["activeDeadlineSeconds"]
    # The recording lies in the past, where there is nothing to wait for.
    past = [one for one in args if not re.match("--(wait|every|on-timeout|since|file)", one)]
    end = STARTED[release] + seconds
    past += [f"--file={EXAMPLE}", f"--as-of={end}", f"--since={STARTED[release]}"]
    assert run([*container["command"][1:], *past, f"--ledger={tmp_path / 'ledger.db'}"]) == code


@pytest.mark.parametrize(("event", "result"), [
    ("aborted", Result.ABORTED), ("completed", Result.COMPLETED)])  # fmt: skip
def test_argo_tells_how_a_rollout_ended(server, event, result):
    (config,) = manifests("argo/notifications.yaml")
    data = {key: yaml.safe_load(text) for key, text in config["data"].items()}
    (rule,) = data[f"trigger.on-rollout-{event}"]
    assert rule["send"] == [f"rollout-{event}", f"release-gate-{event}"]
    call = data[f"template.release-gate-{event}"]["webhook"]["release-gate"]
    rollout = {
        "metadata": {"uid": "0f1d", "name": "checkout", "namespace": "shop"},
        "status": {"currentPodHash": BAD, "stableRS": BASELINE, "message": 'a "quoted"\nword'},
    }
    body = re.sub(
        r"\{\{toJson \.rollout\.(\w+)\.(\w+)\}\}",
        lambda it: json.dumps(rollout[it[1]][it[2]]), call["body"],
    )  # fmt: skip
    service = data["service.webhook.release-gate"]
    headers = {
        one["name"]: one["value"].replace("$release-gate-token", token("shop"))
        for one in service["headers"]
    }
    response = server.client.open(call["path"], method=call["method"], data=body, headers=headers)
    assert response.json == {**response.json, "stored": True, "result": result}
    (entry,) = server.ledger.entries(kind=Kind.DEPLOYMENT)
    assert (entry.record.service, entry.record.outcome) == ("checkout", result)
    subscribed = manifests("argo/rollout.yaml")[0]["metadata"]["annotations"]
    assert f"notifications.argoproj.io/subscribe.on-rollout-{event}.release-gate" in subscribed


def flagger_server(folder: Path, release: str):
    """Of a service whose versions are called as Flagger calls its pods."""
    recording = EXAMPLE.with_name("recording.json").read_text()
    for version, pods in ((release, "checkout"), (BASELINE, "checkout-primary")):
        recording = recording.replace(f'"{version}"', f'"{pods}"')
    (folder / "recording.json").write_text(recording)
    (folder / "gate.yaml").write_text(EXAMPLE.read_text())
    flagger = tokens(Caller("change_me", ("checkout",), frozenset({Verb.ASK, Verb.OUTCOME})))
    return running(folder, folder / "gate.yaml", tokens=flagger)


# Which verdicts Flagger must take for a yes (a status up to 202), by type of hook.
YES = {
    "confirm-rollout": {"promote", "hold", "rollback"},  # about what is known before it starts
    "pre-rollout": {"promote", "hold"},
    "rollout": {"promote", "hold"},
    "confirm-promotion": {"promote"},
    "rollback": {"rollback"},
    "post-rollout": {"promote", "hold", "rollback"},
    "event": {"promote", "hold", "rollback"},
}


@each_verdict
def test_flagger_by_its_hooks(tmp_path, verdict):
    release, seconds = VERDICTS[verdict]
    server = flagger_server(tmp_path, release)
    (canary,) = manifests("flagger/canary.yaml")
    hooks = {one["type"]: one for one in canary["spec"]["analysis"]["webhooks"]}
    assert set(hooks) == set(YES)

    def called(kind, phase):
        hook = hooks[kind]
        body = {
            "name": canary["metadata"]["name"], "namespace": canary["metadata"]["namespace"],
            "phase": phase, "checksum": "85d557f47b", "metadata": hook["metadata"],
        }  # fmt: skip
        return server.client.post(urlsplit(hook["url"]).path, json=body)

    server.clock.now = STARTED[release]
    called("rollout", "Progressing")
    server.clock.now += seconds
    for kind, yes in YES.items():
        response = called(kind, "Failed" if kind == "post-rollout" else "Progressing")
        assert (response.status_code <= 202) is (verdict in yes), (kind, response.text)
        assert response.status_code in (200, 409), kind


@each_verdict
def test_flagger_by_its_metric(tmp_path, verdict):
    release, _ = VERDICTS[verdict]
    server = flagger_server(tmp_path, release)
    template, canary = manifests("flagger/metric-template.yaml")
    (metric,) = canary["spec"]["analysis"]["metrics"]
    words = {
        "target": "checkout", "namespace": "shop",
        "variables.release": str(metric["templateVariables"]["release"]),
    }  # fmt: skip
    query = re.sub(r"\{\{ ([\w.]+) \}\}", lambda it: words[it[1]], template["spec"]["query"])
    headers = {"Authorization": f"Bearer {token('change_me')}"}

    def asked(_):
        response = server.client.get(
            "/api/v1/query", query_string={"query": query}, headers=headers
        )
        assert response.status_code == 200, response.text
        (sample,) = response.json["data"]["result"]
        return float(sample["value"][1])

    value = twice(server, verdict, asked)
    least = metric["thresholdRange"]["min"]
    assert (value >= least) is (verdict != "rollback")


@pytest.mark.parametrize("file", ["argo/experiment.yaml", "flagger/canary.yaml"])
def test_the_arms_that_a_head_tells_of_are_those_of_a_service_file(capfd, tmp_path, file):
    told = re.findall(r"^#   (arms:\n(?:#     .*\n)+)", (EXAMPLES / file).read_text(), re.MULTILINE)
    (arms,) = (text.replace("#   ", "") for text in told)
    (tmp_path / "gate.yaml").write_text(
        "apiVersion: gate/v1\nkind: Service\nname: checkout\n"
        "sources:\n  prom: {kind: prometheus, url: 'http://prometheus:9090'}\n"
        f"{arms}metrics: [{{preset: http}}]\n"
    )
    assert run(["show", "-f", str(tmp_path / "gate.yaml")]) == 0
    assert "{{canary}}-" in capfd.readouterr().out
