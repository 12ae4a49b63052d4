"""
`batuta completion`: the script that makes a shell complete our commands.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from batuta.cli.failure import Command

WHERE = {
    "bash": "batuta completion bash > ~/.local/share/bash-completion/completions/batuta",
    "zsh": "batuta completion zsh > ~/.zfunc/_batuta   # ~/.zfunc in $fpath, before compinit",
    "fish": "batuta completion fish > ~/.config/fish/completions/batuta.fish",
}


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(list(WHERE)))
def completion(shell: str) -> None:
    """
    Print the completion script of a shell.

    \b
    bash   batuta completion bash > ~/.local/share/bash-completion/completions/batuta
    zsh    batuta completion zsh > ~/.zfunc/_batuta
    fish   batuta completion fish > ~/.config/fish/completions/batuta.fish
    """
    from batuta.cli.main import batuta

    kind = get_completion_class(shell)
    assert kind is not None, shell
    click.echo(kind(batuta, {}, "batuta", "_BATUTA_COMPLETE").source())
