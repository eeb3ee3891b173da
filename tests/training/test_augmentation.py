"""What each augmentation does to a batch, and that a run with all of them can be resumed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import Generator

from leadlight.errors import RecipeError
from leadlight.leads import STANDARD_LEADS
from leadlight.recipes import AugmentationSettings, load_recipe, shipped
from leadlight.recipes.augmentation_settings import (
    AmplitudeScaling,
    BaselineWander,
    LeadDropout,
    LeadMasking,
    LeadSets,
    Mixup,
    Noise,
    TimeMasking,
    TimeShift,
)
from leadlight.training import Machine, resume, train
from leadlight.training.augmentation import (
    Batch,
    add_baseline_wander,
    add_noise,
    augment,
    drop_leads,
    keep_lead_set,
    mask_leads,
    mask_time,
    mix,
    scale_amplitude,
    shift,
)

RATE = 100.0
NAMES = tuple(AugmentationSettings.model_fields)


def generator(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def signal():
    """Noise in which no sample is 0, of records with different deviations."""
    values = torch.randn(200, 12, 500, generator=generator(0))
    return (values + values.sign() * 0.01) * torch.linspace(0.5, 2, 200)[:, None, None]


@pytest.fixture
def batch(signal):
    targets = (torch.rand(200, 5, generator=generator(3)) < 0.3).float()
    known = (torch.rand(200, 5, generator=generator(4)) < 0.8).float()
    return Batch((signal, torch.rand(200, 5, generator=generator(5))), targets, known)


@pytest.mark.parametrize("name", NAMES)
class TestEach:
    def test_the_same_seed_gives_the_same_batch(self, batch, name):
        settings = AugmentationSettings(**{name: True})
        before = batch.inputs[0].clone()
        first, again = (augment(batch, settings, RATE, (1, 2, 3)) for _ in range(2))
        other = augment(batch, settings, RATE, (1, 2, 4))
        assert torch.equal(first.inputs[0], again.inputs[0])
        assert not torch.equal(first.inputs[0], other.inputs[0])
        assert torch.equal(batch.inputs[0], before)

    def test_probability_is_the_share_of_records(self, batch, name):
        settings = AugmentationSettings(**{name: {"probability": 0.5}})
        changed = augment(batch, settings, RATE, (7,)).inputs[0] != batch.inputs[0]
        share = changed.flatten(1).any(dim=1).float().mean()
        # A shift or a lead dropout may be drawn that changes nothing; a record is mixed with itself once.
        assert 0.35 < share < 0.62
        never = AugmentationSettings(**{name: {"probability": 0}})
        assert torch.equal(augment(batch, never, RATE, (7,)).inputs[0], batch.inputs[0])

    def test_labels_stay_but_for_mixup(self, batch, name):
        found = augment(batch, AugmentationSettings(**{name: True}), RATE, (1,))
        assert torch.equal(found.targets, batch.targets) == (name != "mixup")
        assert found.inputs[0].dtype == torch.float32 and found.inputs[0].shape == batch.inputs[0].shape
        assert torch.isfinite(found.inputs[0]).all()

    def test_one_record_of_one_lead_is_taken(self, name):
        one = Batch((torch.randn(1, 1, 50),), torch.ones(1, 2), torch.ones(1, 2))
        found = augment(one, AugmentationSettings(**{name: {"probability": 1}}), RATE, (1,))
        assert found.inputs[0].shape == (1, 1, 50) and found.inputs[0].any()


def test_nothing_is_done_by_default(batch):
    assert AugmentationSettings().is_off
    assert augment(batch, AugmentationSettings(), RATE, (1,)) is batch


def test_time_shift_moves_all_leads_alike_and_repeats_the_nearest_sample():
    ramp = torch.arange(300.0).expand(400, 12, 300)
    found = shift(ramp, TimeShift(seconds=0.4), RATE, generator())
    by = 150 - found[:, 0, 150]
    assert by.min() == -40 and by.max() == 40 and by.unique().numel() == 81
    expected = (torch.arange(300.0) - by[:, None]).clamp(0, 299)
    assert torch.equal(found, expected[:, None].expand_as(found))


@pytest.mark.parametrize("each_lead", [False, True])
def test_amplitude_scaling_is_one_factor(signal, each_lead):
    settings = AmplitudeScaling(smallest=0.5, largest=2.0, each_lead=each_lead)
    factors = scale_amplitude(signal, settings, generator()) / signal
    of_leads = factors[:, :, 0]
    assert_allclose(factors, of_leads[:, :, None].expand_as(factors), rtol=1e-5)
    assert bool((of_leads.std(dim=1) < 1e-6).all()) is not each_lead
    assert of_leads.min() >= 0.5 - 1e-6 and of_leads.max() <= 2.0 + 1e-6
    # Its logarithm is uniform: as often halved as doubled.
    assert abs(of_leads.log2().mean()) < 0.15 and of_leads.log2().std() > 0.5


def test_baseline_wander_is_slow_and_bounded():
    signal = torch.randn(40, 3, 20_000, generator=generator(0))
    settings = BaselineWander(lowest=0.1, highest=0.5, largest=0.4, probability=1)
    added = (add_baseline_wander(signal, settings, RATE, generator()) - signal).numpy()
    deviation = signal.flatten(1).std(dim=1).numpy()[:, None, None]
    assert (np.abs(added) <= 0.4 * deviation * 1.001).all() and np.abs(added).max() > 0.1
    power = np.abs(np.fft.rfft(added * np.hanning(20_000), axis=-1)) ** 2
    frequencies = np.fft.rfftfreq(20_000, 1 / RATE)
    outside = (frequencies < 0.08) | (frequencies > 0.52)
    assert (power[..., outside].sum(axis=-1) / power.sum(axis=-1)).max() < 1e-3
    # Each lead has its own heights and phases.
    assert abs(np.corrcoef(added[0])[0, 1]) < 0.999


def test_noise_is_white_and_no_louder_than_said(signal):
    added = (add_noise(signal, Noise(largest=0.3, probability=1), generator()) - signal).numpy()
    levels = added.std(axis=(1, 2)) / signal.numpy().std(axis=(1, 2))
    assert levels.max() < 0.3 * 1.05 and abs(levels.mean() - 0.15) < 0.03 and levels.min() < 0.05
    unit = added / added.std(axis=(1, 2), keepdims=True)
    assert abs((unit[..., 1:] * unit[..., :-1]).mean()) < 0.01
    assert abs((unit[:, 1:] * unit[:, :-1]).mean()) < 0.01
    assert abs(unit.mean()) < 0.01 and abs((unit**4).mean() - 3) < 0.05


def test_noise_of_one_level(signal):
    added = add_noise(signal, Noise(smallest=0.1, largest=0.1, probability=1), generator()) - signal
    levels = added.numpy().std(axis=(1, 2)) / signal.numpy().std(axis=(1, 2))
    assert_allclose(levels, 0.1, rtol=0.05)


@pytest.mark.parametrize("spans", [1, 3])
def test_time_masking_covers_the_same_spans_of_all_leads(signal, spans):
    found = mask_time(signal, TimeMasking(seconds=0.8, spans=spans, probability=1), RATE, generator())
    masked = (found == 0).numpy()
    assert (masked == masked[:, :1]).all()
    assert torch.equal(found[~(found == 0)], signal[~(found == 0)])
    edges = np.diff(masked[:, 0].astype(int), axis=1, prepend=0, append=0)
    assert ((edges == 1).sum(axis=1) <= spans).all()
    assert masked[:, 0].sum(axis=1).max() <= 80 * spans
    if spans == 1:
        assert abs(masked[:, 0].sum(axis=1).mean() - 40) < 6
        # At any place: every sample is covered in some record.
        assert masked[:, 0].any(axis=0)[20:-20].all()


def test_lead_masking_covers_neighbouring_leads(signal):
    found = mask_leads(signal, LeadMasking(most=4, probability=1), generator())
    masked = (found == 0).all(dim=2).numpy()
    assert_array_equal(masked, (found == 0).any(dim=2))
    assert set(masked.sum(axis=1)) == {1, 2, 3, 4}
    assert (np.abs(np.diff(masked.astype(int), axis=1, prepend=0, append=0)).sum(axis=1) == 2).all()
    assert masked.any(axis=0).all()
    assert torch.equal(found[~(found == 0)], signal[~(found == 0)])


def test_lead_dropout_takes_whole_leads_and_leaves_one(signal):
    found = drop_leads(signal, LeadDropout(share=0.25, probability=1), generator())
    dropped = (found == 0).all(dim=2)
    assert_array_equal(dropped, (found == 0).any(dim=2))
    assert abs(dropped.float().mean() - 0.25) < 0.03
    assert torch.equal(found[~dropped], signal[~dropped])
    all_but_one = drop_leads(signal, LeadDropout(share=1.0, probability=1), generator())
    stays = all_but_one.any(dim=2)
    assert (stays.sum(dim=1) == 1).all() and stays.any(dim=0).all()


class TestMixup:
    def mixed(self, alpha, n=600, seed=1):
        """Signals of which each is 1 at its own place: what comes out are the weights."""
        marks = torch.eye(n)[:, None]
        batch = Batch((marks, torch.eye(n)), torch.eye(n), torch.ones(n, n))
        return mix(batch, Mixup(alpha=alpha), generator(seed))

    def test_signal_metadata_and_labels_have_the_same_weights(self):
        found = self.mixed(0.4)
        assert_allclose(found.inputs[0].sum(dim=2), 1, rtol=1e-6)
        assert ((found.inputs[0] > 0).sum(dim=2) <= 2).all()
        assert torch.equal(found.inputs[0][:, 0], found.targets)
        assert torch.equal(found.inputs[1], found.targets)

    @pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
    def test_weights_follow_the_beta_distribution(self, alpha):
        own = self.mixed(alpha).targets.diagonal().numpy()
        assert (own >= 0.5).all()
        drawn = np.random.default_rng(0).beta(alpha, alpha, 100_000)
        expected = np.maximum(drawn, 1 - drawn)
        assert_allclose(
            np.quantile(own, [0.25, 0.5, 0.75]), np.quantile(expected, [0.25, 0.5, 0.75]), atol=0.04
        )

    def test_a_label_is_known_where_it_is_known_of_both(self, batch):
        found = mix(batch, Mixup(alpha=0.5), generator())
        assert set(found.known.unique().tolist()) == {0.0, 1.0}
        assert not (found.known > batch.known).any()
        # 0.8 of them are known: both of two are in 0.64 of the cases.
        assert abs(found.known.mean() - 0.64) < 0.06


def test_lead_sets_keep_one_set_each_drawn_alike(signal):
    sets = LeadSets(sets=(("I", "II"), ("v2", "III", "II")))
    kept = (keep_lead_set(signal, sets, STANDARD_LEADS, generator()) != 0).all(dim=2).numpy()
    found = {tuple(np.array(STANDARD_LEADS)[row]) for row in kept}
    assert found == {("I", "II"), ("II", "III", "V2")}
    assert abs(kept[:, 0].mean() - 0.5) < 0.12


def test_leads_that_are_not_read_count_nowhere(signal):
    sets = LeadSets(sets=(("V5", "V6"), ("II", "V6")))
    kept = keep_lead_set(signal[:, :3], sets, ("I", "II", "III"), generator())
    assert torch.equal(kept[:, 1], signal[:, 1]) and not kept[:, [0, 2]].any()
    none = LeadSets(sets=(("V5", "V6"),))
    assert torch.equal(keep_lead_set(signal[:, :3], none, ("I", "II", "III"), generator()), signal[:, :3])


class TestRecipe:
    def test_published_recipes_have_none_but_where_it_was_published(self):
        for name in shipped():
            try:
                recipe = load_recipe(name)
            except RecipeError as error:
                assert "laid over a model's own recipe" in str(error)
                continue
            if name not in ("leadlight", "mvms-net", "mvms-student", "nejedly", "nejedly-no-attention"):
                assert recipe.augmentation.is_off, name

    def test_switches_and_values(self):
        recipe = load_recipe(
            "imle-net",
            overrides=["augmentation.mixup=true", "augmentation.noise.largest=0.3", "time_shift=true",
                       "augmentation.time_shift.seconds=1"],
        )  # fmt: skip
        assert recipe.augmentation.mixup == Mixup()
        assert recipe.augmentation.noise == Noise(largest=0.3)
        assert recipe.augmentation.time_shift == TimeShift(seconds=1)
        assert recipe.augmentation.lead_dropout is None
        assert load_recipe(text=recipe.to_toml()) == recipe
        off = load_recipe(text=recipe.to_toml(), overrides=["augmentation.mixup=false"])
        assert off.augmentation.mixup is None

    @pytest.mark.parametrize(
        ("override", "problem"),
        [
            ("augmentation.nose=true", "Did you mean 'augmentation.noise'"),
            ("augmentation.noise.large=1", "augmentation.noise.large: there is no such key"),
            ("augmentation.noise.probability=2", "augmentation.noise.probability: found 2"),
            ("augmentation.amplitude_scaling.largest=0.5", "found smallest 0.8 above largest 0.5"),
            ("augmentation.baseline_wander.lowest=3", "found lowest 3 Hz above highest 0.5 Hz"),
            ("augmentation.noise.smallest=1", "found smallest 1 above largest 0.1"),
            ("augmentation.lead_sets.sets=[['X1']]", "found X1; accepted: I, II"),
            ("augmentation.mixup=0.3", "augmentation.mixup: found 0.3"),
        ],
    )
    def test_what_cannot_be_is_refused(self, override, problem):
        with pytest.raises(RecipeError, match=problem):
            load_recipe("imle-net", overrides=[override])


class Killed(Exception):
    pass


def test_a_resumed_run_draws_the_same(store_folder, small, tmp_path):
    machine = Machine(accelerator="cpu", threads=1)
    overrides = [*small, *(f"augmentation.{name}=true" for name in NAMES)]
    whole = train("imle-net", store_folder, tmp_path / "whole", overrides=overrides, machine=machine)
    plain = train("imle-net", store_folder, tmp_path / "plain", overrides=small, machine=machine)
    seen = 0

    def dies(done: int, total: int, message: str = "") -> None:
        nonlocal seen
        seen += "epoch" in message
        if seen == 6:
            raise Killed

    out = tmp_path / "run"
    with pytest.raises(Killed):
        train("imle-net", store_folder, out, overrides=overrides, machine=machine, on_progress=dies)
    weights = [
        (run.model / "model.safetensors").read_bytes() for run in (whole, resume(out), plain)
    ]  # fmt: skip
    assert weights[0] == weights[1] != weights[2]
