"""What became of a release, in a sentence."""

from __future__ import annotations

from gate.deployment import Deployment
from gate.surfaces.report.numbers import moment
from gate.surfaces.report.page import printable


def remembered(deployment: Deployment) -> str:
    """`checkout v1.9.0: rolled back (2026-11-02 11:00:00 UTC), payments, 4f0e1c..9a2b3d, by ci`."""
    ended = f"{deployment.result.replace('_', ' ')} ({moment(deployment.at)})"
    parts = [
        f"{deployment.service} {deployment.version}: {ended}",
        *(deployment.components or ()),
        f"{deployment.base[:12]}..{deployment.head[:12]}" if deployment.head else "",
        f"in {deployment.namespace}" if deployment.namespace else "",
        f"by {deployment.by}" if deployment.by else "",
        deployment.note,
    ]
    told: str = printable(", ".join(part for part in parts if part))
    return told
