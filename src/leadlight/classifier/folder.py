"""The model folder: written whole or not at all, read without running anything that is in it."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.classifier.card import model_card
from leadlight.classifier.contract import CONTRACT_FILE, Contract, contract_from, read_contract
from leadlight.classifier.weights import WEIGHTS_FILE, module_with_weights, weights_bytes
from leadlight.errors import ContractError, ModelError, RunError, did_you_mean, kind_of
from leadlight.writing import sync_folder, write_whole

if TYPE_CHECKING:
    from torch import nn

    from leadlight.classifier.classifier import Classifier, Precision

CARD_FILE = "MODEL_CARD.md"
_SHIPPED = Path(__file__).parent / "shipped"
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib")


def shipped() -> tuple[str, ...]:
    """Names of the models that come with Leadlight, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in _SHIPPED.glob(f"*/{CONTRACT_FILE}")))


def find_model_folder(model: str | os.PathLike[str]) -> Path:
    """The model folder that is meant: a shipped name, a run folder or a model folder.

    A shipped name wins over a folder of that name here: write ./NAME for the folder.
    Raises ModelError (unknown, with the nearest shipped name) or RunError (a run without a model yet).
    """
    names = shipped()
    if not isinstance(model, str | os.PathLike):
        raise ModelError(
            f"model: found {kind_of(model)}; accepted: the path of a run folder or a model folder, or a "
            f"shipped name ({', '.join(names) or 'none is installed'})."
        )
    if isinstance(model, str) and model in names:
        return _SHIPPED / model
    folder = Path(model)
    if folder.is_dir():
        if (folder / "recipe.toml").is_file() or (folder / "model").is_dir():
            if (folder / "model" / CONTRACT_FILE).is_file():
                return folder / "model"
            raise RunError(
                f"{folder}: found a run without a model/ yet; the training has not finished. "
                f"Go on with: leadlight train --resume {folder}"
            )
        return folder
    if folder.is_file():
        raise ModelError(
            f"model: found the file {folder}; accepted: a model folder (model.safetensors, {CONTRACT_FILE}), "
            "a run folder or a shipped name."
        )
    hint = did_you_mean(str(model), names, cutoff=0.4)  # "imle-net" is far shorter than its shipped names
    raise ModelError(
        f"model: found {str(model)!r}, which is no folder here; accepted: a run folder, a model folder "
        f"or a shipped name ({', '.join(names) or 'none is installed'}).{hint}"
    )


def load(
    model: str | os.PathLike[str], device: str | None = None, precision: Precision = "float32"
) -> Classifier:
    """The classifier of a shipped name, a run folder or a model folder.

    device: "cpu", "cuda", ...; None takes a GPU where there is one; precision: as ``Classifier``
    has it. Nothing is unpickled: only contract.json and model.safetensors are read, both checked.
    Raises ModelError, RunError or ContractError, naming what was found.
    """
    from leadlight.classifier.classifier import Classifier

    folder = find_model_folder(model)
    contract = read_contract(folder)
    _refuse_pickles(folder)
    if not contract.weights_sha256:
        raise ContractError(f"{folder / CONTRACT_FILE}, weights_sha256: found nothing; this key is needed.")
    module = module_with_weights(contract.architecture, folder / WEIGHTS_FILE, contract.weights_sha256)
    return Classifier(module.to(_device(device)), contract, precision)


def save_model(
    folder: str | os.PathLike[str], module: nn.Module, contract: Contract | Mapping[str, Any]
) -> Path:
    """Write a model folder: model.safetensors, contract.json and MODEL_CARD.md. Returns the folder.

    contract: a Contract, or its plain values as ``contract_from`` takes them; the
    checksum is filled in here. Written beside the folder and renamed when whole;
    an older model folder in its place is replaced, anything else is refused.
    """
    if not isinstance(contract, Contract):
        contract = contract_from(contract)
    given, folder = Path(folder), Path(folder).resolve()
    if folder.exists() and not _is_replaceable(folder):
        raise ContractError(
            f"{folder}: found something else than a model folder; accepted: a new name, or a model folder, "
            "which is replaced."
        )
    weights = weights_bytes(module, contract.architecture)
    contract = contract.model_copy(update={"weights_sha256": hashlib.sha256(weights).hexdigest()})
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    partial.mkdir()
    try:
        for name, data in (
            (WEIGHTS_FILE, weights),
            (CONTRACT_FILE, contract.to_json().encode()),
            (CARD_FILE, model_card(contract).encode()),
        ):
            write_whole(partial / name, data)
        if folder.exists():
            old = partial.with_suffix(".old")
            folder.rename(old)
            partial.rename(folder)
            shutil.rmtree(old)
        else:
            partial.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return given


def _is_replaceable(folder: Path) -> bool:
    """An empty folder, or a model folder with nothing of anybody else in it."""
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {
        WEIGHTS_FILE,
        CONTRACT_FILE,
        CARD_FILE,
    }


def _refuse_pickles(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _PICKLES:
            raise ContractError(
                f"{path}: found a file that can carry a pickle; a model folder holds {WEIGHTS_FILE}, "
                f"{CONTRACT_FILE} and {CARD_FILE}. Leadlight never unpickles: take the file out."
            )


def _device(wanted: str | None) -> str:
    import torch

    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"device: found {wanted!r}, which cannot be used here; accepted: cpu, or cuda with a GPU."
        ) from error
    return wanted
