"""What a simulated recording is said to show, in PTB-XL's manner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadlight.recording import Statement
from leadlight.simulate.findings import Finding
from leadlight.simulate.tables import table


def diagnoses(rng: np.random.Generator, findings: Sequence[Finding]) -> list[Statement]:
    """Diagnostic statements with a likelihood in percent, the milder the less sure; NORM without findings."""
    if not findings:
        # Shares of 100, 80 and 50 among the NORM statements of PTB-XL, rounded.
        return [Statement("NORM", likelihood=float(rng.choice([100, 80, 50], p=[0.75, 0.19, 0.06])))]
    superclass = {row["finding"]: row["superclass"] for row in table("evidence")}
    statements = []
    for finding in findings:
        steps = [
            (float(row["severity_from"]), float(row["likelihood"]))
            for row in table("likelihoods")
            if row["superclass"] == superclass[finding.code]
        ]
        likelihood = max(step for step in steps if step[0] <= finding.severity)[1]
        statements.append(Statement(finding.code, likelihood=likelihood))
    return statements


def forms(
    rng: np.random.Generator, findings: Sequence[Finding]
) -> dict[str, tuple[Finding, tuple[str, ...]]]:
    """Form statements that go with the findings, some of the time: code -> its finding, its segments."""
    chosen: dict[str, tuple[Finding, tuple[str, ...]]] = {}
    for finding in findings:
        for row in table("forms"):
            if row["finding"] == finding.code and rng.random() < float(row["probability"]):
                chosen.setdefault(row["form"], (finding, tuple(row["segments"].split(";"))))
    return chosen


def rhythm(rate: float) -> str:
    """The rhythm statement of sinus rhythm at this rate a minute."""
    return "SBRAD" if rate < 59.5 else "STACH" if rate > 100.5 else "SR"
