"""What the diagnostic criteria of a finding look at: leads, and parts of the beat.

A reading aid for tests of software, not a clinical reference. The table is ``data/criteria.csv``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Literal, cast

from leadlight.labels.findings import findings, narrower
from leadlight.labels.rows import rows
from leadlight.leads import STANDARD_LEADS

SEGMENTS = ("P", "PR", "QRS", "Q", "J", "ST", "T", "TQ")
"""Parts of the beat. PR: onset of P to onset of QRS; Q: onset of QRS to the R peak; J: 20 ms after the end
of QRS; TQ: end of T to the next onset of QRS, where atrial waves are."""


@dataclass(frozen=True)
class Criterion:
    """Where the criteria of a finding look.

    leads: () for no lead in particular; segments: of SEGMENTS, () where nothing can be located; beats: "all"
    or the "early" ones; neutral_leads, neutral_segments: what may show it too, and counts neither for nor
    against; strength: "clear" where the criteria name leads and parts of the beat, "partial" where only
    one of them or where the place differs from patient to patient, "none" where it has no place; looks_at: in
    words; source: guideline, paper or usual definition; is_checked: whether leads and parts of the beat
    stand in a page that was read, and not only in the finding's name; remark; of: the findings from
    whose rows this follows, () for a row of its own.
    """

    finding: str
    leads: tuple[str, ...]
    segments: tuple[str, ...]
    beats: Literal["all", "early"]
    neutral_leads: tuple[str, ...]
    neutral_segments: tuple[str, ...]
    strength: Literal["clear", "partial", "none"]
    looks_at: str
    source: str
    is_checked: bool
    remark: str = ""
    of: tuple[str, ...] = ()

    @property
    def has_place(self) -> bool:
        """Whether an explanation can be checked against it."""
        return self.strength != "none"


@cache
def criteria() -> Mapping[str, Criterion]:
    """Every row of the table by its finding."""
    return MappingProxyType(
        {
            row["finding"]: Criterion(
                row["finding"],
                tuple(row["leads"].split()),
                tuple(row["segments"].split()),
                cast(Literal["all", "early"], row["beats"]),
                tuple(row["neutral_leads"].split()),
                tuple(row["neutral_segments"].split()),
                cast(Literal["clear", "partial", "none"], row["strength"]),
                row["looks_at"],
                row["source"],
                row["checked"] == "yes",
                row["remark"],
            )
            for row in rows("criteria.csv")
        }
    )


@cache
def criterion(code: str) -> Criterion | None:
    """Where the criteria of a finding look; None where nothing is known.

    Its own row; else the union of those of its kinds; else that of the finding of which it is a
    kind. A union says where *some* kind of the finding shows. It has no place where a kind of it has
    none, where kinds speak of different beats, or where it takes in every part of the beat.
    Raises LabelError for an unknown code.
    """
    own = criteria().get(code)
    if own is not None:
        return own
    kinds = narrower(code)
    parts = [one for name, one in criteria().items() if name in kinds]
    if parts:
        return _union(code, parts)
    wider = (criteria().get(name) for name in findings()[code].broader)
    row = next((one for one in wider if one is not None), None)
    if row is None:
        return None
    said = f"as {row.finding}, of which it is a kind"
    return replace(row, finding=code, looks_at=said, of=(row.finding,))


def _union(code: str, parts: list[Criterion]) -> Criterion:
    names = tuple(one.finding for one in parts)
    leads = {lead for one in parts for lead in one.leads or STANDARD_LEADS}
    segments = {segment for one in parts for segment in one.segments}
    if "TQ" in segments:
        segments -= {"P", "PR"}
    if "QRS" in segments:
        segments -= {"Q"}
    if "ST" in segments:
        segments -= {"J"}
    same_beats = len({one.beats for one in parts}) == 1
    whole = {"QRS", "ST", "T"} <= segments and segments & {"P", "PR", "TQ"}
    located = all(one.has_place for one in parts) and same_beats and not whole
    return Criterion(
        code,
        tuple(lead for lead in STANDARD_LEADS if lead in leads) if located and len(leads) < 12 else (),
        tuple(segment for segment in SEGMENTS if segment in segments) if located else (),
        parts[0].beats if same_beats else "all",
        (),
        (),
        "partial" if located else "none",
        f"what its kinds look at: {', '.join(names)}",
        "; ".join(dict.fromkeys(source for one in parts for source in one.source.split("; "))),
        all(one.is_checked for one in parts),
        "the union of the places of its kinds"
        if located
        else f"its kinds ({', '.join(names)}) show at different places, which together are nearly the whole "
        "beat, or some of them nowhere",
        names,
    )


def without_place() -> tuple[str, ...]:
    """Findings whose criteria are known and have no place on the tracing, in the vocabulary's order."""
    return tuple(
        code for code in findings() if (one := criterion(code)) is not None and not one.has_place
    )  # fmt: skip
