"""Weights of the originals: how each published network's tensors become ours.

One file a family, named after its models. A function takes the original's tensors by
their own names and in their own layouts, and gives a state dict under our names. Files
are read elsewhere; nothing here is executed from a file.
"""

from __future__ import annotations

from leadlight.originals.converting import Tensors, convert, convertible

__all__ = ["Tensors", "convert", "convertible"]
