"""``remediate completion``."""

from __future__ import annotations

import click

from remediate.cli.options import common
from remediate.cli.session import Session
from remediate.model.exit_codes import ExitCode

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@common
@click.pass_context
def command(context: click.Context, shell: str) -> ExitCode:
    """Print the completion script of SHELL. It completes commands, options, and cluster names once -i is given.

    \b
    EXAMPLES
      remediate completion bash > ~/.local/share/bash-completion/completions/remediate
      remediate completion zsh > ~/.zfunc/_remediate
      remediate completion fish > ~/.config/fish/completions/remediate.fish

    \b
    EXIT CODES
      0   printed
      64  no such shell
    """
    from click.shell_completion import get_completion_class

    generator = get_completion_class(shell)
    session: Session = context.obj
    if generator is not None:
        script = generator(context.find_root().command, {}, "remediate", "_REMEDIATE_COMPLETE").source()
        if session.json:
            session.write_json({"shell": shell, "script": script})
        else:
            session.write(script)
    return ExitCode.DONE
