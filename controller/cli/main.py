"""`w2s`. Loads a command only when it is called, so that `w2s --help` answers at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import click

from controller.errors import InvalidExperiment, PlanRefused, W2sError
from w2s_jobs.contracts.errors import ExitCode, JobError
from w2s_jobs.store.disk import translate_os_error

__all__ = ["COMMANDS", "main", "w2s"]

COMMANDS: Mapping[str, str] = {
    "validate": "Check a manifest: every error names the field, the value and the fix.",
    "plan": "Show the steps, which of them exist already, and the estimated GPU-hours.",
    "run": "Run an experiment on this machine; the same command goes on after a stop.",
    "report": "Show the table and the report of a finished run.",
    "status": "Show how many steps are done.",
    "logs": "Show what a step said.",
    "crd": "Print the CustomResourceDefinition for a cluster.",
    "controller": "Run the controller of a cluster.",
    "invalidate": "Forget one artifact, so that the next run makes it again.",
}
"""Commands and their help, in the order of use. Each lives in the module of its name, as `command`."""


class _Lazy(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"controller.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="w2s", prog_name="w2s")
def w2s() -> None:
    """Weak-to-strong experiments from one manifest."""


def main() -> None:
    """Run a command; every failure is a message and an exit code, never a traceback."""
    try:
        w2s.main(prog_name="w2s", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output, such as `head`, had enough
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  the interpreter flushes it at exit
        sys.exit(0)
    except Exception as error:
        _fail(*_describe(error))


def _describe(error: Exception) -> tuple[str, int]:
    """Return what a person reads of a failure, and the exit code."""
    match error:
        case click.Abort():
            return "stopped", 130
        case InvalidExperiment() | PlanRefused():
            return str(error), ExitCode.INPUT
        case W2sError():
            return str(error), ExitCode.CRASHED
        case JobError():
            return str(error), error.exit_code
        case OSError():  # a file or folder that no command expected to fail
            translated = translate_os_error(error, Path(error.filename or "."))
            return str(translated), translated.exit_code
        case _:
            return _describe_defect(error)


def _describe_defect(error: Exception) -> tuple[str, int]:
    if os.environ.get("W2S_TRACEBACK"):
        raise error
    what = f"{type(error).__name__}: {error}"
    return f"{what}\nThis is a defect of w2s, not of your manifest; W2S_TRACEBACK=1 shows where", ExitCode.CRASHED


def _fail(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(int(code))
