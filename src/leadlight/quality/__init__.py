"""Signal quality from the signal alone: gaps, flat lines, rails, noise, hum, drift, exchanged electrodes.

measures.py     what is measured of each lead, vectorised over many records
limb_leads.py   how the limb electrodes seem to be connected
judging.py      from measures to flags, by the limits in data/thresholds.toml
tables.py       the data files
examining.py    the values: ``Quality`` of one recording, columns of an index for many

Knows arrays and leads, no file and no ``Recording``: ``recording.quality()`` calls it.
"""

from __future__ import annotations

from leadlight.quality.examining import COLUMNS, LeadQuality, LimbLeads, Quality, examine, quality_columns
from leadlight.quality.tables import thresholds

__all__ = ["COLUMNS", "LeadQuality", "LimbLeads", "Quality", "examine", "quality_columns", "thresholds"]
