"""The vocabulary: named ECG findings, and which of them is a kind of which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, cast

from leadlight.errors import LabelError, did_you_mean
from leadlight.labels.rows import rows

Kind = Literal["diagnostic", "rhythm", "form", "technical", "group"]


@dataclass(frozen=True)
class Finding:
    """One finding of the vocabulary.

    kind: "diagnostic", "rhythm", "form" or "technical"; "group" for one that only holds
    others together; broader: codes of the findings of which this is a kind, nearest
    first steps only; source: where the finding is defined; note: what it takes in.
    """

    code: str
    name: str
    kind: Kind
    broader: tuple[str, ...]
    source: str
    note: str = ""


@cache
def findings() -> Mapping[str, Finding]:
    """Every finding of the vocabulary by its code, in the order of the table."""
    return MappingProxyType(
        {
            row["code"]: Finding(
                row["code"],
                row["name"],
                cast(Kind, row["kind"]),
                tuple(row["broader"].split()),
                row["source"],
                row["note"],
            )
            for row in rows("findings.csv")
        }
    )


@cache
def broader(code: str) -> frozenset[str]:
    """Codes of every finding of which this one is a kind, itself left out.

    Raises LabelError with the nearest code for an unknown one.
    """
    known = findings()
    if code not in known:
        raise LabelError(
            f"finding: found {code!r}; accepted: a code of the vocabulary, such as AFIB or CLBBB."
            f"{did_you_mean(code, known)} `leadlight labels show CODE` looks codes and names up."
        )
    return frozenset(known[code].broader).union(*(broader(one) for one in known[code].broader))


@cache
def narrower(code: str) -> frozenset[str]:
    """Codes of every finding that is a kind of this one, itself left out.

    Raises LabelError with the nearest code for an unknown one.
    """
    broader(code)
    return frozenset(one for one in findings() if code in broader(one))
