"""From statements to targets: which classes each statement sets, denies or leaves open.

A space is compiled once into bit masks, one bit a class. The masks of a statement are
worked out when it first occurs; after that a record costs a few look-ups. Caches are
emptied at a size, so that memory does not grow with the number of records.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LabelError
from leadlight.labels.coverage import ANY_SOURCE, Coverage, coverage
from leadlight.labels.findings import broader, findings, narrower
from leadlight.labels.meanings import REPORT, meanings
from leadlight.recording import Statement

if TYPE_CHECKING:
    from leadlight.labels.spaces import LabelSpace

CACHED = 1 << 15
"""Entries that a cache may hold before it is emptied."""

Key = tuple[str, str, float | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one statement does, as bit masks of classes.

    sets, denies: classes that it sets or states to be absent; leaves_open: classes that it
    neither sets nor denies because it is not likely enough; stated: findings, one bit
    each; vague: findings of it that are broader than some class's own.
    """

    sets: int = 0
    denies: int = 0
    leaves_open: int = 0
    stated: int = 0
    vague: tuple[str, ...] = ()


class Rules:
    """What findings mean for the classes of a space, worked out once for each space."""

    def __init__(self, space: LabelSpace) -> None:
        self.space = space
        self.all = (1 << len(space)) - 1
        self.with_members = 0
        self.members: dict[str, int] = {}
        self.sets: dict[str, int] = {}
        self.denies: dict[str, int] = {}
        self.vague: dict[str, int] = {}
        exact: set[str] = set()
        meant: list[tuple[frozenset[str], frozenset[str]]] = []
        for column, label in enumerate(space.classes):
            bit = 1 << column
            for member in label.members:
                self.members[member] = self.members.get(member, 0) | bit
            self.with_members |= bit if label.members else 0
            listed: set[str] = set()
            own: set[str] = set()
            for finding in label.findings:
                plain = finding.removeprefix("=")
                listed.add(plain)
                if plain == finding:
                    own |= narrower(plain)
                else:
                    exact.add(plain)
            widest = {one for one in listed if listed.isdisjoint(broader(one))}
            meant.append((frozenset(widest), frozenset(own | listed)))
        for code in findings():
            kinds = narrower(code)
            for column, (named, takes) in enumerate(meant):
                bit = 1 << column
                if code in takes:
                    self.sets[code] = self.sets.get(code, 0) | bit
                elif named & kinds and code not in exact:
                    self.vague[code] = self.vague.get(code, 0) | bit
                if takes and takes <= kinds | {code}:
                    self.denies[code] = self.denies.get(code, 0) | bit

    @cached_property
    def bits(self) -> dict[str, int]:
        """The bit of each finding."""
        return {code: 1 << at for at, code in enumerate(findings())}

    @cached_property
    def under(self) -> dict[str, int]:
        """The bits of the findings that are kinds of a vague one."""
        return {code: sum(self.bits[one] for one in narrower(code)) for code in self.vague}

    def told(self, source: str, system: str) -> int:
        """Classes whose absence a collection can tell by its statements of a system."""
        space = self.space
        if space.report_rules and system in (REPORT, space.system):
            return self.all
        known = coverage().get((source, system))
        if system == space.system and space.closed and (source == ANY_SOURCE or known is None):
            return self.with_members if source == ANY_SOURCE else 0
        return self.told_by(known) if known else 0

    def told_by(self, known: Coverage) -> int:
        """Classes whose absence statements of this coverage can tell."""
        told = 0
        for column, label in enumerate(self.space.classes):
            if known.system == self.space.system and label.members:
                can = not known.told.isdisjoint(label.members)
            else:
                core = label.core or tuple(one.removeprefix("=") for one in label.findings)
                can = bool(core) and all(known.findings.intersection(one.split("|")) for one in core)
            told |= int(can) << column
        return told

    def effect(self, statement: Statement) -> Effect:
        """What a statement does, whatever its likelihood but 0."""
        key = (statement.code, statement.system, statement.likelihood)
        return _Encoder(self, 0.0, True, False).effect(statement, key)


