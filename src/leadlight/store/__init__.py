"""Prepared data on disk: write a data set once, open it, take records out of it, verify it.

layout.py        what a store looks like on disk
converting.py    one record from its file to counts; shards.py: many, one shard
processes.py     shards by processes of this machine; cluster.py: by a Ray cluster
describing.py    index and description from finished shards
workspace.py     the folder where a store grows, one writer at a time
preparing.py     all of that in order; opening.py finds or makes the store of a folder
reading.py       takes records out; statements.py holds what is said of them
selection.py     chooses records; verifying.py checks a store, integrity.py what its index says

conditions.py    reads ``--where``; filtering.py says which records meet it
combining.py     several stores as one: copies, patients, ids; joining.py reads them so
copying.py       shards and index from store to store; counting.py sums them up
merging.py       a new store of several, or of a part of one; appending.py adds to one

What a data set holds is known by ``leadlight.datasets``, file formats by ``leadlight.files``,
how good a signal is by ``leadlight.quality``, what a model eats by ``leadlight.signal``.
"""

from __future__ import annotations

from leadlight.store.appending import append
from leadlight.store.combining import Part, part_of_rows, parts_of
from leadlight.store.filtering import where_mask
from leadlight.store.integrity import Check
from leadlight.store.joining import JoinedStore, join
from leadlight.store.merging import filter_store, merge
from leadlight.store.opening import Data, open_data, open_or_prepare, places_of
from leadlight.store.preparing import ENGINES, prepare, store_index
from leadlight.store.reading import Store, open_store
from leadlight.store.selection import OWN_LABELS, Selection, label_space, select
from leadlight.store.verifying import verify

__all__ = [
    "ENGINES",
    "OWN_LABELS",
    "Check",
    "Data",
    "JoinedStore",
    "Part",
    "Selection",
    "Store",
    "append",
    "filter_store",
    "join",
    "label_space",
    "merge",
    "open_data",
    "open_or_prepare",
    "open_store",
    "part_of_rows",
    "parts_of",
    "places_of",
    "prepare",
    "select",
    "store_index",
    "verify",
    "where_mask",
]
