"""One simulated recording and its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LabelError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording, Sex, Statement
from leadlight.simulate.findings import FINDINGS, INFARCTS, Finding, apply
from leadlight.simulate.heart import Heart, draw_heart
from leadlight.simulate.noise import NO_NOISE, NoiseLevels, draw_levels, electrode_noise, leads_of_electrodes
from leadlight.simulate.projection import net_axis, small_rotation, twelve_leads
from leadlight.simulate.rhythm import RATES, beat_times
from leadlight.simulate.tables import table
from leadlight.simulate.truth import Truth

Array = NDArray[np.float64]

RATE = 500.0
"""Hz at which hearts are drawn; other rates are resampled from it."""
DURATION = 10.0
VISIBLE = 0.05
"""mV: half a millimetre on paper, the smallest change that counts as a place of a finding."""
RHYTHMS = ("SR", "SBRAD", "STACH", "SARRH")


def conditions() -> tuple[str, ...]:
    """The statements that can be asked for: NORM, the findings, and the rhythms."""
    return ("NORM", *FINDINGS, *RHYTHMS)


@dataclass(frozen=True)
class Case:
    """What a recording is to show: statements, rhythm, person, and the seeds of person and recording."""

    findings: tuple[str, ...]
    rhythm: str
    age: float
    sex: Sex
    person: tuple[int, ...]
    recording: tuple[int, ...]
    noisy: bool = True


def simulate_recording(
    conditions: Sequence[str],
    seed: int,
    age: float | None = None,
    sex: Sex | None = None,
    sampling_rate: float = 500,
    noise: bool = True,
) -> tuple[Recording, Truth]:
    """Ten seconds of a simulated heart, and the truth of it.

    conditions: statement codes of ``leadlight.simulate.conditions()``, such as ["CLBBB"],
    ["IMI", "SBRAD"] or ["NORM"]; seed: the same seed gives the same recording; age in years and
    sex are drawn where None; sampling_rate: Hz; noise: False for the bare heart.
    Returns a Recording of the twelve leads in mV and its Truth.
    Raises LabelError for a code that cannot be drawn, or for two that exclude each other.
    """
    findings, rhythm = sort_conditions(conditions)
    rng = np.random.default_rng([seed, 2])
    drawn_sex: Sex = "male" if rng.random() < 0.5 else "female"
    drawn_age = draw_age(rng, bool(findings))
    case = Case(
        findings=findings,
        rhythm=rhythm,
        age=drawn_age if age is None else float(age),
        sex=sex or drawn_sex,
        person=(seed, 1),
        recording=(seed, 0),
        noisy=noise,
    )
    signal, statements, truth = draw(case)
    recording = Recording(
        signal=signal.astype(np.float32),
        leads=STANDARD_LEADS,
        sampling_rate=RATE,
        patient=Patient(age=case.age, sex=case.sex),
        statements=statements,
        source=f"simulated, seed {seed}",
        notes=("simulated: not a recording of a person",),
    )
    if sampling_rate != RATE:
        from leadlight.signal import resample_recording

        recording = resample_recording(recording, sampling_rate)
    return recording, truth


def sort_conditions(codes: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Findings in the order in which they are drawn, and the rhythm ("" where none was asked for)."""
    if isinstance(codes, str):
        codes = [codes]
    unknown = [code for code in codes if code not in conditions()]
    if unknown:
        raise LabelError(
            f"conditions: found {', '.join(map(repr, unknown))}; accepted: {', '.join(conditions())}."
        )
    rhythms = [code for code in RHYTHMS if code in codes]
    if len(rhythms) > 1:
        raise LabelError(f"conditions: found {' and '.join(rhythms)}; accepted: one rhythm.")
    findings = tuple(code for code in FINDINGS if code in codes)
    for group in (("CLBBB", "CRBBB", "IRBBB"), ("CLBBB", "LAFB"), ("CLBBB", *INFARCTS)):
        both = [code for code in group if code in findings]
        if len(both) > 1 and (group[0] in both or (group[0] == "CLBBB" and "IRBBB" in group)):
            raise LabelError(f"conditions: found {' with '.join(both)}; accepted: one of them.")
    return findings, rhythms[0] if rhythms else ""


