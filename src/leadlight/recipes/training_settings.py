"""The [training] part of a recipe: loss, optimiser, schedule, averaging, stopping.

Each of these is a name, which takes the defaults, or a table with ``kind`` that changes them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True)

Weights = Literal["none", "negatives/positives"] | dict[str, Annotated[float, Field(ge=0)]]
"""Of each class: 1, counted in the training records, or given by code for all classes."""


class BinaryCrossEntropy(BaseModel):
    """positive_weights: factors of the positive labels."""

    model_config = _STRICT
    kind: Literal["bce"] = "bce"
    positive_weights: Weights = "none"


class Focal(BaseModel):
    """Lin et al. 2017: alpha for positive labels, 1 - alpha for negative ones; positive_weights beside it."""

    model_config = _STRICT
    kind: Literal["focal"] = "focal"
    alpha: float = Field(default=0.25, ge=0, le=1)
    gamma: float = Field(default=2.0, ge=0)
    positive_weights: Weights = "none"


class FocalPublished(BaseModel):
    """As Conv-BiLSTM-attention was trained: alpha and class weights alike for all labels of a class."""

    model_config = _STRICT
    kind: Literal["focal-published"] = "focal-published"
    alpha: float = Field(default=0.434606549138721, ge=0)
    gamma: float = Field(default=2.1350570960531274, ge=0)
    class_weights: Weights = "negatives/positives"


class Asymmetric(BaseModel):
    """Ridnik et al. 2021; defaults of the paper."""

    model_config = _STRICT
    kind: Literal["asymmetric"] = "asymmetric"
    gamma_positive: float = Field(default=0.0, ge=0)
    gamma_negative: float = Field(default=4.0, ge=0)
    margin: float = Field(default=0.05, ge=0, lt=1)


class ChallengeScore(BaseModel):
    """nejedly's three terms. score_weight: of the score's mean over records; the batch size gives its sum."""

    model_config = _STRICT
    kind: Literal["challenge-score"] = "challenge-score"
    positive_weights: Weights = "negatives/positives"
    score_weight: float = Field(default=128.0, ge=0)
    sparsity_weight: float = Field(default=1.0, ge=0)


class Distillation(BaseModel):
    """Hinton et al. 2015. teacher: a run or a model folder; over: a softmax over classes, or each alone."""

    model_config = _STRICT
    kind: Literal["distillation"] = "distillation"
    teacher: str = ""
    alpha: float = Field(default=0.5, ge=0, le=1)
    temperature: float = Field(default=2.0, gt=0)
    over: Literal["classes", "each class"] = "classes"


class Adam(BaseModel):
    """Kingma, Ba 2015; weight_decay is added to the gradient."""

    model_config = _STRICT
    kind: Literal["adam"] = "adam"
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    epsilon: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)


class AdamW(BaseModel):
    """Loshchilov, Hutter 2019; weight_decay shrinks the weights, beside the step."""

    model_config = _STRICT
    kind: Literal["adamw"] = "adamw"
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    epsilon: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)


class SGD(BaseModel):
    """Stochastic gradient descent with momentum; weight_decay is added to the gradient."""

    model_config = _STRICT
    kind: Literal["sgd"] = "sgd"
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> SGD:
        if self.nesterov and self.momentum == 0:
            raise ValueError("found nesterov without momentum; accepted: a momentum above 0")
        return self


class NoClipping(BaseModel):
    """Gradients as they are."""

    model_config = _STRICT
    kind: Literal["none"] = "none"


class GlobalNorm(BaseModel):
    """All gradients together are shortened to this norm."""

    model_config = _STRICT
    kind: Literal["global-norm"] = "global-norm"
    norm: float = Field(default=1.0, gt=0)


class TensorNorm(BaseModel):
    """Each parameter's gradient is shortened to this norm by itself."""

    model_config = _STRICT
    kind: Literal["tensor-norm"] = "tensor-norm"
    norm: float = Field(default=1.0, gt=0)


class Constant(BaseModel):
    """The learning rate as it is."""

    model_config = _STRICT
    kind: Literal["constant"] = "constant"


class OneCycle(BaseModel):
    """Smith 2018 as in fastai 1: up over ``rise`` of all batches, then down; the momentum opposite."""

    model_config = _STRICT
    kind: Literal["one-cycle"] = "one-cycle"
    rise: float = Field(default=0.3, gt=0, lt=1)
    start_divisor: float = Field(default=25.0, ge=1)
    end_divisor: float = Field(default=250_000.0, ge=1)
    cycle_momentum: bool = True
    momentum: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.95, 0.85)


class StepSchedule(BaseModel):
    """Times factor after every so many epochs."""

    model_config = _STRICT
    kind: Literal["step"] = "step"
    epochs: int = Field(default=20, ge=1)
    factor: float = Field(default=0.1, gt=0, le=1)


class Exponential(BaseModel):
    """Times factor every so many steps (0: those of one epoch), in stairs or smoothly."""

    model_config = _STRICT
    kind: Literal["exponential"] = "exponential"
    factor: float = Field(default=0.95, gt=0, le=1)
    steps: int = Field(default=0, ge=0)
    staircase: bool = True


