"""What a model folder must state beside its weights, from what was published and what was said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadlight.errors import ModelError
from leadlight.leads import STANDARD_LEADS, canonical_lead
from leadlight.originals.published import Published

if TYPE_CHECKING:
    from leadlight.signal import Preprocessing


def stated_classes(
    name: str, known: Published, n_classes: int, labels: str | None, codes: Sequence[str] | None
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The label space and (code, description) of each class, in the order of the outputs."""
    from leadlight import labels as label_spaces
    from leadlight.labels import findings

    if labels is not None and codes is not None:
        raise ModelError("import-weights: found --labels and --classes; accepted: one of them.")
    if labels is None and codes is None:
        labels, codes = known.labels.get(n_classes), known.codes.get(n_classes)
    if labels is None and codes is None:
        tasks = {**known.labels, **{count: " ".join(stated) for count, stated in known.codes.items()}}
        of_tasks = ", ".join(f"{count} classes ({task})" for count, task in tasks.items())
        raise ModelError(
            f"{name}: found {n_classes} classes, and which they are is not in the file; published: "
            f"{of_tasks}. Say them in the order of the outputs: --classes A,B,C or --labels SPACE."
        )
    if labels is not None:
        space = label_spaces.space(labels)
        if len(space) != n_classes:
            raise ModelError(
                f"{name}: found {n_classes} outputs and {len(space)} classes in {space.name}; accepted: as "
                "many classes as outputs. --classes A,B,C names others."
            )
        return (
            {"name": space.name, "version": space.version},
            [(one.code, one.description) for one in space.classes],
        )
    codes = [code.strip() for code in codes or ()]
    if len(codes) != n_classes or len(set(codes)) != len(codes) or not all(codes):
        raise ModelError(
            f"{name}, --classes: found {', '.join(codes) or 'none'}; accepted: {n_classes} different codes, "
            "one for each output."
        )
    described = [(code, findings()[code].name if code in findings() else code) for code in codes]
    return {"name": "own classes", "version": "1"}, described


def stated_leads(known: Published, leads: Sequence[str] | None) -> tuple[str, ...]:
    """Rows of the input. Raises ModelError for what is no lead."""
    if leads is None:
        return known.leads
    rows = [canonical_lead(lead) for lead in leads]
    if not rows or None in rows or len(set(rows)) != len(rows):
        raise ModelError(
            f"--leads: found {', '.join(leads) or 'none'}; accepted: different leads, such as "
            f"{','.join(STANDARD_LEADS)}."
        )
    return tuple(str(lead) for lead in rows)


def stated_preprocessing(
    name: str,
    known: Published,
    leads: tuple[str, ...],
    rate: float,
    n_samples: int,
    mean: float | None,
    scale: float | None,
) -> Preprocessing:
    """The published steps, with the scaling that was said. Raises ModelError where one is needed."""
    from leadlight.signal import Preprocessing

    if scale is None and (known.needs_scaling or mean is not None):
        why = (
            "--mean came alone"
            if mean is not None
            else f"{name} was trained on signals scaled with one mean and one deviation of its training "
            "records, which no weight file holds"
        )
        stated = f" Published: {known.stated}." if known.stated else ""
        raise ModelError(
            f"--scale: found none; {why}. Say both in mV: --mean M --scale D, from the training of these "
            "weights (mean_ and the root of var_ of a scikit-learn scaler), or --scale 1 where nothing was "
            f"scaled.{stated}"
        )
    if scale is not None and not 0 < scale < float("inf"):
        raise ModelError(f"--scale: found {scale}; accepted: above 0.")
    if mean is not None and not math.isfinite(mean):
        raise ModelError(f"--mean: found {mean}; accepted: a finite number.")
    steps: list[Any] = list(known.steps)
    if scale is not None:
        scaling = ("scale-fixed", "z-score")
        steps = [one for one in steps if (one if isinstance(one, str) else one["kind"]) not in scaling]
        steps.append({"kind": "scale-global", "mean": mean or 0.0, "scale": scale})
    return Preprocessing(leads, rate, n_samples, tuple(steps))
