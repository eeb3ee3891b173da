"""An explanation as a section of a page: table, tracing, lead importance, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlight.figures import plot_lead_importance, plot_probabilities
from leadlight.pages import Block, Paragraph, Section, Table, picture

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
    what = explanation.drawn().what
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
                    f"ECG on paper, {len(recording.leads)} leads, with the model's {what} in colour behind "
                    f"the traces. Most {what}: {leading}."
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
            _lead_importance(explanation, what, leading),
            *(Paragraph(f"Note: {note}.", "note") for note in explanation.notes),
        ],
    )


def _lead_importance(explanation: Explanation, what: str, leading: str) -> Block:
    if not explanation.leads_apart:
        return Paragraph("All leads share one map: this method does not tell them apart.", "note")
    return picture(
        plot_lead_importance(explanation.recording.leads, explanation.lead_importance, what),
        alt=f"Bar chart of the share of {what} by lead. Most: {leading}.",
        caption=f"Share of the whole {what} by lead. Most: {leading}.",
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
