"""``leadlight labels``: label spaces and their classes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def command(
    space: Annotated[
        str | None,
        typer.Argument(metavar="SPACE", help="A label space, such as ptb-xl/superclass.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the label spaces, or the classes of one: index, code, description, statements that set it.

    Example: leadlight labels ptb-xl/superclass
    """
    from leadlight import labels
    from leadlight.cli.output import print_json, print_table
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import LabelError

    if space is None:
        spaces = [labels.space(name) for name in labels.names()]
        print_table(
            [
                {"name": one.name, "title": one.title, "classes": len(one), "version": one.version}
                for one in spaces
            ],
            as_json=as_json,
            footer="" if as_json else "`leadlight labels NAME` lists the classes of one.",
        )
        return
    with wrong_usage(LabelError, "SPACE"):
        chosen = labels.space(space)
    classes = [
        {"index": index, **asdict(label), "members": list(label.members)}
        for index, label in enumerate(chosen.classes)
    ]
    if as_json:
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
