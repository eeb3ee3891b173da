"""``leadlight labels``: label spaces and their classes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def command(
    space: Annotated[
        str | None, typer.Argument(help="A label space, such as ptb-xl/superclass.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the label spaces, or the classes of one: index, code, description, statements that set it.

    Example: leadlight labels ptb-xl/superclass
    """
    from leadlight import labels
    from leadlight.cli.output import print_json, print_table
    from leadlight.errors import LabelError

    if space is None:
        spaces = [labels.space(name) for name in labels.names()]
        print_table(
            [
                {"name": one.name, "title": one.title, "classes": len(one), "version": one.version}
                for one in spaces
            ],
            as_json=json,
            footer="" if json else "`leadlight labels NAME` lists the classes of one.",
        )
        return
    try:
        chosen = labels.space(space)
    except LabelError as error:
        raise typer.BadParameter(str(error), param_hint="SPACE") from None
    classes = [
        {"index": index, **asdict(label), "members": list(label.members)}
        for index, label in enumerate(chosen.classes)
    ]
    if json:
        print_json(
            {
                "name": chosen.name,
                "title": chosen.title,
                "version": chosen.version,
                "system": chosen.system,
                "benchmark": chosen.benchmark,
                "source": chosen.source,
                "note": chosen.note,
                "classes": classes,
            }
        )
        return
    print_table(
        [
            {
                "index": row["index"],
                "code": row["code"],
                "description": row["description"],
                "members": " ".join(row["members"]),
            }
            for row in classes
        ],
        title=f"{chosen.name}, version {chosen.version}: {chosen.title}",
        footer="\n".join(line for line in (chosen.note, f"Source: {chosen.source}") if line),
    )