def draw_age(rng: np.random.Generator, ill: bool) -> float:
    """An adult's age in years; the ill are older. Spread like PTB-XL's, rounded to whole years."""
    age = rng.normal(67, 13) if ill else rng.normal(53, 17)
    return float(round(float(np.clip(age, 18, 95))))


def draw(case: Case) -> tuple[Array, tuple[Statement, ...], Truth]:
    """Signal (12, samples) in mV at ``RATE``, statements and truth of a case."""
    rng = np.random.default_rng(list(case.recording))
    healthy = draw_heart(np.random.default_rng(list(case.person)), case.age, case.sex)
    healthy = _at_rate(healthy, _draw_rate(rng, healthy, case.rhythm))
    findings = [_draw_finding(rng, code, case.findings) for code in case.findings]
    heart = _with(healthy, findings)
    levels = draw_levels(rng) if case.noisy else NO_NOISE
    breathing = rng.uniform(0.2, 0.33)
    onsets = beat_times(
        rng,
        heart.rate,
        -1.5 - rng.random() * 60 / heart.rate,
        DURATION + 1,
        breathing,
        case.rhythm == "SARRH",
    )
    dipole = _beats(rng, heart, onsets, breathing)
    n_samples = dipole.shape[1]
    eight = heart.matrix @ dipole
    if case.noisy:
        eight += leads_of_electrodes(electrode_noise(rng, levels, n_samples, RATE, breathing))
    signal = twelve_leads(eight)
    truth = _truth(healthy, heart, findings, onsets, case, levels, breathing)
    statements = _statements(rng, findings, case.rhythm or _rhythm_of(truth), truth)
    return signal, statements, truth


def _with(heart: Heart, findings: Sequence[Finding]) -> Heart:
    for finding in findings:
        heart = apply(heart, finding)
    return heart


def _draw_rate(rng: np.random.Generator, heart: Heart, rhythm: str) -> float:
    """The rate of this recording, a minute: the person's own, give or take, or what the rhythm asks for."""
    if rhythm in RATES:
        return float(rng.uniform(*RATES[rhythm]))
    return float(np.clip(heart.rate * np.exp(rng.normal(0, 0.06)), 60.5, 99))


def _at_rate(heart: Heart, rate: float) -> Heart:
    """The heart at another rate: QT by Fridericia, PR shorter at high rates."""
    ratio = heart.rate / rate
    qt = heart.qt * ratio ** (1 / 3)
    stretch = qt / heart.qt
    pr = min(heart.pr, 0.150) if rate > 100 else heart.pr
    return replace(
        heart, rate=rate, qt=qt, pr=pr, t_rise=heart.t_rise * stretch, t_fall=heart.t_fall * stretch
    )


def _draw_finding(rng: np.random.Generator, code: str, company: Sequence[str]) -> Finding:
    severity = float(rng.uniform(0, 1))
    stage = ""
    if code in INFARCTS:
        rows = table("infarct_stages")
        weights = np.array([float(row["weight"]) for row in rows])
        stage = rows[int(rng.choice(len(rows), p=weights / weights.sum()))]["stage"]
    elif code == "LVH":
        # Strain is LVH with an ischaemia or ST statement beside it, as PTB-XL writes it.
        strained = any(other.startswith(("ISC", "NST", "NDT")) for other in company)
        stage = "strain" if strained else ""
    return Finding(code, severity, stage, dice=int(rng.integers(2**31)))


