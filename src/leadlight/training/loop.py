"""The training loop: one function, read from top to bottom.

Fabric brings devices, precision and several processes; the loop is ours so that
it can be read, and resumed to the bit. A run is a function of recipe and data:
the order of the records follows from seed and epoch, and a checkpoint holds
everything else (weights, optimiser, random state, the sums of the epoch).
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from leadlight.errors import RunError
from leadlight.evaluation import macro_mean, roc_auc
from leadlight.progress import ProgressCallback
from leadlight.recipes import TrainingSettings
from leadlight.training.checkpoint import load_checkpoint, save_checkpoint
from leadlight.training.data import TrainingInput, batches, crop_places, read_batch
from leadlight.training.log import EpochLog
from leadlight.training.losses import binary_cross_entropy

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass
class Progress:
    """Where a run stands: everything but weights, optimiser and random state.

    epoch: the epoch that is under way, from 1; batch: batches of it that are done;
    loss_sum, loss_count: over these batches; seconds: spent on this epoch;
    best_auc, best_epoch: of the epoch whose weights are kept; stopping counts
    from patience_epoch, the last one that improved by at least min_improvement.
    """

    epoch: int = 1
    batch: int = 0
    loss_sum: float = 0.0
    loss_count: float = 0.0
    seconds: float = 0.0
    best_auc: float = -1.0
    best_epoch: int = 0
    patience_auc: float = -1.0
    patience_epoch: int = 0
    finished: bool = False
    rows: list[dict[str, float]] = field(default_factory=list)


def fit(
    fabric: Fabric,
    model: nn.Module,
    data: TrainingInput,
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    on_progress: ProgressCallback,
    stop_now: bool = False,
) -> tuple[Progress, dict[str, Any]]:
    """Train until the epochs are over or validation no longer improves.

    folder: the run's; checkpoints/last and checkpoints/best are written there,
    and the run goes on from checkpoints/last if there is one. stop_now: train no
    further and keep the best epoch so far.
    Returns where the run ended and the state dict of the best epoch. Raises RunError
    for a checkpoint that cannot be read, and for stop_now before the first epoch has ended.
    """
    last, best = folder / "checkpoints" / "last.ckpt", folder / "checkpoints" / "best.ckpt"
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, eps=settings.epsilon)
    model, optimizer = fabric.setup(model, optimizer)
    progress = Progress()
    if last.exists():
        progress = _restore(load_checkpoint(last), model, optimizer)
    if stop_now:
        if not progress.rows:
            raise RunError(f"{folder}: no epoch is finished yet: there is nothing to keep.")
        progress.finished = True
    log = EpochLog(folder, progress.rows) if fabric.is_global_zero else None
    n_batches = -(-data.sampler.length // settings.batch_size)
    process, processes = fabric.global_rank, fabric.world_size
    saved_at = time.monotonic()

    def checkpoint(path: Path) -> None:
        if fabric.is_global_zero:
            save_checkpoint(path, _state(model, optimizer, progress))
        fabric.barrier()

    while not progress.finished and progress.epoch <= settings.epochs:
        order = data.sampler.order(seed, progress.epoch)
        places = crop_places(len(data.training), seed, progress.epoch)
        began = time.monotonic() - progress.seconds
        model.train()
        for number, chosen in enumerate(batches(order, settings.batch_size, process, processes), start=1):
            if number <= progress.batch:
                continue
            signal, targets, known = fabric.to_device(
                read_batch(data.store, data.training, chosen, data.preprocessing, places)
            )
            loss_sum, loss_count = binary_cross_entropy(model(signal), targets, known)
            total_count = fabric.all_reduce(loss_count.detach(), reduce_op="sum")
            # Processes average their gradients: times their number, the average is the mean over the batch.
            fabric.backward(loss_sum * processes / total_count)
            optimizer.step()
            optimizer.zero_grad()
            progress.batch = number
            progress.loss_sum += float(fabric.all_reduce(loss_sum.detach(), reduce_op="sum"))
            progress.loss_count += float(total_count)
            progress.seconds = time.monotonic() - began
            on_progress(
                (progress.epoch - 1) * n_batches + number, settings.epochs * n_batches, _message(progress)
            )
            due = time.monotonic() - saved_at > settings.checkpoint_minutes * 60
            # Clocks differ: the first process decides for all.
            if processes > 1:
                due = fabric.broadcast(due)
            if due and settings.checkpoint_minutes and number < n_batches:
                checkpoint(last)
                saved_at = time.monotonic()

        scores, validation_loss = predict_part(fabric, model, data, settings.batch_size)
        auc = float(macro_mean(roc_auc(data.validation.truth, scores, data.validation.known)))
        progress.seconds = time.monotonic() - began
        progress.rows.append(
            {
                "epoch": progress.epoch,
                "train_loss": progress.loss_sum / progress.loss_count,
                "validation_loss": validation_loss,
                "validation_macro_auc": auc,
                "learning_rate": optimizer.param_groups[0]["lr"],
                "seconds": round(progress.seconds, 3),
            }
        )
        if auc > progress.best_auc:
            progress.best_auc, progress.best_epoch = auc, progress.epoch
            checkpoint(best)
        if auc >= progress.patience_auc + settings.min_improvement:
            progress.patience_auc, progress.patience_epoch = auc, progress.epoch
        progress.finished = (
            progress.epoch >= settings.epochs or progress.epoch - progress.patience_epoch >= settings.patience
        )
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.loss_sum = progress.loss_count = progress.seconds = 0.0
        checkpoint(last)
        saved_at = time.monotonic()
        if log is not None:
            log.write(progress.rows)
    if log is not None:
        log.close()
    fabric.barrier()
    return progress, load_checkpoint(best)["model"]


def predict_part(
    fabric: Fabric, model: nn.Module, data: TrainingInput, batch_size: int
) -> tuple[NDArray[np.float32], float]:
    """Probabilities (records, classes) and mean loss of the validation part; processes share the work."""
    part, processes = data.validation, fabric.world_size
    model.eval()
    scores = np.zeros(part.truth.shape, dtype=np.float32)
    loss_sum = loss_count = 0.0
    everyone = np.arange(len(part))
    with torch.no_grad():
        for start in range(0, len(part), batch_size * processes):
            together = everyone[start : start + batch_size * processes]
            # Shares of one size can be gathered; the records that fill them up are dropped again.
            mine = np.resize(together, -(-len(together) // processes) * processes)[
                fabric.global_rank :: processes
            ]
            signal, targets, known = fabric.to_device(read_batch(data.store, part, mine, data.preprocessing))
            logits = fabric.all_gather(model(signal).float()).reshape(processes, len(mine), -1)
            targets = fabric.all_gather(targets).reshape(processes, len(mine), -1)
            known = fabric.all_gather(known).reshape(processes, len(mine), -1)
            in_order = [
                tensor.transpose(0, 1).reshape(-1, tensor.shape[-1])[: len(together)]
                for tensor in (logits, targets, known)
            ]
            here_sum, here_count = binary_cross_entropy(*in_order)
            loss_sum += float(here_sum)
            loss_count += float(here_count)
            scores[together] = torch.sigmoid(in_order[0]).cpu().numpy()
    return scores, loss_sum / loss_count


def _message(progress: Progress) -> str:
    best = f", validation AUC {progress.rows[-1]['validation_macro_auc']:.3f}" if progress.rows else ""
    return f"epoch {progress.epoch}, loss {progress.loss_sum / progress.loss_count:.3f}{best}"


def _state(model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> dict[str, Any]:
    return {
        "model": {name: value.detach().cpu() for name, value in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
        "progress": asdict(progress),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _restore(state: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    if state["random_cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return Progress(**state["progress"])
