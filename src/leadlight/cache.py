"""The one folder where Leadlight keeps what it can make again; delete it at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder that ``LEADLIGHT_CACHE`` names, else the user's cache folder; not created here."""
    named = os.environ.get("LEADLIGHT_CACHE", "")
    if named:
        return Path(named).expanduser().resolve()
    from platformdirs import user_cache_path

    return user_cache_path("leadlight", appauthor=False)
