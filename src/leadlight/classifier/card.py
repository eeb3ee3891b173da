"""MODEL_CARD.md: the contract of a model in prose, for people."""

from __future__ import annotations

from pathlib import Path

from leadlight.classifier.contract import Contract

_TEMPLATE = Path(__file__).with_name("model_card_template.md")


def model_card(contract: Contract) -> str:
    """The model card of a contract, as Markdown."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=False,  # Markdown, not HTML: one_line keeps values inside their place
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: "" if value is None else value,
    )
    environment.filters["one_line"] = _one_line
    environment.filters["flat"] = _flat
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        c=contract,
        classes=zip(contract.classes, contract.thresholds.values, _intervals(contract), strict=True),
    )


def _intervals(contract: Contract) -> list[str]:
    """ "0.31–0.42", one a class; "" for a threshold without an interval."""
    limits = contract.thresholds
    if not limits.low or not limits.high:
        return [""] * len(contract.classes)
    return [
        "" if low is None or high is None else f"{low:.3f}–{high:.3f}"
        for low, high in zip(limits.low, limits.high, strict=True)
    ]


def _one_line(value: object) -> str:
    """Text that stays within its table cell, list item or heading and brings no HTML along."""
    text = " ".join(str(value).split())
    for character, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "'")):
        text = text.replace(character, instead)
    return text


def _flat(values: dict[str, object], before: str = "") -> list[tuple[str, str]]:
    """Nested tables as (dotted key, value) pairs."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{before}{key}.")
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            rows.append((before + key, shown))
    return rows
