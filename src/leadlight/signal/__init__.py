"""From a recording to model input: resampling, gaps, and the one ``Preprocessing``.

Knows no file, no data set and no model.
"""

from __future__ import annotations

from leadlight.signal.gaps import interpolate_gaps
from leadlight.signal.preprocessing import Preprocessing, fit_scaling
from leadlight.signal.resample import resample, resample_recording

__all__ = ["Preprocessing", "fit_scaling", "interpolate_gaps", "resample", "resample_recording"]
