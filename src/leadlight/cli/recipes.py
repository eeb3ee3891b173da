"""``leadlight recipes``."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="Print this recipe.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """List training recipes, or print one as TOML.

    A recipe named as a model is that model's own. The others are laid over it:
    `leadlight train imle-net --recipe quick ...`.

    Example:

        leadlight recipes imle-net > mine.toml
    """
    from leadlight.cli.output import print_json, print_table
    from leadlight.recipes import recipe_text, shipped

    if name is None:
        rows = [{"recipe": recipe, "what": what} for recipe, what in shipped().items()]
        print_table(rows, as_json=as_json)
    elif as_json:
        import tomllib

        print_json(tomllib.loads(recipe_text(name)))
    else:
        typer.echo(recipe_text(name), nl=False)