class Cosine(BaseModel):
    """Half a cosine over all batches after the warm-up, down to ``lowest`` of the learning rate."""

    model_config = _STRICT
    kind: Literal["cosine"] = "cosine"
    lowest: float = Field(default=0.0, ge=0, le=1)


class Plateau(BaseModel):
    """Times factor when the measure of ``keep`` has not improved for ``patience`` epochs, as in Keras."""

    model_config = _STRICT
    kind: Literal["plateau"] = "plateau"
    factor: float = Field(default=0.1, gt=0, lt=1)
    patience: int = Field(default=10, ge=1)
    min_improvement: float = Field(default=1e-4, ge=0)
    lowest_rate: float = Field(default=0.0, ge=0)


class NoAveraging(BaseModel):
    """The last weights."""

    model_config = _STRICT
    kind: Literal["none"] = "none"


class EMA(BaseModel):
    """Exponential moving average over batches: min(decay, (1 + n) / (10 + n)) after n of them."""

    model_config = _STRICT
    kind: Literal["ema"] = "ema"
    decay: float = Field(default=0.999, gt=0, lt=1)


class SWA(BaseModel):
    """Izmailov et al. 2018: the plain mean of the weights after each epoch from ``first_epoch`` on."""

    model_config = _STRICT
    kind: Literal["swa"] = "swa"
    first_epoch: int = Field(ge=1)


KINDED = {
    "loss": "bce", "optimizer": "adam", "clipping": "global-norm", "schedule": "constant", "averaging": "ema",
}  # fmt: skip
"""Keys that are a name or a table, and the kind of a table that states none."""


def _either(key: str) -> BeforeValidator:
    """A name alone is the table of that kind with its defaults; a table without one has the default's."""

    def with_kind(value: object) -> object:
        if isinstance(value, str):
            return {"kind": value}
        return {"kind": KINDED[key], **value} if isinstance(value, dict) else value

    return BeforeValidator(with_kind)


_KIND = Field(discriminator="kind")
Loss = Annotated[
    BinaryCrossEntropy | Focal | FocalPublished | Asymmetric | ChallengeScore | Distillation,
    _KIND, _either("loss"),
]  # fmt: skip
Optimizer = Annotated[Adam | AdamW | SGD, _KIND, _either("optimizer")]
Clipping = Annotated[NoClipping | GlobalNorm | TensorNorm, _KIND, _either("clipping")]
Schedule = Annotated[
    Constant | OneCycle | StepSchedule | Exponential | Cosine | Plateau, _KIND, _either("schedule")
]
Averaging = Annotated[NoAveraging | EMA | SWA, _KIND, _either("averaging")]

MEASURES = {
    "best validation macro AUC": "validation_macro_auc",
    "best validation macro average precision": "validation_macro_average_precision",
    "best validation loss": "validation_loss",
    "last": "validation_macro_auc",
}
"""What ``keep`` may be, and the column of log.csv that it and stopping look at."""


class TrainingSettings(BaseModel):
    """Loss, optimiser, schedule and stopping.

    learning_rate: the schedule's highest; batch_size: records over all processes together; drop_last:
    leave out the records that fill no whole batch, drawn anew each epoch; warm_up_epochs: linear, before
    the schedule; patience: epochs without improvement of the measure of ``keep`` before stopping, 0 for
    never; keep: the epoch whose weights are kept.
    """

    model_config = _STRICT
    loss: Loss = BinaryCrossEntropy()
    optimizer: Optimizer = Adam()
    learning_rate: float = Field(default=1e-3, gt=0)
    schedule: Schedule = Constant()
    warm_up_epochs: float = Field(default=0.0, ge=0)
    clipping: Clipping = NoClipping()
    averaging: Averaging = NoAveraging()
    batch_size: int = Field(default=32, ge=1)
    drop_last: bool = False
    epochs: int = Field(default=60, ge=1)
    patience: int = Field(default=20, ge=0)
    min_improvement: float = Field(default=1e-4, ge=0)
    keep: Literal[
        "best validation macro AUC", "best validation macro average precision", "best validation loss", "last"
    ] = "best validation macro AUC"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    checkpoint_minutes: float = Field(default=5.0, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> TrainingSettings:
        if self.warm_up_epochs and isinstance(self.schedule, OneCycle):
            raise ValueError(
                "found warm_up_epochs beside one-cycle, which rises by itself; accepted: one of them"
            )
        if self.warm_up_epochs >= self.epochs:
            raise ValueError(
                f"found warm_up_epochs {self.warm_up_epochs:g} of {self.epochs} epochs; accepted: fewer"
            )
        if isinstance(self.averaging, SWA) and self.averaging.first_epoch > self.epochs:
            raise ValueError(
                f"found averaging.first_epoch {self.averaging.first_epoch} of {self.epochs} epochs; "
                "accepted: one of them"
            )
        return self
