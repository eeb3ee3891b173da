"""What is known of each public data set as a whole: ``data/NAME.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from leadlight.datasets.index import DatasetDescription


@cache
def facts_of(name: str) -> dict[str, Any]:
    """The facts of one data set, as its file has them."""
    text = (files("leadlight.datasets") / "data" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def described(name: str) -> DatasetDescription:
    """Title, size, licence, citation and label spaces of a data set."""
    known = facts_of(name)
    versions = [one["version"] if isinstance(one, dict) else one for one in known["versions"]]
    return DatasetDescription(
        name=name,
        title=known["title"],
        records=known["records"],
        patients=known.get("patients"),
        licence=known["licence"],
        url=known["url"],
        doi=known["doi"],
        citation=known["citation"],
        versions=tuple(versions),
        label_spaces=tuple(known["label_spaces"]),
        gigabytes=known["gigabytes"],
        download=known["download"],
    )
