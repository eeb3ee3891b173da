"""One lead close up, at twice the usual speed and gain, with its beats and waves marked."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.figures.chart import colour_of
from leadlight.figures.paper import (
    CALIBRATION_SECONDS,
    INK,
    QUIET,
    draw_paper,
    millimetre_axes,
    new_page,
    points,
)
from leadlight.figures.relevance import Drawn, check_multiples
from leadlight.figures.relevance_colours import (
    BAR_ROOM,
    HIGHEST,
    LOWEST,
    draw_colour_bar,
    places,
    shades,
    trace_colours,
)
from leadlight.figures.tracing import check_recording
from leadlight.recording import Recording

SPEED, GAIN = 50.0, 20.0
"""Millimetres a second and a millivolt."""
WAVES = ("P", "QRS", "ST", "T")
_LONGEST, _TALLEST = 5.0, 120.0
_MARGIN, _FOOT_OF_PULSE = 8.0, 17.0
_LANE = 4.0
_NEARLY = 0.7


class Marks(Protocol):
    """Beats of a recording, as ``leadlight.explanation.find_beats`` gives them."""

    @property
    def r_peaks(self) -> NDArray[np.float64]:
        """(beats,) seconds."""
        ...

    def spans(self, wave: str) -> NDArray[np.float64]:
        """Onset and end of a wave in each beat, (beats, 2) seconds, NaN where there is none."""
        ...


def plot_lead(
    recording: Recording,
    lead: str = "II",
    start: float = 0.0,
    seconds: float = 4.0,
    *,
    beats: Marks | None = None,
    multiples: NDArray[np.floating] | None = None,
    drawn: Drawn | None = None,
    title: str = "",
) -> Figure:
    """A lead at 50 mm/s and 20 mm/mV, to scale when printed at 100%.

    start, seconds: what is shown, at most 5 s; beats: marked above the QRS complex's own peak in this lead
    (``own_peaks``), with the RR intervals of the recording between them, and the waves below the trace;
    multiples: relevance (leads, samples) as ``plot_relevance`` takes
    it, drawn as ``drawn`` says. Raises SignalError for a lead or a time that the recording does not have.
    """
    check_recording(recording)
    if lead not in recording.leads:
        raise SignalError(f"lead: found {lead!r}; accepted: {', '.join(recording.leads)}.")
    if not 0 <= start < recording.duration or not seconds > 0:
        raise SignalError(
            f"start, seconds: found {start:g} and {seconds:g}; accepted: a stretch within the "
            f"{recording.duration:g} s of the recording."
        )
    how = drawn or Drawn()
    if multiples is not None:
        multiples = np.asarray(multiples)
        check_multiples(recording, multiples, how)
    shown = min(seconds, _LONGEST, recording.duration - start)
    rate = recording.sampling_rate
    last = min(math.floor((start + shown) * rate + 1e-6), recording.n_samples - 1)
    samples = np.arange(math.ceil(start * rate - 1e-6), last + 1)
    values = recording[lead][samples].astype(np.float64)
    known = values[np.isfinite(values)]
    centre = float(np.median(known)) if known.size else 0.0
    y = (values - centre) * GAIN
    y[~np.isfinite(y)] = np.nan
    marks = 8.0 if beats is not None else 3.0
    lane = _LANE * 2 if beats is not None else 3.0
    high = min(float(np.nanmax(y, initial=GAIN)) + marks, _TALLEST)
    low = max(float(np.nanmin(y, initial=0.0)) - lane, -_TALLEST)
    height = 5.0 * math.ceil((high - low) / 5)
    width = 5.0 * math.ceil((_FOOT_OF_PULSE + shown * SPEED + 1.0) / 5)
    room = BAR_ROOM + 7.0 if multiples is not None else 0.0
    below, above = 9.0 + room, 8.0
    page_width = max(width + 2 * _MARGIN, 145.0 if multiples is not None else 0.0)
    page = new_page(page_width, height + below + above)
    axes = draw_paper(page, _MARGIN, below, width, height)
    base = height - high
    x = _FOOT_OF_PULSE + (samples / rate - start) * SPEED
    _draw_pulse(axes, base)
    if multiples is None or how.style == "bands":
        axes.plot(
            x, y + base, color=INK, linewidth=points(0.32), zorder=4, solid_joinstyle="round",
            gid=f"trace-{lead}-{start:g}",
        )  # fmt: skip
    if multiples is not None:
        of_lead = multiples[recording.leads.index(lead), samples]
        _draw_relevance(axes, x, y + base, of_lead, how, 1 / rate * SPEED, height)
    if beats is not None:
        _mark_beats(axes, beats, own_peaks(recording, lead, beats), start, shown, height)
        _mark_waves(axes, beats, start, shown)
    _mark_seconds(axes, start, shown)
    head = millimetre_axes(page, _MARGIN, below + height, page_width - 2 * _MARGIN, above)
    head.text(
        0, 1.6, f"{lead}   {title}".rstrip(), fontsize=points(3.4), color=INK, weight="bold", va="bottom",
        parse_math=False,
    )  # fmt: skip
    head.text(
        width, 1.6, f"{SPEED:g} mm/s   {GAIN:g} mm/mV   {rate:g} Hz", fontsize=points(2.6), color=QUIET,
        ha="right", va="bottom",
    )  # fmt: skip
    if multiples is not None:
        foot = millimetre_axes(page, _MARGIN, 0.0, page_width - 2 * _MARGIN, below)
        draw_colour_bar(
            foot, 0.0, below - 8.0, multiples[recording.leads.index(lead), samples], signed=how.signed,
            style=how.style, what=how.what, narrow=True,
        )  # fmt: skip
    return page


def _draw_pulse(axes: Axes, base: float) -> None:
    """1 mV for 0.2 s."""
    long = CALIBRATION_SECONDS * SPEED
    x = [1.5, 3.0, 3.0, 3.0 + long, 3.0 + long, 4.5 + long]
    y = [base, base, base + GAIN, base + GAIN, base, base]
    axes.plot(x, y, color=INK, linewidth=points(0.25), zorder=3, solid_joinstyle="miter", gid="calibration")


def _draw_relevance(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], multiples: NDArray[np.floating], how: Drawn,
    step: float, height: float,
) -> None:  # fmt: skip
    if how.style == "bands":
        colours, norm = shades(how.signed)
        shown = places(multiples) if how.signed else np.clip(multiples, LOWEST, HIGHEST)
        axes.pcolormesh(
            np.append(x, x[-1] + step), [0.3, height - 0.3], shown[None], cmap=colours, norm=norm,
            edgecolors="face", linewidth=0.25, zorder=1, gid="relevance",
        )  # fmt: skip
        return
    ends = np.stack([np.column_stack([x[:-1], y[:-1]]), np.column_stack([x[1:], y[1:]])], axis=1)
    sizes = np.abs(places(multiples[:-1]))
    axes.add_collection(
        LineCollection(
            list(ends), colors=trace_colours(multiples[:-1], how.signed).tolist(), zorder=4.5,
            linewidths=[points(0.35 + 0.65 * one) for one in sizes], capstyle="round", gid="relevance",
        ),
        autolim=False,
    )  # fmt: skip


def own_peaks(recording: Recording, lead: str, beats: Marks) -> NDArray[np.float64]:
    """Where each beat's QRS complex is farthest from its onset's level in this lead: (beats,) seconds.

    R peaks of a recording are those of all leads together; in a single one the top of R, or the foot of S,
    stands a little before or after. Up or down: as most beats of the lead, where a beat goes nearly as far
    both ways. The common R peak where the lead has no sample within the complex.
    """
    rate, values = recording.sampling_rate, recording[lead].astype(np.float64)
    peaks = np.asarray(beats.r_peaks, dtype=np.float64)
    places = np.full((len(peaks), 2), np.nan)  # down, up
    sizes = np.zeros((len(peaks), 2))
    for beat, (onset, end) in enumerate(np.asarray(beats.spans("QRS"))):
        if not (np.isfinite(onset) and np.isfinite(end)):
            continue
        first, last = max(0, math.ceil(onset * rate)), min(len(values) - 1, math.floor(end * rate))
        inside = values[first : last + 1]
        if not np.isfinite(inside).any():
            continue
        level = inside[np.isfinite(inside)][0]
        lowest, highest = int(np.nanargmin(inside)), int(np.nanargmax(inside))
        places[beat] = (first + lowest) / rate, (first + highest) / rate
        sizes[beat] = level - inside[lowest], inside[highest] - level
    usual = int(np.median(sizes[:, 1]) >= np.median(sizes[:, 0])) if len(peaks) else 1
    chosen = np.where(sizes[:, usual] >= _NEARLY * sizes[:, 1 - usual], usual, 1 - usual)
    own = places[np.arange(len(peaks)), chosen]
    return np.where(np.isfinite(own), own, peaks)


def _mark_beats(
    axes: Axes, beats: Marks, own: NDArray[np.float64], start: float, shown: float, height: float
) -> None:
    """A mark above each beat's own peak; between two, the common RR interval and the rate that it makes."""
    seen = (own >= start) & (own <= start + shown)
    inside, places_x = np.asarray(beats.r_peaks)[seen], _FOOT_OF_PULSE + (own[seen] - start) * SPEED
    axes.plot(
        places_x, np.full(len(places_x), height - 2.2), "v", color=colour_of(1), markersize=points(1.8),
        zorder=6, gid="r-peaks",
    )  # fmt: skip
    middles = (places_x[:-1] + places_x[1:]) / 2
    for first, second, at in zip(inside[:-1], inside[1:], middles, strict=True):
        interval = second - first
        axes.text(
            at, height - 2.2, f"{1000 * interval:.0f} ms, {60 / interval:.0f}/min",
            fontsize=points(2.4), color=INK, ha="center", va="center", zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
        )  # fmt: skip


