"""The kinds of steps that a preprocessing may have, by the names that recipes and contracts use."""

from __future__ import annotations

from leadlight.signal.filters import BandPass, HighPass, LowPass, MedianBaseline, Notch
from leadlight.signal.length import Crop, Pad
from leadlight.signal.missing import FillGaps, ZeroMissing
from leadlight.signal.resampling import Resample
from leadlight.signal.scaling import Clip, FixedScaling, GlobalScaling, LeadScaling, MinMax, ZScore
from leadlight.signal.step import Step

KINDS: dict[str, type[Step]] = {
    one.kind: one
    for one in (
        FillGaps,
        ZeroMissing,
        HighPass,
        LowPass,
        BandPass,
        Notch,
        MedianBaseline,
        Resample,
        Crop,
        Pad,
        Clip,
        GlobalScaling,
        LeadScaling,
        ZScore,
        MinMax,
        FixedScaling,
    )
}
"""In the order of the documentation."""
