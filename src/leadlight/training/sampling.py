"""Which training records an epoch reads, and in which order: draws by label, and balanced batches.

Everything follows from (recipe, selection, seed, epoch) alone, so that a run can be resumed to the bit
and every process of a distributed run draws the same. Only records of the training folds are drawn;
whole patients are in a fold, so no draw can bring a validation patient into training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import RecipeError, RunError, did_you_mean
from leadlight.recipes import SamplingSettings
from leadlight.store import Selection, Store

Places = NDArray[np.int64]

NONE = "none"
"""The name of records that show none of the labels that are drawn."""
# Streams of random numbers besides the plain order of an epoch, [seed, epoch].
_DRAW, _BALANCE = 7001, 7002


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a draw gave.

    part: the records that were drawn, in the order of the store; counts: for each class, how many
    of them show it, and for "none", how many show none of the labels asked for; short: label ->
    (asked for, there), where fewer records were there.
    """

    part: Selection
    counts: dict[str, int]
    short: dict[str, tuple[int, int]]

    def to_dict(self) -> dict[str, object]:
        """Plain values, for environment.json."""
        return {
            "records": len(self.part),
            "of_each_label": self.counts,
            "short": {
                label: {"asked": asked, "there": there} for label, (asked, there) in self.short.items()
            },
        }


def draw(
    part: Selection,
    classes: Sequence[str],
    patients: Sequence[str],
    settings: SamplingSettings,
    seed: int,
) -> Drawn:
    """Draw training records by label, without replacement, as the recipe's table [sampling] says.

    part: the usable records of the training folds; classes: codes of its columns; patients: of its
    records. First at most ``per_patient`` records of each patient are kept (those with a label asked
    for first), then for each label of ``per_label`` so many of its records are drawn, and ``none`` of
    those that show none of these labels; each draw has its own random numbers, and a record that is
    drawn twice counts once.
    A record whose label is unknown is neither drawn for it nor among the none.
    Raises RecipeError for a label that is no class, for nothing left, and for too few records where
    ``when_short`` is "refuse".
    """
    wanted = _wanted(settings, classes)
    columns = {label: classes.index(label) for label in wanted}
    shows = (part.truth > 0) & part.known
    wanted_here: NDArray[np.bool_] = np.isin(
        np.arange(len(part)), shows[:, list(columns.values())].nonzero()[0]
    )
    pool = _of_patients(patients, settings.per_patient, wanted_here, seed)
    if not wanted and settings.none is None:
        return _drawn(part, pool, classes, (), {})
    positive = shows[pool]
    groups = {label: pool[positive[:, column]] for label, column in columns.items()}
    if settings.none is not None:
        asked = list(columns.values())
        groups[NONE] = pool[(~positive[:, asked] & part.known[pool][:, asked]).all(axis=1)]
        wanted = {**wanted, NONE: settings.none}
    short = {label: (n, len(groups[label])) for label, n in wanted.items() if len(groups[label]) < n}
    if short and settings.when_short == "refuse":
        which = ", ".join(f"{label} {there:,} of {n:,}" for label, (n, there) in short.items())
        raise RecipeError(
            f"sampling: found too few training records: {which}; accepted: at most what is there, or "
            'sampling.when_short = "take all".'
        )
    chosen = []
    for label, n in wanted.items():
        # A stream of its own for each label: another label in the table changes no other label's draw.
        place = len(classes) if label == NONE else columns[label]
        rng = np.random.default_rng([seed, _DRAW, place])
        chosen.append(rng.permutation(groups[label])[:n])
    places = np.unique(np.concatenate(chosen))
    if not len(places):
        raise RecipeError("sampling.per_label: found no training record with any of the labels.")
    return _drawn(part, places, classes, tuple(columns.values()), short)


def _wanted(settings: SamplingSettings, classes: Sequence[str]) -> dict[str, int]:
    if settings.per_label is None:
        return {}
    if isinstance(settings.per_label, int):
        return dict.fromkeys(classes, settings.per_label)
    for label in settings.per_label:
        if label not in classes:
            raise RecipeError(
                f"sampling.per_label: found {label!r}; accepted: {', '.join(classes)}."
                f"{did_you_mean(label, classes)}"
            )
    return dict(settings.per_label)


def _of_patients(
    patients: Sequence[str], per_patient: int | None, preferred: NDArray[np.bool_], seed: int
) -> Places:
    """Places of at most so many records of each patient, drawn, preferred ones first; in their order."""
    everyone = np.arange(len(patients))
    if per_patient is None:
        return everyone
    _, numbers = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    shuffled = np.random.default_rng([seed, _DRAW]).permutation(len(patients))
    by_patient = shuffled[np.lexsort((~preferred[shuffled], numbers[shuffled]))]  # stable
    sorted_numbers = numbers[by_patient]
    first = np.searchsorted(sorted_numbers, sorted_numbers)  # where the patient's records begin
    return np.sort(by_patient[everyone - first < per_patient])


