"""`gate policy`: policies are code, so they are tested, explained and checked like code."""

from __future__ import annotations

import click

from gate.surfaces.cli.policy_check import check
from gate.surfaces.cli.policy_explain import explain
from gate.surfaces.cli.policy_trial import test


@click.group(epilog="Example: gate policy test policies/")
def policy() -> None:
    """Test, explain and check release policies."""


policy.add_command(check)
policy.add_command(explain)
policy.add_command(test)
