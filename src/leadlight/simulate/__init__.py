"""A heart that we can ask for the truth: simulated twelve-lead recordings whose findings are known.

A dipole made of Gaussian waves (``heart.py``, ``waves.py``), changed by findings (``findings.py``),
seen by the leads through Dower's matrix (``projection.py``), with noise at the electrodes
(``noise.py``). ``recording.py`` draws one recording, ``dataset.py`` writes many in PTB-XL's layout,
``mimic_layout.py`` very many in MIMIC-IV-ECG's,
``places.py`` and ``truth.py`` say where each finding lies. Numbers are in ``data/``, each with its
source. What statements mean to a model (labels) and how data sets are read lives elsewhere.
"""

from __future__ import annotations

from leadlight.simulate.dataset import simulate_dataset
from leadlight.simulate.mimic_layout import simulate_mimic_iv_ecg
from leadlight.simulate.places import criteria_leads
from leadlight.simulate.recording import conditions, simulate_recording
from leadlight.simulate.truth import Truth, read_truth

__all__ = [
    "Truth",
    "conditions",
    "criteria_leads",
    "read_truth",
    "simulate_dataset",
    "simulate_mimic_iv_ecg",
    "simulate_recording",
]
