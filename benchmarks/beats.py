"""How well beats and QRS complexes are found: beside simulated hearts, and by people's own two rates.

    python benchmarks/beats.py [PTB-XL FOLDER] [--records N] > benchmarks/results/beats.md

Simulated recordings know where their waves begin and end. Recordings of people do not: there, the same
recording at 500 Hz and brought to 100 Hz must give the same boundaries, the beats of one recording the
same width, and widths must be those of hearts. Beside both: NeuroKit2's wavelet delineator on the same beats
at 500 Hz, median over twelve leads.
"""

from __future__ import annotations

import argparse
import platform
import warnings
from pathlib import Path

import neurokit2
import numpy as np
from numpy.typing import NDArray

from leadlight.explanation import find_beats
from leadlight.explanation.beats import BOUNDARIES
from leadlight.files import find_recordings, read
from leadlight.recording import Recording
from leadlight.signal.resample import resample_recording
from leadlight.simulate import simulate_recording

FINDINGS = ("NORM", "IMI", "ASMI", "AMI", "CRBBB", "CLBBB", "LVH", "SARRH", "1AVB")
SEEDS = range(3)
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ptbxl", nargs="?", type=Path)
    parser.add_argument("--records", type=int, default=30)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print("# Beats\n\n    python benchmarks/beats.py ptb-xl --records 25 > benchmarks/results/beats.md\n")
    print(
        f"Python {platform.python_version()}, NeuroKit2 {neurokit2.__version__}. Milliseconds; + is late.\n"
    )
    simulated()
    if arguments.ptbxl is not None:
        of_people(arguments.ptbxl, arguments.records)


def simulated() -> None:
    """A table of errors by boundary and rate."""
    print(f"## Simulated recordings ({', '.join(FINDINGS)}; {len(SEEDS)} of each)\n")
    print("| boundary | rate | beats | median error | median size | 90% within | NeuroKit2: median, 90% |")
    print("|---|---|---|---|---|---|---|")
    hearts = [simulate_recording([code], seed) for code in FINDINGS for seed in SEEDS]
    for rate in (500.0, 100.0):
        ours, theirs = [], []
        for recording, truth in hearts:
            beats = find_beats(resample_recording(recording, rate))
            places = [int(np.argmin(np.abs(truth.r_peaks - peak))) for peak in beats.r_peaks]
            ours.append(beats.boundaries - truth.boundaries[places])
            theirs.append(delineated(recording, beats.r_peaks) - truth.boundaries[places, 2:4])
        errors, others = 1000 * np.concatenate(ours), 1000 * np.concatenate(theirs)
        for column, name in enumerate(BOUNDARIES):
            one = errors[np.isfinite(errors[:, column]), column]
            beside = ""
            if name.startswith("qrs"):
                other = others[:, column - 2]
                beside = f"{np.nanmedian(other):+.0f}, {np.nanquantile(np.abs(other), 0.9):.0f}"
            print(
                f"| {name.replace('_', ' ')} | {rate:g} Hz | {len(one)} | {np.median(one):+.1f} | "
                f"{np.median(np.abs(one)):.1f} | {np.quantile(np.abs(one), 0.9):.0f} | {beside} |"
            )


def of_people(folder: Path, n_records: int) -> None:
    """Widths, their spread within a recording, and how far the two rates and NeuroKit2 are apart."""
    files = find_recordings([folder / "records500"])
    chosen = files[:: max(1, len(files) // n_records)][:n_records]
    widths, spreads, rates, beside, their_widths = [], [], [], [], []
    for file in chosen:
        recording = read(file)
        beats = find_beats(recording)
        low = find_beats(resample_recording(recording, 100.0))
        qrs = beats.spans("QRS")
        widths.append(np.median(np.diff(qrs, axis=1)))
        spreads.append(np.std(np.diff(qrs, axis=1)))
        if len(low.r_peaks) == len(beats.r_peaks):
            rates.append(low.spans("QRS") - qrs)
        other = delineated(recording, beats.r_peaks)
        beside.append(other - qrs)
        their_widths.append(np.nanmedian(np.diff(other, axis=1)))
    steps, apart = 1000 * np.concatenate(rates), 1000 * np.concatenate(beside)
    first, middle, last = 1000 * np.quantile(widths, [0.1, 0.5, 0.9])
    print(f"\n## PTB-XL, {len(chosen)} recordings of people\n")
    print("| what | ms |\n|---|---|")
    print(
        f"| QRS duration, median of the recordings (10% to 90%) | {middle:.0f} ({first:.0f} to {last:.0f}) |"
    )
    print(f"| its standard deviation within a recording, median | {1000 * np.median(spreads):.1f} |")
    print(f"| onset at 100 Hz against 500 Hz: median size, 90% within | {sizes(steps[:, 0])} |")
    print(f"| end at 100 Hz against 500 Hz: median size, 90% within | {sizes(steps[:, 1])} |")
    print(f"| NeuroKit2's QRS duration at 500 Hz, median | {1000 * np.nanmedian(their_widths):.0f} |")
    print(f"| NeuroKit2's onset against ours, median | {np.nanmedian(apart[:, 0]):+.0f} |")
    print(f"| NeuroKit2's end against ours, median | {np.nanmedian(apart[:, 1]):+.0f} |")


def sizes(steps: Floats) -> str:
    return f"{np.nanmedian(np.abs(steps)):.1f}, {np.nanquantile(np.abs(steps), 0.9):.0f}"


def delineated(recording: Recording, peaks: Floats) -> Floats:
    """QRS onset and end in seconds of each beat, as NeuroKit2 finds them: (beats, 2), medians over leads."""
    rate = recording.sampling_rate
    found = []
    for lead in recording.leads:
        signal = neurokit2.ecg_clean(recording[lead].astype(np.float64), sampling_rate=round(rate))
        try:
            _, own = neurokit2.ecg_peaks(signal, sampling_rate=round(rate))
            places = np.asarray(own["ECG_R_Peaks"])
            _, waves = neurokit2.ecg_delineate(signal, places, sampling_rate=round(rate), method="dwt")
        except Exception:  # its errors are of every kind
            continue
        marks = np.column_stack([waves["ECG_R_Onsets"], waves["ECG_R_Offsets"]])[: len(places)] / rate
        nearest = np.abs(peaks[:, None] - places[: len(marks)] / rate).argmin(axis=1)
        near = np.abs(peaks - places[nearest] / rate) < 0.09
        found.append(np.where(near[:, None], marks[nearest], np.nan))
    return np.asarray(np.nanmedian(np.stack(found), axis=0))


if __name__ == "__main__":
    main()
