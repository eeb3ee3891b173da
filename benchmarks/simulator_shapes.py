"""Fit the QRS shapes of the simulator to published amplitudes: which dipole draws them?

    python benchmarks/simulator_shapes.py

writes src/leadlight/simulate/data/qrs_shapes.csv. A shape is a vector (X, Y, Z) in mV at each
tenth of the QRS; the simulator draws a sum of Gaussian waves through them. The normal shapes
start from the dipole of Sameni et al. 2007 (doi 10.1155/2007/43407) and the block from a sketch
of the textbook loop; both are moved by least squares until the tallest R and the deepest S of
each lead, through Dower's matrix, come as near as a dipole can to the group medians.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from leadlight.leads import STANDARD_LEADS
from leadlight.simulate.projection import lead_matrix, twelve_leads
from leadlight.simulate.waves import QRS_INSTANTS, qrs_waves

OUT = Path(__file__).parents[1] / "src/leadlight/simulate/data"

# Sameni 2007, adult set, kernels of the QRS: (amplitude mV, centre rad, width rad) an axis.
SAMENI = {
    "x": [
        (-0.13, -0.19, 0.0453), (0.85, -0.07, 0.0378), (1.11, 0, 0.0332), (0.75, 0.06, 0.0302),
        (0.06, 0.22, 0.0378),
    ],
    "y": [(0.32, -0.11, 0.055), (0.51, -0.01, 0.037), (-0.32, 0.065, 0.0604)],
    "z": [(0.045, -0.4, 0.4), (-0.40, -0.15, 0.045), (0.46, 0.095, 0.05)],
}  # fmt: skip
SAMENI_ONSET, SAMENI_END = -0.28, 0.26  # radians around R at 60/min, 86 ms

# Block of the left bundle: the loop turns left and back at once, stays there, and comes home slowly.
BLOCK_SKETCH = np.array(
    [
        [0.20, 0.55, 0.80, 0.70, 0.65, 0.85, 0.85, 0.50, 0.15],
        [0.05, 0.20, 0.35, 0.30, 0.15, 0.05, -0.10, -0.10, -0.03],
        [0.00, 0.35, 1.00, 1.45, 1.45, 1.15, 0.75, 0.35, 0.10],
    ]
)


def sameni_vectors() -> np.ndarray:
    angle = SAMENI_ONSET + QRS_INSTANTS * (SAMENI_END - SAMENI_ONSET)
    return np.array(
        [sum(a * np.exp(-((angle - c) ** 2) / (2 * b**2)) for a, c, b in SAMENI[axis]) for axis in "xyz"]
    )


def extremes(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest and smallest value of each of the twelve leads."""
    times = np.linspace(0, 0.1, 101)
    dipole = qrs_waves(vectors, 0.1).dipole(times)
    signal = twelve_leads(lead_matrix() @ dipole)
    return signal.max(axis=1), signal.min(axis=1)


def fit(start: np.ndarray, tallest: np.ndarray, deepest: np.ndarray, hold: float) -> np.ndarray:
    def residuals(flat: np.ndarray) -> np.ndarray:
        vectors = flat.reshape(3, -1)
        high, low = extremes(vectors)
        rough = np.diff(np.pad(vectors, ((0, 0), (1, 1))), n=2, axis=1)
        return np.concatenate(
            [
                high - tallest,
                low - deepest,
                hold * (vectors - start).ravel(),
                0.03 * rough.ravel(),
            ]
        )

    return least_squares(residuals, start.ravel(), max_nfev=200).x.reshape(3, -1)


def medians(group: str, sex: str) -> tuple[np.ndarray, np.ndarray]:
    """Tallest R and deepest S or Q of each lead in mV."""
    with (OUT / "lead_amplitudes.csv").open() as file:
        found = {
            (row["lead"], row["wave"]): float(row["median_mv"])
            for row in csv.DictReader(file)
            if (row["group"], row["sex"]) == (group, sex)
        }
    tallest = np.array([found[lead, "R"] for lead in STANDARD_LEADS])
    deepest = np.array([min(found[lead, "S"], found.get((lead, "Q"), 0)) for lead in STANDARD_LEADS])
    return tallest, deepest


def main() -> None:
    rows = []
    for sex in ("male", "female"):
        tallest, deepest = medians("UCI normal", sex)
        source = "Sameni et al. 2007, fitted to the UCI normal medians of lead_amplitudes.csv"
        rows.append((f"normal_{sex}", fit(sameni_vectors(), tallest, deepest, 0.2), tallest, deepest, source))
    tallest, deepest = medians("UCI LBBB", "")
    source = "textbook loop, moved towards the UCI LBBB medians of lead_amplitudes.csv"
    rows.append(("lbbb", fit(BLOCK_SKETCH, tallest, deepest, 2.5), tallest, deepest, source))
    with (OUT / "qrs_shapes.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["shape", "instant", "x_mv", "y_mv", "z_mv", "source"])
        for name, vectors, tallest, deepest, source in rows:
            for instant, vector in zip(QRS_INSTANTS, vectors.T, strict=True):
                writer.writerow([name, f"{instant:.1f}", *(f"{value:.4f}" for value in vector), source])
            high, low = extremes(vectors)
            print(name)
            for lead, *values in zip(STANDARD_LEADS, tallest, high, deepest, low, strict=True):
                print("  {:4s} R {:5.2f} -> {:5.2f}   S {:5.2f} -> {:5.2f}".format(lead, *values))


if __name__ == "__main__":
    main()
