"""Everything that is known of a code or name: the finding it means, and where that finding occurs."""

from __future__ import annotations

from dataclasses import dataclass

from leadlight.errors import LabelError, did_you_mean
from leadlight.labels.coverage import coverage
from leadlight.labels.findings import Finding, broader, findings, narrower
from leadlight.labels.meanings import VOCABULARY, codes, phrases, systems
from leadlight.labels.spaces import LabelSpace
from leadlight.labels.tables import names, space
from leadlight.recording import Statement


@dataclass(frozen=True)
class KnownFinding:
    """A finding and where it occurs.

    broader, narrower: codes, all steps; codes: (system, code, name) of the statements that
    state it; classes: (space, class) that it sets; open: (space, class) that it is too
    broad for; collections: (source, system, how) that can state it: how is "absence"
    where its absence means something, too, "presence" where it does not, "kinds" where only
    narrower findings are stated; phrases: sentences of recorders' reports.
    """

    finding: Finding
    broader: tuple[str, ...]
    narrower: tuple[str, ...]
    codes: tuple[tuple[str, str, str], ...]
    classes: tuple[tuple[str, str], ...]
    open: tuple[tuple[str, str], ...]
    collections: tuple[tuple[str, str, str], ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """One meaning of what was looked up.

    as_what: "snomed-ct 164909002, left bundle branch block"; is_class: of a label space.
    """

    as_what: str
    findings: tuple[str, ...]
    is_class: bool = False


def look_up(text: str) -> tuple[Match, ...]:
    """Every meaning of a code or name: of the vocabulary, of any system, or a class of any space.

    Spelling comes first, case second: "LBBB" is not looked up as "lbbb" where it exists.
    Raises LabelError with the nearest code or name for one that nobody has.
    """
    wanted = " ".join(text.split())
    known = _spoken()
    matches = known.get(wanted)
    if not matches:
        folded: dict[str, list[Match]] = {}
        for spelling, meant in known.items():
            folded.setdefault(spelling.casefold(), []).extend(meant)
        matches = folded.get(wanted.casefold())
    if not matches:
        # Of spellings that differ in case alone, the vocabulary's own is named: it stands first.
        raise LabelError(
            f"finding: found {text!r}; accepted: a code or name of the vocabulary, of a statement system or "
            f"of a class.{did_you_mean(wanted, reversed(known))}"
        )
    return tuple(dict.fromkeys(matches))


def known_of(code: str) -> KnownFinding:
    """Everything known of a finding of the vocabulary. Raises LabelError for an unknown code."""
    wider = broader(code)
    order = list(findings())
    classes: list[tuple[str, str]] = []
    left_open: list[tuple[str, str]] = []
    for name in names():
        one = space(name)
        effect = one.rules.effect(Statement(code, VOCABULARY))
        classes += _named(one, effect.sets)
        left_open += _named(one, one.rules.vague.get(code, 0) if effect.vague else 0)
    return KnownFinding(
        findings()[code],
        tuple(sorted(wider, key=order.index)),
        tuple(sorted(narrower(code), key=order.index)),
        tuple(
            (system, one.code, one.name)
            for system in systems()
            if system != VOCABULARY
            for one in codes(system).values()
            if code in one.findings
        ),
        tuple(classes),
        tuple(left_open),
        tuple(_collections(code)),
        phrases().get(code, ()),
    )


def _named(one: LabelSpace, mask: int) -> list[tuple[str, str]]:
    return [(one.name, label.code) for column, label in enumerate(one.classes) if mask >> column & 1]


def _collections(code: str) -> list[tuple[str, str, str]]:
    listed = []
    for (source, system), states in coverage().items():
        if not source:
            continue
        table = codes(system)
        mentions = any(code in table[one].findings for one in states.mentioned if one in table)
        if code in states.findings:
            listed.append((source, system, "absence"))
        elif mentions:
            listed.append((source, system, "presence"))
        elif narrower(code) & states.findings:
            listed.append((source, system, "kinds"))
    return listed


def _spoken() -> dict[str, list[Match]]:
    """Every spelling under which something can be looked up."""
    spoken: dict[str, list[Match]] = {}

    def add(match: Match, *spellings: str) -> None:
        for spelling in dict.fromkeys(spellings):
            spoken.setdefault(spelling, []).append(match)

    for code, finding in findings().items():
        add(Match(f"finding {code}, {finding.name}", (code,)), code, finding.name)
    for system in systems():
        if system != VOCABULARY:
            for one in codes(system).values():
                what = Match(f"{system} {one.code}, {one.name}", one.findings)
                add(what, one.code, one.abbreviation, one.name)
    for name in names():
        for label in space(name).classes:
            meant = tuple(finding.removeprefix("=") for finding in label.findings)
            if meant:
                add(
                    Match(f"class {label.code} of {name}, {label.description}", meant, is_class=True),
                    label.code,
                )
    return spoken
