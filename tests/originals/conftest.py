"""Weights and answers of every original whose file can be imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

PARITY = Path(__file__).parents[1] / "parity"


@dataclass(frozen=True)
class Case:
    """One original. key: of its logits; turned: time before leads; needs: options of the import."""

    manifest: str
    key: str = "logits"
    turned: bool = False
    needs: dict[str, Any] = field(default_factory=dict)
    slow: bool = False


SCALED = {"mean": -0.001, "scale": 0.25}
KERAS = {
    "imle-net": Case("imle/imle_net", needs=SCALED),
    "mousavi": Case("imle/mousavi_published", needs=SCALED),
    "rajpurkar": Case("imle/rajpurkar", needs=SCALED),
    "conv-bilstm-attention": Case("convlstm/conv_bilstm_attention", turned=True),
    "ecg-xplaim": Case("xplaim/ecg_xplaim", turned=True),
    "cnn": Case("xplaim/cnn", turned=True),
    "gru": Case("xplaim/gru", turned=True),
    "ribeiro": Case("challenge/ribeiro", turned=True),
}
TORCH = {
    "ecgnet": Case("imle/ecgnet", needs=SCALED),
    "resnet101": Case("imle/resnet101", needs=SCALED, slow=True),
    "mvms-net": Case("challenge/mvms_net", needs=SCALED),
    "mvms-student": Case("challenge/mvms_student", needs=SCALED),
    "nejedly": Case("challenge/nejedly", key="challenge_logits"),
    "nejedly-no-attention": Case("challenge/nejedly_no_attention", key="challenge_logits"),
    **{
        name: Case(f"resunet/{name.replace('-', '_')}")
        for name in ("resunet-lc", "res2d-lc", "res2d", "res1d")
    },
    **{
        name: Case(f"ptbxl/{name.replace('-', '_')}", needs=SCALED)
        for name in (
            "fcn-wang", "inception1d", "lstm", "lstm-bidir", "resnet1d-wang", "xresnet1d18", "xresnet1d34",
            "xresnet1d50", "xresnet1d101",
        )
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def answers():
    """A function that holds the logits of an imported model folder against the original's."""

    def check(name, folder):
        import leadlight as ll

        case = (KERAS | TORCH)[name]
        file = "convlstm/convlstm_io.npz" if name == "conv-bilstm-attention" else f"{case.manifest}.io.npz"
        with np.load(PARITY / file, allow_pickle=False) as arrays:
            original = dict(arrays)
        signal = torch.from_numpy(original["x"])
        if signal.ndim == 4:
            signal = signal.squeeze(3) if signal.shape[3] == 1 else signal[:, :, 0]
        given = [signal.transpose(1, 2).contiguous() if case.turned else signal]
        if "metadata" in original:
            given.append(torch.from_numpy(original["metadata"]))
        with torch.inference_mode():
            logits = ll.load(folder, device="cpu").module(*given)
        np.testing.assert_allclose(logits, original[case.key], rtol=1e-5, atol=1e-5)

    return check
