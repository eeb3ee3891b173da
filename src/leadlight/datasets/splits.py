"""Splits: folds that are alike in labels, collections and size, with patients and copies whole.

``stratification.py`` has the method, ``split_files.py`` writes and reads splits. Folds do
not depend on the order of the records, only on which records there are, their statements,
patients and collections, the label space, the number of folds and the seed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadlight import labels
from leadlight.datasets.index import DatasetIndex, RecordEntry, SetAside
from leadlight.datasets.stratification import Groups, stratified_folds
from leadlight.errors import DatasetError, did_you_mean

SPLIT_VERSION = 1
"""Raised when the same records would get other folds."""
N_FOLDS = 10
SEED = 0
STRATIFIED = "stratified by labels and collections, grouped by patient"
LEAVE_ONE_SOURCE_OUT = "leave one source out"


@dataclass(frozen=True)
class Split:
    """Which record is in which fold, and how that came about.

    dataset: its name; scheme: in words; version: of the scheme; space: the label space that
    it is stratified by, "" for statement codes; left_out: the collection that is the last
    fold; folds: record_id -> fold from 1 on; set_aside: records that are in no fold.
    """

    dataset: str
    scheme: str
    version: int
    seed: int
    n_folds: int
    space: str
    folds: dict[str, int]
    left_out: str = ""
    set_aside: tuple[SetAside, ...] = ()

    @property
    def stratified_by(self) -> str:
        """The label space and its version, or "statement codes"."""
        if not self.space:
            return "statement codes"
        return f"{self.space} (version {labels.space(self.space).version})"

    @property
    def note(self) -> str:
        """How the folds came about, in a line."""
        out = f", fold {self.n_folds} is {self.left_out}" if self.left_out else ""
        return (
            f"folds: assigned by Leadlight's split, version {self.version}, seed {self.seed}, "
            f"{self.n_folds} folds, stratified by {self.stratified_by}{out}"
        )


def assign_folds(
    entries: Sequence[RecordEntry],
    n_folds: int = N_FOLDS,
    seed: int = SEED,
    by: str | None = None,
) -> tuple[int, ...]:
    """Fold of each record, from 1 to n_folds, in the order of the entries.

    by: label space whose classes every fold gets its share of; None for the statement codes
    that at least n_folds records have. Records of one patient, and copies of one recording
    (``same_as``), get one fold; collections are spread evenly, too. Records that have a
    fold keep it, and the others of their patient join them.
    Method and ties: ``stratification.py``. Raises DatasetError for fewer than 2 folds, a
    record that stands twice, or a fold above n_folds; LabelError for an unknown space.
    """
    if not entries:
        return ()
    _check(entries, n_folds)
    group_of = _groups(entries, seed)
    n_groups = int(group_of.max()) + 1
    fixed = np.zeros(n_groups, dtype=np.int64)
    # Backwards by name: where copies have several official folds, the first record's counts.
    for at in sorted(range(len(entries)), key=lambda at: entries[at].record_id, reverse=True):
        fold = entries[at].fold
        if fold is not None:
            fixed[group_of[at]] = fold
    found = stratified_folds(_counted(entries, group_of, fixed, n_folds, by), n_folds)[group_of]
    return tuple(
        fold if entry.fold is None else entry.fold
        for fold, entry in zip(found.tolist(), entries, strict=True)
    )


def leave_one_source_out(
    entries: Sequence[RecordEntry],
    source: str,
    n_folds: int = N_FOLDS,
    seed: int = SEED,
    by: str | None = None,
) -> tuple[tuple[int | None, ...], tuple[SetAside, ...]]:
    """One collection as the last fold, the others in the folds before it, as ``assign_folds`` has them.

    Returns the fold of each record and the records that have none: those of other collections
    that share a patient or a recording with the one left out. Official folds are not kept.
    Raises DatasetError for a collection that is not there, or is the only one.
    """
    entries = [entry if entry.fold is None else replace(entry, fold=None) for entry in entries]
    _check(entries, n_folds)
    if n_folds < 3:
        raise DatasetError(f"folds: found {n_folds}; accepted: 3 or more, of which the last is {source}.")
    known = sorted({entry.source for entry in entries})
    if source not in known or len(known) < 2:
        raise DatasetError(
            f"source: found {source!r}; accepted: one of several collections, here {', '.join(known)}."
            f"{did_you_mean(source, known)}"
        )
    group_of = _groups(entries, seed)
    seen = {group for group, entry in zip(group_of.tolist(), entries, strict=True) if entry.source == source}
    others = [
        at for at, entry in enumerate(entries) if entry.source != source and int(group_of[at]) not in seen
    ]
    folds: list[int | None] = [n_folds if entry.source == source else None for entry in entries]
    for at, fold in zip(
        others, assign_folds([entries[at] for at in others], n_folds - 1, seed, by), strict=True
    ):
        folds[at] = fold
    reason = f"shares a patient or a recording with {source}, which is left out for testing"
    aside = [SetAside(e.record_id, reason) for e, fold in zip(entries, folds, strict=True) if fold is None]
    return tuple(folds), tuple(aside)


def split_index(
    index: DatasetIndex,
    spaces: Sequence[str] = (),
    *,
    n_folds: int = N_FOLDS,
    seed: int = SEED,
    leave_out: str = "",
    keep_official: bool = True,
) -> Split:
    """Split the records of an index.

    spaces: label spaces that the data set can express; the first by which any record has a
    class is used, statement codes where there is none. leave_out: a collection to be the last
    fold. keep_official: whether records that have a fold keep it (not with leave_out).
    Raises DatasetError as ``assign_folds`` and ``leave_one_source_out`` do.
    """
    entries = index.entries
    if not keep_official:
        entries = tuple(replace(entry, fold=None) for entry in entries)
    by = _space_for(entries, spaces)
    set_aside: tuple[SetAside, ...] = ()
    folds: Sequence[int | None]
    if leave_out:
        folds, set_aside = leave_one_source_out(entries, leave_out, n_folds, seed, by)
    else:
        folds = assign_folds(entries, n_folds, seed, by)
    return Split(
        dataset=index.dataset,
        scheme=LEAVE_ONE_SOURCE_OUT if leave_out else STRATIFIED,
        version=SPLIT_VERSION,
        seed=seed,
        n_folds=n_folds,
        space=by or "",
        folds={e.record_id: fold for e, fold in zip(entries, folds, strict=True) if fold is not None},
        left_out=leave_out,
        set_aside=set_aside,
    )


def _check(entries: Sequence[RecordEntry], n_folds: int) -> None:
    if n_folds < 2:
        raise DatasetError(f"folds: found {n_folds}; accepted: 2 or more.")
    counted = Counter(entry.record_id for entry in entries)
    if len(counted) < len(entries):
        twice = next(name for name, count in counted.items() if count > 1)
        raise DatasetError(f"records: found {twice!r} more than once; accepted: each once.")
    if wrong := next((e for e in entries if e.fold is not None and not 1 <= e.fold <= n_folds), None):
        raise DatasetError(
            f"record {wrong.record_id}: found fold {wrong.fold} where there are {n_folds} folds; "
            f"accepted: 1 to {n_folds}, or official folds left aside."
        )


def _groups(entries: Sequence[RecordEntry], seed: int) -> NDArray[np.int64]:
    """The group of each record: those that share a patient or a recording, also through others.

    Numbered in the order of a hash of the seed and the group's first record_id, which is
    the order that decides ties: by chance, but always the same.
    """
    above: dict[tuple[str, str], tuple[str, str]] = {}

    def top(one: tuple[str, str]) -> tuple[str, str]:
        while (higher := above.setdefault(one, one)) != one:
            above[one] = above[higher]
            one = higher
        return one

    marks: list[tuple[str, str]] = []
    for entry in entries:
        mark = ("patient", entry.patient_id) if entry.patient_id else ("record", entry.record_id)
        if entry.same_as:
            above[top(("copy", entry.same_as))] = top(mark)
        marks.append(mark)
    tops = [top(mark) for mark in marks]
    first: dict[tuple[str, str], str] = {}
    for entry, group in zip(entries, tops, strict=True):
        first[group] = min(first.get(group, entry.record_id), entry.record_id)
    ordered = sorted(first, key=lambda group: _hash(seed, first[group]))
    number = {group: at for at, group in enumerate(ordered)}
    return np.fromiter((number[group] for group in tops), dtype=np.int64, count=len(tops))


def _hash(seed: int, record_id: str) -> tuple[bytes, str]:
    return hashlib.sha256(f"{seed}/{record_id}".encode()).digest(), record_id


def _counted(
    entries: Sequence[RecordEntry],
    group_of: NDArray[np.int64],
    fixed: NDArray[np.int64],
    n_folds: int,
    by: str | None,
) -> Groups:
    """How many records of each group have each label: the classes, and then the collections."""
    rows, columns, n_classes = _by_codes(entries, n_folds) if by is None else _by_space(entries, by)
    names = sorted({entry.source for entry in entries})
    place = {name: n_classes + at for at, name in enumerate(names)}
    own = np.fromiter((place[entry.source] for entry in entries), dtype=np.int64, count=len(entries))
    n_labels = n_classes + len(names)
    pairs = np.concatenate((group_of[rows] * n_labels + columns, group_of * n_labels + own))
    pairs, counts = np.unique(pairs, return_counts=True)
    return Groups(
        sizes=np.bincount(group_of, minlength=len(fixed)),
        group=pairs // n_labels,
        label=pairs % n_labels,
        count=counts,
        n_labels=n_labels,
        fixed=fixed,
    )


def _by_space(entries: Sequence[RecordEntry], by: str) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    space = labels.space(by)
    targets = space.encode([e.statements for e in entries], sources=[e.source for e in entries])
    rows, columns = np.nonzero(targets.values)
    return rows, columns, len(space)


def _by_codes(
    entries: Sequence[RecordEntry], n_folds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    stated = [{(s.system, s.code) for s in entry.statements if s.likelihood != 0.0} for entry in entries]
    counted = Counter(code for codes in stated for code in codes)
    # A code of fewer records cannot be in every fold.
    place = {code: at for at, code in enumerate(sorted(c for c, n in counted.items() if n >= n_folds))}
    pairs = [(row, place[code]) for row, codes in enumerate(stated) for code in codes if code in place]
    both = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1], len(place)


def _space_for(entries: Sequence[RecordEntry], spaces: Sequence[str]) -> str | None:
    """The first of the spaces in which any record has a class."""
    for name in spaces:
        if name in labels.names() and len(_by_space(entries, name)[0]):
            return name
    return None