def encode(
    rules: Rules,
    statement_lists: Iterable[Sequence[Statement]],
    sources: Iterable[str] | None,
    *,
    min_likelihood: float,
    keep_unstated: bool,
    below_is_unknown: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Values and known of many records; see ``LabelSpace.encode``."""
    one = _Encoder(rules, min_likelihood, keep_unstated, below_is_unknown)
    n = len(rules.space)
    values, known = _Columns(n), _Columns(n)
    named: Iterator[str] = repeat(ANY_SOURCE) if sources is None else iter(sources)
    for statements in statement_lists:
        source = next(named, None)
        if source is None:
            raise LabelError(
                f"sources: found {len(values)}, fewer than records; accepted: one for each record, "
                'such as "georgia", "" where the collection is not known.'
            )
        found, told = one.record(statements, source)
        values.add(found)
        known.add(told)
    if sources is not None and next(named, None) is not None:
        raise LabelError(f"sources: found more than the {len(values)} records; accepted: one for each.")
    return values.unpacked().astype(np.uint8), known.unpacked()


class _Encoder:
    def __init__(self, rules: Rules, min_likelihood: float, keep_unstated: bool, below_is_unknown: bool):
        self.rules = rules
        self.least = min_likelihood
        self.keep_unstated = keep_unstated or min_likelihood == 0
        self.below_is_unknown = below_is_unknown
        self.effects: dict[Key, Effect] = {}
        self.told: dict[tuple[str, str], int] = {}
        self.published: dict[tuple[str, ...], int] = {}

    def record(self, statements: Sequence[Statement], source: str) -> tuple[int, int]:
        """The classes that a record has, and those of which that is known, as masks."""
        sets = denies = leaves_open = told = 0
        vague = False
        effects, covered = self.effects, self.told
        for statement in statements:
            system = statement.system
            key = (statement.code, system, statement.likelihood)
            effect = effects.get(key)
            if effect is None:
                effect = self.effect(statement, key)
            sets |= effect.sets
            denies |= effect.denies
            leaves_open |= effect.leaves_open
            if effect.vague:
                vague = True
            at = (source, system)
            tells = covered.get(at)
            if tells is None:
                tells = covered[at] = self.rules.told(source, system)
            told |= tells
        if not statements and source == ANY_SOURCE and self.rules.space.closed:
            told = self.rules.with_members
        if self.rules.space.report_rules:
            sets |= self._by_published_rules(statements)
        if vague:
            leaves_open |= self._left_open(statements)
        return sets, sets | denies | (told & ~leaves_open)

    def effect(self, statement: Statement, key: Key) -> Effect:
        rules, space = self.rules, self.rules.space
        sets = denies = leaves_open = stated = 0
        vague: list[str] = []
        if space.system == statement.system and space.system:
            named = rules.members.get(statement.code, 0)
            if statement.likelihood == 0:
                sole = (c for c in range(len(space)) if space.classes[c].members == (statement.code,))
                denies = sum(1 << column for column in sole)
            elif self._likely(statement.likelihood):
                sets = named
            elif self.below_is_unknown:
                leaves_open = named
        elif not (space.report_rules and statement.system == REPORT):
            for finding, likelihood in meanings(statement):
                if likelihood == 0:
                    denies |= rules.denies.get(finding, 0)
                elif self._likely(likelihood):
                    sets |= rules.sets.get(finding, 0)
                    stated |= rules.bits[finding]
                    if finding in rules.vague:
                        vague.append(finding)
                elif self.below_is_unknown:
                    leaves_open |= rules.sets.get(finding, 0) | rules.vague.get(finding, 0)
        effect = Effect(sets, denies, leaves_open, stated, tuple(vague))
        if len(self.effects) >= CACHED:
            self.effects.clear()
        self.effects[key] = effect
        return effect

    def _likely(self, likelihood: float | None) -> bool:
        return self.keep_unstated if likelihood is None else likelihood >= self.least

    def _left_open(self, statements: Sequence[Statement]) -> int:
        """Classes that are left open by statements too broad for them.

        A broad finding leaves nothing open where another statement of the record says
        which kind it is.
        """
        rules = self.rules
        effects: dict[Key, Effect] = {}
        for statement in statements:
            key = (statement.code, statement.system, statement.likelihood)
            effects[key] = self.effects.get(key) or self.effect(statement, key)
        mask = 0
        for key, effect in effects.items():
            if effect.vague:
                others = 0
                for other, its in effects.items():
                    if other is not key:
                        others |= its.stated
                for finding in effect.vague:
                    if not others & rules.under[finding]:
                        mask |= rules.vague[finding]
        return mask

    def _by_published_rules(self, statements: Sequence[Statement]) -> int:
        report = tuple(one.code for one in statements if one.system == REPORT)
        if not report:
            return 0
        mask = self.published.get(report)
        if mask is None:
            space = self.rules.space
            from leadlight.labels import reports

            columns = {space.index(code) for code in reports.published_labels(report)}
            mask = sum(1 << column for column in columns)
            if len(self.published) >= CACHED:
                self.published.clear()
            self.published[report] = mask
        return mask


class _Columns:
    """Masks, one a record, kept as places in a list of the distinct ones."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.places: dict[int, int] = {}
        self.rows = array("i")

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, mask: int) -> None:
        self.rows.append(self.places.setdefault(mask, len(self.places)))

    def unpacked(self) -> NDArray[np.bool_]:
        """Bool (records, classes)."""
        width = (self.n + 7) // 8
        packed = b"".join(mask.to_bytes(width, "little") for mask in self.places)
        bits = np.unpackbits(
            np.frombuffer(packed, dtype=np.uint8).reshape(-1, width), axis=1, count=self.n, bitorder="little"
        ).astype(np.bool_)
        if not self.rows:
            return np.zeros((0, self.n), dtype=np.bool_)
        unpacked: NDArray[np.bool_] = bits[np.frombuffer(self.rows, dtype=np.intc)]
        return unpacked
