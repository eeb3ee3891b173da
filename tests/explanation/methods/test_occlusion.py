"""Occlusion: what is covered, by what, and what is made of the answers; waves on simulated hearts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import leadlight as ll
from leadlight.errors import LeadlightError, ModelError, SignalError
from leadlight.explanation.methods.occlusion import straight
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import Crop

SIGNAL = np.array([[1.0, 5.0, 3.0, 4.0, 8.0, 2.0], [0.0, 0.0, 6.0, 0.0, 0.0, 0.0]], dtype=np.float32)
WEIGHTS = torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]])


@pytest.fixture(scope="module")
def linear(classifier_of, by_hand):
    return classifier_of(by_hand.Linear(WEIGHTS), ("A",), 6, leads=("I", "V1"))


@pytest.fixture(scope="module")
def recording():
    return Recording(SIGNAL, ("I", "V1"), 100.0)


def test_a_window_is_covered_by_a_straight_line_between_its_ends(linear, recording):
    """Windows of two samples in lead I: (1 5) -> 3 3; (3 4) -> 6 7; (8 2) -> 4 4."""
    explanation = ll.explain(linear, recording, "A", "occlusion", seconds=0.02)
    first = 1 * (1 - 3) + 2 * (5 - 3)
    second = 3 * (3 - 6) + 4 * (4 - 7)
    third = 5 * (8 - 4) + 6 * (2 - 4)
    drops = explanation.parts["lead x window"]
    assert_allclose(drops[0], [first, second, third], rtol=1e-5)
    # Lead V1: (0 0) between 6 and 6, (6 0) between 0 and 0, (0 0) level.
    assert_allclose(drops[1], [0 - 12, 6, 0], rtol=1e-5, atol=1e-5)
    assert_allclose(explanation.relevance, np.repeat(drops, 2, axis=1) / 2, rtol=1e-5, atol=1e-6)
    assert explanation.signed and "straight line" in explanation.baseline
    assert explanation.cost.forward_passes == 1 + 1 + 6 and explanation.cost.backward_passes == 0


def test_a_lead_is_covered_flat_at_its_median_and_groups_of_leads_together(classifier_of, by_hand):
    weights = torch.arange(36, dtype=torch.float32).reshape(1, 12, 3)
    model = classifier_of(by_hand.Linear(weights), ("A",), 3)
    signal = np.random.default_rng(1).normal(0, 1, (12, 3)).astype(np.float32)
    explanation = ll.explain(model, Recording(signal, STANDARD_LEADS, 100.0), "A", "occlusion", by="lead")
    away = (weights[0].numpy() * (signal - np.median(signal, axis=1, keepdims=True))).sum(axis=1)
    assert_allclose(explanation.parts["lead"], away, rtol=1e-4)
    assert_allclose(explanation.relevance, np.repeat(away[:, None] / 3, 3, axis=1), rtol=1e-4)
    assert explanation.facts["limb leads together"] == pytest.approx(away[:6].sum(), rel=1e-4)
    assert explanation.facts["chest leads together"] == pytest.approx(away[6:].sum(), rel=1e-4)


def test_what_two_leads_both_say_shows_only_when_they_are_covered_together(classifier_of):
    """Logit: the larger of two leads' first samples. Covering one alone changes nothing."""

    class Either(torch.nn.Module):
        cam_layer = "values"
        n_leads, n_samples = 2, 3

        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(1))
            self.values = torch.nn.Identity()

        def forward(self, signal, metadata=None):
            return self.scale * signal[:, :, 0].amax(1, keepdim=True)

    model = classifier_of(Either(), ("A",), 3, leads=("I", "II"))
    both = Recording(np.array([[5.0, 0, 0], [5.0, 0, 0]], dtype=np.float32), ("I", "II"), 100.0)
    explanation = ll.explain(model, both, "A", "occlusion", by="lead")
    assert_allclose(explanation.relevance, 0)
    assert explanation.facts["limb leads together"] == pytest.approx(5)


def test_overlapping_windows_share_their_samples(linear, recording):
    explanation = ll.explain(linear, recording, "A", "occlusion", seconds=0.04, overlap=0.5, leads="together")
    (drops,) = explanation.parts["lead x window"]
    assert len(drops) == 2  # 0-3 and 2-5
    one, two = drops / 8
    assert_allclose(
        explanation.relevance[0], [one, one, (one + two) / 2, (one + two) / 2, two, two], rtol=1e-5
    )
    assert_allclose(explanation.relevance[0], explanation.relevance[1])


def test_a_window_that_ends_between_blocks_covers_all_of_the_recording(linear, recording):
    explanation = ll.explain(linear, recording, "A", "occlusion", seconds=0.04)
    assert explanation.parts["lead x window"].shape == (2, 2)  # the last one is shorter
    assert np.isfinite(explanation.relevance).all()


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_the_line_joins_both_sides(data):
    length = data.draw(st.integers(2, 12))
    start = data.draw(st.integers(0, length - 1))
    stop = data.draw(st.integers(start + 1, length))
    ramp = np.arange(length, dtype=np.float32)[None] * 0.5 + 1
    line = straight(ramp, start, stop)
    assert line.shape == (1, stop - start)
    if start > 0 and stop < length:
        assert_allclose(line, ramp[:, start:stop], rtol=1e-5)
    else:
        assert len(np.unique(line)) == 1


