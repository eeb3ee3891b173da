"""Keeps a measurement in the file that ``--out`` names."""

from __future__ import annotations

from pathlib import Path

BY_HAND = "## What it says"
"""From this heading on a kept file was written by hand: it outlives a new measurement."""


def keep(text: str, out: Path | None) -> None:
    """Write the result to ``out``, if it is given, before what stands there by hand, and say so."""
    if out is None:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    before = out.read_text(encoding="utf-8") if out.exists() else ""
    _, heading, said = before.partition(f"\n{BY_HAND}\n")
    if heading:
        text = f"{text.rstrip()}\n{heading}{said}"
        print(f"{out}: what stands from '{BY_HAND}' on was kept: does it still hold?")
    out.write_text(text, encoding="utf-8")
    print(f"wrote {out}")
