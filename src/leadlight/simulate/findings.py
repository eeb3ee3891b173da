"""What each finding does to a heart: vectors moved until the leads show what the criteria ask for.

The wanted values stand in ``data/findings.csv``, lead by lead, for a mild and for a marked form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadlight.leads import STANDARD_LEADS
from leadlight.simulate.heart import T_END, Heart, smooth
from leadlight.simulate.projection import dipole_towards, turn_to_axis, twelve_leads
from leadlight.simulate.tables import lead_values, qrs_shape, table
from leadlight.simulate.waves import QRS_INSTANTS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """A statement to draw: its code, how marked it is (0 just there ... 1 marked), and its own dice.

    stage: of an infarct, as PTB-XL writes it ("Stadium I", ...). dice: seed of what is left to chance.
    """

    code: str
    severity: float
    stage: str = ""
    dice: int = 0


def apply(heart: Heart, finding: Finding) -> Heart:
    """The heart with this finding."""
    return FINDINGS[finding.code](heart, finding, np.random.default_rng(finding.dice))


def _wanted(finding: Finding, part: str) -> dict[str, float]:
    values = lead_values(finding.code, part)
    return {lead: mild + finding.severity * (marked - mild) for lead, (mild, marked) in values.items()}


def _in_leads(heart: Heart, vectors: Array, leads: list[str]) -> Array:
    rows = twelve_leads(heart.matrix)[[STANDARD_LEADS.index(lead) for lead in leads]]
    seen: Array = rows @ vectors
    return seen


def _reach(heart: Heart, vector: Array, wanted: dict[str, float], share: float = 1.0) -> Array:
    """The vector (3,) moved so that the named leads come a share of the way to the wanted values."""
    if not wanted:
        return vector
    leads = list(wanted)
    change = np.array(list(wanted.values())) - _in_leads(heart, vector, leads)
    return vector + share * dipole_towards(heart.matrix, leads, change)


def _with_st(heart: Heart, wanted: dict[str, float], share: float = 1.0, slope: float = 1.0) -> Heart:
    """ST moved at the J point; slope: what is left of it where T begins."""
    j = _reach(heart, heart.st[:, 0], wanted, share)
    return replace(heart, st=np.stack([j, heart.st[:, 1] + slope * (j - heart.st[:, 0])], axis=1))


def _with_t(heart: Heart, wanted: dict[str, float], share: float = 1.0, symmetric: bool = False) -> Heart:
    heart = replace(heart, t=_reach(heart, heart.t, wanted, share))
    return replace(heart, t_rise=min(heart.t_rise, 1.1 * heart.t_fall)) if symmetric else heart


def _infarct(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Q, lost R, ST and T of an infarct; its stage says how much of each there is."""
    (stage,) = (row for row in table("infarct_stages") if row["stage"] == finding.stage)
    q_share, st_share, t_share = float(stage["q"]), float(stage["st"]), float(stage["t"])
    times = QRS_INSTANTS * heart.core
    q_time = 0.034 + 0.012 * finding.severity
    window = np.where(times < q_time, np.sin(np.pi * np.clip(times / q_time, 0, 1)) ** 0.7, 0.0)
    depths, left = _wanted(finding, "Q"), _wanted(finding, "R")
    leads = sorted(depths.keys() | left.keys(), key=STANDARD_LEADS.index)
    seen = _in_leads(heart, heart.shape, leads)
    target = seen.copy()
    for row, lead in enumerate(leads):
        target[row] = np.where(seen[row] > 0, seen[row] * left.get(lead, 1.0), seen[row])
        if lead in depths:
            inside = window > 0
            target[row, inside] = np.minimum(target[row, inside], depths[lead] * window[inside])
            # With most of R lost, what is left is one smooth QS.
            lost = float(np.clip((0.7 - left.get(lead, 1.0)) / 0.5, 0, 1))
            depth = min(depths[lead], 0.9 * seen[row].min())
            target[row] = (1 - lost) * target[row] + lost * depth * np.sin(np.pi * QRS_INSTANTS) ** 1.2
    shape = heart.shape + q_share * dipole_towards(heart.matrix, leads, target - seen)
    heart = replace(heart, shape=shape)
    # Reciprocal changes are in the table; what a dipole adds in further leads follows by itself.
    heart = _with_st(heart, _wanted(finding, "ST"), st_share, slope=1.1)
    if t_share < 0:  # hyperacute: T follows the ST vector
        return replace(heart, t=heart.t - 1.5 * t_share * heart.st[:, 0])
    return _with_t(heart, _wanted(finding, "T"), t_share, symmetric=t_share > 0.5)


