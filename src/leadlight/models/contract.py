"""What every model promises, and the checks at its door.

A model is an ``nn.Module`` with

- ``__init__(n_classes, n_leads, n_samples, sampling_rate, *, own arguments)``;
- ``forward(signal, metadata=None)``: (batch, leads, samples) to logits (batch, classes), never a sigmoid;
- ``features(signal, metadata=None)``: the vector before the head, (batch, features);
- ``attention(signal, metadata=None)``: named maps, only where the paper has them,
  each summing to one over its last axis;
- ``cam_layer``: name of the submodule whose output Grad-CAM uses, (batch, channels, 1 or leads, steps)
  or (batch, channels, steps), spread evenly over the signal; where it is otherwise, also
  ``cam_axes`` (its axes by name, as "steps batch channels"), ``cam_places(steps)`` (for each sample
  its place on the axis of the steps, one list or several that are added), ``cam_layers`` with
  ``cam_leads`` (several layers, and the leads that each has read);
- ``reset_head(n_classes)``: a fresh last layer;
- ``training_outputs(signal, metadata=None)``: only with several heads: the logits of each, of
  which ``forward`` gives the first; a loss must reach all of them.

In evaluation mode it is deterministic, and a record's logits do not depend on
the other records of its batch.
"""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real

import torch
from torch import Tensor

from leadlight.errors import ModelError


def check_sizes(name: str, **sizes: object) -> None:
    """Refuse sizes that are no finite numbers above 0, by name; numbers of things (n_...) are whole."""
    for size, value in sizes.items():
        whole = size.startswith("n_")
        kind = Integral if whole else Real
        if isinstance(value, bool) or not isinstance(value, kind) or not isfinite(float(value)):
            words = "a whole number" if whole else "a finite number"
            raise ModelError(f"{name}, {size}: found {value!r}; accepted: {words} above 0.")
        if not float(value) > 0:
            raise ModelError(f"{name}, {size}: found {value}; accepted: above 0.")


def check_signal(signal: Tensor, n_leads: int, n_samples: int) -> None:
    """Refuse anything but finite floating-point (batch, n_leads, n_samples), naming what was expected."""
    expected = f"(batch, {n_leads} leads, {n_samples} samples)"
    if signal.ndim != 3:
        raise ModelError(f"signal: found {signal.ndim} axes {tuple(signal.shape)}; accepted: {expected}.")
    if signal.shape[1] != n_leads:
        turned = " The last axis is time: transpose it?" if signal.shape[2] == n_leads else ""
        raise ModelError(f"signal: found {signal.shape[1]} leads; accepted: {expected}.{turned}")
    if signal.shape[2] != n_samples:
        raise ModelError(f"signal: found {signal.shape[2]} samples; accepted: {expected}.")
    if not signal.is_floating_point():
        raise ModelError(
            f"signal: found {str(signal.dtype).removeprefix('torch.')}; accepted: floating-point "
            "values, scaled by the model's preprocessing."
        )
    # A compiled graph cannot branch on values: there the caller has checked.
    if not torch.compiler.is_compiling() and not bool(torch.isfinite(signal).all()):
        raise ModelError("signal: found values that are NaN or infinite; accepted: finite values.")


def refuse_metadata(name: str, metadata: Tensor | None) -> None:
    """For models that read the signal alone."""
    if metadata is not None:
        raise ModelError(f"{name}: found metadata; this model reads the signal alone.")
