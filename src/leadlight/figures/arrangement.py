"""Which stretch of which lead goes where on the paper."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from leadlight.errors import SignalError, kind_of
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

PAGE_SECONDS = 10.0
"""What one page shows: 250 mm of paper fit on A4 in landscape."""
SHORTEST_COLUMN_SECONDS = 1.0

LAYOUTS = ("auto", "3x4", "6x2", "12x1", "single")


@dataclass(frozen=True)
class Strip:
    """A stretch of one lead. start, stop: seconds of the recording; at: seconds from the row's left end."""

    lead: str
    start: float
    stop: float
    at: float


@dataclass(frozen=True)
class Arrangement:
    """Rows of strips from top to bottom.

    continuous: every row runs with the same clock, so that one time axis serves
    all; notes: what a reader must know about what is shown.
    """

    rows: tuple[tuple[Strip, ...], ...]
    start: float
    duration: float
    continuous: bool
    notes: tuple[str, ...]


def _check_seconds(start: object) -> None:
    if not isinstance(start, Real):  # NumPy's numbers are some as well
        raise SignalError(f"start: found {kind_of(start)}; accepted: seconds, a number.")


def arrange(recording: Recording, layout: str = "auto", start: float = 0.0) -> Arrangement:
    """Lay a recording out as ECG machines do.

    layout: "3x4" (columns I II III, aVR aVL aVF, V1-V3, V4-V6 of 2.5 s that follow
    each other in time, and lead II or else the first lead below as rhythm strip),
    "6x2" (limb and chest leads, 5 s each), "12x1" (one strip a lead, whatever
    their number), "single" (lead II, or else the first lead, alone) or "auto"
    (3x4 where all twelve are there, else 12x1).
    start: seconds; at most 10 s are shown from there. Leads beside the standard
    twelve follow as strips of their own.
    Raises SignalError for an unknown layout and for a start outside the recording.
    """
    _check_seconds(start)
    if layout not in LAYOUTS:
        raise SignalError(f"layout: found {layout!r}; accepted: {', '.join(LAYOUTS)}.")
    if not recording.leads or not recording.n_samples:
        raise SignalError("a tracing needs at least one lead and one sample: the recording is empty.")
    if not 0 <= start < recording.duration:
        raise SignalError(
            f"start: found {start:g} s; accepted: from 0 to below {recording.duration:g} s, the duration."
        )
    if layout == "auto":
        layout = "3x4" if set(STANDARD_LEADS) <= set(recording.leads) else "12x1"
    shown = min(PAGE_SECONDS, recording.duration - start)
    notes = [_extent(recording.duration, start, shown)]
    rhythm = "II" if "II" in recording.leads else recording.leads[0]
    if layout in ("12x1", "single"):
        leads = (rhythm,) if layout == "single" else recording.leads
        whole = tuple((Strip(lead, start, start + shown, 0.0),) for lead in leads)
        return Arrangement(whole, start, shown, True, tuple(notes))

    n_columns = 4 if layout == "3x4" else 2
    n_rows = len(STANDARD_LEADS) // n_columns
    column, continuous = shown / n_columns, True
    if column < SHORTEST_COLUMN_SECONDS:
        # Too short to be shared out: every column shows the same seconds.
        column, continuous = min(PAGE_SECONDS / n_columns, shown), False
        notes.append("the columns show the same seconds")
    rows: list[tuple[Strip, ...]] = []
    for row in range(n_rows):
        strips = []
        for place in range(n_columns):
            lead = STANDARD_LEADS[place * n_rows + row]
            if lead in recording.leads:
                begin = start + (place * column if continuous else 0.0)
                strips.append(Strip(lead, begin, begin + column, place * column))
        if strips:
            rows.append(tuple(strips))
    further = [lead for lead in recording.leads if lead not in STANDARD_LEADS and lead != rhythm]
    rows += [(Strip(lead, start, start + shown, 0.0),) for lead in (rhythm, *further)]
    if continuous and shown < PAGE_SECONDS:
        notes.append(f"each column shows {column:.3g} s")
    return Arrangement(tuple(rows), start, shown, continuous, tuple(notes))


def _extent(duration: float, start: float, shown: float) -> str:
    if start == 0 and shown == duration:
        return f"{duration:g} s"
    return f"{start:g} to {start + shown:g} s of {duration:g} s"
