"""The command ``fourmusts``: every program of the system under one name.

Each subcommand is imported only when it is called, so that the door process never loads a web server.
"""

from __future__ import annotations

from importlib import import_module

import click

from custody.errors import FourmustsError

COMMANDS = {
    "judge": ("config.judge_command:judge", "Judge event lines and print the findings."),
    "explain": ("config.explain_command:explain", "Explain a finding: sentence, numbers, law and evidence."),
    "timeline": ("config.timeline_command:timeline", "Draw a stay, one lane for each must."),
    "keys": ("sync.keys_command:keys", "Make and show keys and certificates."),
    "proof": ("sync.history_command:proof", "Write the proof that an event stands in the zone's ledger."),
    "verify": ("sync.history_command:verify", "Check a proof, a line from paper, or a whole ledger."),
    "shift-line": ("sync.history_command:shift_line", "Print size and root of the ledger for the paper register."),
    "broker": ("sync.broker_command:broker", "Write the configuration of a Mosquitto or NATS broker."),
    "init": ("edge.commands:init", "Make the ledger and the keys of a zone, once."),
    "prune": ("edge.commands:prune", "Give up old lines of a zone's ledger that headquarters has cosigned."),
    "edge": ("edge.commands:edge", "Run all four processes of a zone under one supervisor."),
    "doors": ("edge.commands:doors", "Run the door process of a zone."),
    "cameras": ("edge.commands:cameras", "Run the camera process of a zone."),
    "link": ("edge.commands:link", "Run the link of a zone to headquarters."),
    "panel": ("edge.commands:panel", "Run the door terminal and the monitoring panel of a zone."),
    "provision": ("edge.doors.provision_command:provision", "Have a card reader given its key."),
    "sim": ("devices.sim_command:sim", "Drive the simulated hardware of a running zone."),
    "central": ("central.commands:central", "Run headquarters."),
    "demo": ("edge.demo.command:demo", "Play a short day in a custody zone, then stay up."),
}


class LazyGroup(click.Group):
    """Knows its subcommands by name, imports one when it is called, and says our errors without a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FourmustsError as error:
            raise click.ClickException(str(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fourmusts")
def main() -> None:
    """Fourmusts keeps the register of a police custody zone honest."""


if __name__ == "__main__":
    main()
