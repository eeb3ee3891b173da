"""From files to recordings and back: formats, one file each; WFDB first.

``read`` gives millivolts and canonical leads, ``write`` writes them, ``find_recordings``
expands folders; ``leadlight.files.wfdb`` also reads headers alone and counts as stored.

wfdb.py             from a path to a Recording; wfdb_write.py: and back
wfdb_header.py      a header as a whole, wfdb_lines.py its lines, wfdb_channels.py what they
                    mean, header_comments.py age, sex and diagnoses in its comments
wfdb_data.py        the samples: checks, format 16; wfdb_other.py: all other formats, through
                    the ``wfdb`` package; wfdb_segments.py: records in parts
find.py             which recordings files and folders mean

Which records make a data set, and what their statements mean, is not known here.
"""

from __future__ import annotations

from leadlight.files.find import find_recordings
from leadlight.files.wfdb import read_wfdb as read
from leadlight.files.wfdb_write import write_wfdb as write

__all__ = ["find_recordings", "read", "write"]
