"""Several stores as one: which records each gives, under which ids, and which are set aside.

``joining.py`` reads the result where it lies, ``merging.py`` writes it. The rules:

- Stores have one sampling rate. Data sets' own columns are united, null where a store has none.
- A recording that stands in several stores (``same_as``, or an equal signal) is taken once:
  the first store's.
- Patients are named after their data set ("ptb-xl/17"), so that the 17 of another is
  somebody else. Two stores of one published data set, or parts of one store, have the same
  patients. Patients who share a recording are one.
- A later store's records of a patient who stands in another fold of an earlier one are set aside.
- A record id that is taken already gets the data set's name before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight import datasets
from leadlight.errors import StoreError
from leadlight.store.counting import without_signal
from leadlight.store.reading import Store

OWN_FOLDER = "folder"
_ABOUT: tuple[str, ...] = ("source", "notes", "prepared")
_CANONICAL = {"ptb-xl/patient-": "ptb-xl/"}
"""Other data sets' names for the patients of a data set -> that data set's."""


@dataclass(frozen=True)
class Part:
    """One data set within a store.

    name: before its patients' ids; dataset, version; origin: what it was prepared from, as a
    digest: parts with one origin have the same patients; about: what else is known of
    it (folder, notes, when and by what it was prepared).
    """

    name: str
    dataset: str
    version: str
    origin: str
    about: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for store.json."""
        return {
            "name": self.name,
            "dataset": self.dataset,
            "dataset_version": self.version,
            "origin": self.origin,
            **self.about,
        }


@dataclass(frozen=True, eq=False)
class Chosen:
    """What one store gives. rows: of it, ascending; record_ids, patient_ids: Arrow text, one a row.

    parts: places in ``Combination.parts`` of the store's own parts.
    """

    store: Store
    rows: NDArray[np.int64]
    record_ids: Any
    patient_ids: Any
    parts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Combination:
    """Several stores as one. set_aside: records left out, by these rules and before."""

    chosen: tuple[Chosen, ...]
    parts: tuple[Part, ...]
    set_aside: tuple[dict[str, str], ...]
    columns: dict[str, str]

    def __len__(self) -> int:
        return sum(len(one.rows) for one in self.chosen)


def parts_of(store: Store) -> tuple[Part, ...]:
    """The data sets within a store: one, or those that were merged into it."""
    description = store.description
    if description.get("parts"):
        return tuple(
            Part(
                one["name"],
                one["dataset"],
                str(one["dataset_version"] or ""),
                one["origin"],
                {key: one[key] for key in _ABOUT if key in one},
            )
            for one in description["parts"]
        )
    version = str(description["dataset_version"] or "")
    name = store.dataset
    folder = (description.get("source") or {}).get("folder")
    if name == OWN_FOLDER and folder:
        name = f"{name}:{folder}"
    elif version == datasets.SIMULATED_VERSION:
        name = f"{name}-{version}"
    about: dict[str, Any] = {key: description[key] for key in _ABOUT if key in description}
    return (Part(name, store.dataset, version, origin_of(description), about),)


def origin_of(description: dict[str, Any]) -> str:
    """A digest of what a store was prepared from; the parts that were filtered out of it keep it."""
    given = description.get("origin")
    return str(given) if given else digest(description["request"])


def digest(value: Any) -> str:
    """A short SHA-256 of a plain value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def part_of_rows(store: Store, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place in ``parts_of(store)`` of the data set that each of these rows comes from."""
    of_shard = np.array([shard.get("part", 0) for shard in store.description["shards"]], dtype=np.int64)
    parts: NDArray[np.int64] = of_shard[store._places[rows, 0]]
    return parts


def combine(stores: Sequence[Store], *, same_patients: bool = False) -> Combination:
    """Decide which records of each store are taken, under which ids.

    same_patients: stores of one data set name, such as several folders of one clinic, number their
    patients alike; without it only published data sets and parts of one store do.
    Raises StoreError for stores of different rates, and for own columns of one name and
    different types.
    """
    columns = _united_columns(stores)
    parts: list[Part] = []
    chosen: list[Chosen] = []
    set_aside: list[dict[str, str]] = []
    taken = _Taken()
    for store in stores:
        own = parts_of(store)
        named = _named(own, parts, same_patients)
        places = tuple(_place(part, parts) for part in named)
        set_aside += [
            {**one, "dataset": one.get("dataset", named[0].name)} for one in store.description["set_aside"]
        ]
        one, aside = _choose(store, own, named, places, taken)
        chosen.append(one)
        set_aside += aside
    return Combination(tuple(chosen), tuple(parts), tuple(set_aside), columns)


