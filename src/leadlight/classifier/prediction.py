"""What a classifier says of one recording."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from leadlight.classifier.calibration import SetName


@dataclass(frozen=True, eq=False)
class Prediction:
    """Probabilities of one recording, and the findings that follow from the thresholds.

    source: where the recording came from; classes: codes, in the model's order;
    descriptions, probabilities, thresholds: one a class; notes: what was
    derived, resampled, cropped or averaged, and what looked odd; sets: one a class where the
    model has conformal prediction sets (``PredictionSets``), else none.
    Research software: not a diagnosis.
    """

    source: str
    classes: tuple[str, ...]
    descriptions: tuple[str, ...]
    probabilities: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    notes: tuple[str, ...] = ()
    sets: tuple[SetName, ...] = ()

    def __post_init__(self) -> None:
        # Thresholds are fitted on float32 scores: compared as anything else, a
        # record that sits on its threshold would fall to either side.
        for name in ("probabilities", "thresholds"):
            view = np.array(getattr(self, name), dtype=np.float32)
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @property
    def findings(self) -> tuple[str, ...]:
        """Codes of the classes at or above their threshold, in the model's order."""
        found = self.probabilities >= self.thresholds
        return tuple(code for code, is_found in zip(self.classes, found, strict=True) if is_found)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Codes of the classes of which the prediction set holds both answers, or neither."""
        named = zip(self.classes, self.sets, strict=False)
        return tuple(code for code, name in named if name in ("uncertain", "neither"))

    def __getitem__(self, code: str) -> float:
        """Probability of a class. KeyError for a class that the model does not have."""
        if code not in self.classes:
            raise KeyError(f"no class {code!r} in this prediction; it has {', '.join(self.classes)}")
        return float(self.probabilities[self.classes.index(code)])

    def table(self) -> list[dict[str, Any]]:
        """One row a class: class, description, probability, threshold, found; set, where there are sets."""
        findings = self.findings
        rows: list[dict[str, Any]] = [
            {
                "class": code,
                "description": description,
                "probability": _shortest(probability),
                "threshold": _shortest(threshold),
                "found": code in findings,
            }
            for code, description, probability, threshold in zip(
                self.classes, self.descriptions, self.probabilities, self.thresholds, strict=True
            )
        ]
        for row, name in zip(rows, self.sets, strict=False):
            row["set"] = name
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "source": self.source,
            "findings": list(self.findings),
            "classes": self.table(),
            "notes": list(self.notes),
        }

    def figure(self) -> Figure:
        """Bar chart of the probabilities with their thresholds."""
        from leadlight.figures import plot_probabilities

        return plot_probabilities(self.classes, self.probabilities, self.thresholds, self.descriptions)

    def __repr__(self) -> str:
        # Not the source: a repr ends up in logs, and a path may name a patient.
        return f"Prediction({self._summary()})"

    def __str__(self) -> str:
        width = max(len(code) for code in self.classes)
        lines = [f"{PurePath(self.source).name or 'recording'}: {', '.join(self.findings) or 'no finding'}"]
        for row in self.table():
            mark = "*" if row["found"] else " "
            lines.append(
                f" {mark} {row['class']:{width}}  {row['probability']:.3f}  "
                f"(threshold {row['threshold']:.3f})  "
                f"{row['set'] + ': ' if 'set' in row else ''}{row['description']}".rstrip(" :")
            )
        lines += [f"   note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """A table for notebooks; everything in it is escaped."""
        rows = "".join(
            f"<tr><td>{'*' if row['found'] else ''}</td><td>{escape(row['class'])}</td>"
            f"<td>{escape(row['description'])}</td><td>{row['probability']:.3f}</td>"
            f"<td>{row['threshold']:.3f}</td></tr>"
            for row in self.table()
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f"<p>{escape(PurePath(self.source).name or 'recording')}: "
            f"{escape(', '.join(self.findings) or 'no finding')}</p>"
            "<table><tr><th></th><th>class</th><th>description</th><th>probability</th><th>threshold</th></tr>"
            f"{rows}</table>" + (f"<ul>{notes}</ul>" if notes else "")
        )

    def _summary(self) -> str:
        return ", ".join(
            f"{code} {probability:.3f}" + ("*" if code in self.findings else "")
            for code, probability in zip(self.classes, self.probabilities, strict=True)
        )


def _shortest(value: np.float32) -> float:
    """The shortest decimal that is this float32: 0.9, not 0.8999999761581421."""
    return float(str(value))
