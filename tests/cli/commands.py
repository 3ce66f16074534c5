"""Every command of the program, and the program itself as a shell starts it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click

from remediate.cli.app import command as root


def real(arguments: str, *, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the real program, started by a shell, so that its streams can be what a shell makes of them."""
    command = f"exec {sys.executable} -m remediate {arguments}"
    return subprocess.run(["sh", "-c", command], input=stdin, capture_output=True, check=False, timeout=60)


def every_command(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command there is, as typed."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below, (*path, name))


EVERY = tuple(every_command())
