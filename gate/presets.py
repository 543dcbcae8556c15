"""Metrics of the common exporters, so that a service file needs one line for them.

A preset is plain data: `gate show` prints what it became. Every query counts over exactly one
`{{step}}` and takes the arm's `{{selector}}`; classic histograms are summed by `le`. Failures are
told apart by pod, so that one ill pod is not taken for a bad version; those that a proxy in front
counts are not, for its pods are not the service's. Latency by pod is worth as much and costs a
dozen series a pod: write `sum by (le, pod)` where that is fine.
Names as documented by the exporters: Prometheus client convention, OpenTelemetry semantic
conventions 1.23+ for HTTP servers (unit seconds), Istio standard metrics (milliseconds),
ingress-nginx controller.
"""

from __future__ import annotations

from typing import Any

# `instance` for scrapes without a `pod` label.
_BY_POD = " by (pod, instance) "


def _requests(series: str, failed: str, always: str = "", by: str = _BY_POD) -> dict[str, Any]:
    return {
        "kind": "events",
        "unit": "of requests",
        "bad": f"sum{by}(increase({series}{{ {{{{selector}}}}{always},{failed} }}[{{{{step}}}}]))",
        "total": f"sum{by}(increase({series}{{ {{{{selector}}}}{always} }}[{{{{step}}}}]))",
    }


def _latency(series: str, unit: str = "s", extra: str = "") -> dict[str, Any]:
    selector = f"{{ {{{{selector}}}}{extra} }}"
    return {
        "kind": "histogram",
        "unit": unit,
        "buckets": f"sum by (le) (increase({series}_bucket{selector}[{{{{step}}}}]))",
    }


# Istio reports each request from both ends; a share is only right when both counts come from one.
_ISTIO_END = ',reporter="destination"'

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "http": {
        "errors": _requests("http_requests_total", 'code=~"5.."'),
        "latency": _latency("http_request_duration_seconds"),
    },
    "otel": {
        "errors": _requests(
            "http_server_request_duration_seconds_count", 'http_response_status_code=~"5.."'
        ),
        "latency": _latency("http_server_request_duration_seconds"),
    },
    "istio": {
        "errors": _requests("istio_requests_total", 'response_code=~"5.."', _ISTIO_END),
        "latency": _latency("istio_request_duration_milliseconds", "ms", _ISTIO_END),
    },
    "nginx-ingress": {
        "errors": _requests("nginx_ingress_controller_requests", 'status=~"5.."', by=""),
        "latency": _latency("nginx_ingress_controller_request_duration_seconds"),
    },
}
