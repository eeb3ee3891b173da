"""The truth of a simulated recording: what was asked for, when each wave is, where each finding lies."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import DatasetError, LabelError, SignalError
from leadlight.leads import STANDARD_LEADS, canonical_lead

# What zipfile, NumPy and JSON say of a damaged file.
_SAID_OF_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)

BOUNDARIES = ("p_onset", "p_end", "qrs_onset", "qrs_end", "t_onset", "t_end")


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a simulated recording.

    duration: seconds; r_peaks: (beats,) seconds; boundaries: (beats, 6) seconds, in the order of
    ``BOUNDARIES``, NaN where a beat has no such wave; runs: statement -> int32 (runs, 3) of lead
    (place in the standard order), first and last + 1 sample at ``runs_rate`` Hz, where the finding
    shows; parameters: what was asked for (heart rate a minute, intervals in seconds, axes in
    degrees, severities, noise).
    """

    duration: float
    r_peaks: NDArray[np.float64]
    boundaries: NDArray[np.float64]
    runs: dict[str, NDArray[np.int32]]
    runs_rate: float
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def located(self) -> tuple[str, ...]:
        """The statements that have a place on the tracing."""
        return tuple(self.runs)

    def mask(
        self, code: str, sampling_rate: float, leads: tuple[str, ...] = STANDARD_LEADS
    ) -> NDArray[np.bool_]:
        """Where a finding shows: bool (leads, samples) at this sampling rate (Hz).

        A wave of a beat belongs to a finding in a lead when the criteria of the finding speak of this
        wave and the finding changed it there by 0.05 mV or more, against the same heart without it.
        LabelError for a statement without a place, such as NORM or SR.
        """
        if code not in self.runs:
            places = ", ".join(self.runs) or "none"
            raise LabelError(f"mask of {code!r}: found no place for it in this recording; it has: {places}.")
        if not sampling_rate > 0:
            raise SignalError(f"mask: found a sampling rate of {sampling_rate}; accepted: above 0 Hz.")
        full = np.zeros((len(STANDARD_LEADS), round(self.duration * sampling_rate)), dtype=bool)
        scale = sampling_rate / self.runs_rate
        for lead, first, stop in self.runs[code]:
            full[lead, round(first * scale) : max(round(stop * scale), round(first * scale) + 1)] = True
        return full[[STANDARD_LEADS.index(canonical_lead(lead) or lead) for lead in leads]]


def truth_path(root: Path, record_id: int) -> Path:
    """Where the truth of a record stands: truth/NNNNN/XXXXX.npz."""
    return root / "truth" / f"{record_id // 1000 * 1000:05d}" / f"{record_id:05d}.npz"


def write_truth(truth: Truth, path: Path) -> None:
    """Write as .npz of plain arrays; the masks as runs, the parameters as JSON text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codes = list(truth.runs)
    lengths = [len(truth.runs[code]) for code in codes]
    about = {
        "duration": truth.duration,
        "runs_rate": truth.runs_rate,
        "codes": codes,
        "lengths": lengths,
        "boundaries": BOUNDARIES,
        "leads": STANDARD_LEADS,
        "parameters": truth.parameters,
    }
    runs = np.concatenate([truth.runs[code] for code in codes]) if codes else np.zeros((0, 3), np.int32)
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    np.savez(path, r_peaks=truth.r_peaks, boundaries=truth.boundaries, runs=runs, about=text)


def read_truth(root: str | Path, record_id: int | str) -> Truth:
    """The truth of one record of a simulated data set.

    root: its folder; record_id: the ecg_id. DatasetError where there is none, or it is damaged.
    """
    path = truth_path(Path(root), int(record_id))
    if not path.is_file():
        raise DatasetError(
            f"{path}: not found; accepted: a record of a simulated data set (leadlight simulate DIR)."
        )
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            about = json.loads(stored["about"].tobytes())
            pieces = np.split(stored["runs"], np.cumsum(about["lengths"])[:-1]) if about["codes"] else []
            return Truth(
                duration=about["duration"],
                r_peaks=stored["r_peaks"],
                boundaries=stored["boundaries"],
                runs=dict(zip(about["codes"], pieces, strict=True)),
                runs_rate=about["runs_rate"],
                parameters=about["parameters"],
            )
    except _SAID_OF_DAMAGE as error:
        raise DatasetError(
            f"{path}: cannot be read ({type(error).__name__}); accepted: the file as leadlight simulate "
            "wrote it. Simulate the data set again."
        ) from error
