"""``explain``: a model, a recording and a method in, an explanation for each target out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, overload

from leadlight.errors import LabelError, ModelError, did_you_mean, kind_of
from leadlight.explanation.explanation import Cost, Explanation
from leadlight.explanation.methods import METHODS, usable
from leadlight.explanation.reading import Reading
from leadlight.explanation.target import find_class

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leadlight.classifier import Classifier, Prediction
    from leadlight.classifier.classifier import Longer, Readable
    from leadlight.explanation.method import Map, Method, Settings


@overload
def explain(
    model: Classifier,
    recording: Readable,
    target: str | None = None,
    method: str = "attention",
    longer: Longer = "contract",
    **settings: Any,
) -> Explanation: ...


@overload
def explain(
    model: Classifier,
    recording: Readable,
    target: Sequence[str],
    method: str = "attention",
    longer: Longer = "contract",
    **settings: Any,
) -> list[Explanation]: ...


def explain(
    model: Classifier,
    recording: Readable,
    target: str | Sequence[str] | None = None,
    method: str = "attention",
    longer: Longer = "contract",
    **settings: Any,
) -> Explanation | list[Explanation]:
    """Where a model looked in a recording.

    model: a classifier (``leadlight.load``); recording: a Recording or a path; target: code or
    description of a class, or several, which are explained together and come as a list; method: a
    name of ``leadlight.explanation.METHODS``; attention is the same for every class, so that a
    target only marks its probability; longer: of a recording longer than the model's input, explain what
    its contract says, the "first" or the "centre" part, or all of it in "windows", as a prediction
    reads them; or "refuse" it; settings: of the method, by name.
    Raises ModelError (method, setting, or a model that the method cannot explain), LabelError (target)
    and ContractError (recording), each naming what is accepted.
    """
    chosen = find_method(method)
    if not hasattr(model, "contract"):
        raise ModelError(
            f"model: found {kind_of(model)}; accepted: a classifier, from leadlight.load(model)."
        )
    one = target is None or isinstance(target, str | bytes) or not isinstance(target, Iterable)
    named: Sequence[Any] = [target] if one else list(target or ())
    codes = [None if name is None else find_class(model.classes, name) for name in named]
    if chosen.class_dependent and None in codes:
        accepted = ", ".join(code for code, _ in model.classes)
        raise LabelError(f"target: found none; {method} explains one class; accepted: {accepted}.")
    values = chosen.set(settings)
    check_method(model, chosen)
    reading = Reading(model, model.views(recording, longer))
    explanations = explain_reading(reading, codes, chosen, values)
    return explanations[0] if one else explanations


def find_method(name: str) -> Method:
    """The method of this name. Raises ModelError, with the names that there are."""
    if not isinstance(name, str):
        raise ModelError(f"method: found {kind_of(name)}; accepted: {', '.join(METHODS)}.")
    if name not in METHODS:
        hint = did_you_mean(name, METHODS)
        raise ModelError(f"method: found {name!r}; accepted: {', '.join(METHODS)}.{hint}")
    return METHODS[name]


def check_method(model: Classifier, method: Method) -> None:
    """Raise ModelError, naming the methods that the model can, for one that it cannot."""
    why_not = method.refuses(model)
    if why_not:
        raise ModelError(
            f"method {method.name}: needs {method.needs}; found {why_not}; accepted for this model: "
            f"{', '.join(usable(model))}."
        )


def explain_reading(
    reading: Reading, codes: Sequence[str | None], method: Method, settings: Settings
) -> list[Explanation]:
    """Explanations of what a prediction reads, one a class code, made together."""
    if not codes:
        return []
    began = time.perf_counter()
    # The pass that the prediction takes is one of every method's.
    (prediction,) = reading.classifier.predict_views([reading.views])
    reading.forward_passes += len(reading.views)
    maps = method.run(reading, codes, settings)
    cost = Cost(reading.forward_passes, reading.backward_passes, time.perf_counter() - began, len(codes))
    return [
        _explanation(reading, code, method, settings, one, prediction, cost)
        for code, one in zip(codes, maps, strict=True)
    ]


def _explanation(
    reading: Reading,
    code: str | None,
    method: Method,
    settings: Settings,
    found: Map,
    prediction: Prediction,
    cost: Cost,
) -> Explanation:
    import numpy as np

    facts = {"relevance sum": float(found.relevance.sum()), **found.facts}
    if code is not None:
        probability = float(prediction[code])
        facts["probability"] = probability
    return Explanation(
        relevance=found.relevance,
        uniform=reading.uniform if found.uniform is None else found.uniform,
        recording=reading.recording,
        method=method.name,
        target=code,
        class_dependent=method.class_dependent,
        signed=found.signed,
        meaning=_meaning(reading, code, method, found, prediction),
        lead_importance=_by_lead(np.abs(found.relevance)),
        parts=found.parts,
        prediction=prediction,
        notes=(*prediction.notes, *found.notes),
        unit=found.unit,
        leads_apart=found.leads_apart,
        baseline=found.baseline,
        cost=cost,
        settings=asdict(settings),
        facts=facts,
        beside=found.beside,
    )


def _meaning(
    reading: Reading, code: str | None, method: Method, found: Map, prediction: Prediction
) -> tuple[str, ...]:
    """The method's sentences, and which class they are about."""
    if code is None or not method.class_dependent:
        return found.meaning
    description = dict(reading.classifier.classes)[code]
    name = f"{code} ({description})" if description else code
    said = f"Target: {name}, probability {prediction[code]:.3f}."
    windows = len(reading.views)
    if windows > 1:
        said += f" All {windows} windows of the recording are explained, each as much as it counts."
    return (said, *found.meaning)


def _by_lead(absolute: NDArray[np.float64]) -> NDArray[np.float64]:
    total = absolute.sum()
    shares: NDArray[np.float64] = absolute.sum(axis=1) / (total if total != 0 else 1.0)
    return shares
