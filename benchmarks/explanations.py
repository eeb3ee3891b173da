"""Which method of explanation can be trusted, for which model?

    python benchmarks/explanations.py RUN RUN ... --fold 9 --out benchmarks/results/explanations.md

Runs are trained beforehand: on simulated records, where the true place of each finding is known, or on real
ones, where it is not. Each method is measured by ``leadlight.explanation_quality`` on records that show a
class and are found to. The rival of every method is a map that knows nothing of the model: random numbers,
and the amplitude of the signal. The commands that made the runs of the kept result stand in it.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

from keep import keep
from leadlight.explanation_quality import ExplanationQuality, Plan, Summary, measure_explanations
from machine import describe_machine

METHODS = (
    "attention", "grad-cam", "gradients", "integrated-gradients", "guided-grad-cam", "occlusion:by=wave",
)  # fmt: skip
COLUMNS = {
    "truth_mass": "mass in the true place",
    "truth_rank": "rank accuracy",
    "truth_pointing": "pointing",
    "criteria_ratio": "criteria: × an even map",
    "deletion_gain": "deletion gain",
    "insertion_gain": "insertion gain",
    "noise_correlation": "alike under noise",
    "sanity_all": "alike when shuffled",
    "other_class": "alike for another class",
}
ALIKE = 0.5
"""A rank correlation from which on a map of a shuffled network, or of another class, is called alike."""


RULES = f"""\
Means over the classes, each alike, with 95% intervals over resampled patients (none where a class has
fewer than five records). *noise* and *amplitude* are maps that know nothing of the model; the order of
*noise* is the random order that gains are against.

- *finds the place*: the interval of the mass lies above the even map's; *beyond amplitude*: above the
  mean of the amplitude map, too.
- *faithful beyond chance*: the intervals of both gains lie above 0; *beyond amplitude*: above the gains
  of the amplitude map, too.
- *does not forget*: with all weights shuffled, the rank correlation stays above {ALIKE:g}; *hardly tells
  classes apart*: with the map of another class it is above {ALIKE:g}."""


def verdict(quality: ExplanationQuality, method: str) -> str:
    """What the intervals allow to say; see the rules in the result."""
    said = []
    mass = quality.of(method, "truth_mass")
    if mass is not None:
        said.append(_place(mass))
    gains = [quality.of(method, name) for name in ("deletion_gain", "insertion_gain")]
    known = [one for one in gains if one is not None]
    if known and any(math.isnan(one.value.low) for one in known):
        said.append("too few records for intervals")
    elif known:
        if all(one.value.low > 0 for one in known):
            beyond = all(one.value.low > one.references.get("amplitude", 0.0) for one in known)
            said.append("faithful beyond amplitude" if beyond else "faithful beyond chance")
        else:
            said.append("not shown to be faithful")
    shuffled, other = quality.of(method, "sanity_all"), quality.of(method, "other_class")
    if shuffled is not None and shuffled.value.value > ALIKE:
        said.append("does not forget")
    if other is not None and other.value.value > ALIKE:
        said.append("hardly tells classes apart")
    return "; ".join(said) or "–"


def _place(mass: Summary) -> str:
    if mass.value.low > mass.references.get("amplitude", 1.0):
        return "finds the place, beyond amplitude"
    if mass.value.low > mass.references.get("even", 1.0):
        return "finds the place, not beyond amplitude"
    return "does not find the place"


def rows_of(quality: ExplanationQuality) -> list[str]:
    """A table row a method, and the references below."""
    lines = []
    for method in (*quality.methods, "noise", "amplitude"):
        cells = [quality.of(method, name) for name in COLUMNS]
        if not any(cells):
            continue
        shown = ["–" if one is None else str(one.value) for one in cells]
        is_method = method in quality.methods
        name, said = (method, verdict(quality, method)) if is_method else (f"*{method}*", "")
        lines.append(f"| {name} | {' | '.join(shown)} | {said} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", help="runs, model folders or shipped names")
    parser.add_argument("--data", nargs="*", help="for what is no run: a data set or a store")
    parser.add_argument("--fold", type=int, default=9)
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--stability", type=int, default=20, help="records for the measures under noise")
    parser.add_argument("--sanity", type=int, default=12, help="records for the sanity check")
    parser.add_argument("--orders", type=int, default=2)
    parser.add_argument("--methods", nargs="*", default=METHODS)
    parser.add_argument("--title", default="Explanations, measured")
    parser.add_argument("--made-by", default="", help="a file with the commands that made the runs")
    parser.add_argument("--tables", type=Path, help="a folder for the whole tables of each run")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    plan = Plan(
        records=options.records, stability_records=options.stability, sanity_records=options.sanity,
        orders=options.orders,
    )  # fmt: skip
    lines = [f"# {options.title}", ""]
    for run in options.runs:
        began = time.perf_counter()
        methods = usable_of(run, options.methods)
        quality = measure_explanations(run, options.fold, options.data or None, methods=methods, plan=plan)
        seconds = time.perf_counter() - began
        if options.tables:
            quality.save(options.tables / Path(run).name)
        lines += section(quality, seconds)
        print(f"{run}: {seconds:.0f} s", flush=True)
        # After each run, so that what is measured is kept.
        keep(whole(lines, options), options.out)
    if options.out is None:
        print(whole(lines, options))


def usable_of(run: str, names: tuple[str, ...]) -> list[str]:
    """Those methods that the model can."""
    from leadlight.classifier import load
    from leadlight.explanation.methods import usable

    known = usable(load(run))
    return [name for name in names if name.partition(":")[0] in known]


def section(quality: ExplanationQuality, seconds: float) -> list[str]:
    """One model's table."""
    subject = quality.subject
    explained = "; ".join(
        f"{code} {one['explained']} of {one['found']} found, {one['present']} present"
        for code, one in subject["records"].items()
    )
    return [
        f"## {subject['model']}",
        "",
        f"{subject['dataset']} {subject['dataset_version']}, fold {subject['fold']}. {explained}. "
        f"{seconds:.0f} s.",
        "",
        f"| method | {' | '.join(COLUMNS.values())} | said |",
        f"|---|{'---:|' * len(COLUMNS)}---|",
        *rows_of(quality),
        "",
        *(f"- {note}" for note in quality.notes),
        "",
    ]


def whole(lines: list[str], options: argparse.Namespace) -> str:
    """The page: tables, rules, commands, machine."""
    made = Path(options.made_by).read_text(encoding="utf-8").strip() if options.made_by else ""
    return "\n".join(
        [
            *lines,
            "## How to read this",
            "",
            RULES,
            "",
            *(["## Commands", "", "```", made, "```", ""] if made else []),
            describe_machine("leadlight", "torch", "numpy", "neurokit2"),
            "",
        ]
    )


if __name__ == "__main__":
    main()
