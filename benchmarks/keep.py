"""Keeps a measurement in the file that ``--out`` names."""

from __future__ import annotations

from pathlib import Path


def keep(text: str, out: Path | None) -> None:
    """Write the result to ``out``, if it is given, and say so."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        print(f"wrote {out}")
