"""A scenario becomes numbers: one seeded rollout, drawn at once and then only sliced.

Requests of a pod in a minute are Poisson, failures binomial (or clumps of them Poisson), latency
counts multinomial over the pods' mixed distributions, gauges AR(1). Time runs from `BEFORE` minutes
before the canary to its end, so that the baseline has the past a judge may learn from.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from bench.verdicts.rollout import BEFORE, EDGES, MINUTES, PODS, Measured, Rollout
from bench.verdicts.scenarios import SCENARIOS, Fault, Scenario
from gate.series import Array

ERRORS = 0.001
MEDIAN, SPREAD = 0.080, 0.6  # seconds, and the standard deviation of the logarithm
CPU, CPU_NOISE = 0.4, 0.10  # cores a pod; noise as a share
MEMORY, MEMORY_NOISE = 500e6, 0.05  # bytes a pod
DAY, WAVE = 1440.0, 20.0  # minutes
Z90, Z99 = 1.2815515655446004, 2.3263478740408408  # standard normal quantiles
PAUSE = 6.0  # seconds of a minute; what arrives then waits for the rest of it
FADE = 3.0  # minutes
# Standard deviations of a pod's lasting log effect: two hardware generations easily differ by 15 %
# in CPU; a pod with a bad neighbour fails 1.6 times as often.
UNEVEN_ERRORS, UNEVEN_LATENCY, UNEVEN_GAUGE = 0.5, 0.10, 0.15
ILL_MINUTES, ILL_ERRORS, ILL_SLOWER, ILL_CPU = 3, 0.30, 3.0, 1.5
CLOCK = np.arange(-BEFORE, MINUTES)  # minutes since the canary started


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests per second to both arms together, and the canary's share of them."""

    rps: float = 100.0
    weight: float = 0.10


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """What befalls both arms alike: load and error level, each a factor (minutes,)."""

    load: Array
    errors: Array


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The truth about one arm, each (minutes, pods): what chance then draws from.

    `slower`: factor on every latency; `stretch`: factor on the p99 alone; `paused`: share of the
    minute; `dead`: answers nothing.
    """

    requests: Array
    errors: Array
    slower: Array
    stretch: Array
    paused: Array
    cpu: Array
    memory: Array
    dead: Array


def rollout(name: str, traffic: Traffic, seed: int, index: int) -> Rollout:
    """Rollout `index` of the scenario; the same whatever else is drawn, and for every judge."""
    key = [seed, index, zlib.crc32(name.encode()), round(traffic.rps), round(1e4 * traffic.weight)]
    return draw(SCENARIOS[name], traffic, np.random.default_rng(key))


def draw(scenario: Scenario, traffic: Traffic, rng: np.random.Generator) -> Rollout:
    """One rollout of the scenario."""
    weather = _weather(scenario, rng)
    share = _weights(scenario, traffic)
    whole = 60.0 * traffic.rps * weather.load
    baseline = _ordinary(scenario, weather, whole * (1.0 - share), rng)
    canary = _ordinary(scenario, weather, whole * share, rng)
    canary = _faulty(_cold(canary, scenario), scenario.fault or Fault())
    theirs = _measured(baseline, scenario, rng)
    ours = _measured(canary, scenario, rng)
    hour = slice(BEFORE, None)
    return Rollout(_cut(theirs, hour), _cut(ours, hour), _cut(theirs, slice(BEFORE)))


def _weather(scenario: Scenario, rng: np.random.Generator) -> Weather:
    load = 1.0 + scenario.swing * np.sin(2 * np.pi * (CLOCK / DAY + rng.random()))
    wave = np.exp(scenario.wave * np.sin(2 * np.pi * (CLOCK / WAVE + rng.random())))
    return Weather(load, load * wave)


def _weights(scenario: Scenario, traffic: Traffic) -> Array:
    """The canary's share of traffic (minutes,); 0 before it starts."""
    steps = np.array(scenario.steps or (traffic.weight,))
    share = steps[np.arange(MINUTES) * len(steps) // MINUTES]
    return np.concatenate([np.zeros(BEFORE), share])


def _ordinary(
    scenario: Scenario, weather: Weather, requests: Array, rng: np.random.Generator
) -> Course:
    """An arm of the old version."""
    shape = len(CLOCK), PODS
    uneven = float(scenario.uneven)
    ill = _ill(scenario.incidents, rng)
    load = weather.load[:, None]

    def lasting(deviation: float) -> Array:
        return np.exp(uneven * deviation * rng.standard_normal(PODS))

    errors = ERRORS * weather.errors[:, None] * lasting(UNEVEN_ERRORS)
    return Course(
        requests=np.broadcast_to(requests[:, None] / PODS, shape),
        errors=np.where(ill, ILL_ERRORS, errors),
        slower=load**0.25 * lasting(UNEVEN_LATENCY) * np.where(ill, ILL_SLOWER, 1.0),
        stretch=np.ones(shape),
        paused=np.where(rng.random(shape) < scenario.pauses, PAUSE / 60.0, 0.0),
        cpu=CPU * load * lasting(UNEVEN_GAUGE) * np.where(ill, ILL_CPU, 1.0),
        memory=np.broadcast_to(MEMORY * lasting(UNEVEN_GAUGE), shape),
        dead=np.zeros(shape),
    )


def _ill(expected: float, rng: np.random.Generator) -> Array:
    """Which pod-minutes fall into an incident, as 0 and 1."""
    ill = np.zeros((len(CLOCK), PODS))
    for _ in range(rng.poisson(expected * len(CLOCK) / 60.0)):
        start, pod = rng.integers(len(CLOCK)), rng.integers(PODS)
        ill[start : start + ILL_MINUTES, pod] = 1.0
    return ill


def _cold(canary: Course, scenario: Scenario) -> Course:
    extra = 1.0 + scenario.cold * np.exp(-CLOCK.clip(0) / FADE)[:, None]
    return replace(canary, slower=canary.slower * extra, cpu=canary.cpu * extra)


def _faulty(canary: Course, fault: Fault) -> Course:
    on = (fault.onset <= CLOCK)[:, None]
    since = (CLOCK - fault.onset).clip(0)[:, None]
    times = fault.errors / ERRORS if fault.errors else 1.0
    slower, cpu = (0.1, 0.2) if fault.outage else (fault.p50, fault.cpu)
    failing = np.ones_like(canary.errors) if fault.outage else canary.errors * times
    return replace(
        canary,
        errors=np.where(on, failing.clip(max=1.0), canary.errors),
        slower=canary.slower * np.where(on, slower, 1.0),
        stretch=np.where(on, fault.p99, canary.stretch),
        cpu=canary.cpu * np.where(on, cpu, 1.0),
        memory=canary.memory * (1.0 + fault.leak * since),
        dead=np.where(on & (np.arange(PODS) < fault.dead_pods), 1.0, canary.dead),
    )


def _measured(course: Course, scenario: Scenario, rng: np.random.Generator) -> Measured:
    requests = rng.poisson(course.requests).astype(float)
    dead = course.dead > 0
    bad = np.where(dead, requests, _bad(requests, course.errors, scenario.clump, rng))
    answered = np.where(dead, 0.0, requests)
    latencies = rng.multinomial(answered.astype(int), _latency(course)).astype(float)
    noise = [deviation * _wandering(scenario.rho, rng) for deviation in (CPU_NOISE, MEMORY_NOISE)]
    return Measured(
        requests,
        bad,
        latencies,
        np.where(dead, np.nan, course.cpu * np.exp(noise[0])),
        np.where(dead, np.nan, course.memory * np.exp(noise[1])),
    )


def _bad(requests: Array, errors: Array, clump: int, rng: np.random.Generator) -> Array:
    if clump == 1:
        return rng.binomial(requests.astype(int), errors).astype(float)
    return np.minimum(clump * rng.poisson(requests * errors / clump), requests)


def _latency(course: Course) -> Array:
    """The share of each bucket, (minutes, pods, buckets); sums to 1."""
    y = (np.log(EDGES / MEDIAN) - np.log(course.slower)[:, :, None]) / SPREAD
    # log latency = median + SPREAD z, and beyond the p90 it grows faster with z
    faster = 1.0 + np.log(course.stretch)[:, :, None] / (SPREAD * (Z99 - Z90))
    below = ndtr(np.where(y > Z90, Z90 + (y - Z90) / faster, y))
    if course.paused.any():
        paused = course.paused[:, :, None]
        waited = np.minimum(EDGES / PAUSE, 1.0) * below
        below = (1.0 - paused) * below + paused * waited
    ends = np.zeros((*below.shape[:2], 1))
    return np.diff(below, prepend=ends, append=ends + 1.0, axis=2)


def _wandering(rho: float, rng: np.random.Generator) -> Array:
    """AR(1) with variance 1 from the first minute on, (minutes, pods)."""
    noise = rng.standard_normal((len(CLOCK), PODS))
    for minute in range(1, len(noise)):
        noise[minute] = rho * noise[minute - 1] + np.sqrt(1.0 - rho**2) * noise[minute]
    return noise


def _cut(whole: Measured, minutes: slice) -> Measured:
    parts = whole.requests, whole.bad, whole.latencies, whole.cpu, whole.memory
    return Measured(*(part[minutes] for part in parts))
