"""From a record to its scores by windows: as the PTB-XL benchmark does it, with xresnet1d101."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight import models, originals
from leadlight.classifier import Classifier, contract_from
from leadlight.leads import STANDARD_LEADS
from leadlight.recording import Recording
from leadlight.signal import Crop, GlobalScaling, Preprocessing

CODES = [f"C{number}" for number in range(71)]
TOLERANCE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module")
def original(fixture_arrays):
    return fixture_arrays("ptbxl/sliding_windows")


@pytest.fixture(scope="module")
def module(drawn_weights):
    model = models.create("xresnet1d101", 71)
    model.load_state_dict(originals.convert("xresnet1d101", drawn_weights("ptbxl/xresnet1d101")))
    return model


@pytest.fixture
def classifier_of(module, original, contract_values):
    def make(aggregate):
        crop = Crop(prediction="windows", overlap=0.5, aggregate=aggregate)
        scaling = GlobalScaling(float(original["scaler_mean"]), float(original["scaler_std"]))
        values = contract_values(
            CODES, {}, 250, preprocessing=Preprocessing(n_samples=250, steps=(crop, scaling))
        )
        values["architecture"]["name"] = "xresnet1d101"
        return Classifier(module, contract_from(values))

    return make


@pytest.fixture(scope="module")
def recordings(original):
    return [Recording(signal, STANDARD_LEADS, 100.0) for signal in original["record_mv"]]


def test_windows_begin_where_they_should(original, classifier_of):
    assert classifier_of("max").contract.preprocessing.window_starts(1000) == list(original["window_starts"])


def test_windows_are_standardised_alike(original, classifier_of, recordings):
    views = [view.values for one in recordings for view in classifier_of("max").views(one)]
    assert len(views) == 14
    np.testing.assert_allclose(views[0], original["standardised_window0"], **TOLERANCE)
    np.testing.assert_allclose(views[13], original["standardised_window13"], **TOLERANCE)


def test_each_window_has_its_probabilities(original, classifier_of, recordings):
    classifier = classifier_of("max")
    views = [view.values for one in recordings for view in classifier.views(one)]
    np.testing.assert_allclose(
        classifier.predict_inputs(views), original["window_probabilities"], **TOLERANCE
    )


@pytest.mark.parametrize("aggregate", ["max", "mean"])
@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_records_have_the_published_scores(original, classifier_of, recordings, aggregate, batch_size):
    classifier, expected = classifier_of(aggregate), original[f"record_probabilities_{aggregate}"]
    predictions = classifier.predict(recordings, batch_size=batch_size)
    np.testing.assert_allclose([one.probabilities for one in predictions], expected, **TOLERANCE)
    np.testing.assert_allclose(
        classifier.predict_signals(original["record_mv"], batch_size), expected, **TOLERANCE
    )
