"""Label spaces of a user's own labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadlight.labels.findings import findings
from leadlight.labels.meanings import VOCABULARY
from leadlight.labels.spaces import LabelClass, LabelSpace

OWN = "folder"
"""The system of labels that are no finding of the vocabulary."""


def own_system(code: str) -> str:
    """The system in which a user's own label is stated: "leadlight" for a finding, else "folder"."""
    return VOCABULARY if code in findings() else OWN


def own_space(name: str, codes: Sequence[str], descriptions: Mapping[str, str] | None = None) -> LabelSpace:
    """A label space of a user's own labels, in this order.

    codes: the labels; one that is a code of the vocabulary (AFIB, CLBBB) means that
    finding and any kind of it, whichever source states it; any other is a label of the
    system "folder" that only the same label sets. descriptions: by code; else the
    finding's name, or the code.
    A class is unknown of a record that states nothing of it: an absent label is stated
    with a likelihood of 0.
    Raises LabelError for a code that stands twice.
    """
    described = descriptions or {}
    classes = []
    for code in codes:
        finding = findings().get(code)
        wording = described.get(code) or (finding.name if finding else code)
        classes.append(
            LabelClass(code, wording, (), "own label", findings=(code,))
            if finding
            else LabelClass(code, wording, (code,), "own label")
        )
    return LabelSpace(
        name, "own labels", "own", OWN, "labels of the records' own table", tuple(classes), closed=False
    )
