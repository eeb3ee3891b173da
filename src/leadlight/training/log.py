"""What a run tells while it trains: log.csv, one line an epoch, and the same for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from leadlight.writing import write_whole

COLUMNS = (
    "epoch", "train_loss", "validation_loss", "validation_macro_auc",
    "validation_macro_average_precision", "learning_rate", "seconds",
)  # fmt: skip


class EpochLog:
    """Writes the epochs of a run to log.csv and to tensorboard/."""

    def __init__(self, folder: Path, rows: Sequence[dict[str, float]]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.path = folder / "log.csv"
        # After a resume, what a killed process logged beyond its checkpoint is hidden.
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=len(rows) + 1)
        self.logged = len(rows)
        self._write_csv(rows)

    def write(self, rows: Sequence[dict[str, float]]) -> None:
        """Write all epochs so far; the file is replaced whole."""
        self._write_csv(rows)
        for row in rows[self.logged :]:
            for name in COLUMNS[1:]:
                self.board.add_scalar(name, row[name], int(row["epoch"]))
        self.logged = len(rows)
        self.board.flush()

    def close(self) -> None:
        """Close the TensorBoard file."""
        self.board.close()

    def _write_csv(self, rows: Sequence[dict[str, float]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.path, text.getvalue().encode())
