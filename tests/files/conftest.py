"""WFDB records written byte by byte from the format's specification, without ``leadlight`` or ``wfdb``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

TWELVE = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")

WriteRecord = Callable[..., Path]


def encode(counts: np.ndarray, storage: int, initial: np.ndarray | None = None) -> bytes:
    """Bytes of counts (leads, samples) in a storage format (https://physionet.org/physiotools/wag/signal-5.htm)."""
    flat = counts.T.ravel().astype(np.int64)
    if storage == 8:
        start = counts[:, :1] if initial is None else initial[:, None]
        return np.diff(counts, axis=1, prepend=start).T.astype("<i1").tobytes()
    if storage == 24:
        return b"".join(int(value).to_bytes(3, "little", signed=True) for value in flat)
    if storage == 80:
        return (flat + 128).astype("<u1").tobytes()
    if storage == 160:
        return (flat + 32768).astype("<u2").tobytes()
    if storage == 212:
        padded = [int(value) & 0xFFF for value in flat] + [0] * (len(flat) % 2)
        pairs = zip(padded[::2], padded[1::2], strict=True)
        content = b"".join(bytes([a & 255, a >> 8 | (b >> 8) << 4, b & 255]) for a, b in pairs)
        return content[: len(content) - len(flat) % 2]
    if storage in (310, 311):
        padded = [int(value) & 0x3FF for value in flat] + [0] * (-len(flat) % 3)
        groups = zip(padded[::3], padded[1::3], padded[2::3], strict=True)
        if storage == 311:
            return b"".join((a | b << 10 | c << 20).to_bytes(4, "little") for a, b, c in groups)
        return b"".join(
            (a << 1 | (c & 31) << 11).to_bytes(2, "little") + (b << 1 | (c >> 5) << 11).to_bytes(2, "little")
            for a, b, c in groups
        )
    return flat.astype({16: "<i2", 32: "<i4", 61: ">i2"}[storage]).tobytes()


@pytest.fixture
def write_record(tmp_path: Path) -> WriteRecord:
    """Write counts (leads, samples) as a record in tmp_path; returns the path of its header."""

    def write(
        counts: np.ndarray,
        leads: Sequence[str] = TWELVE,
        *,
        name: str = "rec1",
        rate: str = "500",
        storage: int = 16,
        modifier: str = "",
        gain: str | Sequence[str] = "1000/mV",
        zero: int = 0,
        offset: int = 0,
        extension: str = "dat",
        comments: Sequence[str] = (),
        length: str | None = None,
        folder: Path = tmp_path,
    ) -> Path:
        n_leads, n_samples = counts.shape
        file = f"{name}.{extension}"
        gains = [gain] * n_leads if isinstance(gain, str) else gain
        lines = [f"{name} {n_leads} {rate} {n_samples if length is None else length}".rstrip()]
        for lead, one_gain, row in zip(leads, gains, counts, strict=True):
            checksum = int(row.sum()) & 0xFFFF
            lines.append(f"{file} {storage}{modifier} {one_gain} 16 {zero} {row[0]} {checksum} 0 {lead}")
        lines += comments
        (folder / file).write_bytes(bytes(offset) + encode(counts, storage))
        header = folder / f"{name}.hea"
        header.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return header

    return write


@pytest.fixture
def counts() -> np.ndarray:
    """Counts (12, 200) of a twelve-lead ECG's size, in which the limb leads follow from I and II."""
    noise = np.random.default_rng(1).integers(-1500, 1500, size=(12, 200)) * 2
    noise[2] = noise[1] - noise[0]
    noise[3] = -(noise[0] + noise[1]) // 2
    noise[4] = noise[0] - noise[1] // 2
    noise[5] = noise[1] - noise[0] // 2
    return noise
