"""Objectives as a Prometheus rule file: the same windows, thresholds and least count as the gate's.

For teams without Sloth or Pyrra. Ratios are of counts over the whole of each window, and nothing is
a mean of ratios. https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gate.budget.alerts import FEWEST_BAD, BurnAlert, alerts_over
from gate.budget.budget import allowed
from gate.errors import UsageError
from gate.service import Service
from gate.slo import Budgeting, Slo
from gate.template import render
from gate.units import duration

RATIO, BAD = "gate_slo:error:ratio", "gate_slo:bad:increase"
REMAINING = "gate_slo:budget_remaining:ratio"
# Over a month a rule reads millions of samples, and what is left moves slowly.
SLOW = "5m"

Rule = Mapping[str, Any]


def rule_file(service: Service) -> str:
    """YAML that `promtool check rules` accepts; raises UsageError where an SLO has no counts."""
    import yaml

    class Readable(yaml.SafeDumper):
        """Expressions of several lines as they are."""

    Readable.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        ),
    )
    groups = [group for slo in service.slos for group in _groups(service, slo)]
    text: str = yaml.dump({"groups": groups}, Dumper=Readable, sort_keys=False, width=1000)
    return text


def _groups(service: Service, slo: Slo) -> Iterator[Mapping[str, Any]]:
    if not slo.queries or "value" in slo.queries or slo.budgeting is not Budgeting.OCCURRENCES:
        raise UsageError(
            f"{slo.origin or slo.name}: no rules for slo {slo.name!r}",
            "rules need bad (or good) and total, or error_ratio, and a budget of occurrences",
        )
    name = f"gate:{service.name}:{slo.name}"
    alerts = alerts_over(slo.window.length)
    windows = sorted({length for one in alerts for length in (one.short, one.long)})
    yield {
        "name": f"{name}:burn",
        "rules": [
            *(rule for window in windows for rule in _recorded(service, slo, window)),
            *(_alert(service, slo, one) for one in alerts),
        ],
    }
    if slo.window.calendar is None:
        yield {"name": f"{name}:budget", "interval": SLOW, "rules": list(_left(service, slo))}


def _recorded(service: Service, slo: Slo, window: float) -> Iterator[Rule]:
    yield _record(f"{RATIO}_{duration(window)}", _ratio(service, slo, window), service, slo)
    if bad := _bad(service, slo, window):
        yield _record(f"{BAD}_{duration(window)}", bad, service, slo)


def _left(service: Service, slo: Slo) -> Iterator[Rule]:
    window = duration(slo.window.length)
    yield _record(f"{RATIO}_{window}", _ratio(service, slo, slo.window.length), service, slo)
    share = f"{RATIO}_{window}{_matchers(service, slo)} / {allowed(slo.objective):g}"
    yield _record(REMAINING, f"1 - {share}", service, slo)


def _record(name: str, query: str, service: Service, slo: Slo) -> Rule:
    return {"record": name, "expr": query, "labels": _labels(service, slo)}


def _alert(service: Service, slo: Slo, alert: BurnAlert) -> Rule:
    """Both windows above the threshold, and enough bad events to speak of a rate."""
    matchers = _matchers(service, slo)
    limit = f"{alert.threshold(slo.window.length):.10g} * {allowed(slo.objective):.10g}"
    parts = [
        f"{RATIO}_{duration(window)}{matchers} > {limit}" for window in (alert.long, alert.short)
    ]
    if "error_ratio" not in (slo.queries or {}):
        parts.append(f"{BAD}_{duration(alert.long)}{matchers} >= {FEWEST_BAD:g}")
    long, share = duration(alert.long), f"{alert.share:.0%}"
    told = {"severity": str(alert.severity), "long_window": long, "budget_share": share}
    return {
        "alert": "ErrorBudgetBurn",
        "expr": "\nand ".join(parts),
        "labels": _labels(service, slo) | told,
        "annotations": {
            "summary": f"{slo.name} of {service.name} spends over {share} of its budget in {long}"
        },
    }


def _ratio(service: Service, slo: Slo, window: float) -> str:
    if "error_ratio" in (slo.queries or {}):
        return _query(service, slo, "error_ratio", window)
    return f"({_bad(service, slo, window)})\n/ ({_query(service, slo, 'total', window)} > 0)"


def _bad(service: Service, slo: Slo, window: float) -> str:
    """Bad events; zero where only the total is there: errors are not counted before the first."""
    queries = slo.queries or {}
    if "error_ratio" in queries:
        return ""
    total = _query(service, slo, "total", window)
    if "good" in queries:
        return f"({total}) - ({_query(service, slo, 'good', window)})"
    return f"({_query(service, slo, 'bad', window)}) or 0 * ({total})"


def _query(service: Service, slo: Slo, name: str, window: float) -> str:
    length = duration(window)
    words = {**service.variables, "window": length, "step": length}
    return render((slo.queries or {})[name], words)


def _labels(service: Service, slo: Slo) -> dict[str, str]:
    return {"gate_service": service.name, "gate_slo": slo.name}


def _matchers(service: Service, slo: Slo) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in _labels(service, slo).items())
    return f"{{{inner}}}"
