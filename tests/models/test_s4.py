"""The state-space layer computes what its recurrence says, forward and backward in time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadlight import models
from leadlight.models.s4 import DiagonalStateSpace


def recurrence(layer: DiagonalStateSpace, signal: np.ndarray) -> np.ndarray:
    """x' = A x + u, y = 2 Re(C x) + D u with zero-order hold, one sample after the other, in float64."""
    values = {name: value.detach().double().numpy() for name, value in layer.named_parameters()}
    step = np.exp(values["log_step"])[:, None]
    poles = -np.exp(values["log_decay"]) + 1j * values["frequency"]
    turn = np.exp(step * poles)
    gain = (turn - 1) / poles
    read = values["read"][..., 0] + 1j * values["read"][..., 1]
    batch, channels, length = signal.shape

    def one_way(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        state = np.zeros((batch, channels, poles.shape[1]), dtype=complex)
        outputs = np.zeros(values.shape)
        for k in range(length):
            state = turn * state + gain * values[:, :, k, None]
            outputs[:, :, k] = 2 * (weights * state).sum(2).real
        return outputs

    forward = one_way(signal, read[0])
    # Backward in time it reads the samples that are still to come, not the present one.
    backward = one_way(signal[:, :, ::-1], read[1])[:, :, ::-1]
    later = np.concatenate([backward[:, :, 1:], np.zeros((batch, channels, 1))], axis=2)
    return forward + later + signal * values["direct"][:, None]


@pytest.mark.parametrize("length", [1, 2, 31, 250])
def test_the_convolution_equals_the_recurrence(length):
    torch.manual_seed(3)
    layer = DiagonalStateSpace(5, 4)
    signal = torch.randn(2, 5, length)
    with torch.inference_mode():
        ours = layer(signal).numpy()
    np.testing.assert_allclose(ours, recurrence(layer, signal.double().numpy()), rtol=1e-4, atol=1e-4)


def test_the_discrete_form_is_that_of_scipy():
    from scipy.signal import cont2discrete

    layer = DiagonalStateSpace(1, 1)
    with torch.no_grad():
        layer.read.copy_(torch.tensor([1.0, 0.0]).expand(2, 1, 1, 2))
        turn, gain = layer.discrete()
        decay, turning, step = (
            float(value) for value in (layer.log_decay.exp(), layer.frequency, layer.log_step.exp())
        )
    # The complex pole as a real system of order two, driven in its real part.
    system = ([[-decay, -turning], [turning, -decay]], [[1.0], [0.0]], [[1.0, 0.0]], [[0.0]])
    a, b, *_ = cont2discrete(tuple(map(np.array, system)), step)
    np.testing.assert_allclose([turn.real.item(), turn.imag.item()], a[:, 0], rtol=1e-5)
    np.testing.assert_allclose([gain[0].real.item(), gain[0].imag.item()], b[:, 0], rtol=1e-5)


def test_the_state_stays_bounded_over_a_long_signal():
    layer = DiagonalStateSpace(8, 4)
    with torch.inference_mode():
        assert bool(torch.isfinite(layer(torch.ones(1, 8, 30_000))).all())


def test_its_count_is_stated():
    description = models.describe("s4")
    model = models.create("s4", 71)
    by_hand = (12 * 512 + 512) + 4 * (
        512 + 2 * 512 * 4 + 2 * 512 * 4 * 2 + 512 + (512 * 1024 + 1024) + 2 * 512
    ) + (512 * 71 + 71)  # fmt: skip
    assert sum(parameter.numel() for parameter in model.parameters()) == by_hand == description.trainable
    assert description.parameters == by_hand
