"""Each finding shows what its criteria ask for; the limits are those of the published criteria."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

SEEDS = range(20)
ACUTE_SEEDS = (0, 16, 22, 26, 30, 37)
RATE = 500


def all_beats(beat: Callable, *conditions: str) -> list:
    return [beat(list(conditions), seed) for seed in SEEDS]


def share(flags: list[bool]) -> float:
    return float(np.mean(flags))


def severity(one: object, code: str) -> float:
    return next(f["severity"] for f in one.truth.parameters["findings"] if f["code"] == code)  # type: ignore[attr-defined]


def stage(one: object) -> str:
    return one.truth.parameters["findings"][0]["stage"]  # type: ignore[attr-defined,no-any-return]


def test_left_bundle_branch_block(beat: Callable) -> None:
    for one in all_beats(beat, "CLBBB"):
        assert one.truth.parameters["qrs"] >= 0.120
        for lead in ("I", "V5", "V6"):
            assert one.q(lead)[0] > -0.05, f"no q in {lead}"
        for lead in ("I", "V6"):
            qrs = one.qrs(lead)
            assert (qrs > 0.5 * qrs.max()).mean() > 0.35, f"R of {lead} is broad"
        assert -one.qrs("V1").min() > 3 * max(one.qrs("V1").max(), 0.05), "rS or QS in V1"
        peak = np.argmax(one.qrs("V6")) / RATE
        assert peak > 0.030
        assert one.t("V1") > 0.1 and one.j("V1") > 0, "ST and T against the S of V1"
        assert one.t("V6") < 0 and one.t("I") < 0.02, "T against the R of V6 and I"


def test_r_is_notched_or_slurred_late_in_left_bundle_branch_block(beat: Callable) -> None:
    late = []
    for one in all_beats(beat, "CLBBB"):
        qrs = one.qrs("V6")
        late.append((np.flatnonzero(qrs > 0.7 * qrs.max())[-1] + 1) / RATE > 0.060)
    assert share(late) > 0.9


def test_right_bundle_branch_block(beat: Callable) -> None:
    for one in all_beats(beat, "CRBBB"):
        assert one.truth.parameters["qrs"] >= 0.120
        v1 = one.qrs("V1")
        late = v1[round(0.05 * RATE) :]
        assert late.max() > 0.15 and late.max() > v1[: round(0.035 * RATE)].max(), "R' taller than r"
        assert v1[: round(0.05 * RATE) + np.argmax(late)].min() < 0, "an s between them"
        for lead in ("I", "V6"):
            qrs = one.qrs(lead)
            s = qrs[np.argmax(qrs) :] < -0.02
            assert s.sum() / RATE >= 0.040, f"S of {lead} lasts 40 ms or more"
        assert one.t("V1") < 0


def test_incomplete_right_bundle_branch_block_is_narrower(beat: Callable) -> None:
    for one in all_beats(beat, "IRBBB"):
        assert 0.100 <= one.truth.parameters["qrs"] < 0.120
        assert one.qrs("V1")[round(0.05 * RATE) :].max() > 0.05


def test_left_anterior_fascicular_block(beat: Callable) -> None:
    for one in all_beats(beat, "LAFB"):
        assert one.truth.parameters["qrs"] < 0.120
        assert -90 <= one.truth.parameters["qrs_axis"] <= -45
        for lead in ("II", "III", "aVF"):
            qrs = one.qrs(lead)
            assert qrs[: len(qrs) // 3].max() > 0.03, f"{lead} begins with an r"
            assert -qrs.min() > qrs.max(), f"rS in {lead}"
        assert one.q("aVL")[0] < -0.01, "qR in aVL"


def test_first_degree_block(beat: Callable) -> None:
    for one in all_beats(beat, "1AVB"):
        assert one.truth.parameters["pr"] > 0.200
        starts = one.truth.boundaries
        assert np.ptp(starts[:, 2] - starts[:, 0]) < 1e-9, "the same in every beat"


def test_hypertrophy_reaches_the_voltage(beat: Callable) -> None:
    reached = [
        -one.qrs("V1").min() + max(one.qrs("V5").max(), one.qrs("V6").max()) >= 3.5
        for one in all_beats(beat, "LVH")
    ]
    assert share(reached) > 0.9


def test_hypertrophy_with_strain(beat: Callable) -> None:
    for one in all_beats(beat, "LVH", "ISC_"):
        assert one.t("V6") < 0 and one.t("V5") < 0.03
        assert one.j("V5") < -0.02
        assert one.j("V1") > 0


@pytest.mark.parametrize(
    ("code", "groups"),
    [
        ("IMI", [("II", "III", "aVF")]),
        ("ILMI", [("II", "III", "aVF"), ("V5", "V6")]),
        ("LMI", [("I", "aVL", "V5", "V6")]),
        ("ALMI", [("I", "aVL", "V4", "V5", "V6")]),
    ],
)
def test_old_infarcts_have_q_waves_in_their_territory(
    beat: Callable, code: str, groups: list[tuple[str, ...]]
) -> None:
    """Q of 30 ms and 0.1 mV, or QS, in two leads of a group, once the infarct is half-way to marked."""
    old = [one for one in all_beats(beat, code) if stage(one) != "Stadium I" and severity(one, code) > 0.4]
    assert len(old) >= 5
    for group in groups:
        shown = []
        for one in old:
            waves = [one.q(lead) for lead in group]
            shown.append(sum(depth <= -0.09 and lasts >= 0.026 for depth, lasts in waves) >= 2)
        assert share(shown) >= 0.75, group


@pytest.mark.parametrize("code", ["AMI", "ASMI"])
def test_old_anterior_infarcts_have_q_or_qs_in_v2_and_v3(beat: Callable, code: str) -> None:
    """Any Q of 20 ms, or QS, in V2 and V3."""
    old = [one for one in all_beats(beat, code) if stage(one) != "Stadium I"]
    shown = [all(one.q(lead)[1] >= 0.020 and one.q(lead)[0] < -0.1 for lead in ("V2", "V3")) for one in old]
    assert share(shown) >= 0.8
    lost = [one.qrs("V3").max() < 0.4 for one in old if severity(one, code) > 0.4]
    assert share(lost) >= 0.9, "R does not grow towards V3"


@pytest.mark.parametrize(
    ("code", "raised", "mirrored"),
    [
        ("IMI", ("II", "III", "aVF"), ("aVL",)),
        ("ILMI", ("II", "aVF"), ("V1",)),
        ("ASMI", ("V2", "V3"), ()),
        ("AMI", ("V2", "V3"), ()),
        ("ALMI", ("V3", "V4", "V5"), ("III",)),
        ("LMI", ("aVL", "V5"), ("III",)),
    ],
)
def test_acute_infarcts_raise_st_and_mirror_it(
    beat: Callable, code: str, raised: tuple[str, ...], mirrored: tuple[str, ...]
) -> None:
    # The stage hangs on the seed alone: seeds that draw an acute inferior infarct draw an acute one anywhere.
    acute = [beat([code], seed) for seed in ACUTE_SEEDS]
    assert all(stage(one) == "Stadium I" for one in acute)
    for lead in raised:
        assert share([one.j(lead) > 0.08 for one in acute]) >= 0.8, lead
    for lead in mirrored:
        assert share([one.j(lead) < -0.03 for one in acute]) >= 0.8, lead


@pytest.mark.parametrize(
    ("code", "leads"),
    [
        ("ISCAL", ("V4", "V5", "V6")),
        ("ISCAN", ("V3", "V4")),
        ("ISCAS", ("V2", "V3")),
        ("ISCLA", ("I", "V5", "V6")),
        ("ISCIN", ("II", "III", "aVF")),
        ("ISCIL", ("II", "V6")),
    ],
)
def test_ischaemia_inverts_t_in_its_leads(beat: Callable, code: str, leads: tuple[str, ...]) -> None:
    beats = all_beats(beat, code)
    for lead in leads:
        assert share([one.t(lead) < -0.05 for one in beats]) >= 0.9, lead
    two = [sum(one.t(lead) <= -0.1 for lead in leads) >= 2 for one in beats if severity(one, code) > 0.3]
    assert share(two) >= 0.8, "0.1 mV in two neighbouring leads"


def test_unlocated_ischaemia_lowers_st(beat: Callable) -> None:
    for one in all_beats(beat, "ISC_"):
        assert one.j("V5") < -0.03
        assert one.j("aVR") > 0, "the mirror of a diffuse ST depression"


def test_nondiagnostic_t_is_low_or_slightly_inverted_somewhere(beat: Callable) -> None:
    for one in all_beats(beat, "NDT"):
        low = [lead for lead in ("I", "II", "aVF", "V2", "V3", "V4", "V5", "V6") if one.t(lead) < 0.15]
        assert len(low) >= 2
        assert min(one.t(lead) for lead in low) > -0.3
