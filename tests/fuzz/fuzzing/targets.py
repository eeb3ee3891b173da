"""The readers that are fed with damaged files: how each is called, and which errors it documents."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from fuzzing import invariants, originals
from fuzzing.invariants import demand
from leadlight.errors import (
    ContractError,
    DatasetError,
    FileFormatError,
    LabelError,
    LeadlightError,
    ModelError,
    RecipeError,
    SignalError,
    StoreError,
)

_RATE = {"ptb-xl": 100.0, "mimic-iv-ecg": 500.0, "challenge-2021": 500.0, "code-15": 400.0, "folder": 500.0}


@dataclass(frozen=True)
class Target:
    """A reader. read: folder, entry; raises errors of these kinds alone, or Broken; mend: after the damage.

    share: of the inputs of a run, beside the other targets.
    """

    name: str
    what: str
    cases: Callable[[Path | None], list[originals.Case]]
    read: Callable[[Path, str], None]
    errors: tuple[type[LeadlightError], ...]
    share: int = 10
    mend: Callable[[Path, Random], None] = lambda folder, draw: None


def _read_wfdb(folder: Path, entry: str) -> None:
    import leadlight as ll
    from leadlight.files import find_recordings

    if not Path(entry).suffix:
        find_recordings(folder)
    found = ll.read(folder / entry)
    invariants.recording(found)
    invariants.as_header_states(found, folder, entry)


def _mend_wfdb(folder: Path, draw: Random) -> None:
    """The checksums of the damaged samples, so that what else is damaged is met, too."""
    import leadlight as ll

    if draw.random() < 0.3:
        return
    for header in sorted(folder.glob("*.hea")):
        for _ in range(40):
            try:
                ll.read(header)
                break
            except FileFormatError as error:
                lead = error.field.removeprefix("lead ").removesuffix(", checksum")
                if lead == error.field or not _state(folder / header.name, lead, error.found):
                    break
            except Exception:
                break  # is found again, and judged, when the record is read


def _state(header: Path, lead: str, checksum: str) -> bool:
    """Write a lead's checksum into its line of the header; whether anything changed."""
    from leadlight.leads import canonical_lead

    lines = header.read_bytes().decode("latin-1").split("\n")
    for number, line in enumerate(lines):
        words = line.split(None, 8)
        if len(words) == 9 and canonical_lead(words[8].strip()) == lead and words[6] != checksum:
            words[6] = checksum
            lines[number] = " ".join(words)
            _rewrite(header, "\n".join(lines).encode("latin-1"))
            return True
    return False


def _read_part(folder: Path, entry: str) -> None:
    from leadlight.files.code_hdf5 import CodePart

    part = CodePart(folder / entry)
    try:
        ids = part.exam_ids()
        demand(ids.shape == (len(part),), "exams of another number of tracings")
        whole = 0
        for row in range(min(len(part), 12)):
            try:
                found = part.read(row)
            except FileFormatError:
                continue
            invariants.recording(found)
            demand(len(found.leads) == 12 and found.sampling_rate == 400, "not twelve leads at 400 Hz")
            whole += 1
        if not whole and len(part):
            part.read(0)  # so that a part without a readable tracing counts as refused
    finally:
        part.close()


def _read_dataset(name: str, folder: Path, entry: str) -> None:
    from leadlight import datasets

    labels = folder / entry if entry else None
    root = folder / "ecg" if name == "folder" else folder
    found = datasets.read_index(name, root, _RATE[name], labels=labels)
    invariants.index(found, root)


def _read_official(folder: Path, _: str) -> None:
    from leadlight.datasets.ptbxl import patients_and_folds

    for number, (patient, fold) in patients_and_folds(folder / "ptbxl_database.csv").items():
        demand(number > 0 and patient and 1 <= fold <= 10, "a record that cannot be")


def _read_split(folder: Path, entry: str) -> None:
    from leadlight.datasets import apply_split_file, read_split

    split = read_split(folder / entry)
    demand(
        split.folds and all(type(fold) is int and fold >= 1 for fold in split.folds.values()),
        "a fold below 1",
    )
    found = apply_split_file(originals.index_of_splits(), split)
    fold_of: dict[str, int | None] = {}
    for one in found.entries:
        demand(fold_of.setdefault(one.patient_id, one.fold) == one.fold, "a patient in two folds")
    names = {one.record_id for one in found.entries} | {one.record_id for one in found.set_aside}
    demand(len(names) == 24, "a record was lost")
    for text in found.notes:
        invariants.text_is_plain(text, "a note")