def _mark_waves(axes: Axes, beats: Marks, start: float, shown: float) -> None:
    """A bar with its name below each wave."""
    for number, wave in enumerate(WAVES):
        colour = colour_of((2, 0, 3, 4)[number])
        for onset, end in np.asarray(beats.spans(wave)):
            first, last = max(onset, start), min(end, start + shown)
            if not last > first:
                continue
            x, width = _FOOT_OF_PULSE + (first - start) * SPEED, (last - first) * SPEED
            axes.add_patch(
                Rectangle(
                    (x, 1.0), width, 1.2, facecolor=colour, edgecolor="white", linewidth=points(0.15),
                    zorder=5, gid=f"wave-{wave}",
                )
            )  # fmt: skip
            if width >= 1.15 * len(wave):
                axes.text(
                    x + width / 2, 2.6, wave, fontsize=points(2.3), color=INK, ha="center", va="bottom",
                    zorder=6,
                )  # fmt: skip


def _mark_seconds(axes: Axes, start: float, shown: float) -> None:
    step = 0.5 if shown > 1 else 0.1
    for number in range(int(shown / step + 1e-9) + 1):
        x = _FOOT_OF_PULSE + number * step * SPEED
        axes.plot([x, x], [-1.2, 0], color=QUIET, linewidth=points(0.2), clip_on=False, zorder=3)
        text = f"{start + number * step:g}" + (" s" if number == 0 else "")
        axes.text(x, -1.6, text, fontsize=points(2.3), color=QUIET, va="top", ha="center")