def _ischaemia(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    heart = _with_st(heart, _wanted(finding, "ST"), slope=1.2)
    return _with_t(heart, _wanted(finding, "T"), symmetric=True)


# Neighbouring leads for the statements that name none: lateral, inferior, anterior.
_GROUPS = (("I", "aVL", "V4", "V5", "V6"), ("II", "III", "aVF", "V5", "V6"), ("V2", "V3", "V4", "V5"))


def _low_t(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Non-diagnostic T: 15 % of R down to slightly inverted, in a group of neighbouring leads."""
    leads = list(_GROUPS[int(rng.choice(3, p=[0.6, 0.25, 0.15]))])
    tallest = np.maximum(_in_leads(heart, heart.shape, leads), 0).max(axis=1)
    wanted = (1 - finding.severity) * 0.12 * tallest - finding.severity * 0.08
    return _with_t(heart, dict(zip(leads, wanted, strict=True)))


def _small_st(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Non-specific ST: down by a little in a group of neighbouring leads, T flattened."""
    leads = _GROUPS[int(rng.choice(3, p=[0.6, 0.25, 0.15]))]
    down = -0.03 - 0.04 * finding.severity
    heart = _with_st(heart, dict.fromkeys(leads, down))
    return replace(heart, t=heart.t * (0.85 - 0.35 * finding.severity))


def _left_bundle(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Complete left bundle branch block: the loop of its own, ST and T against it."""
    size = np.linalg.norm(heart.shape, axis=0).max() / np.linalg.norm(qrs_shape("normal_male"), axis=0).max()
    size = float(np.clip(size, 0.7, 1.5)) * (0.95 + 0.35 * finding.severity)
    shape = qrs_shape("lbbb") * size
    shape = shape * (1 + smooth(rng.normal(0, 0.15, (1, 9))))
    # The notch of X in mid-QRS is deep in some and a mere slur in others.
    level = 0.5 * (shape[0, 2] + shape[0, 6])
    shape[0, 3:6] += rng.uniform(-0.1, 0.9) * (level - shape[0, 3:6])
    own = turn_to_axis(shape.sum(axis=1), float(np.clip(rng.normal(5, 30), -60, 75)), heart.matrix)
    qrs = 0.124 + 0.042 * finding.severity + rng.uniform(0, 0.008)
    longer = 0.7 * (qrs - heart.qrs)
    heart = replace(heart, shape=own @ shape, qrs=qrs, core=qrs, qt=heart.qt + longer, late=np.zeros(3))
    heart = replace(heart, st=heart.st * 0, t=heart.t * 0.3)
    heart = _with_st(heart, _wanted(finding, "ST"), size, slope=1.2)
    return _with_t(heart, _wanted(finding, "T"), min(size, 1.2))


def _right_bundle(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Right bundle branch block: the QRS as it was, then a late wave to the right and forwards."""
    late = _reach(heart, np.zeros(3), _wanted(finding, "late"))
    if finding.code == "CRBBB":
        qrs = 0.122 + 0.030 * finding.severity + rng.uniform(0, 0.006)
        core = min(heart.qrs, 0.092)
    else:
        qrs = 0.106 + 0.012 * finding.severity
        core = min(heart.qrs, 0.084)
    longer = 0.7 * (qrs - heart.qrs)
    # The late wave cancels a part of what the left ventricle does at its end.
    spared = 1 - (0.2 + 0.4 * finding.severity) * np.array([0, 0, 0, 0, 0, 0.5, 1, 1, 1])
    heart = replace(heart, shape=heart.shape * spared, late=late)
    heart = replace(heart, qrs=qrs, core=core, qt=heart.qt + max(longer, 0.0))
    return _with_t(_with_st(heart, _wanted(finding, "ST")), _wanted(finding, "T"))


def _left_anterior(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Left anterior fascicular block: down and right at first, then up and left."""
    shape = heart.shape
    axis = -46 - 22 * finding.severity
    turn = turn_to_axis(shape.sum(axis=1), axis, heart.matrix)
    new = turn @ shape
    for place, share in ((0, 0.6), (1, 1.0)):
        wanted = {lead: share * value for lead, value in _wanted(finding, "start").items()}
        new[:, place] = _reach(heart, new[:, place] * 0.2, wanted)
    new[:, 2] = 0.5 * (new[:, 1] + new[:, 3])
    last = _reach(heart, new[:, 7], _wanted(finding, "end")) - new[:, 7]
    new += last[:, None] * np.array([0, 0, 0, 0, 0.2, 0.6, 0.9, 1, 0.6])
    qrs = max(heart.qrs, 0.092 + 0.016 * finding.severity)
    return replace(heart, shape=new, qrs=qrs, core=qrs, qt=heart.qt + 0.7 * (qrs - heart.qrs))


def _long_pr(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """First-degree AV block: PR of 212 to 320 ms, as far as the rate leaves room for it."""
    room = 60 / heart.rate - heart.qt + 0.06
    return replace(heart, pr=float(np.clip(0.212 + 0.108 * finding.severity, 0.206, max(0.206, room))))


def _left_hypertrophy(heart: Heart, finding: Finding, rng: np.random.Generator) -> Heart:
    """Left ventricular hypertrophy: the main vector grows left and back until the voltage is reached."""
    sokolow = 3.6 + 1.6 * finding.severity
    towards = np.array([0.75, -0.10, 0.65])
    along = np.maximum(towards @ heart.shape, 0)[None, :] * towards[:, None] / (towards @ towards)
    for gain in np.arange(0.1, 4.0, 0.1):
        shape = heart.shape + gain * along
        s_of_v1 = -_in_leads(heart, shape, ["V1"]).min()
        r_of_v5 = _in_leads(heart, shape, ["V5", "V6"]).max()
        if s_of_v1 + r_of_v5 >= sokolow:
            break
    qrs = float(np.clip(heart.qrs + 0.006 + 0.012 * finding.severity, 0.09, 0.116))
    heart = replace(heart, shape=shape, qrs=qrs, core=qrs, qt=heart.qt + 0.7 * (qrs - heart.qrs))
    if finding.stage != "strain":
        return heart
    heart = _with_st(heart, _wanted(finding, "ST"), slope=1.8)
    # Slow down, quick up.
    heart = _with_t(heart, _wanted(finding, "T"))
    room = (heart.qt - T_END * heart.t_fall - heart.qrs) / T_END
    return replace(heart, t_rise=min(1.8 * heart.t_fall, room))


_Draw = Callable[[Heart, Finding, np.random.Generator], Heart]

FINDINGS: dict[str, _Draw] = {
    # In the order in which they are drawn: muscle, conduction, infarct, repolarisation.
    "LVH": _left_hypertrophy,
    "LAFB": _left_anterior,
    "1AVB": _long_pr,
    **dict.fromkeys(("IMI", "ILMI", "AMI", "ASMI", "ALMI", "LMI"), _infarct),
    "IRBBB": _right_bundle,
    "CRBBB": _right_bundle,
    "CLBBB": _left_bundle,
    "NDT": _low_t,
    "NST_": _small_st,
    **dict.fromkeys(("ISC_", "ISCAL", "ISCAN", "ISCAS", "ISCLA", "ISCIN", "ISCIL"), _ischaemia),
}
INFARCTS = ("IMI", "ILMI", "AMI", "ASMI", "ALMI", "LMI")
