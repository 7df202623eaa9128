"""The command line as click knows it, and whether a line of a document fits it."""

from collections.abc import Iterator

import click

from orchestrator.cli.main import root


def leaves(
    command: click.Command = root, path: str = "luytre"
) -> Iterator[tuple[str, click.Command]]:
    """Yield (``luytre lab up``, its command) for every command that does something."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, f"{path} lists {name} and has none"
        yield from leaves(found, f"{path} {name}")


def groups(command: click.Group = root, path: str = "luytre") -> Iterator[tuple[str, click.Group]]:
    """Yield (``luytre lab``, its group) for every group of commands, the whole one first."""
    yield path, command
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if isinstance(found, click.Group):
            yield from groups(found, f"{path} {name}")


def problem(words: list[str], *, mentioned: bool = False) -> str:
    """Return why click would refuse these arguments of luytre; empty where it would not.

    A command that is only mentioned may leave out what it needs.
    """
    command: click.Command = root
    rest = list(words)
    try:
        while isinstance(command, click.Group):
            rest = _parse(command, rest, mentioned)
            if not rest:
                return ""
            found = command.get_command(click.Context(command), rest[0])
            if found is None:
                return f"no command {rest[0]}"
            command, rest = found, rest[1:]
        left = _parse(command, rest, mentioned)
    except click.UsageError as error:
        return error.format_message()
    return f"too many arguments: {left}" if left else ""


def _parse(command: click.Command, words: list[str], mentioned: bool) -> list[str]:
    """Check options and arguments of one command and return the words that are left."""
    context = click.Context(command)
    given, left, _order = command.make_parser(context).parse_args(list(words))
    asks_for_help = given.get("help") is True
    for parameter in command.params:
        value = given.get(parameter.name or "")
        if parameter.required and not (mentioned or asks_for_help or _is_given(value)):
            raise click.UsageError(f"{parameter.name} is missing")
        # Whether a file exists is not the document's affair.
        if isinstance(value, str) and not isinstance(parameter.type, click.Path):
            parameter.type.convert(value, parameter, context)
    return left


def _is_given(value: object) -> bool:
    return isinstance(value, str | bool) or (isinstance(value, tuple | list) and bool(value))
