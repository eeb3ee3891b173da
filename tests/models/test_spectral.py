"""Long convolutions by spectra are torch's own convolution, and are used where they are quicker."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from leadlight import models
from leadlight.models import spectral
from leadlight.models.layers import Convolution


def plain(
    image: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, left: int, right: int
) -> torch.Tensor:
    padded = functional.pad(image.squeeze(2), (left, right))
    return functional.conv1d(padded, weight, bias).unsqueeze(2)


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 3),
    channels_in=st.integers(1, 5),
    channels=st.integers(1, 4),
    kernel=st.integers(1, 40),
    steps=st.integers(1, 300),
    left=st.integers(0, 40),
    right=st.integers(0, 40),
    biased=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_equal_to_the_plain_convolution(
    batch: int, channels_in: int, channels: int, kernel: int, steps: int, left: int, right: int,
    biased: bool, seed: int,
) -> None:  # fmt: skip
    if steps + left + right < kernel:
        left = kernel
    torch.manual_seed(seed)
    image = torch.randn(batch, channels_in, 1, steps, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, channels_in, kernel, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(channels, dtype=torch.float64, requires_grad=True) if biased else None
    parts = [part for part in (image, weight, bias) if part is not None]
    found, wanted = (
        way(image, weight, bias, left, right) for way in (spectral.convolve, plain)
    )  # fmt: skip
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    towards = torch.randn_like(wanted)
    for ours, theirs in zip(
        torch.autograd.grad(found, parts, towards), torch.autograd.grad(wanted, parts, towards), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 3),
    channels_in=st.integers(1, 3),
    channels=st.integers(1, 3),
    kernel=st.sampled_from([(1, 9), (3, 9), (3, 15), (5, 2)]),
    rows=st.integers(1, 12),
    steps=st.integers(1, 200),
    seed=st.integers(0, 2**16),
)
def test_images_are_convolved_as_torch_does(
    batch: int, channels_in: int, channels: int, kernel: tuple[int, int], rows: int, steps: int, seed: int
) -> None:
    torch.manual_seed(seed)
    above, left = (size // 2 for size in kernel)
    image = torch.randn(batch, channels_in, rows, steps, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, channels_in, *kernel, dtype=torch.float64, requires_grad=True)
    found = spectral.convolve(image, weight, None, left, left, above, above)
    wanted = functional.conv2d(image, weight, padding=(above, left))
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    assert found.is_contiguous(memory_format=torch.channels_last)
    towards = torch.randn_like(wanted)
    for ours, theirs in zip(
        torch.autograd.grad(found, (image, weight), towards),
        torch.autograd.grad(wanted, (image, weight), towards),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_rounds_no_worse_than_the_plain_convolution() -> None:
    torch.manual_seed(0)
    image, weight = torch.randn(4, 64, 1, 600), torch.randn(64, 64, 40) / 50
    exact = plain(image.double(), weight.double(), None, 19, 20)
    ours = (spectral.convolve(image, weight, None, 19, 20) - exact).square().mean().sqrt()
    theirs = (plain(image, weight, None, 19, 20) - exact).square().mean().sqrt()
    assert ours <= 2 * theirs


def test_matrices_made_in_inference_serve_training() -> None:
    spectral._transforms.cache_clear()
    image, weight = torch.randn(1, 2, 1, 90), torch.randn(2, 2, 30, requires_grad=True)
    with torch.inference_mode():
        spectral.convolve(image, weight, None, 0, 0)
    spectral.convolve(image, weight, None, 0, 0).sum().backward()
    assert weight.grad is not None


def test_the_long_kernels_of_a_batch_run_by_spectra_and_short_ones_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    convolve = spectral.convolve

    def watched(image: torch.Tensor, weight: torch.Tensor, *rest: object) -> torch.Tensor:
        seen.append(weight.shape[2])
        return convolve(image, weight, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(spectral, "convolve", watched)
    model = models.create("ecg-xplaim", 2, 12, 1000).eval()
    with torch.inference_mode():
        model(torch.randn(8, 12, 1000))
        assert 40 in seen and 2 not in seen
        seen.clear()
        models.create("ecg-xplaim", 2, 12, 100).eval()(torch.randn(1, 12, 100))
        assert seen == []


@pytest.mark.parametrize("kernel", [3, 8, 40])
def test_one_record_and_many_give_the_same(kernel: int) -> None:
    """The way is chosen by the batch's size: what a record gets does not depend on it beyond rounding."""
    torch.manual_seed(1)
    layer = Convolution(64, 64, kernel, padding="same", bias=True)
    image = torch.randn(16, 64, 1, 500)
    with torch.inference_mode():
        together = layer(image)
        alone = torch.cat([layer(one[None]) for one in image])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_what_is_exported_or_rounded_keeps_the_plain_convolution() -> None:
    layer = Convolution(64, 64, 40, padding="same")
    image = torch.randn(8, 64, 1, 500)
    assert spectral.pays(image, layer.weight, 539)
    assert not spectral.pays(image.bfloat16(), layer.weight.bfloat16(), 539)
    assert not spectral.pays(image.to("meta"), layer.weight, 539)
    with torch.autocast("cpu", torch.bfloat16):
        assert not spectral.pays(image, layer.weight, 539)
    exported = torch.export.export(layer.eval(), (image,))
    assert "bmm" not in str(exported.graph)
