"""The quality of one recording, as a value that prints; and, for many records, as columns of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.quality.judging import FLAGS, INCONSISTENT, Judgement, judge, stronger_line
from leadlight.quality.limb_leads import SUSPECTED
from leadlight.quality.measures import LOWEST_RATE, SHORTEST, Measures, check_signals, find_gaps, measure

# Drift is left out: every model takes it away first.
_COLUMN_OF = {flag: f"{flag}_leads" for flag in FLAGS if flag != "drifting"}
COLUMNS = (*_COLUMN_OF.values(), "limb_leads")
"""What an index keeps of each record: five lists of leads, and the verdict on the limb leads."""

MEANINGS = {
    INCONSISTENT: "they break Einthoven's or Goldberger's law and cannot all be what their labels say",
    "RA-LA": "exchanged arm electrodes suspected (I upside down, II and III exchanged)",
    "RA-LL": "exchange of right arm and left leg suspected (II upside down, I and III inverted, too)",
    "RA-RL": "right arm electrode on the right leg suspected (II nearly flat)",
    "LA-RL": "left arm electrode on the right leg suspected (III nearly flat)",
}
"""What each verdict on the limb leads says."""


@dataclass(frozen=True, slots=True)
class LeadQuality:
    """What was measured of one lead.

    missing: share of samples; longest_gap: seconds; flat: share of the time; saturated: seconds at
    the rail; noise: mV root mean square; noise_to_qrs: over the same measure of the QRS; drift: mV;
    mains: mV root mean square at mains_frequency Hz, both None where the rate does not show it;
    range: mV; flags: those of missing, flat, saturated, noisy, mains, drifting that are raised.
    """

    lead: str
    missing: float
    longest_gap: float
    flat: float
    saturated: float
    noise: float
    noise_to_qrs: float
    mains: float | None
    mains_frequency: float | None
    drift: float
    range: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LimbLeads:
    """What can be told of how the limb electrodes were connected.

    verdict: None, RA-LA, RA-LL, RA-RL, LA-RL or inconsistent (``MEANINGS``); assessed: whether
    I, II and V1 to V6 were there and alive, so that None means "nothing suspected";
    einthoven, goldberger: mV root mean square by which the laws are missed, None without the leads;
    margins: how much better than a correct connection each exchange fits (-2 to 2).
    LA-LL, LL-RL and exchanged chest electrodes cannot be told from one recording.
    """

    verdict: str | None
    assessed: bool
    einthoven: float | None
    goldberger: float | None
    margins: dict[str, float]


@dataclass(frozen=True, slots=True)
class Quality:
    """Signal quality of a recording: one ``LeadQuality`` a lead, and what the limb leads say."""

    leads: tuple[LeadQuality, ...]
    limb_leads: LimbLeads
    sampling_rate: float
    duration: float

    def __getitem__(self, lead: str) -> LeadQuality:
        for one in self.leads:
            if one.lead == lead:
                return one
        raise KeyError(f"no lead {lead!r}; there are {', '.join(one.lead for one in self.leads)}")

    def __repr__(self) -> str:
        said = [f"{flag} {', '.join(leads)}" for flag in FLAGS if (leads := self.flagged(flag))]
        if self.limb_leads.verdict:
            said.append(f"limb leads {self.limb_leads.verdict}")
        return f"Quality({len(self.leads)} leads: {'; '.join(said) or 'nothing found'})"

    def __str__(self) -> str:
        rows = self.table()
        names = list(rows[0]) if rows else []
        cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
        return "\n".join([*lines, *self.remarks()])

    @property
    def is_good(self) -> bool:
        """Whether no flag is raised and nothing is suspected of the limb leads."""
        return not any(one.flags for one in self.leads) and self.limb_leads.verdict is None

    def flagged(self, flag: str) -> tuple[str, ...]:
        """Leads with this flag: missing, flat, saturated, noisy, mains or drifting."""
        if flag not in FLAGS:
            raise KeyError(f"no flag {flag!r}; there are {', '.join(FLAGS)}")
        return tuple(one.lead for one in self.leads if flag in one.flags)

    def columns(self) -> dict[str, Any]:
        """The six columns that an index keeps; mains_leads is None where the rate does not show mains."""
        values: dict[str, Any] = {column: self.flagged(flag) for flag, column in _COLUMN_OF.items()}
        if any(one.mains is None for one in self.leads):
            values["mains_leads"] = None
        return {**values, "limb_leads": self.limb_leads.verdict}

    def table(self) -> list[dict[str, Any]]:
        """One row a lead, in the units of a reader: percent, microvolts, millivolts."""
        return [
            {
                "lead": one.lead,
                "missing %": _round(100 * one.missing, 1),
                "flat %": _round(100 * one.flat, 1),
                "saturated s": _round(one.saturated, 2),
                "noise µV": _round(1000 * one.noise, 1),
                "mains µV": None if one.mains is None else _round(1000 * one.mains, 1),
                "drift mV": _round(one.drift, 2),
                "range mV": _round(one.range, 2),
                "flags": ", ".join(one.flags) or "-",
            }
            for one in self.leads
        ]

    def remarks(self) -> list[str]:
        """What belongs below the table: limb leads, and what could not be assessed."""
        limb = self.limb_leads
        lines = []
        if limb.verdict:
            lines.append(f"limb leads: {limb.verdict}: {MEANINGS[limb.verdict]}")
        elif limb.assessed:
            lines.append("limb leads: nothing suspected (LA-LL cannot be told)")
        else:
            lines.append("limb leads: not assessed: I, II and V1 to V6 are needed, whole and alive")
        if limb.einthoven is not None:
            lines.append(f"Einthoven's law: I + III - II is {1000 * limb.einthoven:.1f} µV root mean square")
        if any(one.mains is None for one in self.leads):
            lines.append(f"mains: not assessed: {self.sampling_rate:g} Hz does not show 50 and 60 Hz")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "leads": [{**asdict(one), "flags": list(one.flags)} for one in self.leads]}


def _round(value: float, digits: int) -> float:
    return round(float(value), digits)


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)


def examine(signal: NDArray[Any], leads: Sequence[str], sampling_rate: float) -> Quality:
    """Signal quality of one recording.

    signal: (leads, samples); int16 in microvolts with -32768 for a missing sample, or floating
    point in millivolts with NaN; leads: canonical names; sampling_rate: Hz, at least 100.
    Raises SignalError for another shape or type, a lower rate, or less than 2 s.
    """
    if signal.ndim != 2:
        raise SignalError(f"quality: found shape {signal.shape}; accepted: (leads, samples).")
    measures = measure(signal[None], leads, sampling_rate)
    duration = signal.shape[1] / sampling_rate
    found = judge(measures, leads, duration)
    return Quality(
        tuple(_lead(measures, found, place, lead) for place, lead in enumerate(leads)),
        LimbLeads(
            found.limb_leads[0],
            bool(found.limb_assessed[0]),
            _number(measures.einthoven[0]),
            _number(measures.goldberger[0]),
            dict(zip(SUSPECTED, map(float, found.margin[0]), strict=True)) if found.limb_assessed[0] else {},
        ),
        float(sampling_rate),
        duration,
    )


def _number(value: np.float32) -> float | None:
    return float(value) if np.isfinite(value) else None


def _lead(measures: Measures, found: Judgement, place: int, lead: str) -> LeadQuality:
    at = (0, place)
    frequency, mains = (None, None) if measures.mains is None else stronger_line(measures.mains[at])
    return LeadQuality(
        lead=lead,
        missing=float(measures.missing[at]),
        longest_gap=float(measures.longest_gap[at]),
        flat=float(measures.flat[at]),
        saturated=float(measures.rail[at]),
        noise=float(measures.noise[at]),
        noise_to_qrs=float(measures.noise[at] / max(measures.qrs[at], np.float32(1e-6))),
        mains=mains,
        mains_frequency=frequency,
        drift=float(measures.drift[at]),
        range=float(measures.range[at]),
        flags=tuple(flag for flag in FLAGS if (raised := found.flags[flag]) is not None and raised[at]),
    )


def quality_columns(
    signals: NDArray[Any], leads: Sequence[str], sampling_rate: float
) -> list[dict[str, Any]]:
    """The six columns of each of many records, without the measures: for preparing a store.

    signals: (records, leads, samples), as ``examine`` takes them. Returns for each record
    missing_leads, flat_leads, saturated_leads, noisy_leads and mains_leads (tuples of leads, None
    where not assessed: mains below 140 Hz) and limb_leads (a verdict or None). Where the rate is below
    100 Hz or the record shorter than 2 s, only missing and wholly constant leads are named.
    Raises SignalError for another shape or type, and for infinite samples.
    """
    leads = tuple(leads)
    check_signals(signals, leads)
    if not len(signals):
        return []
    if sampling_rate < LOWEST_RATE or signals.shape[2] < SHORTEST * sampling_rate:
        return _short(signals, leads)
    found = judge(measure(signals, leads, sampling_rate), leads, signals.shape[2] / sampling_rate)
    rows: list[dict[str, Any]] = [{"limb_leads": verdict} for verdict in found.limb_leads]
    for flag, name in _COLUMN_OF.items():
        raised = found.flags[flag]
        for row in rows:
            row[name] = None if raised is None else ()
        if raised is not None and raised.any():
            for record in np.flatnonzero(raised.any(axis=1)).tolist():
                rows[record][name] = tuple(leads[place] for place in np.flatnonzero(raised[record]))
    return rows


def _short(signals: NDArray[Any], leads: tuple[str, ...]) -> list[dict[str, Any]]:
    found = find_gaps(signals) if signals.size else None
    gaps = np.zeros(signals.shape, dtype=np.bool_) if found is None else found
    values = np.where(gaps, np.nan, signals.astype(np.float32))
    highest = np.fmax.reduce(values, axis=2, initial=-np.inf)
    lowest = np.fmin.reduce(values, axis=2, initial=np.inf)
    constant = (highest == lowest) & ((~gaps).sum(axis=2) > 1)  # one sample alone tells nothing
    return [
        {
            **dict.fromkeys(COLUMNS),
            "missing_leads": tuple(leads[place] for place in np.flatnonzero(gap.any(axis=1))),
            "flat_leads": tuple(leads[place] for place in np.flatnonzero(flat)),
        }
        for gap, flat in zip(gaps, constant, strict=True)
    ]
