"""Losses: equal to published values and gradients, to hand-computed ones, and blind to unknown labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional

from leadlight.errors import RecipeError
from leadlight.labels import challenge_weights
from leadlight.recipes import load_recipe
from leadlight.signal import GlobalScaling, Preprocessing
from leadlight.store import Selection
from leadlight.training.losses import Loss, mean_loss
from leadlight.training.losses.asymmetric import asymmetric
from leadlight.training.losses.building import build_loss, weights_of_classes
from leadlight.training.losses.challenge_score import ChallengeScoreLoss, challenge_score
from leadlight.training.losses.cross_entropy import (
    OverLabels,
    focal,
    focal_published,
    focal_published_of_probabilities,
    weighted_cross_entropy,
)
from leadlight.training.losses.distillation import DistillationLoss
from leadlight.training.losses.teacher import load_teacher

PARITY = Path(__file__).parents[1] / "parity"
CONVLSTM, CHALLENGE = PARITY / "convlstm/convlstm_io.npz", PARITY / "challenge/isib_loss_io.npz"
NO_SIGNAL = torch.zeros(1, 1, 1)


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def leaf(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).clone().requires_grad_()


def value_of(loss: Loss, *outputs: torch.Tensor, targets: torch.Tensor, known=None, signal=NO_SIGNAL):
    known = torch.ones_like(targets) if known is None else known
    terms = loss(outputs, targets, known, signal)
    return mean_loss(terms.sums, terms.counts)


def close(ours: torch.Tensor, expected: np.ndarray, relative: float) -> None:
    """Within a share of the largest absolute value, as the fixtures state their tolerance."""
    assert_allclose(ours.detach().numpy(), expected, rtol=0, atol=relative * np.abs(expected).max())


class TestFocal:
    @pytest.mark.parametrize("constants", ["readme", "script"])
    def test_published_form_of_probabilities(self, constants):
        file = arrays(CONVLSTM)
        probabilities = leaf(file["loss_y_pred"])
        each = focal_published_of_probabilities(
            probabilities, torch.from_numpy(file["loss_y_true"]),
            float(file[f"loss_alpha_{constants}"]), float(file[f"loss_gamma_{constants}"]),
            torch.from_numpy(file["loss_class_weights"]),
        )  # fmt: skip
        each.mean().backward()
        assert_allclose(each.mean().item(), float(file[f"loss_published_{constants}"]), rtol=1e-6)
        close(probabilities.grad, file[f"loss_published_grad_{constants}"], 1e-6)
        if constants == "readme":
            close(each, file["loss_published_elements"], 1e-6)

    def test_published_form_of_logits_is_what_training_takes(self):
        file = arrays(CONVLSTM)
        logits = leaf(file["loss_z"])
        loss = OverLabels(
            focal_published(
                float(file["loss_alpha_readme"]), float(file["loss_gamma_readme"]),
                torch.from_numpy(file["loss_class_weights"]),
            )
        )  # fmt: skip
        value = value_of(loss, logits, targets=torch.from_numpy(file["loss_z_true"]))
        value.backward()
        assert_allclose(value.item(), float(file["loss_published_logit_form"]), rtol=1e-6)
        close(logits.grad, file["loss_published_logit_grad"], 1e-6)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_textbook_form(self, weighted):
        file = arrays(CONVLSTM)
        # The fixture clips probabilities to 1e-7 from 0 and 1; logits of these in double precision.
        clipped = np.clip(file["loss_y_pred"].astype(np.float64), 1e-7, 1 - 1e-7)
        logits = leaf(np.log(clipped / (1 - clipped)))
        weights = torch.from_numpy(file["loss_class_weights"]).double() if weighted else None
        cells = focal(float(file["loss_alpha_readme"]), float(file["loss_gamma_readme"]), weights)
        targets = torch.from_numpy(file["loss_y_true"]).double()
        value = value_of(OverLabels(cells), logits, targets=targets)
        if weighted:
            assert_allclose(value.item(), float(file["loss_textbook_positive_weighted"]), rtol=1e-6)
            return
        close(cells(logits, targets), file["loss_textbook_elements"], 1e-6)
        assert_allclose(value.item(), float(file["loss_textbook"]), rtol=1e-6)
        value.backward()
        # The chain rule: the fixture's gradient is that of the probabilities, p (1 - p) of it the logits'.
        expected = file["loss_textbook_grad"] * clipped * (1 - clipped)
        inside = (file["loss_y_pred"] > 1e-7) & (file["loss_y_pred"] < 1 - 1e-7)
        close(logits.grad[torch.from_numpy(inside)], expected[inside], 1e-6)

    def test_gamma_zero_and_alpha_half_is_half_the_cross_entropy(self):
        logits, targets = torch.randn(5, 3), torch.rand(5, 3).round()
        ours = value_of(OverLabels(focal(0.5, 0.0)), logits, targets=targets)
        torch.testing.assert_close(ours, functional.binary_cross_entropy_with_logits(logits, targets) / 2)


class TestAsymmetric:
    def test_against_the_formula_by_hand(self):
        # p = 0.8, 0.6, 0.02; with the margin 0.05 the negatives' are 0.55 and 0.
        logits = torch.tensor([[np.log(4.0), np.log(1.5), np.log(0.02 / 0.98)]])
        targets = torch.tensor([[1.0, 0.0, 0.0]])
        each = asymmetric(1.0, 4.0, 0.05)(logits, targets)
        expected = [-0.2 * np.log(0.8), -(0.55**4) * np.log(0.45), 0.0]
        assert_allclose(each[0].numpy(), expected, rtol=1e-5, atol=1e-12)

    def test_without_focus_and_margin_is_the_cross_entropy(self):
        logits, targets = 5 * torch.randn(9, 4), torch.rand(9, 4).round()
        ours = value_of(OverLabels(asymmetric(0, 0, 0)), logits, targets=targets)
        torch.testing.assert_close(ours, functional.binary_cross_entropy_with_logits(logits, targets))

    @pytest.mark.parametrize("gammas", [(0.0, 4.0), (1.0, 0.5), (0.5, 2.0)])
    def test_gradients_are_finite_for_sure_answers_and_equal_to_differences(self, gammas):
        cells = asymmetric(*gammas, 0.05)
        far = torch.tensor([[40.0, -40.0, 90.0, -90.0]], requires_grad=True)
        for targets in (torch.ones(1, 4), torch.zeros(1, 4)):
            (gradient,) = torch.autograd.grad(cells(far, targets).sum(), far)
            assert torch.isfinite(gradient).all()
        near = torch.tensor([[0.3, -1.0, 2.0, -2.0]], dtype=torch.float64, requires_grad=True)
        for label in (0.0, 1.0):
            targets = torch.full_like(near, label).detach()
            assert torch.autograd.gradcheck(lambda one, targets=targets: cells(one, targets), (near,))


class TestChallengeScore:
    @pytest.fixture
    def file(self):
        return arrays(CHALLENGE)

    @pytest.fixture
    def loss(self, file):
        # The published score is the sum over the batch of sixteen.
        return ChallengeScoreLoss(
            torch.from_numpy(file["weight_matrix"]), torch.from_numpy(file["pos_weight"]), 16.0, 1.0
        )

    def test_values_of_each_term_and_their_sum(self, file, loss):
        outputs = (torch.from_numpy(file["challenge_logits"]), torch.from_numpy(file["logits"]))
        targets = torch.from_numpy(file["targets"])
        terms = loss(outputs, targets, torch.ones_like(targets), NO_SIGNAL)
        means = (terms.sums / terms.counts).numpy()
        assert_allclose(means, [file["bce"], -file["challenge"], file["sparsity"]], rtol=1e-12)
        assert_allclose(mean_loss(terms.sums, terms.counts).item(), float(file["total"]), rtol=1e-12)

    def test_gradients_of_both_heads(self, file, loss):
        challenge, logits = leaf(file["challenge_logits"]), leaf(file["logits"])
        value_of(loss, challenge, logits, targets=torch.from_numpy(file["targets"])).backward()
        assert_allclose(challenge.grad.numpy(), file["grad_total_challenge_logits"], atol=1e-12)
        assert_allclose(logits.grad.numpy(), file["grad_total_logits"], atol=1e-12)

    def test_gradient_of_the_score_alone(self, file):
        probabilities = leaf(file["probabilities"])
        targets = torch.from_numpy(file["targets"])
        weights = torch.from_numpy(file["weight_matrix"])
        challenge_score(probabilities, targets, torch.ones_like(targets), weights).sum().backward()
        assert_allclose(probabilities.grad.numpy(), file["grad_challenge_probabilities"], atol=1e-12)

    def test_single_precision(self, file, loss):
        outputs = (torch.from_numpy(file[name]).float() for name in ("challenge_logits", "logits"))
        value = value_of(loss, *outputs, targets=torch.from_numpy(file["targets"]).float())
        assert_allclose(value.item(), float(file["float32_terms"][3]), atol=3e-6)

    def test_unknown_classes_are_as_if_the_table_had_none_of_them(self, file):
        keep = np.arange(26) < 20
        known = torch.from_numpy(np.tile(keep, (16, 1)).astype(np.float64))
        probabilities, targets, weights = (
            torch.from_numpy(file[name]) for name in ("probabilities", "targets", "weight_matrix")
        )
        masked = challenge_score(probabilities, targets, known, weights)
        without = challenge_score(probabilities[:, keep], targets[:, keep], known[:, keep], weights[:20, :20])
        assert_allclose(masked.numpy(), without.numpy(), rtol=1e-12)

    def test_the_table_is_the_challenges(self, file):
        assert_allclose(challenge_weights(), file["weight_matrix"], atol=0)


class TestDistillation:
    @pytest.fixture
    def file(self):
        return arrays(PARITY / "challenge/mvms_kd_loss_io.npz")

    def teaches(self, logits: np.ndarray) -> torch.nn.Module:
        class Teacher(torch.nn.Module):
            def forward(self, signal: torch.Tensor) -> torch.Tensor:
                return torch.from_numpy(logits)

        return Teacher()

    def test_published_value_and_gradient(self, file):
        loss = DistillationLoss(self.teaches(file["teacher_logits"]), 0.5, 2.0, "classes")
        student, targets = leaf(file["student_logits"]), torch.from_numpy(file["targets"])
        terms = loss((student,), targets, torch.ones_like(targets), NO_SIGNAL)
        # alpha T^2 KL and (1 - alpha) BCE, of alpha 0.5 and T 2.
        expected = [0.5 * 4 * file["kl_batchmean"], 0.5 * file["bce"]]
        assert_allclose((terms.sums / terms.counts).detach().numpy(), expected, rtol=1e-12)
        value = mean_loss(terms.sums, terms.counts)
        value.backward()
        assert_allclose(value.item(), float(file["total"]), rtol=1e-12)
        assert_allclose(student.grad.numpy(), file["grad_student_logits"], atol=1e-14)

    @pytest.mark.parametrize("over", ["classes", "each class"])
    def test_unknown_classes_are_as_if_they_were_not_there(self, file, over):
        keep = np.arange(71) % 3 > 0
        known = torch.from_numpy(np.tile(keep, (8, 1)).astype(np.float64))
        student, targets = (torch.from_numpy(file[name]) for name in ("student_logits", "targets"))
        masked = DistillationLoss(self.teaches(file["teacher_logits"]), 0.5, 2.0, over)
        smaller = DistillationLoss(self.teaches(file["teacher_logits"][:, keep]), 0.5, 2.0, over)
        torch.testing.assert_close(
            value_of(masked, student, targets=targets, known=known),
            value_of(smaller, student[:, keep], targets=targets[:, keep]),
        )

    def test_each_class_by_hand(self):
        # Temperature 1: q = 0.8, p = 0.5: 0.8 ln(0.8 / 0.5) + 0.2 ln(0.2 / 0.5).
        loss = DistillationLoss(self.teaches(np.array([[np.log(4.0)]])), 1.0, 1.0, "each class")
        value = value_of(loss, torch.zeros(1, 1).double(), targets=torch.ones(1, 1).double())
        assert_allclose(value.item(), 0.8 * np.log(1.6) + 0.2 * np.log(0.4), rtol=1e-9)


class TestCrossEntropy:
    def test_without_weights_is_torchs_own(self):
        logits, targets = torch.randn(7, 5), torch.rand(7, 5).round()
        ours = value_of(OverLabels(weighted_cross_entropy(None)), logits, targets=targets)
        torch.testing.assert_close(ours, functional.binary_cross_entropy_with_logits(logits, targets))

    def test_of_an_even_chance_is_the_logarithm_of_two_whatever_is_unknown(self):
        logits, targets = torch.tensor([[0.0, 5.0]]), torch.tensor([[1.0, 0.0]])
        value = value_of(EVERY["bce"], logits, targets=targets, known=torch.tensor([[1.0, 0.0]]))
        assert_allclose(value.item(), np.log(2), rtol=1e-6)

    def test_half_precision_is_raised(self):
        logits, targets = torch.tensor([[60.0]]).bfloat16(), torch.zeros(1, 1)
        assert value_of(EVERY["bce"], logits, targets=targets).dtype == torch.float32

    def test_with_weights_is_torchs_own(self):
        logits, targets = torch.randn(7, 5), torch.rand(7, 5).round()
        weights = torch.tensor([1.0, 2.0, 0.5, 3.0, 7.0])
        ours = value_of(OverLabels(weighted_cross_entropy(weights)), logits, targets=targets)
        theirs = torch.nn.BCEWithLogitsLoss(pos_weight=weights)(logits, targets)
        torch.testing.assert_close(ours, theirs)

    def test_weights_are_negatives_over_positives_of_known_labels(self):
        unknown = np.nan
        labels = np.array([[1, 0, unknown], [0, 0, 1], [0, 0, 1], [0, 1, unknown], [1, 0, 1]])
        part = Selection(np.arange(5), np.nan_to_num(labels), ~np.isnan(labels), {})
        weights = weights_of_classes(load_recipe("nejedly").training.loss, part, ["one", "two", "three"])
        # 3 of 2; 4 of 1; no negative among the known: 1.
        assert_allclose(weights, [1.5, 4.0, 1.0])

    def test_a_class_without_positives_weighs_as_the_heaviest(self):
        truth = np.array([[1, 0], [0, 0], [0, 0]])
        part = Selection(np.arange(3), truth, np.ones((3, 2), dtype=bool), {})
        weights = weights_of_classes(load_recipe("nejedly").training.loss, part, ["one", "two"])
        assert_allclose(weights, [2.0, 2.0])


EVERY = {
    "bce": OverLabels(weighted_cross_entropy(None)),
    "weighted": OverLabels(weighted_cross_entropy(torch.arange(1.0, 27.0))),
    "focal": OverLabels(focal(0.25, 2.0, torch.arange(1.0, 27.0))),
    "focal-published": OverLabels(focal_published(0.43, 2.1, torch.arange(1.0, 27.0))),
    "asymmetric": OverLabels(asymmetric(0.0, 4.0, 0.05)),
    "challenge-score": ChallengeScoreLoss(torch.tensor(challenge_weights()).float(), None, 128.0, 1.0),
}


@pytest.mark.parametrize("name", EVERY)
class TestEveryLoss:
    def test_unknown_labels_have_no_gradient_and_no_say(self, name):
        torch.manual_seed(1)
        targets, known = torch.rand(6, 26).round(), (torch.rand(6, 26) > 0.3).float()
        known[2] = 0  # nothing is known of this record
        logits = torch.randn(6, 26, requires_grad=True)
        value = value_of(EVERY[name], logits, targets=targets, known=known)
        (gradient,) = torch.autograd.grad(value, logits)
        assert (gradient[known == 0] == 0).all() and (gradient[known == 1] != 0).any()
        other = torch.where(known == 1, logits, torch.randn(6, 26)).detach()
        changed = torch.where(known == 1, targets, 1 - targets)
        torch.testing.assert_close(value_of(EVERY[name], other, targets=changed, known=known), value.detach())

    def test_batches_add_up_to_the_whole(self, name):
        torch.manual_seed(2)
        logits, targets = torch.randn(9, 26), torch.rand(9, 26).round()
        known = (torch.rand(9, 26) > 0.2).float()
        whole = EVERY[name]((logits,), targets, known, NO_SIGNAL)
        parts = [
            EVERY[name]((logits[some],), targets[some], known[some], NO_SIGNAL)
            for some in (slice(0, 2), slice(2, 9))
        ]
        torch.testing.assert_close(sum(part.sums for part in parts), whole.sums)
        torch.testing.assert_close(sum(part.counts for part in parts), whole.counts)

    def test_nothing_known_is_no_loss_and_no_nan(self, name):
        logits = torch.randn(2, 26, requires_grad=True)
        value = value_of(EVERY[name], logits, targets=torch.zeros(2, 26), known=torch.zeros(2, 26))
        (gradient,) = torch.autograd.grad(value, logits)
        assert float(value.detach()) == 0 and (gradient == 0).all()

    def test_very_sure_answers_stay_finite(self, name):
        logits = torch.tensor([[200.0, -200.0] * 13, [-200.0, 200.0] * 13], requires_grad=True)
        value = value_of(EVERY[name], logits, targets=torch.tensor([[1.0] * 26, [0.0] * 26]))
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(value) and torch.isfinite(gradient).all()


class TestBuilding:
    part = Selection(np.arange(4), np.eye(4, 26), np.ones((4, 26), dtype=bool), {})
    steps = Preprocessing(n_samples=1000, steps=(GlobalScaling(0.0, 0.2),))

    def built(self, *overrides: str, labels: str = "ptb-xl/superclass", codes=tuple("abcde")):
        settings = load_recipe("imle-net", overrides=overrides).training.loss
        part = Selection(
            self.part.rows, self.part.truth[:, : len(codes)], self.part.known[:, : len(codes)], {}
        )
        return build_loss(settings, part, labels, codes, self.steps)

    def test_weights_that_are_used_are_told(self):
        _, weights = self.built("loss.positive_weights=negatives/positives")
        assert weights == {"a": 3.0, "b": 3.0, "c": 3.0, "d": 3.0, "e": 3.0}
        assert self.built()[1] == {}

    def test_stated_weights_must_fit_the_classes(self):
        stated = "loss.positive_weights={a = 1.0, b = 2.0, c = 1.0, d = 1.0, e = 1.0}"
        assert self.built(stated)[1]["b"] == 2.0
        with pytest.raises(RecipeError, match=r"positive_weights: found 'x'"):
            self.built("loss.positive_weights={x = 1.0}")
        with pytest.raises(RecipeError, match="no number for b, c, d, e"):
            self.built("loss.positive_weights={a = 1.0}")

    def test_the_challenges_loss_needs_its_classes(self):
        with pytest.raises(RecipeError, match="accepted: challenge-2021"):
            self.built("loss=challenge-score")

    def test_a_teacher_of_other_classes_or_input_is_refused(self, tmp_path, contract_values):
        from leadlight import models
        from leadlight.classifier import save_model
        from leadlight.classifier.contract import contract_from

        sizes = {"filters": 2, "stages": 1, "lstm_units": 2, "attention_units": 2}
        folder = tmp_path / "teacher"
        contract = contract_from(contract_values("abcde", sizes))
        save_model(folder, models.create("imle-net", 5, **sizes), contract)
        assert not load_teacher(str(folder), tuple("abcde"), self.steps).training
        with pytest.raises(RecipeError, match="found the classes a, b, c, d, e"):
            load_teacher(str(folder), tuple("abcdf"), self.steps)
        near = Preprocessing(n_samples=1000, steps=(GlobalScaling(0.001, 0.201),))
        assert load_teacher(str(folder), tuple("abcde"), near) is not None
        far = Preprocessing(n_samples=1000, steps=(GlobalScaling(0.0, 0.3),))
        with pytest.raises(RecipeError, match="found another input"):
            load_teacher(str(folder), tuple("abcde"), far)
