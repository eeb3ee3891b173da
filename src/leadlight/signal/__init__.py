"""From a recording to model input: resampling, gaps, and the one ``Preprocessing`` with its steps.

Knows no file, no data set and no model. Each family of steps has its file:
``missing``, ``filters``, ``resampling``, ``length``, ``scaling``. Age and sex, which some
models read beside the signal: ``metadata``.
"""

from __future__ import annotations

from leadlight.signal.filters import BandPass, HighPass, LowPass, MedianBaseline, Notch
from leadlight.signal.gaps import interpolate_gaps
from leadlight.signal.length import Crop, Pad
from leadlight.signal.metadata import Metadata, fit_metadata
from leadlight.signal.missing import FillGaps, ZeroMissing
from leadlight.signal.preprocessing import Preprocessing, View, fit
from leadlight.signal.resample import resample, resample_recording
from leadlight.signal.resampling import Resample
from leadlight.signal.scaling import (
    Clip,
    FixedScaling,
    GlobalScaling,
    LeadScaling,
    MinMax,
    ZScore,
    fit_scaling,
)
from leadlight.signal.step import Step
from leadlight.signal.steps import KINDS

__all__ = [
    "KINDS",
    "BandPass",
    "Clip",
    "Crop",
    "FillGaps",
    "FixedScaling",
    "GlobalScaling",
    "HighPass",
    "LeadScaling",
    "LowPass",
    "MedianBaseline",
    "Metadata",
    "MinMax",
    "Notch",
    "Pad",
    "Preprocessing",
    "Resample",
    "Step",
    "View",
    "ZScore",
    "ZeroMissing",
    "fit",
    "fit_metadata",
    "fit_scaling",
    "interpolate_gaps",
    "resample",
    "resample_recording",
]
