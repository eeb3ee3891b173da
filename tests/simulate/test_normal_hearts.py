from __future__ import annotations

import csv
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pytest

from leadlight.leads import STANDARD_LEADS

N = 60


@pytest.fixture(scope="module")
def hearts(beat: Callable) -> dict[str, list]:
    return {sex: [beat(["NORM"], seed, sex=sex, age=46) for seed in range(N)] for sex in ("male", "female")}


def published(group: str) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    text = files("leadlight.simulate").joinpath("data/lead_amplitudes.csv").read_text()
    return {
        (row["lead"], row["sex"], row["wave"]): tuple(
            float(row[key] or "nan") for key in ("median_mv", "p2_mv", "p98_mv")
        )
        for row in csv.DictReader(text.splitlines())
        if row["group"] == group
    }


def test_intervals_are_within_the_limits_of_normal(hearts: dict[str, list]) -> None:
    for sex, limit in (("male", 0.450), ("female", 0.460)):
        asked = [one.truth.parameters for one in hearts[sex]]
        assert all(0.120 <= p["pr"] <= 0.200 and p["qrs"] <= 0.110 for p in asked)
        assert all(p["qtc_fridericia"] < limit and p["p_duration"] < 0.120 for p in asked)
        assert all(58 <= p["heart_rate"] <= 101 and -32 <= p["qrs_axis"] <= 92 for p in asked)


def test_women_have_a_shorter_qrs_and_a_longer_qtc(hearts: dict[str, list]) -> None:
    middle = {
        sex: [
            np.median([one.truth.parameters[name] for one in hearts[sex]])
            for name in ("qrs", "qtc_fridericia")
        ]
        for sex in hearts
    }
    assert middle["female"][0] < middle["male"][0]
    assert middle["female"][1] > middle["male"][1]


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize("group", ["UCI normal", "PTB-XL normal"])
def test_median_amplitudes_lie_well_inside_the_range_of_healthy_people(
    hearts: dict[str, list], sex: str, group: str
) -> None:
    ranges = published(group)
    for lead in STANDARD_LEADS:
        for wave in ("R", "S", "T"):
            if wave == "S" and lead == "aVR":  # what is deep there counts as Q or as S
                continue
            values = [
                {"R": one.qrs(lead).max(), "S": one.qrs(lead).min(), "T": one.t(lead)}[wave]
                for one in hearts[sex]
            ]
            median = float(np.median(values))
            _, low, high = ranges[lead, sex, wave]
            assert low - 0.03 <= median <= high + 0.03, (lead, wave, median)


def test_the_chest_leads_go_from_rs_to_qr(hearts: dict[str, list]) -> None:
    for one in (*hearts["male"], *hearts["female"]):
        ratio = [one.qrs(f"V{n}").max() / max(-one.qrs(f"V{n}").min(), 0.02) for n in range(1, 7)]
        assert ratio[0] < 1 < ratio[4]
        assert ratio[5] > 2


def test_v1_begins_with_an_r_in_most(hearts: dict[str, list]) -> None:
    begins = [one.qrs("V1")[: len(one.qrs("V1")) // 2].max() for one in (*hearts["male"], *hearts["female"])]
    assert np.mean(np.array(begins) > 0.03) > 0.85


def test_p_and_t_are_upright_where_they_have_to_be(hearts: dict[str, list]) -> None:
    beats = (*hearts["male"], *hearts["female"])
    for lead, sign in (("II", 1), ("aVR", -1)):
        waves = [sign * one.part(lead, "p_onset", "p_end") for one in beats]
        assert np.mean([wave.max() - wave[0] > 0.03 for wave in waves]) > 0.97, lead
    for lead, sign in (("I", 1), ("II", 1), ("V4", 1), ("V5", 1), ("V6", 1), ("aVR", -1)):
        assert np.mean([sign * one.t(lead) > 0 for one in beats]) > 0.98, lead


def test_v1_shows_a_biphasic_p(hearts: dict[str, list]) -> None:
    waves = [one.part("V1", "p_onset", "p_end") for one in (*hearts["male"], *hearts["female"])]
    first = np.median([w[: len(w) // 2].mean() for w in waves])
    second = np.median([w[len(w) // 2 :].mean() for w in waves])
    assert first > 0 > second


def test_t_is_taller_in_men_and_in_the_young(beat: Callable) -> None:
    def tallness(**who: object) -> float:
        return float(np.median([beat(["NORM"], seed, **who).t("V3") for seed in range(30)]))

    assert tallness(sex="male", age=45) > 1.1 * tallness(sex="female", age=45)
    assert tallness(sex="female", age=25) > tallness(sex="female", age=75)