def test_windows_of_a_long_recording_are_covered_in_every_window_that_reads_them(classifier_of, by_hand):
    """Windows at 0, 2, 4: samples 2-3 lie in the first two; the record's logit is the mean."""
    weights = torch.ones(1, 1, 4)
    steps = (Crop(prediction="windows", aggregate="mean-logit"),)
    model = classifier_of(by_hand.Linear(weights), ("A",), 4, steps, leads=("I",))
    signal = np.array([[0, 0, 3, 3, 0, 0, 1, 1]], dtype=np.float32)
    explanation = ll.explain(model, Recording(signal, ("I",), 100.0), "A", "occlusion", seconds=0.02)
    # The first window's block reaches its end: level from the sample before, 0; likewise in the second.
    assert_allclose(explanation.parts["lead x window"][0, 1], (6 + 6 + 0) / 3)
    assert explanation.relevance.shape == (1, 8)
    # Prediction 3; the baseline 3; blocks lie in 1, 2, 2 and 1 windows.
    assert explanation.cost.forward_passes == 3 + 3 + 6


def test_age_and_sex_can_be_covered_too(registered, noise):
    explanation = ll.explain(registered("conv-bilstm-attention"), noise(), "A", "occlusion", by="lead")
    assert explanation.facts["age and sex"] != 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"by": "beat"}, "occlusion, by: found 'beat'; accepted: window, lead, wave"),
        ({"seconds": "short"}, "occlusion, seconds: found 'short'; accepted: a number, such as 0.2"),
        ({"seconds": 0}, "seconds: found 0; accepted: 0.01 to 60 s"),
        ({"overlap": 1.0}, "overlap: found 1; accepted: 0 to 0.9"),
        ({"second": 1}, "found the setting second; accepted: by, leads.*Did you mean 'seconds'"),
        ({"fill": "zero"}, "fill: found 'zero'; accepted: line, median"),
    ],
)
def test_settings_are_checked_by_name(linear, recording, setting, said):
    with pytest.raises(ModelError, match=said):
        ll.explain(linear, recording, "A", "occlusion", **setting)


# Waves


class TestWaves:
    """On simulated hearts, whose waves are known."""

    @pytest.fixture(scope="class")
    def heart(self):
        pytest.importorskip("neurokit2")
        from leadlight.simulate import simulate_recording

        return simulate_recording(["NORM"], 0)

    @pytest.fixture(scope="class")
    def model(self, classifier_of, by_hand):
        weights = torch.zeros(2, 12, 5000)
        weights[0] = torch.linspace(1, 2, 12)[:, None]
        return classifier_of(by_hand.Linear(weights), ("A", "B"), 5000, rate=500.0)

    def test_every_wave_in_each_lead_is_one_pass(self, heart, model):
        explanation = ll.explain(model, heart[0], "A", "occlusion", by="wave")
        assert explanation.parts["lead x wave"].shape == (12, 4)
        assert np.isfinite(explanation.parts["lead x wave"]).all()
        assert explanation.cost.forward_passes == 2 + 48
        assert "P wave, QRS complex, ST segment and T wave of every beat at once" in explanation.caption()

    def test_what_is_covered_is_the_wave(self, heart, model):
        """The drop is what the wave holds above the line between its ends, summed and weighed."""
        recording, _ = heart
        from leadlight.explanation import find_beats

        explanation = ll.explain(model, recording, "A", "occlusion", by="wave")
        runs = [run for run in find_beats(recording).runs("T", 500.0) if run is not None]
        lead, weight = 7, float(torch.linspace(1, 2, 12)[7])
        above = 0.0
        for start, stop in runs:
            ends = recording.signal[lead, [start - 1, min(stop, 4999)]].astype(float)
            line = ends[0] + (ends[1] - ends[0]) * np.arange(1, stop - start + 1) / (stop - start + 1)
            above += weight * float((recording.signal[lead, start:stop] - line).sum())
        assert explanation.parts["lead x wave"][lead, 3] == pytest.approx(above, rel=0.02)

    def test_beats_one_by_one_and_leads_together(self, heart, model):
        explanation = ll.explain(
            model, heart[0], ["A", "B"], "occlusion", by="wave", beats="each", leads="together"
        )[0]
        table = explanation.parts["beat x lead x wave"]
        together = ll.explain(model, heart[0], "A", "occlusion", by="wave", leads="together")
        # A linear network: what beats add, they add together.
        assert table.shape[1:] == (1, 4)
        assert_allclose(
            np.nansum(table, axis=0), together.parts["lead x wave"], rtol=2e-3,
            atol=1e-3 * np.nanmax(np.abs(table)),
        )  # fmt: skip

    def test_nothing_between_the_waves_has_relevance(self, heart, model):
        from leadlight.explanation import find_beats
        from leadlight.explanation.beats import WAVES

        explanation = ll.explain(model, heart[0], "A", "occlusion", by="wave")
        beats = find_beats(heart[0])
        inside = np.any([beats.mask(wave, 500.0) for wave in WAVES], axis=0)
        assert not explanation.relevance[:, ~inside].any()
        assert explanation.relevance[:, inside].any()

    def test_a_recording_without_beats_is_refused_with_what_works(self, model):
        pytest.importorskip("neurokit2")
        flat = Recording(np.zeros((12, 5000), dtype=np.float32), STANDARD_LEADS, 500.0)
        with pytest.raises(SignalError, match=r'found 0 .*occlusion by "window" or "lead"'):
            ll.explain(model, flat, "A", "occlusion", by="wave")

    def test_without_neurokit_the_extra_is_named(self, heart, model, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "neurokit2", None)
        with pytest.raises(LeadlightError, match=r"leadlight\[beats\]"):
            ll.explain(model, heart[0], "A", "occlusion", by="wave")
