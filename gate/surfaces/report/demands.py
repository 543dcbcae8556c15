"""How much a policy asked to see: the rows that applied, why, and what became of each quantity."""

from __future__ import annotations

from collections.abc import Iterator

from gate.decision import Decision
from gate.policy.demands import Demands, adapted, loosest, matched, shifting
from gate.service import Service
from gate.surfaces.report.numbers import quantity
from gate.units import duration


def demand_lines(decision: Decision) -> Iterator[str]:
    """Nothing where the policy has no evidence table."""
    rows, demands = decision.policy.evidence, decision.conclusion.demands
    if not rows:
        return
    for row in demands.rows:
        yield f"{row.name}: applies because {row.because}"
    if not demands.rows:
        yield "no row of the policy's table applies: what the service file asks for is enough"
    yield from _quantities(decision.service, demands)
    levels = loosest(rows, decision.service)
    if levels:
        alpha, beta = levels
        yield (
            "the rows may change between looks; over the whole rollout the loosest levels of the "
            f"table hold: worse {share(alpha)}, not worse {share(beta)}"
        )
    if shifting(rows):
        yield (
            "should margins or critical metrics change between looks, each setting is a claim of "
            "its own, and their error probabilities add up"
        )


def share(value: float) -> str:
    """A probability in percent.

    >>> share(0.005), share(0.01)
    ('0.5%', '1%')
    """
    return quantity(value, "of all")


def _quantities(service: Service, demands: Demands) -> Iterator[str]:
    asked = adapted(service, demands)
    if asked.alpha != service.alpha:
        yield f"false alarms (alpha) {share(asked.alpha)} instead of {share(service.alpha)}"
    if asked.beta != service.beta:
        yield (
            f"a bad release not worse (beta) {share(asked.beta)} instead of {share(service.beta)}"
        )
    if demands.margins != 1.0:
        yield f"margins times {demands.margins:g}: so much less worse is still fine"
    if demands.minutes:
        yield f"{demands.minutes:g} judged minutes"
    if demands.events:
        yield f"{demands.events:,} canary events of each critical metric that counts some"
    ours = {one.name for one in service.metrics if one.critical}
    added = [one for one in matched(service, demands.required) if one not in ours]
    if added:
        yield f"critical too: {', '.join(added)}"
    if demands.settle:
        yield (
            f"after {duration(demands.settle.after)} of judged time an error probability of "
            f"{share(demands.settle.beta)} is enough for not worse"
        )
