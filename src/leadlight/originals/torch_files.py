"""State dicts in .pt and .pth files, read by torch's loader of plain values alone.

``torch.load(weights_only=True)`` makes tensors, numbers, texts and containers, and refuses
whatever else a pickle asks for before it is made (https://docs.pytorch.org/docs/stable/notes/serialization.html).
Known wrappings are taken off: fastai's {"model", "opt"}, Lightning's {"state_dict", ...},
and the prefixes of modules that held the network.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leadlight.errors import FileFormatError, ModelError
from leadlight.originals.converting import Tensors

LARGEST_BYTES = 4 * 1024**3
"""Of a file. The largest published network has 0.6 GB."""
_MOST_TENSORS = 20_000
_WRAPPINGS = ("state_dict", "model_state_dict", "model", "net", "module", "params")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "learner.")
_COUNTERS = "num_batches_tracked"
_PICKLE = b"\x80"
_COPY = "Copy the file again from its source."


def read_torch(file: Path) -> tuple[Tensors, list[str]]:
    """Tensors by the original's names, and what was done to them, in words.

    float32 as they are; other floating-point numbers become float32, which is said.
    Raises FileFormatError for a file that is damaged, too large, or needs more than plain values.
    """
    n_bytes = file.stat().st_size
    if n_bytes > LARGEST_BYTES:
        raise FileFormatError(file, "size", f"{n_bytes:,} bytes", f"up to {LARGEST_BYTES:,}")
    notes: list[str] = []
    stated = _unwrapped(_load(file), file, notes)
    if len(stated) > _MOST_TENSORS:
        raise FileFormatError(file, "state dict", f"{len(stated):,} tensors", f"at most {_MOST_TENSORS:,}")
    tensors, cast, total = {}, set(), 0
    for name, tensor in _without_prefixes(stated, notes).items():
        if name.endswith(_COUNTERS):
            continue
        _check(tensor, name, file)
        total += tensor.numel() * tensor.element_size()
        if total > 4 * n_bytes:
            raise FileFormatError(
                file, name, f"tensors of more than {4 * n_bytes:,} bytes", "what the file holds"
            )
        if str(tensor.dtype) != "torch.float32":
            cast.add(str(tensor.dtype).removeprefix("torch."))
        values = tensor.detach().float().numpy()
        if not np.isfinite(values).all():
            raise FileFormatError(file, name, "values that are NaN or infinite", "finite values")
        tensors[name] = values
    if cast:
        notes.append(f"{' and '.join(sorted(cast))} brought to float32")
    return tensors, notes


def _load(file: Path) -> object:
    import torch

    if zipfile.is_zipfile(file):
        _check_archive(file)
    else:
        with file.open("rb") as opened:
            if opened.read(2)[:1] != _PICKLE:
                raise FileFormatError(
                    file,
                    "file",
                    "neither a zip archive nor a pickle",
                    "a .pt or .pth file that is whole",
                    _COPY,
                )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that it then refuses, and of its own storages
            loaded: object = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # "... GLOBAL package.Class was not an allowed global by default ..."
        needs = re.search(r"(?:GLOBAL|global|class|function) ([\w.]+\.[\w.]+)", str(error))
        raise FileFormatError(
            file,
            "pickle",
            f"{needs[1] if needs else 'an object'}, which is more than tensors and plain values",
            "a state dict",
            "Reading it would run what is in it, and Leadlight never does. Whoever wrote the file can save "
            "the state dict alone: torch.save(model.state_dict(), 'weights.pt').",
        ) from None
    except FileFormatError:
        raise
    except Exception as error:  # torch says damage in a dozen ways
        raise _damaged(file, error) from None
    return loaded


def _damaged(file: Path, error: Exception) -> FileFormatError:
    said = str(error).splitlines()[0].partition(". ")[0][:200] if str(error) else type(error).__name__
    return FileFormatError(file, "file", f"damage ({said})", "a .pt or .pth file that is whole", _COPY)


def _check_archive(file: Path) -> None:
    """Refuse what unpacks to more than the file: torch stores without packing."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _damaged(file, error) from None
    if any("/code/" in one.filename for one in members):
        raise FileFormatError(
            file, "archive", "a TorchScript program", "a state dict",
            "Leadlight runs nothing of a file. Whoever wrote it can save the state dict alone: "
            "torch.save(model.state_dict(), 'weights.pt').",
        )  # fmt: skip
    total = sum(one.file_size for one in members)
    packed = [one.filename for one in members if one.compress_type != zipfile.ZIP_STORED]
    if packed or total > file.stat().st_size:
        raise FileFormatError(
            file, "archive", f"{total:,} bytes in {file.stat().st_size:,}",
            "members that are not packed, as torch writes them", _COPY,
        )  # fmt: skip


def _unwrapped(loaded: object, file: Path, notes: list[str]) -> dict[str, Any]:
    """The mapping from names to tensors that a file holds, alone or in a wrapping."""
    import torch

    if isinstance(loaded, Mapping):
        if any(isinstance(value, torch.Tensor) for value in loaded.values()):
            others = [str(key) for key, value in loaded.items() if not isinstance(value, torch.Tensor)]
            if others or not all(isinstance(key, str) for key in loaded):
                shown = ", ".join(others[:3]) or "keys that are no texts"
                raise FileFormatError(file, "state dict", f"{shown} beside tensors", "tensors by name alone")
            return dict(loaded)
        for key in _WRAPPINGS:
            if isinstance(loaded.get(key), Mapping) and loaded[key]:
                notes.append(f"taken from {key!r} in the file")
                return _unwrapped(loaded[key], file, notes)
    keys = ", ".join(map(str, list(loaded)[:5])) if isinstance(loaded, Mapping) else type(loaded).__name__
    raise FileFormatError(
        file, "content", keys or "nothing", f"a state dict, alone or under {', '.join(_WRAPPINGS)}"
    )


def _without_prefixes(stated: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    while prefix := next((one for one in _PREFIXES if all(key.startswith(one) for key in stated)), ""):
        notes.append(f"prefix {prefix!r} taken off all names")
        stated = {key.removeprefix(prefix): value for key, value in stated.items()}
    return stated


def _check(tensor: Any, name: str, file: Path) -> None:
    import torch

    plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not (plain and tensor.is_floating_point()):
        kind = f"{str(tensor.dtype).removeprefix('torch.')}, {tensor.layout}, on {tensor.device}"
        raise FileFormatError(file, name, kind, "a plain tensor of floating-point numbers")
    claimed = tensor.numel() * tensor.element_size()
    if claimed > tensor.untyped_storage().nbytes():
        raise FileFormatError(
            file, name, f"the shape {tuple(tensor.shape)} over fewer stored values", "a value for each place"
        )


def refuse_empty(tensors: Tensors, file: Path) -> None:
    """Raise ModelError for a file without any tensor."""
    if not tensors:
        raise ModelError(f"{file}: found no tensors; accepted: the weights of a published network.")