def _beats(rng: np.random.Generator, heart: Heart, onsets: Array, breathing: float) -> Array:
    """The dipole (3, samples): one beat after another, each a little larger and turned by breathing."""
    n_samples = round(DURATION * RATE)
    parts = heart.parts()
    waves = sum(list(parts.values())[1:], parts["P"])
    before, after = heart.pr + 0.06, heart.qt + 0.12
    window = np.arange(round((before + after) * RATE))
    first = np.round((onsets - before) * RATE).astype(int)
    times = (first[:, None] + window) / RATE - onsets[:, None]
    beats = waves.dipole(times)  # (3, beats, window)
    phase = 2 * np.pi * breathing * onsets + rng.uniform(0, 2 * np.pi)
    size = 1 + rng.uniform(0.01, 0.05) * np.sin(phase) + rng.normal(0, 0.01, len(onsets))
    sway = np.radians(rng.normal(0, 2.0, 3))[None] * np.sin(phase)[:, None]
    total = np.zeros((3, n_samples))
    for beat, start in enumerate(first):
        low, high = max(0, -start), min(len(window), n_samples - start)
        if low < high:
            turned = small_rotation(sway[beat]) @ beats[:, beat, low:high]
            total[:, start + low : start + high] += size[beat] * turned
    return total


def _truth(
    healthy: Heart,
    heart: Heart,
    findings: Sequence[Finding],
    onsets: Array,
    case: Case,
    levels: NoiseLevels,
    breathing: float,
) -> Truth:
    inside = onsets[(onsets > 0.0) & (onsets < DURATION)]
    marks = np.array(
        [-heart.pr, heart.p_duration - heart.pr, 0.0, heart.qrs, heart.t_onset, heart.qt], dtype=float
    )
    grid = np.arange(round((heart.pr + heart.qt + 0.1) * RATE)) / RATE - heart.pr - 0.02
    beat = _template(heart, grid)
    in_qrs = (grid >= 0) & (grid <= heart.qrs)
    peak = grid[in_qrs][np.argmax(np.linalg.norm(_dipole(heart, grid[in_qrs]), axis=0))]
    runs: dict[str, NDArray[np.int32]] = {}
    for finding in findings:
        without = _template(_with(healthy, [other for other in findings if other is not finding]), grid)
        places = places_of(finding.code, heart, grid, beat, without)
        runs[finding.code] = _runs(places, onsets)
    row = {lead: beat[STANDARD_LEADS.index(lead)] for lead in ("I", "aVF")}
    at_t = int(np.argmin(np.abs(grid - heart.t_peak)))
    intervals = np.diff(inside)
    parameters = {
        "heart_rate": float(60 / intervals.mean()) if len(intervals) else float(heart.rate),
        "pr": heart.pr,
        "qrs": heart.qrs,
        "qt": heart.qt,
        "qtc_fridericia": heart.qt * (heart.rate / 60) ** (1 / 3),
        "p_duration": heart.p_duration,
        "qrs_axis": net_axis(row["I"][in_qrs].sum(), row["aVF"][in_qrs].sum()),
        "t_axis": net_axis(row["I"][at_t], row["aVF"][at_t]),
        "age": case.age,
        "sex": case.sex,
        "findings": [{"code": f.code, "severity": f.severity, "stage": f.stage} for f in findings],
        "noise": levels.to_dict(),
        "breathing": breathing,
        "lead_matrix": heart.matrix.tolist(),
    }
    return Truth(
        duration=DURATION,
        r_peaks=inside + peak,
        boundaries=inside[:, None] + marks[None, :],
        runs=runs,
        runs_rate=RATE,
        parameters=parameters,
    )


def _dipole(heart: Heart, times: Array) -> Array:
    parts = heart.parts()
    return sum(list(parts.values())[1:], parts["P"]).dipole(times)


def _template(heart: Heart, times: Array) -> Array:
    """One beat without noise in the twelve leads."""
    return twelve_leads(heart.matrix @ _dipole(heart, times))


def places_of(
    code: str, heart: Heart, grid: Array, beat: Array, without: Array
) -> list[tuple[int, float, float]]:
    """(lead, begin, end) in seconds from the QRS onset: the waves that a finding changed visibly.

    beat, without: (12, times) mV on the grid, with and without the finding. The waves are those that
    the finding's criteria speak of (data/evidence.csv).
    """
    (row,) = (row for row in table("evidence") if row["finding"] == code)
    segments = row["segments"].split(";")
    difference = np.abs(beat - without)
    places = []
    for lead in range(len(STANDARD_LEADS)):
        for begin, end in _segments(segments, heart, grid, beat[lead]):
            here = (grid >= begin) & (grid < end)
            # A longer PR shows in every lead, however flat its P.
            if code == "1AVB" or (here.any() and difference[lead, here].max() >= VISIBLE):
                places.append((lead, begin, end))
    return places


