"""What published networks were trained to read and to say, where their weight files do not tell."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from leadlight.leads import STANDARD_LEADS

if TYPE_CHECKING:
    from leadlight.signal import Metadata


@dataclass(frozen=True)
class Published:
    """The published form of one network.

    leads: rows of its input; steps: preprocessing before any global scaling, as tables;
    needs_scaling: whether one mean and one deviation of the training records belong to it;
    stated: these in words, of weights for which they were published; metadata: what is read beside
    the signal, None for nothing;
    labels: name of the label space, and codes: of the classes, both by number of classes;
    arguments: of the published form; limits: what a user must know; source: where described.
    """

    leads: tuple[str, ...]
    steps: tuple[dict[str, Any] | str, ...]
    needs_scaling: bool
    stated: str
    metadata: Metadata | None
    labels: dict[int, str]
    codes: dict[int, tuple[str, ...]]
    arguments: dict[str, Any]
    limits: tuple[str, ...]
    source: str


@cache
def _table() -> dict[str, Published]:
    text = (resources.files("leadlight.originals") / "data" / "published.toml").read_text(encoding="utf-8")
    return {
        model: Published(
            leads=tuple(family.get("leads", STANDARD_LEADS)),
            steps=tuple(family.get("steps", ())),
            needs_scaling=family.get("scaling") == "global",
            stated=_words(family.get("stated")),
            metadata=_metadata(family.get("metadata")),
            labels={int(count): name for count, name in family["labels"].items()},
            codes={int(count): tuple(codes) for count, codes in family.get("codes", {}).items()},
            arguments=family.get("arguments", {}).get(model, {}),
            limits=tuple(family.get("limits", ())),
            source=family["source"],
        )
        for family in tomllib.loads(text)["family"]
        for model in family["models"]
    }


def published(model: str) -> Published:
    """What is known of a model's published form; model: one of ``convertible()``."""
    return _table()[model]


def _words(stated: dict[str, Any] | None) -> str:
    return "" if stated is None else "--mean {mean:.6g} --scale {scale:.6g} for {of}".format(**stated)


def _metadata(values: dict[str, Any] | None) -> Metadata | None:
    from leadlight.signal import Metadata

    return None if values is None else Metadata.from_dict(values)
