"""Weights on disk: safetensors in and out, checked against a module before a tensor is made.

The format has no code in it, and nothing here falls back to one that has.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.classifier.contract import Architecture
from leadlight.classifier.json_object import parse_json_object
from leadlight.errors import ContractError, ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS_FILE = "model.safetensors"
LARGEST_HEADER_BYTES = 4 * 1024 * 1024
# A module may set up this much beside its stored tensors (fixed filters, position tables).
_ROOM_FOR_FIXED_TENSORS = 64 * 1024 * 1024
_DTYPES = {
    "F32": "float32", "F64": "float64", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class _Stored:
    dtype: str
    shape: tuple[int, ...]


def weights_bytes(module: nn.Module, architecture: Architecture) -> bytes:
    """All tensors of a module's state (running statistics and counters included) as safetensors.

    Raises ContractError where the module is not the one that the contract describes.
    """
    from safetensors.torch import save

    # A copy each: tied tensors would share memory, which the format refuses.
    state = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in module.state_dict().items()}
    _check_finite(state, "the module to save")
    n_bytes = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    _check_state(
        _state_without_memory(architecture, len(state), n_bytes),
        {name: _as_stored(tensor) for name, tensor in state.items()},
        "the module to save",
    )
    data: bytes = save(state)
    return data


def module_with_weights(architecture: Architecture, file: Path, sha256: str) -> nn.Module:
    """The module that a contract describes with the weights of a file, in evaluation mode on the CPU.

    Order of the checks: the file's header against the module without memory
    behind it (names, shapes, types), then the checksum, then the tensors.
    Raises ContractError. Leaves torch's random generator as it was.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    stored, n_bytes = _read_header(file)
    _check_state(_state_without_memory(architecture, len(stored), n_bytes), stored, file)
    data = file.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ContractError(
            f"{file}: found the sha256 {found[:12]}...; accepted: {sha256[:12]}..., as contract.json says. "
            "The file was changed or cut short after it was saved: take the folder again from its source."
        )
    try:
        tensors: dict[str, Tensor] = load(data)
    except SafetensorError as error:
        raise ContractError(f"{file}: found a damaged safetensors file ({error}).") from error
    _check_finite(tensors, file)
    with torch.random.fork_rng(devices=[]):
        module = _create(architecture)
    module.load_state_dict(tensors, strict=True)
    return module.eval().requires_grad_(False)


def _read_header(file: Path) -> tuple[dict[str, _Stored], int]:
    """Names, types and shapes in a safetensors file, and the bytes of its tensors."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = opened.read(min(length, LARGEST_HEADER_BYTES))
    except FileNotFoundError:
        raise ContractError(f"{file.parent}: found no {WEIGHTS_FILE}.") from None
    if size < 8 or not 2 <= length <= min(size - 8, LARGEST_HEADER_BYTES) or header[:1] != b"{":
        raise ContractError(
            f"{file}: found something else than safetensors; accepted: safetensors only. Pickles "
            "(.pt, .pth, .bin) are never read, because reading one runs what is in it."
        )
    entries = parse_json_object(header, f"{file}, header", LARGEST_HEADER_BYTES)
    entries.pop("__metadata__", None)
    stored = {}
    end = 0
    for name, entry in entries.items():
        try:
            dtype, shape, (_, stop) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
            end = max(end, int(stop))
            if not isinstance(dtype, str):
                raise TypeError(dtype)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ContractError(
                f"{file}, header, {name}: found an entry without dtype, shape, data_offsets."
            ) from None
        stored[name] = _Stored(_DTYPES.get(dtype, dtype), shape)
    if end != size - 8 - length:
        raise ContractError(
            f"{file}: found {size - 8 - length:,} bytes of tensors where its header states {end:,}: "
            "the file is cut short or has something behind its end."
        )
    return stored, end


def _state_without_memory(architecture: Architecture, n_stored: int, n_bytes: int) -> dict[str, _Stored]:
    """Tensors that a module of this architecture has, found without making any of them.

    Stops as soon as the module grows far beyond what the file could fill.
    """
    import torch

    with _at_most_parameters(4 * n_stored + 1000), torch.device("meta"):
        module = _create(architecture)
    tensors = [*module.parameters(), *module.buffers()]
    needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if needed > 2 * n_bytes + _ROOM_FOR_FIXED_TENSORS:
        raise ContractError(
            f"architecture: found arguments that ask for {needed:,} bytes of tensors; "
            f"the weights file holds {n_bytes:,}."
        )
    return {name: _as_stored(tensor) for name, tensor in module.state_dict().items()}


def _as_stored(tensor: Tensor) -> _Stored:
    return _Stored(str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))


def _create(architecture: Architecture) -> nn.Module:
    from leadlight import models

    values = architecture.model_dump()
    arguments: dict[str, Any] = {key: _as_tuple(value) for key, value in values.pop("arguments").items()}
    try:
        return models.create(**values, **arguments)
    except ModelError as error:
        raise ContractError(f"contract.json, architecture: {error}") from error
    except ContractError:
        raise
    except Exception as error:
        # Whatever a constructor says about values from a stranger's file.
        raise ContractError(
            f"contract.json, architecture: {architecture.name} cannot be built with these arguments "
            f"({type(error).__name__})."
        ) from error


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


@contextmanager
def _at_most_parameters(limit: int) -> Iterator[None]:
    """Refuse, in this thread, modules with more parameters than this while they are being built."""
    from torch.nn.modules.module import register_module_parameter_registration_hook

    thread, count = threading.get_ident(), 0

    def hook(module: nn.Module, name: str, parameter: Any) -> None:
        nonlocal count
        if threading.get_ident() != thread:
            return
        count += 1
        if count > limit:
            raise ContractError(
                "contract.json, architecture: found arguments that make far more tensors "
                "than the weights file has."
            )

    handle = register_module_parameter_registration_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _check_state(needed: Mapping[str, _Stored], stored: Mapping[str, _Stored], file: object) -> None:
    absent, extra = sorted(set(needed) - set(stored)), sorted(set(stored) - set(needed))
    if absent:
        raise ContractError(f"{file}: found no tensor {_some(absent)}; the architecture needs it.")
    if extra:
        raise ContractError(
            f"{file}: found the tensor {_some(extra)}; the architecture has none of that name."
        )
    for name, right in needed.items():
        found = stored[name]
        if found != right:
            raise ContractError(
                f"{file}, {name}: found {found.dtype} {list(found.shape)}; "
                f"accepted: {right.dtype} {list(right.shape)}, as the architecture in contract.json has it."
            )


def _check_finite(tensors: Mapping[str, Tensor], file: object) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise ContractError(
                f"{file}, {name}: found values that are NaN or infinite; accepted: finite values."
            )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
