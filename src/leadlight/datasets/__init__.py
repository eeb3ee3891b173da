"""Data sets as they are published: which records a folder holds, and what is said of each.

One file a data set (``ptbxl.py``), facts about it in ``data/``; ``index.py`` has the
values that all of them return. Signals are read by ``leadlight.files`` and prepared by
``leadlight.store``; what the statements mean lives in ``leadlight.labels``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from leadlight.datasets import challenge, code15, folder, mimic_iv_ecg, ptbxl
from leadlight.datasets.index import (
    SIMULATED_VERSION,
    DatasetDescription,
    DatasetIndex,
    RecordEntry,
    SetAside,
)
from leadlight.datasets.split_files import apply_split, apply_split_file, read_split, write_split
from leadlight.datasets.splits import Split, assign_folds, leave_one_source_out, split_index
from leadlight.errors import DatasetError, did_you_mean

__all__ = [
    "SIMULATED_VERSION",
    "DatasetDescription",
    "DatasetIndex",
    "RecordEntry",
    "SetAside",
    "Split",
    "apply_split",
    "apply_split_file",
    "assign_folds",
    "describe",
    "detect",
    "leave_one_source_out",
    "names",
    "read_index",
    "read_published",
    "read_split",
    "split_index",
    "write_split",
]


class _Reader(Protocol):
    """What the file of a data set offers."""

    LAYOUT: str

    def describe(self) -> DatasetDescription: ...
    def found_in(self, root: Path) -> bool: ...
    def read_index(
        self, root: Path, sampling_rate: float, *, drop_duplicates: bool, labels: Path | None
    ) -> DatasetIndex: ...


_READERS: dict[str, _Reader] = {
    ptbxl.NAME: ptbxl,
    challenge.NAME: challenge,
    mimic_iv_ecg.NAME: mimic_iv_ecg,
    code15.NAME: code15,
    folder.NAME: folder,
}


def names() -> tuple[str, ...]:
    """Names of the data sets that can be read."""
    return tuple(_READERS)


def describe(name: str) -> DatasetDescription:
    """Title, size, licence, citation and label spaces of a data set. Raises DatasetError if unknown."""
    _check(name)
    return _READERS[name].describe()


def detect(root: str | os.PathLike[str]) -> str:
    """Name of the data set that a folder holds. Raises DatasetError for a folder of no known layout."""
    folder = Path(root)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: found no such folder; accepted: the folder of a data set.")
    for name, reader in _READERS.items():
        if reader.found_in(folder):
            return name
    layouts = "; ".join(f"{name}: {reader.LAYOUT}" for name, reader in _READERS.items())
    inside = [child.name for child in _folders(folder) if any(r.found_in(child) for r in _READERS.values())]
    remedy = f" Did you mean {folder / inside[0]}?" if inside else ""
    raise DatasetError(f"{folder}: found no data set that Leadlight knows; accepted: {layouts}.{remedy}")


def read_index(
    name: str,
    root: str | os.PathLike[str],
    sampling_rate: float = 100.0,
    *,
    drop_duplicates: bool = True,
    labels: str | os.PathLike[str] | None = None,
    splits: str | os.PathLike[str] | None = None,
) -> DatasetIndex:
    """Which records a data set's folder holds, for use at a sampling rate (Hz).

    drop_duplicates: set aside all but one of the records that the data set's own
    publishers know to be the same recording (they may stand in different folds).
    labels: a table of labels beside the data, for data sets that come without.
    splits: a file of folds (``split_files.py``), in place of the data set's own. Without it
    official folds are kept, and records without one get it by Leadlight's split (``splits.py``),
    as the notes say; records without any statement, for prediction, get none.
    Unusable records are set aside with a reason. Raises DatasetError for an unknown
    name, a folder without the data set, an index that cannot be read, patients split
    over folds, or when not one record is left.
    """
    index = read_published(name, root, sampling_rate, drop_duplicates=drop_duplicates, labels=labels)
    if splits is not None:
        return apply_split_file(index, read_split(Path(splits)))
    if all(entry.fold is not None for entry in index.entries) or not any(
        entry.statements for entry in index.entries
    ):
        return index
    return apply_split(index, split_index(index, describe(name).label_spaces))


def read_published(
    name: str,
    root: str | os.PathLike[str],
    sampling_rate: float = 100.0,
    *,
    drop_duplicates: bool = True,
    labels: str | os.PathLike[str] | None = None,
) -> DatasetIndex:
    """As ``read_index``, with the official folds alone: None where the data set has none."""
    _check(name)
    return _READERS[name].read_index(
        Path(root),
        sampling_rate,
        drop_duplicates=drop_duplicates,
        labels=None if labels is None else Path(labels),
    )


def _check(name: str) -> None:
    if name not in _READERS:
        raise DatasetError(
            f"data set: found {name!r}; accepted: {', '.join(names())}.{did_you_mean(name, names())} "
            "`leadlight datasets` lists them."
        )


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except PermissionError:
        return []
