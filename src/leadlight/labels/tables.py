"""Reads the data files of this room: statements and label spaces."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from leadlight.errors import LabelError, did_you_mean, nearest
from leadlight.labels.findings import findings
from leadlight.labels.meanings import SystemCode, codes, systems
from leadlight.labels.rows import DATA, rows
from leadlight.labels.spaces import LabelClass, LabelSpace


@dataclass(frozen=True)
class StatementMeaning:
    """What a statement code means.

    kinds: any of "diagnostic", "form", "rhythm" ("technical", "group"); superclass, subclass: of diagnostic
    statements, None for the others; source: where this is defined.
    """

    code: str
    description: str
    kinds: tuple[str, ...]
    superclass: str | None
    subclass: str | None
    source: str


def names() -> tuple[str, ...]:
    """Names of the label spaces."""
    return tuple(_described())


@cache
def space(name: str) -> LabelSpace:
    """The label space of this name, for example "ptb-xl/superclass".

    Raises LabelError with the nearest name for an unknown one.
    """
    described = _described()
    if name not in described:
        raise LabelError(
            f"label space: found {name!r}; accepted: {', '.join(names())}.{_did_you_mean_space(name)} "
            "`leadlight labels` lists them."
        )
    family, one = described[name]
    class_rows = rows(one["classes"])
    if [int(row["index"]) for row in class_rows] != list(range(len(class_rows))):
        raise LabelError(f"{one['classes']}: the indices do not count up from 0.")
    return LabelSpace(
        name=name,
        title=one["title"],
        version=family["version"],
        system=one.get("system", family["system"]),
        source=family["source"],
        classes=tuple(
            LabelClass(
                row["code"],
                row["description"],
                tuple(row["members"].split()),
                row["source"],
                tuple(row["findings"].split()),
                tuple(row["core"].split()),
            )
            for row in class_rows
        ),
        benchmark=one.get("benchmark", ""),
        note=one.get("note", ""),
        report_rules=one.get("report-rules", ""),
    )


@cache
def statements(system: str = "scp-ecg") -> Mapping[str, StatementMeaning]:
    """Every statement code of a system and what it means. Raises LabelError for an unknown system."""
    if system not in systems():
        raise LabelError(
            f"statement system: found {system!r}; accepted: {', '.join(systems())}."
            f"{did_you_mean(system, systems())}"
        )
    described = _toml()["statement-systems"].get(system, {})
    if "statements" not in described:
        return MappingProxyType({code: _by_findings(one) for code, one in codes(system).items()})
    return MappingProxyType(
        {
            row["code"]: StatementMeaning(
                row["code"],
                row["description"],
                tuple(row["kinds"].split()),
                row["superclass"] or None,
                row["subclass"] or None,
                row["source"],
            )
            for row in rows(described["statements"])
        }
    )


def _by_findings(one: SystemCode) -> StatementMeaning:
    kinds = dict.fromkeys(findings()[code].kind for code in one.findings)
    return StatementMeaning(one.code, one.name, tuple(kinds), None, None, one.source)


def _did_you_mean_space(name: str) -> str:
    # "superdiagnostic" is what the benchmark calls superclass; by spelling alone diagnostic is nearer.
    wanted = name.casefold().rpartition("/")[2]
    full_names = {full: full for full in names()} | {full.rpartition("/")[2]: full for full in names()}
    full_names |= {one["benchmark"]: full for full, (_, one) in _described().items() if "benchmark" in one}
    near = nearest(wanted, full_names)
    return "" if near is None else f" Did you mean {full_names[near]!r}?"


@cache
def _described() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Label space name -> (what its family shares, what is its own)."""
    families = {name: table for name, table in _toml().items() if name != "statement-systems"}
    described = {}
    for family_name, family in families.items():
        if "classes" in family:
            described[family_name] = (family, family)
        for own_name, own in family.get("spaces", {}).items():
            described[f"{family_name}/{own_name}"] = (family, own)
    return described


@cache
def _toml() -> dict[str, Any]:
    return tomllib.loads((DATA / "label_spaces.toml").read_text(encoding="utf-8"))
