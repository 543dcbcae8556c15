"""The command `gate`: finds the command, and turns every error into one message and its code."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from gate import __version__
from gate.errors import GateError, did_you_mean
from gate.surfaces.cli.console import tell

# Each command is imported when it is called: `gate --help` stays quick.
COMMANDS = {
    "analyze": ("gate.surfaces.cli.analyze:analyze", "What the judge finds; decides nothing."),
    "budget": ("gate.surfaces.cli.budget:budget", "What is left of each error budget."),
    "check": ("gate.surfaces.cli.check:check", "May this canary go on?"),
    "demo": ("gate.surfaces.cli.demo:demo", "Judge three recorded releases."),
    "freezes": ("gate.surfaces.cli.freezes:freezes", "When releases are closed."),
    "github": ("gate.surfaces.cli.github:github", "Write a decision to GitHub, from a workflow."),
    "import": ("gate.surfaces.cli.import_:import_", "Another tool's config as a service file."),
    "ledger": ("gate.surfaces.cli.ledger:ledger", "List, show and verify decisions."),
    "lint-rollout": (
        "gate.surfaces.cli.lint_rollout:lint_rollout",
        "Traps in manifests of Argo Rollouts and Flagger.",
    ),
    "outcome": ("gate.surfaces.cli.outcome:outcome", "Tell what became of a release."),
    "override": ("gate.surfaces.cli.override:override", "Lift holds, approved and recorded."),
    "plan": ("gate.surfaces.cli.plan:plan", "How long must a rollout run until it tells?"),
    "policy": ("gate.surfaces.cli.policy:policy", "Lint, test, explain, check and show policies."),
    "replay": ("gate.surfaces.cli.replay:replay", "Decide again, or by another policy."),
    "risk": ("gate.surfaces.cli.risk:risk", "How likely is a change to introduce a bug, and why?"),
    "schema": ("gate.surfaces.cli.schema:schema", "JSON Schema of the files, for editors."),
    "serve": ("gate.surfaces.cli.serve:serve", "The gate behind HTTP, for pipelines that ask."),
    "show": ("gate.surfaces.cli.service:show", "The service file with everything filled in."),
    "token": ("gate.surfaces.cli.token:token", "Tokens for the clients of the server."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            ctx.fail(f"no command {cmd_name!r}{did_you_mean(cmd_name, COMMANDS)}")
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: gate check -f gate.yaml --canary 7d4b9c --baseline 5f8c2a --since 20m",
)
@click.version_option(__version__, prog_name="gate")
def cli() -> None:
    """Promote, hold or roll back? The release gate for progressive delivery.

    Exit codes: 0 promote, 10 hold, 20 rollback, 30 could not decide, 2 wrong flag or file.
    """


def run(arguments: list[str] | None = None) -> int:
    """The exit code of the command; every expected failure is one message on standard error."""
    try:
        result: Any = cli.main(arguments, prog_name="gate", standalone_mode=False)
    except GateError as error:
        tell(f"gate: {error}")
        return error.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"\n  see {context.command_path} --help" if context else ""
        tell(f"gate: {error.format_message()}{hint}")
        return 2
    except (click.Abort, KeyboardInterrupt):
        tell("gate: interrupted; nothing was decided")
        return 130
    return result if isinstance(result, int) else 0