def _read_listing(folder: Path, entry: str) -> None:
    from leadlight.datasets.fetching.listing import choose, lines_of, read_sha256sums, read_zenodo_record

    content = (folder / entry).read_bytes()
    address = "https://zenodo.org/api/records/4916206"
    if entry.endswith(".json"):
        listed = read_zenodo_record(content, address)
    else:
        listed = read_sha256sums(lines_of([content[:100], content[100:]]), "https://zenodo.org/x/")
    demand(len({one.path for one in listed}) == len(listed), "a file stands twice")
    root = os.path.realpath(folder)
    for one in choose(listed, ()):
        place = os.path.realpath(folder / one.path)
        demand(os.path.commonpath((root, place)) == root and place != root, "a path leaves the folder")
        demand("\\" not in one.path and len(one.path.encode()) <= 2_000, "a path that no file can have")
        demand(one.url.startswith("https://zenodo.org/"), "an address elsewhere")
        digits = {"sha256": 64, "md5": 32}[one.algorithm]
        demand(len(one.checksum) == digits and int(one.checksum, 16) >= 0, "a checksum that is none")
        demand(one.size is None or one.size >= 0, "a size below 0")


def _unpack(folder: Path, entry: str) -> None:
    from leadlight.datasets.fetching.archives import unpack

    out = folder / "unpacked"
    out.mkdir()
    root = os.path.realpath(out)
    files = unpack(folder / entry, out, free_bytes=100_000_000)
    for file in files:
        place = os.path.realpath(file)
        demand(
            os.path.commonpath((root, place)) == root and Path(place).is_file(), "a file outside the folder"
        )
    demand({path.name for path in folder.iterdir()} <= {entry, "unpacked"}, "something beside the folder")


def _read_store(folder: Path, _: str) -> None:
    from leadlight.store import open_store, verify

    try:
        found = open_store(folder)
        invariants.store(found)
    finally:
        if (folder / "store.json").is_file():
            try:
                checks = verify(folder)
            except StoreError:
                checks = []
            for check in checks:
                invariants.text_is_plain(check.found, "what a check found")


def _mend_store(folder: Path, draw: Random) -> None:
    """Sizes and checksums as the damaged files have them: the damage is met behind the first check."""
    if draw.random() < 0.15:
        return
    try:
        description = json.loads((folder / "store.json").read_bytes())
        for entry in (*description["shards"], description["index"]):
            content = (folder / entry["file"]).read_bytes()
            entry["bytes"] = len(content)
            entry["sha256"] = hashlib.sha256(content).hexdigest()
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return
    _rewrite(folder / "store.json", json.dumps(description).encode("utf-8", "surrogatepass"))


def _read_model(folder: Path, _: str) -> None:
    import numpy as np

    import leadlight as ll
    from leadlight.recording import Recording

    model = ll.load(folder, device="cpu")
    contract = model.contract
    rate, n_samples = contract.architecture.sampling_rate, contract.architecture.n_samples
    demand(rate > 0 and n_samples > 0, "rate or length cannot be")
    if n_samples > 20_000 or rate > 5_000:
        return
    signal = np.sin(np.arange(round(10 * rate)) / rate * 6)[None].repeat(12, 0).astype(np.float32)
    prediction = model.predict(Recording(signal, ll.leads.STANDARD_LEADS, rate))
    values = prediction.probabilities
    demand(values.shape == (len(contract.classes),), "probabilities of another number of classes")
    demand(np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all(), "no probabilities")


def _mend_model(folder: Path, draw: Random) -> None:
    """The checksum of the damaged weights, so that the damage is met behind the first check."""
    if draw.random() < 0.2:
        return
    try:
        contract = json.loads((folder / "contract.json").read_bytes())
        contract["weights_sha256"] = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    except (ValueError, TypeError, OSError, RecursionError):
        return
    _rewrite(folder / "contract.json", json.dumps(contract).encode("utf-8", "surrogatepass"))


