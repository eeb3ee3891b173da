"""The training loop: one function, read from top to bottom.

Fabric brings devices, precision and several processes; the loop is ours so that
it can be read, and resumed to the bit. A run is a function of recipe and data:
the order of the records follows from seed and epoch, and a checkpoint holds
everything else (weights, their average, optimiser, random state, the sums of the epoch).
The learning rate follows from the number of the step and the epochs so far.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadlight.classifier.windows import aggregate_of, parts_of, record_logits
from leadlight.errors import RunError
from leadlight.evaluation import average_precision, macro_mean, roc_auc
from leadlight.progress import ProgressCallback
from leadlight.recipes import TrainingSettings
from leadlight.recipes.training_settings import MEASURES
from leadlight.training.averaging import WeightAverage, on_cpu
from leadlight.training.checkpoint import load_checkpoint, save_checkpoint
from leadlight.training.data import Epoch, TrainingInput, batches, bounds_of_batches, validation_batch
from leadlight.training.log import EpochLog
from leadlight.training.losses import Loss, mean_loss
from leadlight.training.optimisers import build_optimizer, clip, set_rate
from leadlight.training.schedules import rate_of_step

if TYPE_CHECKING:
    from lightning_fabric import Fabric


EpochCallback = Callable[[Mapping[str, float]], None]
"""Called with a row of the log: epoch, train_loss, validation_loss, validation_macro_auc, ..."""


def unheard(row: Mapping[str, float]) -> None:
    """Tell nobody."""


@dataclass
class Progress:
    """Where a run stands: everything but weights, optimiser and random state.

    epoch: the epoch that is under way, from 1; batch: batches of it that are done;
    loss_sums, loss_counts: of each term, over these batches; seconds: spent on this epoch;
    best, best_epoch: measure of the epoch whose weights are kept, higher is better; stopping
    counts from patience_epoch, the last one that improved by more than min_improvement.
    """

    epoch: int = 1
    batch: int = 0
    loss_sums: list[float] = field(default_factory=list)
    loss_counts: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best: float = -math.inf
    best_epoch: int = 0
    patience_best: float = -math.inf
    patience_epoch: int = 0
    finished: bool = False
    rows: list[dict[str, float]] = field(default_factory=list)

    def measures(self, keep: str) -> list[float]:
        """What ``keep`` looks at, of each epoch that is over; higher is better."""
        column = MEASURES[keep]
        sign = -1 if column.endswith("loss") else 1
        return [sign * row[column] for row in self.rows]

    def add_loss(self, sums: Tensor, counts: Tensor) -> None:
        """Take a batch's terms, of all processes together, into the sums of the epoch."""
        self.loss_sums = _added(self.loss_sums, sums)
        self.loss_counts = _added(self.loss_counts, counts)

    @property
    def loss(self) -> float:
        """The mean loss over the batches of this epoch so far."""
        return float(mean_loss(torch.tensor(self.loss_sums), torch.tensor(self.loss_counts)))