def _segments(names: Sequence[str], heart: Heart, grid: Array, signal: Array) -> list[tuple[float, float]]:
    """(begin, end) in seconds of the named parts of the beat in one lead."""
    spans: list[tuple[float, float]] = []
    fixed = {
        "P": (-heart.pr, heart.p_duration - heart.pr),
        "PR": (-heart.pr, 0.0),
        "QRS": (0.0, heart.qrs),
        "J": (heart.qrs, heart.qrs + 0.02),
        "ST": (heart.qrs, heart.t_onset),
        "T": (heart.t_onset, heart.qt),
        "QT": (0.0, heart.qt),
    }
    spans.extend(fixed[name] for name in names if name in fixed)
    if not {"Q", "R", "S"} & set(names):
        return spans
    here = np.flatnonzero((grid >= 0) & (grid < heart.qrs))
    sign = np.where(np.abs(signal[here]) < 0.02, 0, np.sign(signal[here]))
    edges = np.flatnonzero(np.diff(sign)) + 1
    seen_r = False
    for piece in np.split(np.arange(len(here)), edges):
        if len(piece) == 0 or sign[piece[0]] == 0:
            continue
        name = "R" if sign[piece[0]] > 0 else ("S" if seen_r else "Q")
        seen_r |= name == "R"
        if name in names:
            spans.append((float(grid[here[piece[0]]]), float(grid[here[piece[-1]]]) + 1 / RATE))
    return spans


def _runs(places: list[tuple[int, float, float]], onsets: Array) -> NDArray[np.int32]:
    """Places of one beat, repeated for all beats, as merged runs of samples inside the recording."""
    n_samples = round(DURATION * RATE)
    runs: list[tuple[int, int, int]] = []
    for lead, begin, end in sorted(places):
        for onset in onsets:
            first = max(0, round((onset + begin) * RATE))
            stop = min(n_samples, round((onset + end) * RATE))
            if first < stop:
                runs.append((lead, first, stop))
    runs.sort()
    merged: list[tuple[int, int, int]] = []
    for lead, first, stop in runs:
        if merged and merged[-1][0] == lead and first <= merged[-1][2] + 1:
            merged[-1] = (lead, merged[-1][1], max(stop, merged[-1][2]))
        else:
            merged.append((lead, first, stop))
    return np.array(merged, dtype=np.int32).reshape(-1, 3)


def _rhythm_of(truth: Truth) -> str:
    rate = truth.parameters["heart_rate"]
    return "SBRAD" if rate < 59.5 else "STACH" if rate > 100.5 else "SR"


def _statements(
    rng: np.random.Generator, findings: Sequence[Finding], rhythm: str, truth: Truth
) -> tuple[Statement, ...]:
    """Statements with likelihoods in PTB-XL's manner: percent for diagnoses, 0 for form and rhythm."""
    superclass = {row["finding"]: row["superclass"] for row in table("evidence")}
    statements = []
    if not findings:
        statements.append(
            Statement("NORM", likelihood=float(rng.choice([100, 80, 50], p=[0.75, 0.19, 0.06])))
        )
    for finding in findings:
        steps = [row for row in table("likelihoods") if row["superclass"] == superclass[finding.code]]
        likelihood = max(
            (row for row in steps if float(row["severity_from"]) <= finding.severity),
            key=lambda row: float(row["severity_from"]),
        )["likelihood"]
        statements.append(Statement(finding.code, likelihood=float(likelihood)))
    present = {finding.code for finding in findings}
    for row in table("forms"):
        chosen = rng.random() < float(row["probability"])
        if chosen and row["finding"] in present and all(s.code != row["form"] for s in statements):
            statements.append(Statement(row["form"], likelihood=0.0))
    statements.append(Statement(rhythm, likelihood=0.0))
    return tuple(statements)
