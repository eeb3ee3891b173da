"""Prepared data on disk: write a data set once, open it, take records out of it, verify it.

``layout.py`` says what a store looks like; ``converting.py`` brings one record into that
form, ``shards.py``, ``describing.py``, ``workspace.py`` and ``preparing.py`` write,
``reading.py`` reads, ``selection.py`` chooses, ``verifying.py`` checks, ``opening.py``
finds or makes the store of a folder. What a data set holds is known by
``leadlight.datasets``, file formats by ``leadlight.files``, what a model eats by
``leadlight.signal``.
"""

from __future__ import annotations

from leadlight.store.opening import open_or_prepare
from leadlight.store.preparing import prepare, store_index
from leadlight.store.reading import Store, open_store
from leadlight.store.selection import Selection, select
from leadlight.store.verifying import Check, verify

__all__ = [
    "Check",
    "Selection",
    "Store",
    "open_or_prepare",
    "open_store",
    "prepare",
    "select",
    "store_index",
    "verify",
]
