r"""A softer "not worse" for a rollout that has been watched for long: the soft pass.

Where errors come in clumps, pods pause or differ for ever, a healthy canary mostly stays *unclear*
for hours: its evidence grows, but slowly. A policy may then settle for a larger error probability
`beta`. For a canary that is worse than its margin the evidence E_t against that is an e-process: by
Ville's inequality

    P(sup_t E_t >= 1 / beta) <= beta,                                                          (1)

at whatever moments one looks. Say that the judge's own level is b < beta and that the softer one
counts from a time T on. The metric is ever called not worse, in either way, only if E_t >= 1 / b
for some t or E_t >= 1 / beta for some t >= T. As 1 / b > 1 / beta, both lie in the event of (1). So
the probability to be wrong so in the whole rollout, hard and soft passes together, is at most
`beta`; not b + beta, for the thresholds are nested. T may depend on anything. Of several critical
metrics all must be shown, so the chance that one which is worse passes bounds the chance that all
do (Berger 1982). Gauges keep this as far as their own evidence keeps (1), which is simulated and
not proved (see `gauges`).

Beyond what (1) needs, nothing is settled while any metric is shown worse, nor while the rollout's
evidence that some metric is worse is itself 1 / beta: then the same look would speak for both.
"""

from __future__ import annotations

import math
from dataclasses import replace

from gate.analysis.comparison import Analysis, Comparison, Finding, times


def settled(analysis: Analysis, after: float, beta: float) -> Analysis:
    """The analysis with every critical comparison that is unclear settled, if it may be.

    `after`: seconds of judged time before which nothing settles. `beta` in (0, 1).
    """
    if analysis.minutes * 60.0 < after or _speaks_for_worse(analysis, -math.log(beta)):
        return analysis
    return replace(analysis, comparisons=tuple(_settled(one, beta) for one in analysis.comparisons))


def _speaks_for_worse(analysis: Analysis, level: float) -> bool:
    """Whether something does, or nobody promises that nothing would."""
    worse = analysis.found(Finding.WORSE)
    return bool(worse) or analysis.log_e_worse is None or analysis.log_e_worse >= level


def _settled(one: Comparison, beta: float) -> Comparison:
    level, evidence = -math.log(beta), one.log_e_not_worse
    open_ = one.critical and one.finding is Finding.UNCLEAR
    if not open_ or evidence is None or evidence < level:
        return one
    return replace(
        one,
        finding=Finding.NOT_WORSE,
        why=f"SOFT PASS: evidence {times(evidence)}, {times(level)} needed by now",
        settled=beta,
        clear_in=None,
    )
