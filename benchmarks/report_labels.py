"""What do the carts' report statements gain and lose against ECG-XPLAIM's published keyword rules?

    python benchmarks/report_labels.py --phrases mimic_report_phrases.csv \\
        --out benchmarks/results/report_labels.md

The table of phrases (phrase, count_in_10000_sample, keyword_labels_hit, ...) is read in place; it
counts each statement in 10,000 report rows of MIMIC-IV-ECG, not the rows themselves. For each of the 25
labels the occurrences of the statements that set it are summed: by the published rules, phrase by
phrase, and by leadlight.labels, with certain statements only and with hedged ones. Also: how often the
rules alone agree with the reviewed table, and how long reading a statement takes.
With `--rows machine_measurements.csv` records are counted, too: exactly, joined statements included.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from keep import keep
from leadlight import labels
from leadlight.labels.reports import normalise, published_labels, read_statement
from leadlight.labels.reports.rules import read_by_rules
from leadlight.labels.reports.tables import Phrase, phrases
from leadlight.recording import Statement
from machine import describe_machine

# Positives in the 10,000 rows by the published rules on joined statements, and how many of them rest on
# matches across two statements alone: counted on the rows when the table of phrases was made.
RECORDS = {
    "afib": 982, "aflu": 195, "afifl": 1173, "rbbb": 674, "lbbb": 310, "lafb": 606, "lpfb": 9, "pvc": 645,
    "pac": 915, "ami": 1207, "imi": 1069, "smi": 678, "lmi": 315, "avb1": 615, "avb2i": 7, "avb2ii": 4,
    "avb2": 11, "avb3": 3, "bradsr": 1345, "svt": 11, "vt": 8, "tachsr": 899, "lqt": 516, "wpw": 7,
    "pace": 446,
}  # fmt: skip
ACROSS = {"ami": 21, "imi": 25, "smi": 4, "lmi": 54}

# Why the table stands where the rules read otherwise.
WHY = {
    "sinus bradycardia - consider sinus rhythm with 2:1 s-a block": "the block belongs to the reading that "
    "is to be considered; a rule that let hedges pass \"with\" would doubt the PVCs of "
    "\"possible ectopic atrial rhythm with PVCs\"",
    "st depression v1-v3, suggest recording posterior leads": "V1 to V3 are the anterior leads; the rules "
    "know walls by name, not by lead",
}  # fmt: skip


@dataclass
class Change:
    """Statements that set a label now and did not (gained), or did and do not (lost)."""

    kept: int
    gained: dict[str, int]
    lost: dict[str, int]


def compare(rows: list[dict[str, str]], min_likelihood: float) -> dict[str, Change]:
    space = labels.space("ecg-xplaim")
    targets = space.encode(
        [[Statement(row["phrase"], "mimic-report")] for row in rows],
        min_likelihood,
        sources=["mimic-iv-ecg"] * len(rows),
    )
    changes = {code: Change(0, {}, {}) for code in space.codes}
    for row, values in zip(rows, targets.values, strict=True):
        phrase, count = normalise(row["phrase"]), int(row["count_in_10000_sample"])
        before = set(published_labels([row["phrase"]]))
        after = {code for code, value in zip(space.codes, values, strict=True) if value}
        for code in before & after:
            changes[code].kept += count
        for code in after - before:
            changes[code].gained[phrase] = changes[code].gained.get(phrase, 0) + count
        for code in before - after:
            changes[code].lost[phrase] = changes[code].lost.get(phrase, 0) + count
    return changes


def count_records(path: Path) -> tuple[int, dict[str, list[int]]]:
    """Records; of each label: published; gained, lost with certain only; gained, lost with hedged.

    path: machine_measurements.csv; read row by row, a block of records at a time.
    """
    space = labels.space("ecg-xplaim")
    counted = {code: [0] * 5 for code in space.codes}
    n = 0
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        columns = [name for name in table.fieldnames or () if name.startswith("report_")]
        for block in batched(table, 10_000):
            reports = [[row[name] for name in columns] for row in block]
            statements = [
                [Statement(one.strip(), "mimic-report") for one in r if one.strip()] for r in reports
            ]
            sources = ["mimic-iv-ecg"] * len(reports)
            sure, all_ = (space.encode(statements, least, sources=sources).values for least in (100.0, 0.0))
            n += len(reports)
            for report, certain, hedged in zip(reports, sure, all_, strict=True):
                before = set(published_labels(report))
                for column, code in enumerate(space.codes):
                    was = code in before
                    count = counted[code]
                    count[0] += was
                    for place, now in ((1, certain[column]), (3, hedged[column])):
                        count[place] += bool(now) and not was
                        count[place + 1] += was and not now
    return n, counted


def batched(rows: Iterable[dict[str, str]], size: int) -> Iterator[list[dict[str, str]]]:
    rows = iter(rows)
    while block := list(islice(rows, size)):
        yield block


def records_table(path: Path) -> str:
    n, counted = count_records(path)
    lines = [f"| {code} | {' | '.join(f'{one:,}' for one in row)} |" for code, row in counted.items()]
    return f"""
