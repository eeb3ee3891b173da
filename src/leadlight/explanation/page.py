"""An explanation as a section of a page: table, tracing, lead importance, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlight.figures import plot_lead_importance, plot_probabilities
from leadlight.report import Paragraph, Section, Table, picture

if TYPE_CHECKING:
    from leadlight.explanation.explanation import Explanation


def explanation_section(explanation: Explanation, title: str, layout: str = "auto") -> Section:
    """Findings first, then where the model looked, then what that means and what is to be known."""
    said = explanation.prediction
    findings = ", ".join(said.findings) or "none"
    rows = [
        {
            "class": row["class"],
            "description": row["description"],
            "probability": row["probability"],
            "threshold": row["threshold"],
            "finding": "yes" if row["found"] else "no",
        }
        for row in said.table()
    ]
    strong = frozenset(number for number, row in enumerate(rows) if row["finding"] == "yes")
    recording = explanation.recording
    leading = explanation.leading_leads()
    return Section(
        title,
        [
            Paragraph(f"Findings, at or above their threshold: {findings}."),
            *_asked_for(explanation),
            Table(
                rows,
                "Probabilities of the model, with the threshold from which a class is a finding.",
                strong,
            ),
            picture(
                explanation.tracing(layout),
                alt=(
                    f"ECG on paper, {len(recording.leads)} leads, with the model's attention in blue behind "
                    f"the traces. Most attention: {leading}."
                ),
                caption=explanation.caption(),
            ),
            picture(
                plot_probabilities(
                    said.classes, said.probabilities, said.thresholds, said.descriptions, explanation.target
                ),
                alt=f"Bar chart of the probabilities in the table above. Findings: {findings}.",
                caption="The probabilities, each with its threshold.",
            ),
            picture(
                plot_lead_importance(recording.leads, explanation.lead_importance),
                alt=f"Bar chart of the share of attention by lead. Most: {leading}.",
                caption=f"Share of the whole attention by lead. Most: {leading}.",
            ),
            *(Paragraph(f"Note: {note}.", "note") for note in explanation.notes),
        ],
    )


def _asked_for(explanation: Explanation) -> list[Paragraph]:
    for row in explanation.prediction.table():
        if row["class"] == explanation.target:
            verdict = "a finding" if row["found"] else "no finding"
            name = f"{row['class']} ({row['description']})" if row["description"] else row["class"]
            return [
                Paragraph(
                    f"Asked for: {name}, probability {row['probability']:.3f}, "
                    f"threshold {row['threshold']:.3f}: {verdict}."
                )
            ]
    return []
