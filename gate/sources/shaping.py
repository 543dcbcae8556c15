"""From numbers as sources give them to the series the judge reads.

Every function is pure. In every input array there is one row for each interval of the window, and
NaN means *no sample there*. What cannot be right (negative or infinite counts, buckets that fall
as `le` grows, more bad events than events) is a `SourceError` that begins with `where`, the
caller's name for what it asked: `canary http_requests_total{version="v2"}`.

Why one module for all sources: whether an absent error series means zero errors is a promise of
the gate, and must not depend on which system was asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gate.evidence.evidence import Cause, Gap
from gate.evidence.source import SourceError
from gate.metric import Arm
from gate.series import Buckets, Counts, Levels, Samples, array

if TYPE_CHECKING:
    from gate.series import Array

_Item = TypeVar("_Item")

# A part may exceed its whole, and a lower bucket a higher one, by this share: sources that
# extrapolate (PromQL's increase) do so for each series separately, and scrapes are not atomic.
# Beyond it the two do not belong together.
EXTRAPOLATION = 0.05

# An arm's baseline is doubtful when at least this share of its targets is down: what is left is
# then a minority of the fleet and carries other traffic than it used to.
BASELINE_DOWN = 0.5


def counts(
    total: Array, bad: Array, where: str, pods: Mapping[str, Counts] | None = None
) -> Counts:
    """Bad of all events in each interval, and what the `pods` counted of them.

    Where nothing was counted in total, neither is known: both NaN. Where there is a total and no
    bad sample, nothing was bad: counters of errors do not exist before the first error.
    Raises EMPTY when no interval has a total, MALFORMED for negative, infinite or contradictory
    counts.
    """
    _check_counts(total, where)
    _check_counts(bad, where)
    if not np.isfinite(total).any():
        raise SourceError(Cause.EMPTY, f"{where}: no events were counted in the window")
    seen_bad = np.where(np.isnan(bad), 0.0, bad)
    _check_part(seen_bad, total, where)
    return Counts(array(np.minimum(seen_bad, total)), array(total), pods or {})


def counts_by_pod(
    totals: Mapping[str, Array], parts: Mapping[str, Array], *, good: bool
) -> dict[str, Counts]:
    """What each pod counted, from its total and its bad (or good) events.

    Sums over pods are checked by `counts`; here a part beyond its total is the noise of
    extrapolation. Empty where a part is of a pod that has no total: then they are not told apart.
    """
    if not parts.keys() <= totals.keys():
        return {}
    found = {}
    for pod, total in sorted(totals.items()):
        part = np.minimum(np.nan_to_num(parts.get(pod, np.zeros_like(total))), total)
        found[pod] = Counts(array(total - part if good else part), array(total))
    return found


def by_pod(
    items: Iterable[_Item], labels: Callable[[_Item], Mapping[str, str]]
) -> dict[str, list[_Item]]:
    """The series of each pod; empty where one does not say whose it is."""
    grouped: dict[str, list[_Item]] = {}
    for item in items:
        pod = reporter(labels(item))
        if not pod:
            return {}
        grouped.setdefault(pod, []).append(item)
    return grouped


def reporter(labels: Mapping[str, str]) -> str:
    """The pod that reports these labels, or its instance; empty where they name neither."""
    return labels.get("pod") or labels.get("instance") or ""


def counts_of_good(
    total: Array, good: Array, arm: Arm, where: str, pods: Mapping[str, Counts] | None = None
) -> Counts:
    """As `counts`, from the good events: what is not good is bad, also where none was good.

    A baseline without a single good event raises EMPTY: beside it every canary would look fine,
    and a mistyped query looks just so.
    """
    if arm is Arm.BASELINE and not np.nansum(good) > 0:
        raise SourceError(Cause.EMPTY, f"{where}: the baseline has no good events in the window")
    of_good = counts(total, good, where)
    return Counts(array(of_good.total - of_good.bad), of_good.total, pods or {})


def buckets_by_le(
    by_le: Mapping[str, Array],
    where: str,
    pods: Mapping[str, Mapping[str, Array]] | None = None,
) -> Buckets:
    """A histogram from observations cumulative over `le`, as Prometheus counts them.

    Spellings of one edge ("1" and "1.0") are added. An interval that lacks any edge is not seen
    (a row of NaN). Raises MALFORMED without `+Inf`, without a finite edge, for an edge that is
    not a number, and where counts fall as `le` grows; EMPTY when no interval was seen.
    `pods`: the same of each pod; one with other edges than the others, and none is told apart.
    """
    by_edge = _by_edge(by_le, where)
    edges = sorted(by_edge)
    if not edges:
        raise SourceError(Cause.EMPTY, f"{where}: no buckets were seen in the window")
    if edges[-1] != math.inf or len(edges) == 1:
        lacking = "finite le" if edges == [math.inf] else 'le="+Inf"'
        raise SourceError(Cause.MALFORMED, f"{where}: the histogram has no {lacking} bucket")
    cumulative = np.stack([by_edge[edge] for edge in edges], axis=1)
    _check_counts(cumulative, where)
    seen = np.isfinite(cumulative).all(axis=1)
    if not seen.any():
        raise SourceError(Cause.EMPTY, f"{where}: no interval of the window has all buckets")
    rising = np.maximum.accumulate(cumulative, axis=1)
    _check_part(rising[seen].sum(axis=1), cumulative[seen].sum(axis=1), where, "lower buckets")
    inner = array(edges[:-1])
    of_pods = {pod: _by_edge(one, where) for pod, one in sorted((pods or {}).items())}
    if any(sorted(own) != edges for own in of_pods.values()):
        of_pods = {}
    own = {pod: Buckets(inner, _separate(one, edges)) for pod, one in of_pods.items()}
    return Buckets(inner, _separate(by_edge, edges), own)


def _separate(by_edge: Mapping[float, Array], edges: Sequence[float]) -> Array:
    """From counts up to each edge those between the edges, (n, k + 1); NaN where one lacks."""
    cumulative = np.stack([by_edge[edge] for edge in edges], axis=1)
    separate = np.diff(np.maximum.accumulate(cumulative, axis=1), axis=1, prepend=0.0)
    separate[np.isnan(cumulative).any(axis=1)] = np.nan
    return array(separate)


def levels(rows: Iterable[tuple[Mapping[str, str], Array]], where: str) -> Levels:
    """A gauge from one row of values for each series (its labels, its value in each interval).

    Pods are in alphabetical order; one that was never seen is left out. Raises
    BAD_QUERY when two series are the same pod's, EMPTY when nothing was seen, MALFORMED for an
    infinite value.
    """
    columns: dict[str, Array] = {}
    for labels, values in rows:
        if np.isnan(values).all():
            continue
        pod = pod_name(labels)
        if pod in columns:
            raise SourceError(
                Cause.BAD_QUERY,
                f"{where}: pod {pod!r} has more than one series; select or aggregate one each",
            )
        columns[pod] = values
    if not columns:
        raise SourceError(Cause.EMPTY, f"{where}: no values in the window")
    pods = tuple(sorted(columns))
    values = np.stack([columns[pod] for pod in pods], axis=1)
    _refuse_infinite(values, where)
    return Levels(pods, array(values))


def samples(times: Array, values: Array, where: str) -> Samples:
    """The observations that are numbers, in order of time.

    Raises EMPTY when there are none, MALFORMED for an infinite one.
    """
    _refuse_infinite(values, where)
    known = ~np.isnan(values)
    if not known.any():
        raise SourceError(Cause.EMPTY, f"{where}: no values in the window")
    order = np.argsort(times[known], kind="stable")
    return Samples(array(times[known][order]), array(values[known][order]))


def pod_name(labels: Mapping[str, str]) -> str:
    """What to call the one who reports these labels: its pod, its instance, or all it says.

    >>> pod_name({'pod': 'checkout-1', 'instance': '10.0.0.1:80'})
    'checkout-1'
    >>> pod_name({'__name__': 'up', 'zone': 'b', 'host': 'a'})
    'host=a,zone=b'
    """
    return reporter(labels) or ",".join(
        f"{k}={v}" for k, v in sorted(labels.items()) if k != "__name__"
    )


def health_doubts(
    metric: str, canary: Mapping[str, float], baseline: Mapping[str, float]
) -> tuple[Gap, ...]:
    """Why the metric may convict but not acquit: targets that are down report no trouble.

    Both map a target's name to its last health value; whatever is not above 0 is down (so is
    NaN). One canary target down is a doubt; of the baseline, half of them. Nobody asked, no doubt.
    """
    down_canary = _down(canary)
    down_baseline = _down(baseline)
    found = []
    if down_canary:
        found.append(_doubt(metric, Arm.CANARY, down_canary, len(canary)))
    if down_baseline and len(down_baseline) >= BASELINE_DOWN * len(baseline):
        found.append(_doubt(metric, Arm.BASELINE, down_baseline, len(baseline)))
    return tuple(found)


def _down(health: Mapping[str, float]) -> list[str]:
    return sorted(name for name, value in health.items() if not value > 0)


def _doubt(metric: str, arm: Arm, down: list[str], targets: int) -> Gap:
    named = ", ".join(down[:3]) + (", …" if len(down) > 3 else "")
    are = "is" if len(down) == 1 else "are"
    return Gap(
        f"metric {metric}",
        Cause.STALE,
        f"{len(down)} of {targets} {arm} targets {are} down ({named})",
    )


def _by_edge(by_le: Mapping[str, Array], where: str) -> dict[float, Array]:
    by_edge: dict[float, Array] = {}
    for le, values in by_le.items():
        edge = _edge(le, where)
        by_edge[edge] = _added(by_edge[edge], values) if edge in by_edge else values
    return by_edge


def _edge(le: str, where: str) -> float:
    try:
        edge = float(le)
    except ValueError:
        edge = math.nan
    if math.isnan(edge) or edge == -math.inf:
        raise SourceError(Cause.MALFORMED, f"{where}: le={le!r} is not a bucket edge")
    return edge


def _added(one: Array, other: Array) -> Array:
    """The sum where either was seen; NaN only where neither was."""
    both = np.nansum([one, other], axis=0)
    both[np.isnan(one) & np.isnan(other)] = np.nan
    return np.asarray(both, dtype=np.float64)


def _check_counts(values: Array, where: str) -> None:
    _refuse_infinite(values, where)
    if (values < 0).any():
        raise SourceError(Cause.MALFORMED, f"{where}: counted {np.nanmin(values):g}, below zero")


def _refuse_infinite(values: Array, where: str) -> None:
    if np.isinf(values).any():
        raise SourceError(Cause.MALFORMED, f"{where}: a value is infinite")


def _check_part(part: Array, whole: Array, where: str, named: str = "the part counted") -> None:
    seen = np.isfinite(whole)
    of_part, of_whole = float(part[seen].sum()), float(whole[seen].sum())
    if of_part > of_whole * (1 + EXTRAPOLATION):
        raise SourceError(
            Cause.MALFORMED,
            f"{where}: {named} ({of_part:g}) exceeds the whole ({of_whole:g})",
        )