## Records of {path.name}

{n:,} records; the published rules on the joined columns, empty ones included.

| label | published | certain only: gained | lost | with hedged: gained | lost |
|---|---|---|---|---|---|
{chr(10).join(lines)}
"""


def disagreements() -> list[tuple[str, Phrase]]:
    return [(text, row) for text, row in phrases().items() if not agrees(text, row)]


def agrees(text: str, row: Phrase) -> bool:
    read = read_by_rules(text)
    return read.kind == row.kind and {(one.code, one.certainty) for one in read.findings} == set(row.findings)


def spelled(findings: list[tuple[str, str]]) -> str:
    return "; ".join(code if level == "certain" else f"{code} {level}" for code, level in findings) or "none"


def timed(texts: list[str]) -> float:
    """Median microseconds for reading one statement by rules."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        for text in texts:
            read_by_rules(text)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) / len(texts) * 1e6


def listed(change: dict[str, int]) -> str:
    often = sorted(change, key=lambda phrase: (-change[phrase], phrase))
    return "; ".join(f'"{phrase}"' for phrase in often) if often else "none"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--phrases", type=Path, required=True, help="The table of counted phrases (CSV).")
    parser.add_argument("--rows", type=Path, help="machine_measurements.csv: count the records, too.")
    parser.add_argument("--out", type=Path, help="Markdown file for the result.")
    arguments = parser.parse_args()
    with arguments.phrases.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    read = [read_statement(row["phrase"]) for row in rows]
    counts = [int(row["count_in_10000_sample"]) for row in rows]
    faithful = sum(
        set(published_labels([row["phrase"]])) == set(filter(None, row["keyword_labels_hit"].split(";")))
        for row in rows
    )
    without = [one for one in read if one.deliberately_without]
    kinds = sorted({one.kind for one in without}, key=lambda kind: -sum(o.kind == kind for o in without))
    certain, hedged = compare(rows, 100.0), compare(rows, 0.0)
    differing = disagreements()

    lines = []
    for code in certain:
        sure, all_ = certain[code], hedged[code]
        lines.append(
            f"| {code} | {sure.kept + sum(sure.lost.values()):,} | {RECORDS[code]:,} | "
            f"{ACROSS.get(code, 0)} | "
            f"{sum(sure.gained.values())} | {sum(sure.lost.values())} | "
            f"{sure.kept + sum(sure.gained.values()):,} | "
            f"{sum(all_.gained.values())} | {sum(all_.lost.values())} | "
            f"{all_.kept + sum(all_.gained.values()):,} |"
        )
    responsible = []
    for code in certain:
        only_hedged = {p: n for p, n in certain[code].lost.items() if p not in hedged[code].lost}
        if certain[code].gained or certain[code].lost or hedged[code].gained:
            more = {p: n for p, n in hedged[code].gained.items() if p not in certain[code].gained}
            responsible.append(
                f"**{code}**\n\n"
                f"- gained: {listed(certain[code].gained)}\n"
                f"- gained as hedged: {listed(more)}\n"
                f"- lost in any case: {listed(hedged[code].lost)}\n"
                f"- lost with certain statements only, kept as hedged: {listed(only_hedged)}\n"
            )
    rule_lines = [
        f'- "{text}": table {spelled(list(row.findings))}; rules '
        f"{spelled([(one.code, one.certainty) for one in read_by_rules(text).findings])}. "
        f"Why the table: {WHY[text]}."
        for text, row in differing
    ]
    n_phrases = len(phrases())
    text = f"""# Report statements: read one by one, beside the published keyword rules

    python benchmarks/report_labels.py --phrases mimic_report_phrases.csv \\
        --out benchmarks/results/report_labels.md

{len(rows)} statements as spelt (case and final stop kept apart), \
{len({one.text for one in read})} when normalised, {sum(counts):,} occurrences
in 10,000 report rows of MIMIC-IV-ECG 1.0. {describe_machine("leadlight")}

## What is known of each phrase

All {len(rows)} stand in the reviewed table: {len(rows) - len(without)} state a finding, \
{len(without)} are deliberately without
({", ".join(f"{sum(one.kind == kind for one in without)} {kind}" for kind in kinds)}). Not understood: \
{sum(not one.understood for one in read)}. The published rules, run by
`published_labels`, give the labels that the table of phrases states for {faithful} of {len(rows)} phrases.

## What can be counted, and what cannot

The table of phrases counts statements, not rows: which statements stand together in a report is not in it.

- Counted below: occurrences of statements that set a label, by the published rules applied to each
  phrase alone, and by `labels.space("ecg-xplaim")` on what each statement says.
- Records: not countable from phrases. A record that loses one statement may keep the label through another,
  and one record may repeat a statement. The occurrences gained are an upper bound of the records that gain
  the label from these phrases, those lost likewise of the records that lose it from these phrases.
- Matches across two joined statements: not countable from phrases, and absent from the columns below. They
  were counted on the rows when the table of phrases was made: `infarct anter` 24 hits, `infarct infer` 30,
  `infarct later` 57, `infarct septal` 4, all false; of the positive records, 21 of 1,207 ami, 25 of 1,069
  imi, 4 of 678 smi and 54 of 315 lmi exist for this reason alone. Each of these records loses the label.
- From the same count of records: 444 of 915 pac positives have no PAC statement; 99 records say "Prolonged
  PR interval" (39 of them borderline) and none is labelled avb1.
- 418 further statements that occur once each are not in the table (1.2 % of all statements).

"published" counts occurrences; "records" are the published rules' positive records in the same rows, and
"across" those of them that rest on a match across statements alone, both as counted on the rows.

| | | | | certain only | | | with hedged | | |
|---|---|---|---|---|---|---|---|---|---|
| **label** | **published** | **records** | **across** | **gained** | **lost** | **then** | **gained** | \
**lost** | **then** |
{chr(10).join(lines)}

"Certain only" is `min_likelihood=100`, "with hedged" is `min_likelihood=0`: probable, possible, borderline
and "cannot rule out" count, absent ones do not. A label that is lost is not set; it may be unknown rather
than negative, as afib and aflu are for "afib/flut".

## Phrases responsible, the most frequent first

{chr(10).join(responsible)}
## The rules by themselves

The rules, run on the {n_phrases} normalised phrases without the table, give the same kind, findings and
certainties for {n_phrases - len(differing)} of them ({(n_phrases - len(differing)) / n_phrases:.1%}). \
The rules were written with these phrases in view: this says
that rules and table agree, not how well the rules read statements that nobody has seen. The table holds for:

{chr(10).join(rule_lines)}

Reading a statement by rules takes {timed(list(phrases())):.0f} microseconds (median of three runs over \
all phrases);
from the table or the second time, it is a look-up.
"""
    if arguments.rows:
        text += records_table(arguments.rows)
    print(text)
    keep(text, arguments.out)


if __name__ == "__main__":
    main()
