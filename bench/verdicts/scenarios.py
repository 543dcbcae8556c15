"""What can happen in a rollout's hour, as data. `simulation` turns it into numbers.

Each scenario changes one thing about the same ordinary service: 0.1 % of requests fail,
independently; latency is log-normal with a median of 80 ms and a p99 of 323 ms; a pod's CPU and
memory vary by 10 % and 5 % from minute to minute. In an A/A scenario the canary is the same
version as the baseline, so every rollback is a false one. The two gauge faults come with the noise
that gauges have in life (AR(1), 0.8).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the canary does from minute `onset` on; 1.0 and 0 change nothing."""

    onset: int = 0
    errors: float = 0.0  # the failing share of requests; 0 keeps the service's own
    p50: float = 1.0  # every request takes this many times as long
    p99: float = 1.0  # the slowest tenth is stretched until its p99 is this many times the old
    cpu: float = 1.0
    leak: float = 0.0  # memory grows by this share of its level each minute
    dead_pods: int = 0  # connections are refused, nothing is exported
    outage: bool = False  # every request fails fast


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that makes this hour different from a steady one; the defaults are steady."""

    story: str
    swing: float = 0.0  # amplitude of the day's load, at a random hour; errors and latency follow
    wave: float = 0.0  # log amplitude of waves of errors, 20 minutes long, common to both arms
    steps: tuple[float, ...] = ()  # canary weights, each for the same time; () is the traffic's own
    clump: int = 1  # errors come this many at once
    pauses: float = 0.0  # share of pod-minutes in which the pod stands still for 6 seconds
    rho: float = 0.0  # autocorrelation of the gauges from one minute to the next
    cold: float = 0.0  # extra latency and CPU of a fresh canary; fades by 1/e every 3 minutes
    uneven: bool = False  # pods differ for ever: errors, latency, gauges
    incidents: float = 0.0  # expected number an hour and arm: one pod is ill for 3 minutes
    fault: Fault | None = None


SCENARIOS = {
    "steady": Scenario(story="nothing happens"),
    "daily swing": Scenario(story="load +-60 % over the day, both arms alike", swing=0.6),
    "stepped weights": Scenario(
        story="1, 5, 10, 25, 50 %, 12 minutes each, under common waves of errors",
        steps=(0.01, 0.05, 0.10, 0.25, 0.50), wave=1.0,
    ),
    "bursty errors": Scenario(story="errors come ten at once", clump=10),
    "gc pauses": Scenario(story="a pod in ten stands still for 6 s each minute", pauses=0.1),
    "gauges ar 0.5": Scenario(story="gauges with memory", rho=0.5),
    "gauges ar 0.8": Scenario(story="gauges with long memory", rho=0.8),
    "gauges ar 0.95": Scenario(story="gauges that wander", rho=0.95),
    "cold start": Scenario(story="the canary's caches are empty: twice as slow at first", cold=1.0),
    "uneven pods": Scenario(story="pods differ for ever (node, zone)", uneven=True),
    "pod incidents": Scenario(
        story="one an hour in each arm: a pod fails 30 % for 3 minutes", incidents=1.0
    ),
    "errors 0.3 %": Scenario(story="from 0.1 % to 0.3 %", fault=Fault(errors=0.003)),
    "errors 1 %": Scenario(story="from 0.1 % to 1 %", fault=Fault(errors=0.01)),
    "late errors 1 %": Scenario(
        story="to 1 % at minute 20", fault=Fault(onset=20, errors=0.01)
    ),
    "bursty errors 1 %": Scenario(
        story="to 1 %, ten at once", clump=10, fault=Fault(errors=0.01)
    ),
    "p99 +20 %": Scenario(story="the slowest tenth stretched", fault=Fault(p99=1.2)),
    "p50 +10 %": Scenario(story="all requests 10 % slower", fault=Fault(p50=1.1)),
    "leak 1 %/min": Scenario(story="memory grows", rho=0.8, fault=Fault(leak=0.01)),
    "cpu +30 %": Scenario(story="a level shift", rho=0.8, fault=Fault(cpu=1.3)),
    "one dead pod": Scenario(story="one of ten refuses all", fault=Fault(dead_pods=1)),
    "outage": Scenario(story="every request fails", fault=Fault(outage=True)),
}  # fmt: skip
