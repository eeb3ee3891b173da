"""Chosen recordings, explained: what is true, what was called, and where the model looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LeadlightError
from leadlight.pages import Block, Heading, Paragraph, Section, picture
from leadlight.progress import ProgressCallback, silent
from leadlight.report.choosing import Choice, choose_examples

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation import Explanation
    from leadlight.recording import Recording
    from leadlight.store import Data, Store

_TITLES = {"best": "Told best", "worst": "Told worst", "uncertain": "Hardest to tell"}
REST = "rest"
LEAD_WAVES = "lead x wave"
"""The part of an occlusion by wave that holds its numbers."""


def explain_examples(
    model: str | Path,
    evaluation: Path,
    data: Data | None = None,
    *,
    each: int = 2,
    method: str = "",
    layout: str = "auto",
    on_progress: ProgressCallback = silent,
) -> Section:
    """Best, worst and uncertain recordings of an evaluation as one section.

    data: where the recordings are; None takes those of the run. method: of the explanations
    (``explain_by``). each: recordings of every kind. Recordings are named by their row in
    predictions.parquet: ids may be those of patients. Raises what opening raises.
    """
    from leadlight.classifier import load, read_contract
    from leadlight.classifier.folder import find_model_folder
    from leadlight.evaluation.comparison_runs import read_evaluated
    from leadlight.evaluation.opening import open_for

    chosen = choose_examples(read_evaluated(evaluation, evaluation.name), each)
    title = f"Examples explained, from {evaluation.name.replace('-', ' ')}"
    if not chosen:
        return Section(title, [Paragraph("No recording could be chosen.", "missing")])
    contract = read_contract(find_model_folder(model))
    store, _ = open_for(contract, model, data, on_progress)
    classifier = load(model)
    name = method or "occlusion"
    blocks: list[Block] = [
        Paragraph(
            f"Chosen by their numbers alone and explained by {name}. Told best: called rightly throughout, "
            "with the smallest log loss. Told worst: the largest error of a single class. Hardest to tell: a "
            "probability next to its threshold."
        )
    ]
    for number, one in enumerate(chosen, start=1):
        blocks += _example(classifier, store, one, method, layout, _numbered(chosen, one))
        on_progress(number, len(chosen), "examples explained")
    return Section(title, blocks)


def explain_by(classifier: Classifier, recording: Recording, target: str, method: str = "") -> Explanation:
    """The explanation of a recording by a method; "" takes occlusion by lead and wave.

    It tells leads apart and evidence for from evidence against, and works with every model. Where no beats
    are found, or NeuroKit2 is missing, windows are covered in place of waves.
    """
    from leadlight.explanation import explain

    if method:
        return explain(classifier, recording, target, method)
    try:
        return explain(classifier, recording, target, "occlusion", by="wave")
    except LeadlightError:
        return explain(classifier, recording, target, "occlusion", by="window")


def lead_waves(explanation: Explanation) -> tuple[tuple[str, ...], NDArray[np.float64], int]:
    """Mean relevance by lead and wave in multiples of the uniform share: (waves, (leads, waves), beats).

    The last column is what lies between the waves. Signed where the explanation is. Raises SignalError where
    no beats are found, and LeadlightError without NeuroKit2.
    """
    from leadlight.explanation.beats import WAVES, find_beats

    beats = find_beats(explanation.recording)
    rate, multiples = explanation.recording.sampling_rate, explanation.drawn_multiples
    masks = [beats.mask(wave, rate)[: multiples.shape[1]] for wave in WAVES]
    masks.append(~np.any(masks, axis=0))
    values = np.full((len(multiples), len(masks)), np.nan)
    for column, mask in enumerate(masks):
        if mask.any():
            values[:, column] = multiples[:, mask].mean(axis=1)
    return (*WAVES, REST), values, len(beats.r_peaks)


def _example(
    classifier: Classifier, store: Store, one: Choice, method: str, layout: str, title: str
) -> list[Block]:
    names = dict(classifier.classes)
    blocks: list[Block] = [Heading(title), Paragraph(_told(one, names))]
    try:
        recording = store.recording(one.record_id)
        explanation = explain_by(classifier, recording, one.target, method)
    except (LeadlightError, KeyError) as error:
        return [*blocks, Paragraph(f"It could not be explained: {error}", "missing")]
    leading, what = explanation.leading_leads(), explanation.drawn().what
    blocks.append(
        picture(
            explanation.tracing(layout),
            f"ECG on paper with the model's {what} in colour behind the traces. Most {what}: {leading}.",
            explanation.caption(),
        )
    )
    blocks += _by_wave(explanation, what)
    blocks += [Paragraph(f"Note: {note}.", "note") for note in explanation.notes]
    return blocks


def _by_wave(explanation: Explanation, what: str) -> list[Block]:
    from leadlight.figures import plot_probabilities

    said = explanation.prediction
    chart = picture(
        plot_probabilities(
            said.classes, said.probabilities, said.thresholds, said.descriptions, explanation.target
        ),
        f"Bar chart of the probabilities. Findings: {', '.join(said.findings) or 'none'}.",
        "The probabilities, each with its threshold.",
    )
    return [chart, *_heat_map(explanation, what)]


def _heat_map(explanation: Explanation, what: str) -> list[Block]:
    from leadlight.explanation.beats import WAVES
    from leadlight.figures import plot_lead_waves

    leads: Sequence[str] = explanation.recording.leads
    falls = explanation.parts.get(LEAD_WAVES)
    if falls is not None:
        # What was covered was whole waves: the numbers themselves, not spread over samples.
        waves: Sequence[str] = WAVES
        values = np.asarray(falls, dtype=np.float64)
        unit, foot = "fall of the logit", "Each wave of each lead covered in all beats."
        caption = (
            f"How far the logit of {explanation.target} falls when a wave is covered in a lead: above 0 it "
            "spoke for the class, below 0 against it."
        )
    else:
        try:
            waves, values, n_beats = lead_waves(explanation)
        except LeadlightError as error:
            return [Paragraph(f"By wave: {error}", "note")]
        unit, foot = "multiples", f"Mean over {n_beats} beats; rest: between the waves."
        caption = f"Mean {what} by lead and part of the beat, in multiples of the uniform share."
        if not explanation.leads_apart:
            leads, values = ("all",), values[:1]
    if not np.isfinite(values).any():
        return []
    row, column = divmod(int(np.nanargmax(np.abs(values))), values.shape[1])
    figure = plot_lead_waves(leads, waves, values, signed=explanation.signed, unit=unit, foot=foot)
    most = f"{leads[row]} {waves[column]}"
    return [picture(figure, f"Heat map by lead and wave. Largest: {most}.", caption)]


def _told(one: Choice, names: dict[str, str]) -> str:
    def codes(found: Sequence[str]) -> str:
        return ", ".join(f"{code} ({names[code]})" if names.get(code) else code for code in found) or "none"

    return (
        f"{one.because} Labels: {codes(one.truth)}. Called: {codes(one.called)}. {one.target}: probability "
        f"{one.probability:.3f}, threshold {one.threshold:.3f}. Row {one.row} of predictions.parquet."
    )


def _numbered(chosen: Sequence[Choice], one: Choice) -> str:
    same = [other for other in chosen if other.kind == one.kind]
    number = f" {same.index(one) + 1}" if len(same) > 1 else ""
    return f"{_TITLES[one.kind]}{number}: {one.target}"
