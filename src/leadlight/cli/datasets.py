"""``leadlight datasets``: the data sets that Leadlight knows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def command(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print as JSON, with everything that is known.")
    ] = False,
) -> None:
    """List the data sets that Leadlight knows: size, licence, how to cite, label spaces.

    Example: leadlight datasets --json
    """
    from leadlight import datasets
    from leadlight.cli.output import print_json, print_table

    known = [datasets.describe(name) for name in datasets.names()]
    if as_json:
        print_json([asdict(one) for one in known])
        return
    print_table(
        [
            {
                "name": one.name,
                "title": one.title,
                "records": one.records or "any",
                "GB": one.gigabytes,
                "licence": one.licence,
                "doi": one.doi,
                "label spaces": ", ".join(one.label_spaces),
            }
            for one in known
        ],
        footer="\n".join(f"Please cite {one.name} as: {one.citation}" for one in known if one.citation),
    )
