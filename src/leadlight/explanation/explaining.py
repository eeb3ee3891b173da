"""``explain``: a model, a recording and a method in, an explanation out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from leadlight.errors import ModelError
from leadlight.explanation.attention import compose, uniform
from leadlight.explanation.explanation import Explanation
from leadlight.explanation.target import find_class
from leadlight.signal import View

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.classifier.classifier import Longer, Readable


def explain(
    model: Classifier,
    recording: Readable,
    target: str | None = None,
    method: str = "attention",
    longer: Longer = "contract",
) -> Explanation:
    """Where a model looked in a recording.

    model: a classifier (``leadlight.load``); recording: a Recording or a path;
    target: code or description of a class; method: "attention", the model's own,
    which is the same for every class: a target then only marks its probability;
    longer: of a recording longer than the model's input, explain the part that its contract
    says, the "first" or the "centre" part; or "refuse" it.
    Raises ModelError (method, model without attention), LabelError (target) and
    ContractError (recording), each naming what is accepted.
    """
    if method not in METHODS:
        raise ModelError(f"method: found {method!r}; accepted: {', '.join(METHODS)}.")
    if not hasattr(model, "contract"):
        raise ModelError(
            f"model: found a {type(model).__name__}; accepted: a classifier, from leadlight.load(model)."
        )
    code = None if target is None else find_class(model.classes, target)
    return METHODS[method](model, model.view(recording, longer), code)


def _by_attention(model: Classifier, read: View, target: str | None) -> Explanation:
    parts, view = model.attention(read), read.recording
    if set(parts) != {"beat", "rhythm", "channel"}:
        raise ModelError(
            f"attention: found the levels {', '.join(parts)}; accepted: beat, rhythm and channel, "
            "whose product is drawn."
        )
    beat, rhythm, channel = parts["beat"], parts["rhythm"], parts["channel"]
    segment = int(model.module.segment_samples)  # type: ignore[arg-type]
    relevance, beyond = compose(beat, rhythm, channel, view.n_samples, segment)
    (prediction,) = model.predict_views([[read]])
    notes = prediction.notes
    if beyond > 0:
        notes = (*notes, f"{100 * beyond:.2g}% of the attention lay beyond the recording's end: not drawn")
    seconds, step = segment / view.sampling_rate, -(-segment // beat.shape[-1]) / view.sampling_rate
    meaning: tuple[str, ...] = (
        f"Colour: the model's attention, its three levels multiplied: lead × segment of {seconds:g} s × "
        f"step of {step:g} s.",
        "It does not depend on the class: the map is the same whatever is predicted.",
        "It shows what the network drew its summary from, not why: no cause, no sign, no proof. "
        "A step has seen up to its whole segment, and a segment the whole lead: do not read detail finer "
        f"than {seconds:g} s.",
    )
    if target is not None:
        description = dict(model.classes)[target]
        name = f"{target} ({description})" if description else target
        meaning = (
            *meaning[:2],
            f"{name} was asked for: its probability is marked, the map is that of every target.",
            *meaning[2:],
        )
    return Explanation(
        relevance=relevance,
        uniform=uniform((beat.shape[0], beat.shape[1], beat.shape[2]), view.n_samples, segment),
        recording=view,
        method="attention",
        target=target,
        class_dependent=False,
        signed=False,
        meaning=meaning,
        lead_importance=relevance.sum(axis=1),
        parts=parts,
        prediction=prediction,
        notes=notes,
    )


METHODS: dict[str, Callable[[Classifier, View, str | None], Explanation]] = {"attention": _by_attention}
