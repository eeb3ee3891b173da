"""From the attention of a beat, a rhythm and a channel level to one relevance for every lead and sample.

Relevance of step k in segment t of lead l = channel(l) x rhythm(l, t) x beat(l, t, k).
As each level sums to one, so do all these numbers together. The mass of a step
is spread in equal parts over the samples that it stands for.

Levels: Reddy et al., IMLE-Net, IEEE SMC 2021, doi:10.1109/SMC52423.2021.9658706.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ModelError

Floats = NDArray[np.float64]


def compose(
    beat: NDArray[np.floating[Any]],
    rhythm: NDArray[np.floating[Any]],
    channel: NDArray[np.floating[Any]],
    n_samples: int,
    segment_samples: int,
) -> tuple[Floats, float]:
    """Relevance (leads, samples) that sums to one, and the share that lay beyond the recording's end.

    beat: (leads, segments, steps), rhythm: (leads, segments), channel: (leads,),
    each summing to one over its last axis; segment_samples: length of a segment.
    Step k of a segment stands for the samples from k * stride on, stride =
    ceil(segment_samples / steps), the last step for what is left (for 50 samples
    and 13 steps: 4k to 4k + 3, and 48 and 49).
    Where the last segment is filled up beyond the recording, what its attention
    spends there cannot be drawn: the rest is scaled to one again.
    Raises ModelError for levels that do not fit each other or do not sum to one.
    """
    beat, rhythm, channel = (np.asarray(level, dtype=np.float64) for level in (beat, rhythm, channel))
    _check(beat, rhythm, channel, n_samples, segment_samples)
    steps = channel[:, None, None] * rhythm[:, :, None] * beat
    length = _samples_of_steps(segment_samples, beat.shape[-1])
    spread = np.repeat(steps / length, length, axis=-1).reshape(len(channel), -1)
    inside = spread[:, :n_samples]
    total = float(inside.sum())
    return inside / total, 1.0 - total / float(spread.sum())


def uniform(shape: tuple[int, int, int], n_samples: int, segment_samples: int) -> Floats:
    """What ``compose`` gives when every lead, segment and step counts the same.

    shape: (leads, segments, steps). It is not quite the same for every sample: a
    last step that stands for fewer samples gives more to each of them.
    """
    leads, segments, steps = shape
    return compose(
        np.full(shape, 1 / steps), np.full((leads, segments), 1 / segments), np.full(leads, 1 / leads),
        n_samples, segment_samples,
    )[0]  # fmt: skip


def published_relevance(
    beat: NDArray[np.floating[Any]], channel: NDArray[np.floating[Any]], segment_samples: int
) -> tuple[Floats, Floats]:
    """Colour values (leads, samples) and colour limits (2,) of the published figure, for comparison only.

    beat: (leads, segments, steps); channel: (leads,). The steps of a segment are
    stretched over its samples by linear interpolation with aligned ends,
    multiplied by the channel attention and rescaled to 0 ... 1 over the record;
    the limits are the smallest and largest product before rescaling, so that most
    samples get the top colour. The rhythm level has no part in it.
    Source: the drawing code of github.com/likith012/IMLE-Net (Apache-2.0).
    """
    beat, channel = np.asarray(beat, dtype=np.float64), np.asarray(channel, dtype=np.float64)
    leads, segments, steps = beat.shape
    # Position of every sample on the axis of the steps.
    place = np.linspace(0, steps - 1, segment_samples)
    before = np.minimum(place.astype(int), steps - 2)
    stretched = beat[..., before] + (place - before) * (beat[..., before + 1] - beat[..., before])
    product = channel[:, None] * stretched.reshape(leads, segments * segment_samples)
    limits = np.array([product.min(), product.max()])
    return (product - limits[0]) / (limits[1] - limits[0]), limits


def _samples_of_steps(segment_samples: int, steps: int) -> NDArray[np.int64]:
    """How many samples each step of a segment stands for."""
    stride = -(-segment_samples // steps)
    borders = np.minimum(np.arange(steps + 1) * stride, segment_samples)
    lengths: NDArray[np.int64] = np.diff(borders)
    if not lengths.all():
        raise ModelError(
            f"attention: found {steps} steps for a segment of {segment_samples} samples, where steps of "
            f"{stride} samples leave the last ones without any; accepted: one step every n samples."
        )
    return lengths


def _check(beat: Floats, rhythm: Floats, channel: Floats, n_samples: int, segment_samples: int) -> None:
    if beat.ndim != 3 or rhythm.shape != beat.shape[:2] or channel.shape != beat.shape[:1]:
        raise ModelError(
            f"attention: found beat {beat.shape}, rhythm {rhythm.shape}, channel {channel.shape}; "
            "accepted: (leads, segments, steps), (leads, segments) and (leads,)."
        )
    segments = -(-n_samples // segment_samples)
    if segments != beat.shape[1]:
        raise ModelError(
            f"attention: found {beat.shape[1]} segments; accepted: {segments}, as {n_samples} samples in "
            f"segments of {segment_samples} give."
        )
    for name, level in (("beat", beat), ("rhythm", rhythm), ("channel", channel)):
        if not (level >= 0).all() or not np.allclose(level.sum(axis=-1), 1.0, atol=1e-4):
            raise ModelError(
                f"attention, {name}: found values that are not shares; accepted: numbers from 0 on, sum 1."
            )
