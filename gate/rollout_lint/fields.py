"""The fields of the objects that are read here: a misspelt one is dropped, and its default holds.

Kept by hand, from the CRDs of Argo Rollouts 1.10 and Flagger 1.44. A mapping lists what may stand
in it, a list holds the shape of its members, None is anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gate.errors import did_you_mean
from gate.finding import Finding
from gate.rollout_lint.part import Part

Shape = Any


def _all(*names: str, **shapes: Shape) -> dict[str, Shape]:
    """What holds anything, and what has a shape."""
    return {**dict.fromkeys(names), **shapes}


_ARGS = [_all("name", "value", "valueFrom")]
_HEADERS = [_all("key", "value")]
_DRY_RUN = [_all("metricName")]
_TEMPLATES = [_all("templateName", "clusterScope")]
_SCOPE = _all("scope", "region", "step", "start", "end")
_PROVIDER = _all(
    "datadog", "wavefront", "newRelic", "cloudWatch", "graphite", "influxdb", "skywalking",
    "plugin",
    web=_all("method", "url", "body", "timeoutSeconds", "jsonPath", "insecure", "jsonBody",
             "authentication", headers=_HEADERS),
    prometheus=_all("address", "query", "authentication", "timeout", "insecure", "rangeQuery",
                    headers=_HEADERS),
    kayenta=_all("address", "application", "canaryConfigName", "metricsAccountName",
                 "configurationAccountName", "storageAccountName", "lookback",
                 threshold=_all("pass", "marginal"),
                 scopes=[_all("name", controlScope=_SCOPE, experimentScope=_SCOPE)]),
    job=_all("metadata", "spec"),
)  # fmt: skip
_METRIC = _all(
    "name", "interval", "initialDelay", "count", "successCondition", "failureCondition",
    "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit",
    provider=_PROVIDER,
)  # fmt: skip
_ANALYSIS_TEMPLATE = _all(
    "measurementRetention", metrics=[_METRIC], args=_ARGS, dryRun=_DRY_RUN, templates=_TEMPLATES,
)  # fmt: skip
_ANALYSIS = _all(
    "measurementRetention", "analysisRunMetadata", templates=_TEMPLATES, args=_ARGS,
    dryRun=_DRY_RUN,
)  # fmt: skip
_ANALYSES = [_all("name", "templateName", "clusterScope", "requiredForCompletion", args=_ARGS)]
_EXPERIMENT_STEP = _all(
    "duration", "analysisRunMetadata", "scaleDownDelaySeconds", dryRun=_DRY_RUN,
    analyses=_ANALYSES,
    templates=[_all("name", "specRef", "replicas", "metadata", "selector", "service", "weight")],
)  # fmt: skip
_STEP = _all(
    "pause", "plugin", "setCanaryScale", "setHeaderRoute", "setMirrorRoute", "setWeight",
    "replicaProgressThreshold", analysis=_ANALYSIS, experiment=_EXPERIMENT_STEP,
)  # fmt: skip
_CANARY_STRATEGY = _all(
    "abortScaleDownDelaySeconds", "antiAffinity", "canaryMetadata", "canaryService",
    "dynamicStableScale", "maxSurge", "maxUnavailable", "minPodsPerReplicaSet", "pingPong",
    "replicaProgressThreshold", "scaleDownDelayRevisionLimit", "scaleDownDelaySeconds",
    "stableMetadata", "stableService", "trafficRouting",
    analysis={**_ANALYSIS, "startingStep": None}, steps=[_STEP],
)  # fmt: skip
_BLUE_GREEN = _all(
    "abortScaleDownDelaySeconds", "activeMetadata", "activeService", "antiAffinity",
    "autoPromotionEnabled", "autoPromotionSeconds", "maxUnavailable", "previewMetadata",
    "previewReplicaCount", "previewService", "scaleDownDelayRevisionLimit",
    "scaleDownDelaySeconds", prePromotionAnalysis=_ANALYSIS, postPromotionAnalysis=_ANALYSIS,
)  # fmt: skip
_ROLLOUT = _all(
    "analysis", "minReadySeconds", "paused", "progressDeadlineAbort", "progressDeadlineSeconds",
    "replicas", "restartAt", "revisionHistoryLimit", "rollbackWindow", "selector", "template",
    "workloadRef", strategy=_all(canary=_CANARY_STRATEGY, blueGreen=_BLUE_GREEN),
)  # fmt: skip
_EXPERIMENT = _all(
    "duration", "progressDeadlineSeconds", "terminate", "scaleDownDelaySeconds",
    "measurementRetention", "analysisRunMetadata", dryRun=_DRY_RUN, analyses=_ANALYSES,
    templates=[_all("name", "replicas", "minReadySeconds", "selector", "template", "service")],
)  # fmt: skip
_FLAGGER_ANALYSIS = _all(
    "interval", "iterations", "threshold", "maxWeight", "stepWeight", "stepWeights",
    "stepWeightPromotion", "mirror", "mirrorWeight", "primaryReadyThreshold",
    "canaryReadyThreshold", "match", "alerts", "sessionAffinity",
    metrics=[_all("name", "interval", "threshold", "query", "templateVariables",
                  thresholdRange=_all("min", "max"), templateRef=_all("name", "namespace"))],
    webhooks=[_all("name", "type", "muteAlert", "url", "timeout", "retries", "disableTLS",
                   "metadata")],
)  # fmt: skip
_FLAGGER_CANARY = _all(
    "provider", "metricsServer", "progressDeadlineSeconds", "targetRef", "autoscalerRef",
    "ingressRef", "routeRef", "upstreamRef", "service", "skipAnalysis", "revertOnDeletion",
    "suspend", analysis=_FLAGGER_ANALYSIS, canaryAnalysis=_FLAGGER_ANALYSIS,
)  # fmt: skip
SPECS: Mapping[str, Shape] = {
    "AnalysisTemplate": _ANALYSIS_TEMPLATE,
    "ClusterAnalysisTemplate": _ANALYSIS_TEMPLATE,
    "AnalysisRun": {**_ANALYSIS_TEMPLATE, "terminate": None, "ttlStrategy": None},
    "Rollout": _ROLLOUT,
    "Experiment": _EXPERIMENT,
    "Canary": _FLAGGER_CANARY,
    "MetricTemplate": _all(
        "query",
        provider=_all("type", "address", "headers", "secretRef", "region", "insecureSkipVerify"),
    ),
}


def findings(thing: Part) -> Iterator[Finding]:
    """Fields that the object does not have, and values that are not of their shape."""
    if not thing["spec"].written:
        yield thing.wrong("shape", f"this {thing['kind'].text} has no spec", "add `spec`")
    yield from _of(thing["spec"], SPECS[thing["kind"].text])


def _of(part: Part, shape: Shape) -> Iterator[Finding]:
    if shape is None or not part.written:
        return
    if isinstance(shape, list):
        if not isinstance(part.value, list):
            yield part.wrong("shape", f"{part.place[-1]} should be a list", "")
        for one in part.items():
            yield from _of(one, shape[0])
        return
    if not isinstance(part.value, Mapping):
        yield part.wrong("shape", f"{part.place[-1]} should be a mapping of keys to values", "")
    for key, inner in part.entries():
        if key in shape:
            yield from _of(inner, shape[key])
        else:
            told = f"unknown field {key!r}{did_you_mean(key, shape)}: it is dropped, unseen"
            yield inner.wrong("unknown-field", told, f"known here: {', '.join(sorted(shape))}")
