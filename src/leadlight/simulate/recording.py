"""One simulated recording and its truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LabelError, SignalError
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Patient, Recording, Sex, Statement
from leadlight.simulate import statements
from leadlight.simulate.findings import FINDINGS, INFARCTS, Finding, apply
from leadlight.simulate.heart import Heart, draw_heart
from leadlight.simulate.noise import NO_NOISE, draw_levels, electrode_noise, leads_of_electrodes
from leadlight.simulate.places import criteria_segments, places, repeated
from leadlight.simulate.projection import net_axis, small_rotation, twelve_leads
from leadlight.simulate.rhythm import RATES, beat_times
from leadlight.simulate.tables import table
from leadlight.simulate.truth import Truth

Array = NDArray[np.float64]

RATE = 500.0
"""Hz at which hearts are drawn; other rates are resampled from it."""
DURATION = 10.0
YOUNGEST, OLDEST = 18, 120
"""Years: the tables are about adults."""
RHYTHMS = ("SR", "SBRAD", "STACH", "SARRH")
# Statements that no recording shows together: a left bundle branch block hides Q waves and voltages.
_APART: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("NORM", tuple(FINDINGS)),
    ("CLBBB", ("CRBBB", "IRBBB", "LAFB", "LVH", *INFARCTS)),
    ("CRBBB", ("IRBBB",)),
    *((code, RHYTHMS[place + 1 :]) for place, code in enumerate(RHYTHMS)),
)


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
    Raises LabelError for a code that cannot be drawn, or for two that exclude each other, SignalError
    for a seed, an age or a sex that cannot be.
    """
    findings, rhythm = sort_conditions(conditions)
    if seed < 0:
        raise SignalError(f"seed: found {seed}; accepted: 0 or more.")
    if age is not None and not YOUNGEST <= age <= OLDEST:
        raise SignalError(f"age: found {age:g} years; accepted: {YOUNGEST} to {OLDEST}, or None to draw one.")
    if sex not in (None, "male", "female"):
        raise SignalError(f'sex: found {sex!r}; accepted: "male", "female", or None to draw one.')
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
    findings = tuple(code for code in FINDINGS if code in codes)
    rhythms = tuple(code for code in RHYTHMS if code in codes)
    for code, others in _APART:
        clash = [other for other in others if other in codes]
        if code in codes and clash:
            raise LabelError(f"conditions: found {code} with {', '.join(clash)}; accepted: one of them.")
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
    start = -1.5 - rng.random() * 60 / heart.rate
    onsets = beat_times(rng, heart.rate, start, DURATION + 1, breathing, case.rhythm == "SARRH")
    dipole = _beats(rng, heart, onsets, breathing)
    n_samples = dipole.shape[1]
    eight = heart.matrix @ dipole
    if case.noisy:
        eight += leads_of_electrodes(electrode_noise(rng, levels, n_samples, RATE, breathing))
    signal = twelve_leads(eight)
    forms = statements.forms(rng, findings)
    truth = _truth(case, healthy, heart, findings, forms, onsets)
    truth.parameters.update(noise=levels.to_dict(), breathing=breathing)
    rhythm = case.rhythm or statements.rhythm(truth.parameters["heart_rate"])
    unsure = [Statement(code, likelihood=0.0) for code in (*forms, rhythm)]
    return signal, (*statements.diagnoses(rng, findings), *unsure), truth


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
    before, after = heart.pr + 0.06, heart.qt + 0.12
    window = np.arange(round((before + after) * RATE))
    first = np.round((onsets - before) * RATE).astype(int)
    times = (first[:, None] + window) / RATE - onsets[:, None]
    beats = heart.beat().dipole(times)  # (3, beats, window)
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
    case: Case,
    healthy: Heart,
    heart: Heart,
    findings: Sequence[Finding],
    forms: Mapping[str, tuple[Finding, tuple[str, ...]]],
    onsets: Array,
) -> Truth:
    """What was asked for, where the waves are, and where each finding shows against the heart without it."""
    times = np.arange(round((heart.pr + heart.qt + 0.1) * RATE)) / RATE - heart.pr - 0.02
    dipole = heart.beat().dipole(times)
    beat = twelve_leads(heart.matrix @ dipole)
    in_qrs = (times >= 0) & (times <= heart.qrs)
    runs: dict[str, NDArray[np.int32]] = {}
    for finding in findings:
        others = _with(healthy, [other for other in findings if other is not finding])
        without = twelve_leads(others.matrix @ others.beat().dipole(times))
        segments = {finding.code: criteria_segments(finding.code)}
        segments |= {form: parts for form, (cause, parts) in forms.items() if cause is finding}
        for code, parts in segments.items():
            found = places(finding.code, parts, heart, others, times, beat, without)
            runs[code] = repeated(found, onsets, round(DURATION * RATE), RATE)
    inside = onsets[(onsets > 0) & (onsets < DURATION)]
    marks = [-heart.pr, heart.p_duration - heart.pr, 0.0, heart.qrs, heart.t_onset, heart.qt]
    one, avf = beat[STANDARD_LEADS.index("I")], beat[STANDARD_LEADS.index("aVF")]
    at_t = int(np.argmin(np.abs(times - heart.t_peak)))
    return Truth(
        duration=DURATION,
        r_peaks=inside + times[in_qrs][np.argmax(np.linalg.norm(dipole[:, in_qrs], axis=0))],
        boundaries=inside[:, None] + np.array(marks)[None, :],
        runs=runs,
        runs_rate=RATE,
        parameters={
            "heart_rate": float(60 / np.diff(inside).mean()),
            "pr": heart.pr,
            "qrs": heart.qrs,
            "qt": heart.qt,
            "qtc_fridericia": heart.qt * (heart.rate / 60) ** (1 / 3),
            "p_duration": heart.p_duration,
            "qrs_axis": net_axis(one[in_qrs].sum(), avf[in_qrs].sum()),
            "t_axis": net_axis(one[at_t], avf[at_t]),
            "age": case.age,
            "sex": case.sex,
            "findings": [{"code": f.code, "severity": f.severity, "stage": f.stage} for f in findings],
            "lead_matrix": heart.matrix.tolist(),
        },
    )
