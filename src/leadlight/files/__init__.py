"""From files to recordings and back: formats, one file each; WFDB first.

``read`` gives millivolts and canonical leads, ``write`` writes them, ``find_recordings``
expands folders; ``leadlight.files.wfdb`` also reads headers alone and counts as stored.
Which records make a data set, and what their statements mean, is not known here.
"""

from __future__ import annotations

from leadlight.files.find import find_recordings
from leadlight.files.wfdb import read_wfdb as read
from leadlight.files.wfdb_write import write_wfdb as write

__all__ = ["find_recordings", "read", "write"]