def fit(
    fabric: Fabric,
    model: nn.Module,
    data: TrainingInput,
    settings: TrainingSettings,
    loss: Loss,
    seed: int,
    folder: Path,
    on_progress: ProgressCallback,
    stop_now: bool = False,
    on_epoch: EpochCallback = unheard,
) -> tuple[Progress, dict[str, Any]]:
    """Train until the epochs are over or validation no longer improves.

    folder: the run's; checkpoints/last and checkpoints/best are written there,
    and the run goes on from checkpoints/last if there is one. stop_now: train no
    further and keep the best epoch so far. on_epoch: called with an epoch's row of the log once
    that epoch is safe on disk; what it raises ends the run there.
    Returns where the run ended and the state dict that is kept. Raises RunError for a
    checkpoint that cannot be read, for stop_now before the first epoch has ended, and for a
    loss that is no longer a number.
    """
    last, best = folder / "checkpoints" / "last.ckpt", folder / "checkpoints" / "best.ckpt"
    has_several_heads = _has_several_heads(model)
    model, optimizer = fabric.setup(model, build_optimizer(model, settings))
    if has_several_heads:
        # Fabric then gives it precision and gradients of all processes, as it does forward.
        mark: Callable[[str], None] = model.mark_forward_method  # type: ignore[assignment]
        mark("training_outputs")
    average = WeightAverage(settings.averaging)
    progress = Progress()
    if last.exists():
        progress = _restore(load_checkpoint(last), model, optimizer, average)
    if stop_now:
        if not progress.rows:
            raise RunError(f"{folder}: no epoch is finished yet: there is nothing to keep.")
        progress.finished = True
    log = EpochLog(folder, progress.rows) if fabric.is_global_zero else None
    n_batches = len(bounds_of_batches(data.sampler.length, settings.batch_size, settings.drop_last)) - 1
    process, processes = fabric.global_rank, fabric.world_size
    saved_at = time.monotonic()

    def checkpoint() -> None:
        if fabric.is_global_zero:
            save_checkpoint(last, _state(model, optimizer, average, progress))
        fabric.barrier()

    def shares(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        return batches(order, settings.batch_size, process, processes, settings.drop_last)

    while not progress.finished and progress.epoch <= settings.epochs:
        epoch = Epoch(data, seed, progress.epoch)
        began = time.monotonic() - progress.seconds
        model.train()
        for number, chosen in enumerate(shares(epoch.order), start=1):
            if number <= progress.batch:
                continue
            batch = epoch.augment(fabric.to_device(epoch.batch(chosen)), number, process)
            step = (progress.epoch - 1) * n_batches + number - 1
            rate = rate_of_step(settings, step, n_batches, progress.measures(settings.keep))
            set_rate(optimizer, rate.learning_rate, rate.momentum)
            terms = loss(outputs_of(model, batch.inputs), batch.targets, batch.known, batch.inputs[0])
            counts = fabric.all_reduce(terms.counts.detach(), reduce_op="sum")
            # Processes average their gradients: times their number, the average is the mean over the batch.
            fabric.backward(mean_loss(terms.sums * processes, counts))
            clip(fabric, model, optimizer, settings.clipping)
            optimizer.step()
            optimizer.zero_grad()
            average.after_batch(model)
            progress.batch = number
            progress.add_loss(fabric.all_reduce(terms.sums.detach(), reduce_op="sum"), counts)
            # Half precision may overflow for a batch: its loss scale is then lowered.
            if not math.isfinite(progress.loss) and settings.precision != "16-mixed":
                raise RunError(
                    f"epoch {progress.epoch}, batch {number}: found a loss that is not a number; accepted: a "
                    "finite one. Lower training.learning_rate or set training.clipping=global-norm."
                )
            progress.seconds = time.monotonic() - began
            on_progress(
                (progress.epoch - 1) * n_batches + number, settings.epochs * n_batches, _message(progress)
            )
            due = time.monotonic() - saved_at > settings.checkpoint_minutes * 60
            # Clocks differ: the first process decides for all.
            if processes > 1:
                due = fabric.broadcast(due)
            if due and settings.checkpoint_minutes and number < n_batches:
                checkpoint()
                saved_at = time.monotonic()

        def training_inputs(epoch: Epoch = epoch) -> Iterator[tuple[Tensor, ...]]:
            for chosen in shares(epoch.order):
                yield fabric.to_device(epoch.batch(chosen).inputs)

        average.after_epoch(model, progress.epoch)
        with average.in_place(fabric, model, training_inputs) as weights:
            scores, validation_loss = predict_part(fabric, model, data, loss, settings.batch_size)
            progress.seconds = time.monotonic() - began
            progress.rows.append(
                {
                    "epoch": progress.epoch,
                    "train_loss": progress.loss,
                    "validation_loss": validation_loss,
                    **validation_measures(data, scores),
                    "learning_rate": optimizer.param_groups[0]["lr"],
                    "seconds": round(progress.seconds, 3),
                }
            )
            measure = progress.measures(settings.keep)[-1]
            if settings.keep == "last" or measure > progress.best or not progress.best_epoch:
                progress.best, progress.best_epoch = measure, progress.epoch
                if fabric.is_global_zero:
                    save_checkpoint(best, {"model": weights, "epoch": progress.epoch})
        if measure > progress.patience_best + settings.min_improvement or not progress.patience_epoch:
            progress.patience_best, progress.patience_epoch = measure, progress.epoch
        waited = progress.epoch - progress.patience_epoch
        progress.finished = progress.epoch >= settings.epochs or 0 < settings.patience <= waited
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.loss_sums, progress.loss_counts, progress.seconds = [], [], 0.0
        checkpoint()
        saved_at = time.monotonic()
        if log is not None:
            log.write(progress.rows)
        on_epoch(progress.rows[-1])
    if log is not None:
        log.close()
    fabric.barrier()
    return progress, load_checkpoint(best)["model"]


def outputs_of(model: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The logits of every head that a loss must reach; the first is what ``forward`` gives."""
    if _has_several_heads(model):
        every_head: Callable[..., tuple[Tensor, ...]] = model.training_outputs  # type: ignore[assignment]
        return every_head(*inputs)
    return (model(*inputs),)


def _has_several_heads(model: nn.Module) -> bool:
    return hasattr(model, "training_outputs")


def validation_measures(data: TrainingInput, scores: NDArray[np.float32]) -> dict[str, float]:
    """What an epoch is judged by besides its loss, from the scores of the validation records."""
    part = data.validation
    return {
        "validation_macro_auc": float(macro_mean(roc_auc(part.truth, scores, part.known))),
        "validation_macro_average_precision": float(
            macro_mean(average_precision(part.truth, scores, part.known))
        ),
    }


def predict_part(
    fabric: Fabric, model: nn.Module, data: TrainingInput, loss: Loss, batch_size: int
) -> tuple[NDArray[np.float32], float]:
    """Probabilities (records, classes) and mean loss of the validation part; processes share the work.

    Records of several windows get one answer by the rule that predictions follow; the loss is the
    mean over windows.
    """
    part, processes, rank = data.validation, fabric.world_size, fabric.global_rank
    aggregate = aggregate_of(data.preprocessing)
    model.eval()
    scores = np.zeros(part.truth.shape, dtype=np.float32)
    so_far = Progress()
    everyone, windows = np.arange(len(part)), data.validation_windows
    with torch.no_grad():
        for places in parts_of(windows, batch_size * processes, processes):
            together = everyone[places]
            # Shares of one size can be gathered; the records that fill them up do not count.
            padded = np.resize(together, -(-len(together) // processes) * processes)
            mine, of_mine = padded[rank::processes], windows[padded[rank::processes]]
            is_real = np.repeat((np.arange(len(padded)) < len(together))[rank::processes], of_mine)
            most = max(int(windows[padded[one::processes]].sum()) for one in range(processes))
            inputs, targets, known = fabric.to_device(validation_batch(data, mine))
            known = known * torch.from_numpy(is_real[:, None]).to(known)
            outputs = in_parts(model, inputs, batch_size, most)
            terms = loss(outputs, targets, known, inputs[0])
            so_far.add_loss(*(fabric.all_reduce(one, reduce_op="sum") for one in (terms.sums, terms.counts)))
            own = record_logits(outputs[0].float(), of_mine.tolist(), aggregate)
            gathered = fabric.all_gather(own).reshape(processes, len(mine), -1)
            logits = gathered.transpose(0, 1).reshape(len(padded), -1)[: len(together)]
            scores[together] = torch.sigmoid(logits).cpu().numpy()
    return scores, so_far.loss


def in_parts(model: nn.Module, inputs: tuple[Tensor, ...], batch_size: int, most: int) -> tuple[Tensor, ...]:
    """``outputs_of`` a batch at a time. most: the largest number of inputs of any process.

    Every process calls the model equally often, as several processes need it.
    """
    parts = []
    for start in range(0, most, batch_size):
        stop = min(start + batch_size, len(inputs[0]))
        some = outputs_of(model, tuple(one[min(start, stop - 1) : stop] for one in inputs))
        if start < stop:
            parts.append(some)
    return tuple(torch.cat(of_head) for of_head in zip(*parts, strict=True))


def _added(sums: list[float], more: Tensor) -> list[float]:
    new = more.tolist()
    return [old + one for old, one in zip(sums or [0.0] * len(new), new, strict=True)]


def _message(progress: Progress) -> str:
    best = f", validation AUC {progress.rows[-1]['validation_macro_auc']:.3f}" if progress.rows else ""
    return f"epoch {progress.epoch}, loss {progress.loss:.3f}{best}"


def _state(
    model: nn.Module, optimizer: torch.optim.Optimizer, average: WeightAverage, progress: Progress
) -> dict[str, Any]:
    return {
        "model": on_cpu(model),
        "average": average.state(),
        "optimizer": optimizer.state_dict(),
        "progress": asdict(progress),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _restore(
    state: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer, average: WeightAverage
) -> Progress:
    model.load_state_dict(state["model"])
    average.restore(state["average"], model)
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    if state["random_cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return Progress(**state["progress"])