def _united_columns(stores: Sequence[Store]) -> dict[str, str]:
    first = stores[0]
    columns: dict[str, str] = {}
    for store in stores:
        if store.sampling_rate != first.sampling_rate:
            raise StoreError(
                f"{store.path}: found a store at {store.sampling_rate:g} Hz beside {first.path} at "
                f"{first.sampling_rate:g} Hz; accepted: one rate. Prepare the data set again: "
                f"leadlight prepare {store.dataset} DIR --sampling-rate {first.sampling_rate:g} --out STORE."
            )
        for name, kind in store.description["columns"].items():
            if columns.setdefault(name, kind) != kind:
                raise StoreError(
                    f"{store.path}: found the column {name!r} with {kind} where another store has "
                    f"{columns[name]}; accepted: one type. Rename it where it comes from and prepare again."
                )
    return columns


def _named(own: Sequence[Part], others: Sequence[Part], same_patients: bool) -> list[Part]:
    """The parts of a store under names that only the same patients share."""
    names: dict[str, str] = {}
    for part in own:
        if part.name in names:  # the same patients as the part before it
            continue
        alike = next((one.name for one in others if _are_alike(part, one, same_patients)), "")
        if alike:
            names[part.name] = alike
            continue
        taken = {one.name for one in others} | set(names.values())
        taken |= {one.name for one in own if one.name != part.name}
        name, number = part.name, 1
        while name in taken:
            number += 1
            name = f"{part.name}#{number}"
        names[part.name] = name
    return [replace(part, name=names[part.name]) for part in own]


def _are_alike(part: Part, other: Part, same_patients: bool) -> bool:
    """Whether equal patient ids of these two mean one patient."""
    if part.dataset != other.dataset:
        return False
    published = part.dataset in datasets.names() and part.dataset != OWN_FOLDER
    simulated = datasets.SIMULATED_VERSION in (part.version, other.version)
    return part.origin == other.origin or same_patients or (published and not simulated)


def _place(part: Part, parts: list[Part]) -> int:
    for place, other in enumerate(parts):
        if (other.name, other.dataset, other.version, other.origin) == (
            part.name, part.dataset, part.version, part.origin,
        ):  # fmt: skip
            return place
    parts.append(part)
    return len(parts) - 1


class _Taken:
    """What the stores so far have given: Arrow text, grown store by store."""

    def __init__(self) -> None:
        import pyarrow as pa

        self.record_ids = self.patient_ids = self.same_as = self.checksums = pa.array([], pa.string())
        self.folds = pa.array([], pa.int32())

    def add(self, record_ids: Any, patient_ids: Any, same_as: Any, checksums: Any, folds: Any) -> None:
        import pyarrow as pa

        self.record_ids = pa.concat_arrays([self.record_ids, record_ids])
        self.patient_ids = pa.concat_arrays([self.patient_ids, patient_ids])
        self.same_as = pa.concat_arrays([self.same_as, same_as])
        self.checksums = pa.concat_arrays([self.checksums, checksums])
        self.folds = pa.concat_arrays([self.folds, folds])

    def folds_of(self, patients: Any) -> NDArray[np.float64]:
        """Fold in which each patient stands already, NaN where in none: (patients,)."""
        import pyarrow.compute as pc

        placed = pc.and_(self.folds.is_valid(), pc.not_equal(self.patient_ids, ""))
        at = pc.index_in(patients, value_set=self.patient_ids.filter(placed))
        folds = self.folds.filter(placed).take(at)
        result: NDArray[np.float64] = folds.to_numpy(zero_copy_only=False).astype(np.float64)
        return result


