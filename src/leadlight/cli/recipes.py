"""``leadlight recipes``: training recipes."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Print this recipe.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List training recipes, or print one as TOML.

    A recipe named as a model is that model's own. The others are for a model or for all of them:
    `leadlight train imle-net --recipe quick ...`.

    Example: leadlight recipes imle-net > mine.toml
    """
    from leadlight.cli.output import print_json, print_table
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import RecipeError
    from leadlight.recipes import model_of, recipe_text, shipped

    if name is None:
        rows = [
            {"recipe": recipe, "model": model_of(recipe) or "every model", "what": what}
            for recipe, what in shipped().items()
        ]
        print_table(rows, as_json=as_json)
        return
    with wrong_usage(RecipeError, "NAME"):
        text = recipe_text(name)
    if as_json:
        import tomllib

        print_json(tomllib.loads(text))
    else:
        typer.echo(text, nl=False)
