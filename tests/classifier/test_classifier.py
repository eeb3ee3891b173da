"""From recordings to probabilities: the same numbers however they are asked for, and refusals that help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from leadlight.classifier import Classifier, load
from leadlight.errors import ContractError, ModelError
from leadlight.files import write
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording

MakeRecording = Callable[..., Recording]


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def steps(recording: Recording, levels: list[float]) -> Recording:
    """The recording with all leads at one level (mV) for each ten seconds."""
    signal = np.repeat(np.array(levels, np.float32), 1000)
    return replace(recording, signal=np.tile(signal, (12, 1)))


class TestOneRecording:
    def test_probabilities_are_the_sigmoid_of_the_scaled_signal(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        # Leads I, V1, V6 hold 0.1, 0.7, 1.2 mV; input = (mV - 0.1) / 0.25.
        prediction = by_hand.predict(make_recording())
        assert_allclose(prediction.probabilities, [0.5, sigmoid(2.4), sigmoid(4.4)], rtol=1e-5)

    def test_classes_descriptions_and_thresholds_come_from_the_contract(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        prediction = by_hand.predict(make_recording())
        assert prediction.classes == ("CD", "MI", "NORM")
        assert prediction.descriptions[1] == "Myocardial infarction"
        assert_allclose(prediction.thresholds, [0.3, 0.7, 0.5])
        assert prediction.source == "folder/00001_lr"
        assert by_hand.classes[0] == ("CD", "Conduction disturbance")

    def test_another_order_of_leads_gives_the_same(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        recording = make_recording(noise=0.1)
        turned = recording.select(STANDARD_LEADS[::-1])
        assert_allclose(by_hand.predict(turned).probabilities, by_hand.predict(recording).probabilities)

    def test_another_rate_is_resampled_and_said(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        prediction = by_hand.predict(make_recording(rate=500))
        assert_allclose(prediction.probabilities, [0.5, sigmoid(2.4), sigmoid(4.4)], rtol=1e-4)
        assert prediction.notes[0] == "resampled from 500 to 100 Hz"

    def test_it_is_the_network_of_the_folder(
        self, model_folder: Path, small_module: torch.nn.Module, make_recording: MakeRecording
    ) -> None:
        recording = make_recording(noise=0.5)
        with torch.no_grad():
            logits = small_module.eval()(torch.from_numpy((recording.signal[None] - 0.1) / 0.25))
        assert_allclose(
            load(model_folder, "cpu").predict(recording).probabilities, torch.sigmoid(logits)[0], rtol=1e-5
        )

    def test_a_path_is_read(self, by_hand: Classifier, make_recording: MakeRecording, tmp_path: Path) -> None:
        path = write(make_recording(), tmp_path / "record")
        from_path, from_text = by_hand.predict(path), by_hand.predict(str(path))
        assert_allclose(from_path.probabilities, [0.5, sigmoid(2.4), sigmoid(4.4)], rtol=1e-3)
        assert_allclose(from_text.probabilities, from_path.probabilities)


class TestSeveralRecordings:
    def test_a_list_gives_a_list_in_order(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        recordings = [steps(make_recording(), [level]) for level in (0.3, -0.2, 0.1)]
        predictions = by_hand.predict(recordings, batch_size=2)
        assert_allclose(
            [prediction["MI"] for prediction in predictions], [sigmoid(0.8), sigmoid(-1.2), 0.5], rtol=1e-5
        )

    def test_none_give_none(self, by_hand: Classifier) -> None:
        assert by_hand.predict([]) == []

    def test_a_record_does_not_depend_on_its_batch(
        self, model_folder: Path, make_recording: MakeRecording
    ) -> None:
        classifier = load(model_folder, "cpu")
        recordings = [make_recording(noise=0.1 * seed, seed=seed) for seed in range(1, 12)]
        alone = [classifier.predict(recording).probabilities for recording in recordings]
        for batch_size in (1, 3, 32):
            together = classifier.predict(recordings, batch_size=batch_size)
            assert_allclose([one.probabilities for one in together], alone, rtol=0, atol=1e-6)

    def test_at_most_a_batch_is_held(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        drawn = 0

        def recordings() -> object:
            nonlocal drawn
            for _ in range(20):
                drawn += 1
                yield make_recording()

        stream = by_hand.predict_each(recordings(), batch_size=4)  # type: ignore[arg-type]
        next(stream)
        assert drawn == 4
        assert len(list(stream)) == 19
        assert by_hand.module.batches == [4] * 5


class TestLongerRecordings:
    def test_they_are_refused_with_the_call_that_mends_it(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        with pytest.raises(ContractError, match=r"found 25 s; the model reads 10 s.*crop\(0, 10\).*windows"):
            by_hand.predict(make_recording(25))

    def test_first_and_centre_say_what_they_took(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        recording = steps(make_recording(30), [0.35, 0.6, -0.4])
        first, centre = by_hand.predict(recording, "first"), by_hand.predict(recording, "centre")
        assert_allclose([first["CD"], centre["CD"]], [sigmoid(1), sigmoid(2)], rtol=1e-5)
        assert first.notes[0] == "cropped to 0-10 s of 30 s"
        assert centre.notes[0] == "cropped to 10-20 s of 30 s"

    def test_windows_overlap_by_half_and_the_mean_is_of_probabilities(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        # Levels 1 and 3 after scaling: windows from 0, 5 and 10 s have means 1, 2 and 3.
        recording = steps(make_recording(20), [0.35, 0.85])
        prediction = by_hand.predict(recording, "windows")
        expected = (sigmoid(1) + sigmoid(2) + sigmoid(3)) / 3
        assert_allclose(prediction.probabilities, [expected] * 3, rtol=1e-5)
        assert prediction.notes[0] == "3 windows of 10 s, overlap 50%: the mean of the probabilities"

    def test_the_last_window_ends_with_the_recording(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        recording = make_recording(23.7, noise=0.1)
        views = by_hand.views(recording, "windows")
        starts = [np.flatnonzero(recording["II"] == view.recording["II"][0])[0] for view in views]
        assert starts == [0, 500, 1000, 1370]
        assert np.array_equal(views[-1].recording.signal, recording.signal[:, -1000:])

    def test_windows_of_many_recordings_are_not_mixed_up(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        recordings = [make_recording(seconds, noise=0.3, seed=int(seconds)) for seconds in (10, 31, 12.5, 44)]
        alone = [by_hand.predict(recording, "windows").probabilities for recording in recordings]
        together = by_hand.predict(recordings, "windows", batch_size=3)
        assert_allclose([one.probabilities for one in together], alone, atol=1e-6)
        assert max(by_hand.module.batches) <= 32  # type: ignore[arg-type, type-var]

    def test_the_choice_does_not_touch_recordings_that_fit(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        recording = make_recording(noise=0.2)
        expected = by_hand.predict(recording)
        for longer in ("first", "centre", "windows"):
            prediction = by_hand.predict(recording, longer)  # type: ignore[call-overload]
            assert np.array_equal(prediction.probabilities, expected.probabilities)
            assert prediction.notes == expected.notes

    def test_one_sample_too_many_is_longer(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        with pytest.raises(ContractError, match=r"found 10.01 s"):
            by_hand.predict(make_recording(10.01))
        assert len(by_hand.views(make_recording(10.01), "windows")) == 2

    def test_the_view_is_what_the_model_saw(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        view = by_hand.view(make_recording(30, rate=500), "centre").recording
        assert (view.n_samples, view.sampling_rate, view.leads) == (1000, 100.0, STANDARD_LEADS)
        with pytest.raises(ContractError, match="several views"):
            by_hand.view(make_recording(30), "windows")


class TestRefusals:
    def test_a_recording_that_is_too_short(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        for longer in ("refuse", "windows"):
            with pytest.raises(ContractError, match="found 9 s; the model needs 10 s"):
                by_hand.predict(make_recording(9), longer)  # type: ignore[call-overload]

    def test_missing_leads(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        for seconds, longer in ((10, "refuse"), (30, "windows")):
            recording = make_recording(seconds).select(["I", "II", "V1"])
            with pytest.raises(ContractError, match="leads: found I, II, V1; the model needs"):
                by_hand.predict(recording, longer)  # type: ignore[call-overload]

    def test_missing_samples(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        recording = make_recording()
        signal = recording.signal.copy()
        signal[1, 5:8] = np.nan
        with pytest.raises(ContractError, match=r"missing samples \(II 3\).*interpolate_gaps"):
            by_hand.predict(replace(recording, signal=signal))

    def test_the_patient_is_in_no_message_and_no_note(
        self, by_hand: Classifier, make_recording: MakeRecording
    ) -> None:
        with pytest.raises(ContractError) as caught:
            by_hand.predict(make_recording(9))
        prediction = by_hand.predict(make_recording())
        for text in (str(caught.value), repr(prediction), str(prediction), str(prediction.to_dict())):
            assert "secret" not in text and "93" not in text

    def test_what_is_no_recording(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        with pytest.raises(
            ContractError, match=r"found a value of type ndarray; accepted: a Recording.*predict_signals"
        ):
            by_hand.predict(make_recording().signal[None])  # type: ignore[call-overload]
        with pytest.raises(ContractError, match="found None"):
            by_hand.predict([None])  # type: ignore[list-item]

    def test_choices_that_do_not_exist(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        with pytest.raises(
            ContractError, match="longer: found 'middle'; accepted: contract, refuse, first, centre"
        ):
            by_hand.predict(make_recording(), "middle")  # type: ignore[call-overload]
        with pytest.raises(ContractError, match="batch_size: found 0"):
            by_hand.predict([], batch_size=0)


class TestOddRecordings:
    def test_flat_leads_are_noted(self, by_hand: Classifier, make_recording: MakeRecording) -> None:
        signal = make_recording(noise=0.1).signal.copy()
        signal[6] = 0
        assert by_hand.predict(replace(make_recording(), signal=signal)).notes == ("flat: V1",)

    @pytest.mark.parametrize("factor", [1000, 0.001])
    def test_units_that_look_wrong_are_noted(
        self, by_hand: Classifier, make_recording: MakeRecording, factor: float
    ) -> None:
        recording = make_recording(noise=0.3)
        assert by_hand.predict(recording).notes == ()
        notes = by_hand.predict(replace(recording, signal=recording.signal * np.float32(factor))).notes
        assert len(notes) == 1 and "are the units right?" in notes[0]


class TestSignals:
    def test_arrays_give_what_recordings_give(
        self, model_folder: Path, make_recording: MakeRecording
    ) -> None:
        classifier = load(model_folder, "cpu")
        recordings = [make_recording(noise=0.3, seed=seed) for seed in range(5)]
        expected = [one.probabilities for one in classifier.predict(recordings)]
        progress: list[tuple[int, int]] = []
        found = classifier.predict_signals(
            np.stack([one.signal for one in recordings]),
            batch_size=2,
            on_progress=lambda done, total, message: progress.append((done, total)),
        )
        assert found.dtype == np.float32
        assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert progress == [(2, 5), (4, 5), (5, 5)]

    def test_no_signals_give_no_probabilities(self, by_hand: Classifier) -> None:
        assert by_hand.predict_signals(np.empty((0, 12, 1000), np.float32)).shape == (0, 3)

    @pytest.mark.parametrize("shape", [(12, 1000), (2, 1000, 12), (2, 12, 999), (2, 8, 1000)])
    def test_another_shape_is_refused(self, by_hand: Classifier, shape: tuple[int, ...]) -> None:
        with pytest.raises(ContractError, match=r"signals: found .*accepted: an array \(n, 12 leads, 1000"):
            by_hand.predict_signals(np.zeros(shape, np.float32))

    def test_missing_samples_are_refused_by_row(self, by_hand: Classifier) -> None:
        signals = np.zeros((7, 12, 1000), np.float32)
        signals[5, 3, 0] = np.nan
        with pytest.raises(ContractError, match=r"signals\[5\]: found missing"):
            by_hand.predict_signals(signals, batch_size=2)


class TestAttention:
    def test_each_level_sums_to_one_without_a_batch_axis(
        self, model_folder: Path, make_recording: MakeRecording
    ) -> None:
        maps = load(model_folder, "cpu").attention(make_recording(noise=0.3))
        assert {name: weights.shape for name, weights in maps.items()} == {
            "beat": (12, 20, 25), "rhythm": (12, 20), "channel": (12,),
        }  # fmt: skip
        for weights in maps.values():
            assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)

    def test_an_architecture_without_it_says_which_have_it(
        self, model_folder: Path, make_recording: MakeRecording, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from leadlight import models
        from leadlight.models import registry

        classifier = load(model_folder)
        blind = replace(models.describe("imle-net"), name="blind", attention=())
        monkeypatch.setitem(registry._MODELS, "blind", blind)
        architecture = classifier.contract.architecture.model_copy(update={"name": "blind"})
        contract = classifier.contract.model_copy(update={"architecture": architecture})
        with pytest.raises(ModelError, match=r"attention: found blind, which has none; accepted: .*imle-net"):
            Classifier(classifier.module, contract).attention(make_recording())


@pytest.mark.real
def test_real_recordings_of_any_source_are_predicted(real_data: Path, by_hand: Classifier) -> None:
    from leadlight.files import find_recordings

    paths = find_recordings(real_data / "challenge-2021" / "georgia")[:20]
    predictions = by_hand.predict(paths, "windows", batch_size=8)
    assert len(predictions) == len(paths)
    assert all(np.isfinite(one.probabilities).all() for one in predictions)
    assert all("resampled from 500 to 100 Hz" in one.notes for one in predictions)


def test_bfloat16_gives_nearly_the_same_probabilities():
    """Nearer than two decimals, and not the very same numbers: the faster arithmetic is really used."""
    name = "imle-net-ptbxl-superclass"
    signals = np.random.default_rng(1).normal(0, 0.2, (3, 12, 1000)).astype(np.float32)
    exact = load(name, device="cpu").predict_signals(signals)
    fast = load(name, device="cpu", precision="bfloat16").predict_signals(signals)
    assert 0 < np.abs(fast - exact).max() < 0.02
    with pytest.raises(ContractError, match="float32 or bfloat16"):
        load(name, precision="half")  # type: ignore[arg-type]
