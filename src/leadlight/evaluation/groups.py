"""Which group each record of a store is in: by sex, age, source, device, signal quality, heart rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import EvaluationError, did_you_mean
from leadlight.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from leadlight.store import Store

ATTRIBUTES = ("sex", "age", "source", "device", "quality", "heart-rate")
"""What costs nothing: from the store's index alone, where it has them."""
MEASURED = "measured-heart-rate"
"""Heart rate of the signal itself, by NeuroKit2 (extra ``beats``): about a minute for 2,000 records."""
AGE_BANDS = ((0, "under 18"), (18, "18-39"), (40, "40-59"), (60, "60-79"), (80, "80 and over"))
"""First age in years, and name."""
RATE_BANDS = ((0, "under 60 a minute"), (60, "60-100 a minute"), (100.0001, "over 100 a minute"))
"""Bradycardia and tachycardia of adults."""
_FLAGS = ("missing_leads", "flat_leads", "saturated_leads", "noisy_leads", "mains_leads")
_RATE_COLUMNS = ("heart_rate", "rr_interval")


def groups_of(
    store: Store,
    rows: NDArray[np.int64],
    wanted: Sequence[str] = ATTRIBUTES,
    on_progress: ProgressCallback = silent,
) -> dict[str, list[str | None]]:
    """attribute -> group of each of these rows, None where it is not known.

    sex; age: AGE_BANDS; source: the collection; quality: whether anything was remarked on a lead's signal,
    by Leadlight or by the data set; heart-rate: RATE_BANDS, from the data set's own measurements;
    "measured-heart-rate": from the signal. Any other name is a text column of the data set's own, such as
    "device". An attribute that the store does not have is left out where it is one of ATTRIBUTES.
    Raises EvaluationError for another name that is no text column.
    """
    own: Mapping[str, str] = store.description["columns"]
    check_attributes(store, wanted)
    found: dict[str, list[str | None]] = {}
    for name in wanted:
        reader = _READERS.get(name)
        if name == MEASURED:
            found[name] = _banded(measured_heart_rates(store, rows, on_progress), RATE_BANDS)
        elif reader is not None:
            groups = reader(store, rows)
            if groups is not None:
                found[name] = groups
        elif own.get(name) == "text":
            found[name] = [one or None for one in _column(store, rows, name)]
    return found


def check_attributes(store: Store, wanted: Sequence[str]) -> None:
    """Raise EvaluationError for a name that ``groups_of`` would refuse; before any work is done for it."""
    texts = [one for one, kind in store.description["columns"].items() if kind == "text"]
    accepted = sorted({*ATTRIBUTES, MEASURED, *texts})
    for name in wanted:
        if name not in accepted:
            raise EvaluationError(
                f"subgroups: found {name!r}; accepted: {', '.join(accepted)}.{did_you_mean(name, accepted)}"
            )


def measured_heart_rates(
    store: Store, rows: NDArray[np.int64], on_progress: ProgressCallback = silent
) -> NDArray[np.float64]:
    """Beats a minute of each row: the median over leads II, V1 and V5 as far as their beats are found.

    NaN where no lead has three beats that NeuroKit2 finds. Raises EvaluationError without NeuroKit2.
    """
    try:
        import neurokit2
    except ImportError:
        raise EvaluationError(
            f"{MEASURED}: NeuroKit2 finds the beats and is not installed: pip install 'leadlight[beats]'."
        ) from None
    rates = np.full(len(rows), np.nan)
    for number, row in enumerate(rows):
        signals = np.nan_to_num(store.signals([int(row)], ["II", "V1", "V5"])[0].astype(np.float64))
        of_leads = []
        for signal in signals:
            try:
                cleaned = neurokit2.ecg_clean(signal, sampling_rate=int(store.sampling_rate))
                _, peaks = neurokit2.ecg_peaks(cleaned, sampling_rate=int(store.sampling_rate))
            except (ValueError, IndexError, ZeroDivisionError):
                continue  # a flat or very short lead
            beats = np.asarray(peaks["ECG_R_Peaks"], dtype=np.float64)
            if len(beats) >= 3:
                of_leads.append(60 * store.sampling_rate / np.median(np.diff(beats)))
        if of_leads:
            rates[number] = np.median(of_leads)
        on_progress(number + 1, len(rows), "heart rates measured")
    return rates


def _column(store: Store, rows: NDArray[np.int64], name: str) -> list[Any]:
    values: list[Any] = store.columns(name)[name].take(rows).to_pylist()
    return values


def _sex(store: Store, rows: NDArray[np.int64]) -> list[str | None]:
    return _column(store, rows, "sex")


def _age(store: Store, rows: NDArray[np.int64]) -> list[str | None]:
    ages = [np.nan if one is None else one for one in _column(store, rows, "age")]
    return _banded(np.array(ages, dtype=np.float64), AGE_BANDS)


def _source(store: Store, rows: NDArray[np.int64]) -> list[str | None]:
    return [one or None for one in _column(store, rows, "source")]


def _quality(store: Store, rows: NDArray[np.int64]) -> list[str | None]:
    remarked = [_column(store, rows, name) for name in (*_FLAGS, "limb_leads", "quality")]
    return ["something remarked" if any(one) else "nothing remarked" for one in zip(*remarked, strict=True)]


def _heart_rate(store: Store, rows: NDArray[np.int64]) -> list[str | None] | None:
    own = store.description["columns"]
    name = next((one for one in _RATE_COLUMNS if own.get(one) == "number"), None)
    if name is None:
        return None
    values = np.array(
        [np.nan if one is None else one for one in _column(store, rows, name)], dtype=np.float64
    )
    if name == "rr_interval":  # milliseconds
        values = 60_000 / np.where(values > 0, values, np.nan)
    return _banded(values, RATE_BANDS)


def _banded(values: NDArray[np.float64], bands: Sequence[tuple[float, str]]) -> list[str | None]:
    """The name of each value's band; None for NaN and for values below the first."""
    place = np.searchsorted([first for first, _ in bands], values, side="right") - 1
    return [
        None if value != value or at < 0 else bands[at][1] for value, at in zip(values, place, strict=True)
    ]


_READERS: dict[str, Callable[[Store, NDArray[np.int64]], list[str | None] | None]] = {
    "sex": _sex,
    "age": _age,
    "source": _source,
    "quality": _quality,
    "heart-rate": _heart_rate,
}
