"""Short gaps filled by straight lines, long ones refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SignalError
from leadlight.recording import Recording
from leadlight.signal.resample import bridge_gaps


def interpolate_gaps(recording: Recording, longest: float = 0.1) -> Recording:
    """Fill each gap (run of missing samples) of at most ``longest`` seconds by a straight line.

    A gap at the start or end is filled with the nearest value. Returns the recording
    with a note of how many gaps were filled in which lead; the same recording if
    it has none. Raises SignalError, which names lead and duration, for a longer gap
    and for a lead without any sample. The default bridges less than a QRS complex.
    """
    if not (longest >= 0 and np.isfinite(longest)):
        raise SignalError(f"interpolate_gaps: found longest = {longest}; accepted: seconds, 0 or more.")
    filled: list[str] = []
    for lead, row in zip(recording.leads, recording.signal, strict=True):
        lengths = gap_lengths(np.isnan(row))
        if not lengths.size:
            continue
        duration = float(lengths.max()) / recording.sampling_rate
        if lengths.max() == row.size:
            raise SignalError(
                f"interpolate_gaps: lead {lead} has no sample at all; leave it out with select."
            )
        # 0.3 s x 10 Hz is not 3 in binary.
        if lengths.max() > longest * recording.sampling_rate + 1e-6:
            raise SignalError(
                f"interpolate_gaps: found a gap of {duration:g} s in lead {lead}; accepted: at most "
                f"{longest:g} s. Crop the recording to a part without it, or raise longest."
            )
        filled.append(f"{lead} {lengths.size}")
    if not filled:
        return recording
    note = f"gaps of up to {longest:g} s filled by straight lines: {', '.join(filled)}"
    return replace(recording, signal=bridge_gaps(recording.signal), notes=(*recording.notes, note))


def gap_lengths(missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Samples in each run of True. missing: (samples,)."""
    edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    return edges[1::2] - edges[::2]