def _rewrite(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def _read_recipe(folder: Path, entry: str) -> None:
    import tomllib

    from leadlight.recipes import load_recipe
    from leadlight.recipes.recipe import recipe_text

    # What has no model of its own is laid over one.
    model = tomllib.loads(recipe_text(entry)).get("model", "imle-net")
    found = load_recipe(model, folder / "recipe.toml")
    demand(found.input.sampling_rate > 0 and found.training.epochs >= 0, "rate or epochs cannot be")


def _read_statement(folder: Path, entry: str) -> None:
    from leadlight import labels
    from leadlight.labels import reports
    from leadlight.recording import Statement

    text = (folder / entry).read_bytes().decode("utf-8", "surrogateescape")
    read = reports.read_statement(text)
    known = labels.findings()
    for one in read.findings:
        demand(one.code in known and 0 <= one.likelihood <= 100, "a finding that cannot be")
    codes = [code for code, _ in labels.meanings(Statement(text, "mimic-report"))]
    demand(
        len(set(codes)) == len(codes) and set(codes) <= set(known),
        "a finding that stands twice or is unknown",
    )
    reports.published_labels([text, None])


def _read_condition(folder: Path, entry: str) -> None:
    from leadlight.store import open_store
    from leadlight.store.filtering import where_mask

    text = (folder / entry).read_bytes().decode("utf-8", "replace")
    store = open_store(folder / "store")
    mask = where_mask(store, text)
    demand(mask.shape == (len(store),) and mask.dtype == bool, "a mask of another shape")


def _read_truth(folder: Path, entry: str) -> None:
    from leadlight.simulate import read_truth

    truth = read_truth(folder, int(Path(entry).stem))
    demand(truth.duration > 0 and truth.r_peaks.ndim == 1, "a truth that cannot be")


_INDEX_ERRORS = (DatasetError, FileFormatError)

TARGETS: dict[str, Target] = {
    one.name: one
    for one in (
        Target("wfdb-real", "records of PTB-XL, the Challenge, CODE-15%: .hea, .dat, .mat",
               originals.wfdb_real, _read_wfdb, (FileFormatError,), 20, _mend_wfdb),
        Target("wfdb-formats", "every storage format, skew, frames, segments", originals.wfdb_formats,
               _read_wfdb, (FileFormatError,), 20, _mend_wfdb),
        Target("code-hdf5", "CODE's HDF5 parts", originals.code_parts, _read_part, (FileFormatError,), 16),
        Target("ptb-xl", "ptbxl_database.csv, scp_statements.csv", originals.ptbxl,
               partial(_read_dataset, "ptb-xl"), _INDEX_ERRORS, 16),
        Target("ptb-xl-official", "patients and folds from ptbxl_database.csv", originals.ptbxl,
               _read_official, _INDEX_ERRORS, 4),
        Target("challenge-2021", "headers in the Challenge's folders", originals.challenge,
               partial(_read_dataset, "challenge-2021"), _INDEX_ERRORS, 14),
        Target("mimic-iv-ecg", "its four tables, patients.csv.gz", originals.mimic,
               partial(_read_dataset, "mimic-iv-ecg"), _INDEX_ERRORS, 16),
        Target("code-15", "exams.csv, parts, Chagas labels, WFDB headers", originals.code15,
               partial(_read_dataset, "code-15"), _INDEX_ERRORS, 16),
        Target("folder", "labels.csv in seven forms, headers", originals.folder,
               partial(_read_dataset, "folder"), _INDEX_ERRORS, 16),
        Target("splits", "split files", originals.splits, _read_split, _INDEX_ERRORS, 10),
        Target("listings", "SHA256SUMS.txt, a Zenodo record's JSON", originals.listings,
               _read_listing, (DatasetError,), 10),
        Target("archives", "ZIP archives", originals.archives, _unpack, (DatasetError,), 10),
        Target("store", "store.json, index.parquet, shards; opened and verified", originals.stores,
               _read_store, (StoreError,), 14, _mend_store),
        Target("model", "contract.json, model.safetensors; loaded and asked", originals.models,
               _read_model, (ContractError, ModelError, SignalError), 6, _mend_model),
        Target("recipe", "recipes, TOML", originals.recipes, _read_recipe, (RecipeError,), 10),
        Target("reports", "report statements", originals.reports, _read_statement, (LabelError,), 10),
        Target("conditions", "conditions on a store's index", originals.conditions,
               _read_condition, (StoreError, LabelError), 10),
        Target("truth", "what a simulated record holds", originals.truths,
               _read_truth, (DatasetError,), 4),
    )
}  # fmt: skip