def _drawn(
    part: Selection,
    places: Places,
    classes: Sequence[str],
    columns: Sequence[int],
    short: Mapping[str, tuple[int, int]],
) -> Drawn:
    positive = (part.truth[places] > 0) & part.known[places]
    counts = {label: int(n) for label, n in zip(classes, positive.sum(axis=0), strict=True)}
    if columns:
        counts[NONE] = int((~positive[:, list(columns)].any(axis=1)).sum())
    everything = len(places) == len(part)
    kept = part if everything else Selection(
        part.rows[places], part.truth[places], part.known[places], part.left_out
    )  # fmt: skip
    return Drawn(kept, counts, dict(short))


def patients_of(store: Store, part: Selection) -> list[str]:
    """Patient of each record; a record without one is a patient of its own."""
    table = store.columns("patient_id", "record_id").take(part.rows).to_pydict()
    return [
        f"p{patient}" if patient else f"r{record}"
        for patient, record in zip(table["patient_id"], table["record_id"], strict=True)
    ]


def sources_of(store: Store, part: Selection) -> list[str]:
    """Collection that each record comes from; the store's data set where the index names none."""
    column = store.columns("source").take(part.rows).to_pydict()["source"]
    return [source or store.dataset for source in column]


def refuse_shared_patients(store: Store, training: Selection, validation: Selection) -> None:
    """Raise RunError where a patient has records in both parts."""
    shared = set(patients_of(store, training)) & set(patients_of(store, validation))
    if shared:
        raise RunError(
            f"folds: found {len(shared):,} patients in both training and validation folds; accepted: none. "
            "Split by patient: leadlight split writes such folds, leadlight verify lists who is in two."
        )


@dataclass(frozen=True, eq=False)
class Sampler:
    """The order of the records in each epoch.

    groups: places of the records of each class, or of each source; () for every record once an
    epoch; length: draws in an epoch; replacement: whether a record may stand in an epoch again
    before all of its group have.
    """

    n_records: int
    groups: tuple[Places, ...]
    length: int
    replacement: bool

    def order(self, seed: int, epoch: int) -> Places:
        """Places of the records in this epoch, (length,): a function of seed and epoch alone."""
        if not self.groups:
            order = np.random.default_rng([seed, epoch]).permutation(self.n_records)
            # Longer than the records: begun anew in another order, as often as needed.
            for more in range(1, -(-self.length // self.n_records)):
                rng = np.random.default_rng([seed, epoch, _BALANCE, more])
                order = np.concatenate([order, rng.permutation(self.n_records)])
            return order[: self.length]
        rng = np.random.default_rng([seed, epoch, _BALANCE])
        turns = self._turns(rng)
        order = np.empty(self.length, dtype=np.int64)
        for number, group in enumerate(self.groups):
            where = np.flatnonzero(turns == number)
            order[where] = self._of_group(rng, group, len(where))
        return order

    def _turns(self, rng: np.random.Generator) -> Places:
        """Which group each place of the epoch is for: every group once, shuffled, over and over."""
        rounds = -(-self.length // len(self.groups))
        turns = rng.permuted(np.tile(np.arange(len(self.groups)), (rounds, 1)), axis=1)
        return turns.reshape(-1)[: self.length]

    def _of_group(self, rng: np.random.Generator, group: Places, n: int) -> Places:
        if self.replacement:
            return group[rng.integers(len(group), size=n)]
        rounds = [rng.permutation(group) for _ in range(-(-n // len(group)))]
        return np.concatenate(rounds)[:n] if rounds else group[:0]


def sampler(part: Selection, sources: Sequence[str], settings: SamplingSettings) -> Sampler:
    """How epochs are ordered. sources: of the records of the part, for balance = "source".

    With balance = "class" every class that some record shows, and "none" of them, comes equally
    often; with "source" every source. The group is what is balanced: a record brings all its labels.
    """
    groups: tuple[Places, ...] = ()
    if settings.balance == "class":
        positive = (part.truth > 0) & part.known
        none = ~positive.any(axis=1)
        groups = tuple(np.flatnonzero(column) for column in (*positive.T, none) if column.any())
    elif settings.balance == "source":
        names = np.asarray(sources, dtype=str)
        groups = tuple(np.flatnonzero(names == name) for name in np.unique(names))
    return Sampler(len(part), groups, settings.epoch_length or len(part), settings.replacement)
