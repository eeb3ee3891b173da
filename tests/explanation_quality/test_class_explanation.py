"""A class explained: alignment by hand, groups, lead importance, the figure."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from leadlight.errors import EvaluationError
from leadlight.explanation_quality import ClassExplanation
from leadlight.explanation_quality.aligned_beats import Window, chosen_peaks, mean_beat
from leadlight.explanation_quality.class_explaining import criteria_of_class, in_words
from leadlight.explanation_quality.class_explanation import BeatGroup
from leadlight.labels import space
from leadlight.leads import STANDARD_LEADS

TIMES = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def test_beats_are_cut_around_their_peaks_and_averaged():
    signal = np.zeros((2, 100))
    signal[0, [30, 60]] = 1.0, 3.0
    signal[1, 31] = 4.0
    mean, n = mean_beat(signal, np.array([0.3, 0.6]), Window(0.02, 0.02), 100.0)
    assert n == 2
    np.testing.assert_allclose(mean, [[0, 0, 2, 0, 0], [0, 0, 0, 2, 0]])


def test_a_beat_that_reaches_over_an_end_is_left_out():
    signal = np.ones((1, 100))
    mean, n = mean_beat(signal, np.array([0.01, 0.5, 0.99]), Window(0.02, 0.02), 100.0)
    assert n == 1 and (mean == 1).all()
    mean, n = mean_beat(signal, np.array([0.01]), Window(0.02, 0.02), 100.0)
    assert n == 0 and np.isnan(mean).all()


def test_a_missing_sample_is_left_out_of_its_mean():
    signal = np.full((1, 100), 2.0)
    signal[0, 30] = np.nan
    signal[0, 60] = 5.0
    mean, _ = mean_beat(signal, np.array([0.3, 0.6]), Window(0.01, 0.01), 100.0)
    np.testing.assert_allclose(mean, [[2, 5, 2]])


def test_early_beats_are_left_out_or_taken_alone():
    peaks = np.array([1.0, 2.0, 2.6, 4.0, 5.0])
    assert chosen_peaks(peaks, "regular").tolist() == [1, 2, 4, 5]
    assert chosen_peaks(peaks, "early").tolist() == [2.6]
    assert chosen_peaks(peaks, "all").tolist() == peaks.tolist()


def test_a_window_of_no_length_is_refused():
    with pytest.raises(EvaluationError, match="accepted"):
        Window(0.0, 0.5)


def test_what_the_criteria_look_at_stands_in_words():
    challenge = space("challenge-2021")
    said = in_words(criteria_of_class(challenge.classes[challenge.index("CLBBB/LBBB")]))
    assert "QRS, ST, T in I, aVL, V1, V2, V5, V6" in said
    rate = challenge.classes[challenge.index("SB")]
    assert in_words(criteria_of_class(rate)) == ""


def group(name, n, seed=0, left_out=None):
    rng = np.random.default_rng(seed)
    importance = rng.dirichlet(np.full(12, 40.0), n) if n else np.zeros((0, 12))
    return BeatGroup(
        name, n + 2, left_out or {}, tuple(f"p{number}" for number in range(n)), np.full(n, 9),
        rng.normal(0, 0.3, (n, 12, 5)), rng.normal(0, 3, (n, 12, 5)), importance,
    )  # fmt: skip


@pytest.fixture
def explained():
    groups = (
        group("true positives", 30, 1, {"no beats": 2}), group("false positives", 3, 2),
        group("false negatives", 0),
    )  # fmt: skip
    return ClassExplanation(
        "LAFB/LPFB", "a block", "gradients", STANDARD_LEADS, TIMES, groups, True, True, "QRS in I, II",
        {"model": "by hand"}, ("a note",), resamples=200,
    )  # fmt: skip


def test_means_count_each_record_alike_whatever_its_number_of_beats(explained):
    found = explained.groups[0]
    np.testing.assert_allclose(found.mean_beat, found.beats.mean(axis=0))
    np.testing.assert_allclose(found.mean_relevance, found.relevance.mean(axis=0))


def test_lead_importance_has_an_interval_and_adds_up_to_one(explained):
    own = explained.importance(explained.groups[0])
    assert sum(one.value for one in own) == pytest.approx(1)
    errors = explained.groups[0].importance.std(axis=0) / np.sqrt(30)
    for one, error in zip(own, errors, strict=True):
        assert one.high - one.low == pytest.approx(2 * 1.96 * error, rel=0.4)
    assert all(np.isnan(one.low) for one in explained.importance(explained.groups[1]))  # of three patients
    assert all(np.isnan(one.value) for one in explained.importance(explained.groups[2]))


def test_files_hold_the_figure_the_leads_and_the_curves(explained, tmp_path):
    written = explained.save(tmp_path, [".svg"])
    assert {path.name for path in written} == {
        "LAFB_LPFB.json", "LAFB_LPFB.svg", "LAFB_LPFB-leads.csv", "LAFB_LPFB-beats.csv",
    }  # fmt: skip
    said = json.loads((tmp_path / "LAFB_LPFB.json").read_text())
    assert [one["records"] for one in said["groups"]] == [30, 3, 0]
    assert said["groups"][0]["left_out"] == {"no beats": 2}
    with (tmp_path / "LAFB_LPFB-beats.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 12 * 5  # groups that have records
    found = [row for row in rows if (row["group"], row["lead"]) == ("true positives", "V1")]
    np.testing.assert_allclose(
        [float(row["millivolts"]) for row in found], explained.groups[0].mean_beat[6], rtol=1e-5
    )
    with (tmp_path / "LAFB_LPFB-leads.csv").open() as file:
        leads = list(csv.DictReader(file))
    first = next(row for row in leads if row["lead"] == "V1")
    mean = explained.groups[0].mean_relevance[6]
    assert float(first["peak_seconds"]) == pytest.approx(TIMES[mean.argmax()])


def test_the_figure_has_a_panel_for_each_group_and_lead(explained):
    figure = explained.figure()
    panels = [axes for axes in figure.axes if axes.get_xlim() == (TIMES[0], TIMES[-1])]
    assert len(panels) == 3 * 12
    drawn = panels[6].lines[-1]
    np.testing.assert_allclose(drawn.get_ydata(), explained.groups[0].mean_beat[6])
    texts = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert "30 records, 270 beats" in texts and "no record" in texts
