"""Weights of the originals: published files read, and how their tensors become ours.

``importing.py`` makes a model folder of a file; ``keras_files.py`` and ``torch_files.py`` read
the formats (``hdf5.py``, ``keras_names.py`` beside them); ``published.py`` knows what a file
does not tell: leads, preprocessing, classes. One file a family, named after its models, takes
the original's tensors by their own names and in their own layouts, and gives a state dict
under our names. Nothing is executed from a file.
"""

from __future__ import annotations

from leadlight.originals.converting import Tensors, convert, convertible
from leadlight.originals.importing import Imported, import_weights, importable

__all__ = ["Imported", "Tensors", "convert", "convertible", "import_weights", "importable"]
