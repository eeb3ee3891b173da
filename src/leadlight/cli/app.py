"""The ``leadlight`` command: its commands, its exit codes and how it says what went wrong.

Exit code 0: done; 1: the work failed; 2: wrong usage.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# In the order of `leadlight --help`: name, one line of help. The function
# `command` of leadlight.cli.<name with underscores> is loaded when it is called,
# so that `leadlight --help` loads none of them.
COMMANDS: dict[str, str] = {
    "plot": "Draw a recording on ECG paper.",
    "quality": "Say what is wrong with the signal of each lead.",
    "predict": "Say which findings recordings show.",
    "explain": "Show on the tracing what a model looked at.",
    "explain-quality": "Measure whether a run's explanations are true.",
    "explain-class": "Show what a run looks at in all records of a class, beat by beat.",
    "datasets": "List the data sets that Leadlight knows.",
    "fetch": "Download a data set from its own official address.",
    "labels": "List label spaces, show a finding, map one data set's labels to another's.",
    "split": "Write which record is in which fold.",
    "prepare": "Read and check a data set once and store it for training.",
    "filter": "Write a store of those records that meet a condition.",
    "merge": "Write one store of several.",
    "append": "Add a further data set, or further records, to a store.",
    "verify": "Check a prepared store, or a data set's files.",
    "simulate": "Write a simulated data set in the layout of PTB-XL or MIMIC-IV-ECG.",
    "models": "List models: architectures and shipped weights.",
    "import-weights": "Make a model folder of a published network's weights.",
    "recipes": "List training recipes, or print one.",
    "train": "Train a model, or resume a run.",
    "evaluate": "Measure a run on one fold.",
    "compare": "Compare evaluated runs on the same records.",
    "calibrate": "Fit calibration, thresholds and prediction sets on the validation fold.",
    "benchmark": "Train and measure many models, recipes and seeds, in one table.",
    "tune": "Search for a better recipe on the validation fold.",
    "report": "Write a run as one HTML page.",
}


class _LazyGroup(TyperGroup):
    """A group that imports a command's file when the command is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand:
        if cmd_name not in COMMANDS:
            from leadlight.errors import did_you_mean

            ctx.fail(f"No such command {cmd_name!r}.{did_you_mean(cmd_name, COMMANDS)}")
        module = importlib.import_module(f"leadlight.cli.{cmd_name.replace('-', '_')}")
        one = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        one.command(cmd_name)(module.command)
        loaded = typer.main.get_command(one)
        assert isinstance(loaded, TyperCommand)
        return loaded


app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Read twelve-lead ECGs, say which findings they show, and show why. Research software, "
    "not a medical device.",
    epilog="`leadlight COMMAND --help` shows a command's options with an example. Documentation: docs/.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from leadlight import __version__

        typer.echo(f"leadlight {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the whole trace when something fails."),
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and end."
    ),
) -> None:
    if debug:
        os.environ["LEADLIGHT_DEBUG"] = "1"


def main() -> None:
    """Entry point of the ``leadlight`` command."""
    from leadlight.errors import LeadlightError

    try:
        app()
    except LeadlightError as error:
        if os.environ.get("LEADLIGHT_DEBUG"):
            raise
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if os.environ.get("LEADLIGHT_DEBUG"):
            raise
        name = f": {error.filename}" if error.filename else ""
        typer.echo(f"{error.strerror or error}{name}", err=True)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("LEADLIGHT_DEBUG"):
            raise
        typer.echo(
            f"Unexpected {type(error).__name__}. This is a fault of Leadlight: please report it with what "
            "`leadlight --debug ...` prints for the same command, without any patient's data.",
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
