"""Download a data set from its own official address: parallel, resumed, checked.

``listing.py`` reads which files there are and their checksums, ``download.py`` brings one
file, ``archives.py`` unpacks, ``fetch.py`` does the whole. Nothing here is called unless
the user asks for a download.
"""

from __future__ import annotations

from leadlight.datasets.fetching.fetch import Fetched, check, fetch

__all__ = ["Fetched", "check", "fetch"]