def _choose(
    store: Store, own: Sequence[Part], named: Sequence[Part], places: tuple[int, ...], taken: _Taken
) -> tuple[Chosen, list[dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    index = store.columns("record_id", "fold", "same_as", "checksum", "flat_leads", "missing_leads")
    plain = {name: _plain(index[name]) for name in ("record_id", "same_as", "checksum")}
    folds = index["fold"].combine_chunks().cast(pa.int32())
    record_ids = plain["record_id"]
    part = part_of_rows(store, np.arange(len(store)))
    patients = _patients(store, own, named, part)
    same_as = pc.if_else(pc.equal(plain["same_as"], ""), pa.scalar(None, pa.string()), plain["same_as"])
    # Records without any signal are equal and say nothing: they are not one recording.
    silent = pa.array(without_signal(index))
    checksums = pc.if_else(silent, pa.scalar(None, pa.string()), plain["checksum"])
    partner = _first(_index_in(same_as, taken.same_as), _index_in(checksums, taken.checksums))
    copies = partner >= 0
    if copies.any():
        patients = _same_people(patients, copies, taken.patient_ids.take(pa.array(partner[copies])))
    here, there = folds.to_numpy(zero_copy_only=False).astype(float), taken.folds_of(patients)
    apart = ~copies & (here != there) & ~np.isnan(here) & ~np.isnan(there)
    names = [one.name for one in named]
    record_ids, twice = _own_ids(record_ids, names, part, taken.record_ids, ~copies & ~apart)
    reasons = {
        row: f"the same recording as {taken.record_ids[int(partner[row])].as_py()}"
        for row in np.flatnonzero(copies).tolist()
    }
    for row in np.flatnonzero(apart).tolist():
        reasons[row] = f"its patient stands in fold {there[row]:.0f}, this record in fold {here[row]:.0f}"
    for row in np.flatnonzero(twice).tolist():
        reasons[row] = "another record of the same data set has this id, with another signal"
    aside = [
        {"record_id": plain["record_id"][row].as_py(), "reason": reasons[row], "dataset": names[part[row]]}
        for row in sorted(reasons)
    ]
    kept = np.flatnonzero(~(copies | apart | twice))
    at = pa.array(kept)
    chosen = Chosen(store, kept, record_ids.take(at), patients.take(at), places)
    taken.add(chosen.record_ids, chosen.patient_ids, same_as.take(at), checksums.take(at), folds.take(at))
    return chosen, aside


def _patients(store: Store, own: Sequence[Part], named: Sequence[Part], part: NDArray[np.int64]) -> Any:
    """Patient of each record, with the data set's name before it; "" stays, nobody is named."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = pc.fill_null(_plain(store.columns("patient_id")["patient_id"]), "")
    if store.description.get("parts"):
        result = ids
        for old, new in zip(own, named, strict=True):
            if old.name != new.name:
                changed = _with_prefix(ids, f"{old.name}/", f"{new.name}/")
                result = pc.if_else(pc.starts_with(ids, f"{old.name}/"), changed, result)
        return result
    before = pa.array([f"{one.name}/" for one in named]).take(pa.array(part))
    result = pc.binary_join_element_wise(before, ids, "")
    for theirs, official in _CANONICAL.items():
        renamed = _with_prefix(ids, theirs, official)
        result = pc.if_else(pc.starts_with(ids, theirs), renamed, result)
    return pc.if_else(pc.equal(ids, ""), ids, result)


def _with_prefix(ids: Any, old: str, new: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    changed = pc.binary_join_element_wise(
        pa.scalar(new), pc.utf8_slice_codeunits(ids, len(old), 1 << 30), pa.scalar("")
    )
    return pc.if_else(pc.starts_with(ids, old), changed, ids)


def _same_people(patients: Any, copies: NDArray[np.bool_], theirs: Any) -> Any:
    """Patients whose recording stands in an earlier store get the name that they have there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ours = patients.take(pa.array(np.flatnonzero(copies)))
    named = pc.and_(pc.not_equal(ours, ""), pc.not_equal(theirs, ""))
    ours, theirs = ours.filter(named), theirs.filter(named)
    at = pc.index_in(patients, value_set=ours)
    return pc.coalesce(theirs.take(at), patients)


def _own_ids(
    record_ids: Any, names: Sequence[str], part: NDArray[np.int64], taken: Any, wanted: NDArray[np.bool_]
) -> tuple[Any, NDArray[np.bool_]]:
    """Record ids that nobody has yet, and which records have none even with the data set's name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    none = np.zeros(len(record_ids), dtype=bool)
    collide = (_index_in(record_ids, taken) >= 0) & wanted
    if not collide.any():
        return record_ids, none
    before = pa.array([f"{name}/" for name in names]).take(pa.array(part))
    longer = pc.binary_join_element_wise(before, record_ids, "")
    result = pc.if_else(pa.array(collide), longer, record_ids)
    # With the name before it, an id may be another's of either store.
    others = pc.filter(record_ids, pa.array(wanted & ~collide))
    twice = (_index_in(result, taken) >= 0) | (_index_in(result, others) >= 0)
    return result, twice & collide


def _index_in(values: Any, of: Any) -> NDArray[np.int64]:
    """Place of each value among others, -1 where it is not there or missing."""
    import pyarrow.compute as pc

    found = pc.index_in(values, value_set=of, skip_nulls=True)
    places: NDArray[np.int64] = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _first(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    result: NDArray[np.int64] = np.where(one >= 0, one, other)
    return result


def _plain(column: Any) -> Any:
    """A text column as one plain array."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    combined = column.cast(pa.string()).combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined
