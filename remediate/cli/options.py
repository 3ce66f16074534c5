"""Options that several commands share. Every option but ``--yes`` has a variable: ``--state-dir`` is ``REMEDIATE_STATE_DIR``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import click
from click.core import ParameterSource

from remediate.cli.durations import DRAIN
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.restart import ASSUMABLE, Calls, Guard

F = TypeVar("F", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
OUTPUT = click.Path(path_type=Path)
"""The type of a file that a command writes; every other path is one that it reads."""


def option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """Return `click.option` with its ``REMEDIATE_*`` variable, which the help shows."""
    long = next(name for name in names if name.startswith("--"))
    variable = f"REMEDIATE_{long.lstrip('-').replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, show_envvar=True, **attributes)


def common(function: F) -> F:
    """Add the options of every command; their values go to the Session, not to the function's arguments."""

    @wraps(function)
    def run(*arguments: Any, **values: Any) -> Any:
        _refuse_to_overwrite_inputs(click.get_current_context())
        return function(*arguments, **values)

    decorated = cast("F", run)
    for decorate in reversed(_COMMON):
        decorated = decorate(decorated)
    return decorated


def confirmation(function: F) -> F:
    """Add ``--yes``, the only option without a variable: where REMEDIATE_YES is set, the command ends before anything else."""
    return click.option(
        "--yes", is_flag=True, is_eager=True, callback=_refuse_yes_variable, help="Do not ask; needed where there is no terminal."
    )(function)  # fmt: skip


def _refuse_yes_variable(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    from remediate.cli.questions import refuse_yes_variable

    del context, parameter
    refuse_yes_variable()
    return value


def clusters(function: F) -> F:
    """Add ``-c``."""
    return option(
        "-c", "--cluster", "patterns", multiple=True, metavar="NAME", shell_complete=_complete_cluster,
        help="Only these clusters; a glob such as 'edge-*'. Repeatable.",
    )(function)  # fmt: skip


def inventory(*, required: bool = True) -> Callable[[F], F]:
    """Add ``-i`` and ``-c``."""

    def decorate(function: F) -> F:
        file = option(
            "-i", "--inventory", "inventory_path", type=PATH, required=required, metavar="FILE|DIR",
            help="The inventory file, or a folder of them.",
        )  # fmt: skip
        return file(clusters(function))

    return decorate


def approvals(function: F) -> F:
    """Add ``--approve`` and ``--approve-file``."""
    fingerprint_option = option(
        "--approve", multiple=True, metavar="sha256:HEX",
        help="Approve this certificate; compare its fingerprint out of band first. Repeatable.",
    )  # fmt: skip
    file_option = option(
        "--approve-file", type=PATH, metavar="FILE",
        help="Fingerprints to approve, one a line; # begins a comment.",
    )  # fmt: skip
    return fingerprint_option(file_option(function))


def restarting(function: F) -> F:
    """Add ``--calls``, ``--drain-for`` and ``--assume``."""
    calls = option(
        "--calls", type=click.Choice(get_args(Calls)),
        help="Before a restart: drain (maintenance mode, until no call is left), or end them. Default: policy.calls, else drain.",
    )  # fmt: skip
    drain_for = option(
        "--drain-for", type=DRAIN, default="10m", show_default=True, metavar="10m",
        help="How long a peer may take to drain; if calls are left then, you are asked.",
    )  # fmt: skip
    assume = option(
        "--assume", multiple=True, type=click.Choice([guard.value for guard in Guard if guard in ASSUMABLE]), metavar="GUARD",
        help="Accept a guard that could not be checked; never one that fails, own-address or upgrade. Repeatable.",
    )  # fmt: skip
    return calls(drain_for(assume(function)))


def authorities(function: F) -> F:
    """Add ``--ca``."""
    return option(
        "--ca", "ca_paths", type=PATH, multiple=True, metavar="PATH",
        help="Your own CA certificates, which need no approval: a file (PEM, DER, PKCS#7) or a folder. Repeatable.",
    )(function)  # fmt: skip


def is_on_command_line(context: click.Context, name: str) -> bool:
    """Return whether the parameter `name` was given on the command line, which wins over variables."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def is_inventory_preferred(alternative: str) -> bool:
    """Return whether the inventory wins over the parameter `alternative`, of which only one can be used.

    What is on the command line wins over what a variable gives; where both come from variables, `alternative` wins.

    Raises:
        UsageError: Both are on the command line.
    """
    context = click.get_current_context()
    on_command_line = [is_on_command_line(context, name) for name in ("inventory_path", alternative)]
    if all(on_command_line):
        long_name = next(parameter for parameter in context.command.params if parameter.name == alternative).opts[0]
        raise UsageError(f"-i and {long_name} cannot be given together.", next_step="Leave one of them out.")
    return on_command_line[0]


def _refuse_to_overwrite_inputs(context: click.Context) -> None:
    """Raise UsageError where a file that the command would write is also one that it reads, and so would be lost."""
    outputs, inputs = [Path(context.ensure_object(Session).events or "-")], list[Path]()
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        paths = [path for path in (value if isinstance(value, tuple) else (value,)) if isinstance(path, Path)]
        (outputs if parameter.type is OUTPUT else inputs).extend(paths)
    for output in outputs:
        if any(_is_same_file(output, path) for path in inputs):
            raise UsageError(
                f"{output} would be overwritten, and this command also reads it.", next_step="Give another file for the output."
            )


def _is_same_file(output: Path, path: Path) -> bool:
    try:
        return path.is_file() and path.samefile(output)
    except (OSError, ValueError):
        return False


def _store_in_session(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        del parameter
        # A group and its command both have the common options: the later one must not unset the former.
        if value:
            setattr(context.ensure_object(Session), name, value)

    return callback


def _common(*names: str, into: str, **attributes: Any) -> Callable[[F], F]:
    return option(*names, f"common_{into}", expose_value=False, callback=_store_in_session(into), **attributes)


_COMMON = (
    _common("--json", into="json", is_flag=True, help="One JSON document on stdout, and nothing else there."),
    _common("--events", into="events", metavar="FILE|-", help="What happens, as JSON lines; - is stdout."),
    _common(
        "--state-dir",
        into="chosen_state_dir",
        type=PATH,
        metavar="DIR",
        help="The folder of the journal, instead of the default.",
    ),
    _common(
        "-q",
        "--quiet",
        into="quiet",
        is_flag=True,
        help="No progress; only results, questions, errors, alarms and warnings.",
    ),
    _common("-v", "--verbose", into="verbose", count=True, help="More; -vv adds a traceback to errors."),
    _common("--no-color", into="no_color", is_flag=True, help="No colours; NO_COLOR does the same."),
    _common("--no-input", into="no_input", is_flag=True, help="Never ask; a question is an error."),
)


def _complete_cluster(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from remediate.inventory import load
    from remediate.model.errors import InventoryError

    del parameter
    path = context.params.get("inventory_path")
    try:
        names = [cluster.name for cluster in load(Path(path))] if path else []
    except InventoryError:
        return []
    return [name for name in names if name.startswith(incomplete)]
