"""What becomes of one source's statements in a label space: what sets each class, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadlight.errors import LabelError, did_you_mean
from leadlight.labels.coverage import ANY_SOURCE, EVERY_CODE, Coverage, coverage, meant, sources
from leadlight.labels.meanings import REPORT, VOCABULARY, codes, systems
from leadlight.labels.spaces import LabelSpace
from leadlight.labels.tables import names, space
from leadlight.recording import Statement


@dataclass(frozen=True)
class Origin:
    """Where statements come from: a collection, a system or another label space.

    title: in words; states: what it can state, one entry a collection and system.
    """

    name: str
    title: str
    states: tuple[Coverage, ...]


@dataclass(frozen=True)
class ClassMapping:
    """How one class of the target follows.

    set_by: statements that set it; open_by: statements too broad for it, which leave it
    unknown; absence: of which of the origin's collections its absence is known.
    """

    code: str
    description: str
    set_by: tuple[str, ...]
    open_by: tuple[str, ...]
    absence: tuple[str, ...]


@dataclass(frozen=True)
class LostCode:
    """A statement that sets no class. records: that have it, None where nobody counted."""

    system: str
    code: str
    name: str
    records: int | None


@dataclass(frozen=True)
class SpaceMapping:
    """An origin's statements in a label space."""

    origin: Origin
    space: LabelSpace
    classes: tuple[ClassMapping, ...]
    lost: tuple[LostCode, ...] = field(default=())

    @property
    def never_set(self) -> tuple[str, ...]:
        """Classes that no statement of the origin sets."""
        return tuple(one.code for one in self.classes if not one.set_by)

    @property
    def never_told(self) -> tuple[str, ...]:
        """Classes of which the origin can tell nothing, neither presence nor absence."""
        return tuple(one.code for one in self.classes if not one.set_by and not one.absence)


def mapping(origin: str, target: str) -> SpaceMapping:
    """What an origin's statements become in a label space.

    origin: a data set or collection ("ptb-xl", "georgia"; "ptb-xl:snomed-ct" where one is
    labelled in several systems), a statement system ("scp-ecg") or a label space.
    Raises LabelError with the nearest name for an unknown origin or target.
    """
    chosen = space(target)
    found = origin_of(origin)
    rules = chosen.rules
    absence: dict[int, list[str]] = {column: [] for column in range(len(chosen))}
    set_by: dict[int, dict[str, None]] = {column: {} for column in range(len(chosen))}
    open_by: dict[int, dict[str, None]] = {column: {} for column in range(len(chosen))}
    lost: dict[tuple[str, str], LostCode] = {}
    for states in found.states:
        told = rules.told_by(states) if states.source else rules.told(ANY_SOURCE, states.system)
        for column in absence:
            if told >> column & 1:
                absence[column].append(states.source or states.system)
        for system, code, name in _codes(states):
            effect = rules.effect(Statement(code, system))
            for column in set_by:
                if effect.sets >> column & 1:
                    set_by[column][code] = None
                elif any(rules.vague[finding] >> column & 1 for finding in effect.vague):
                    open_by[column][code] = None
            if not effect.sets:
                before = lost.get((system, code))
                records = _sum(before.records if before else None, states.records.get(code))
                lost[system, code] = LostCode(system, code, name, records)
    return SpaceMapping(
        found,
        chosen,
        tuple(
            ClassMapping(
                label.code,
                label.description,
                tuple(set_by[column]),
                tuple(open_by[column]),
                tuple(dict.fromkeys(absence[column])),
            )
            for column, label in enumerate(chosen.classes)
        ),
        tuple(sorted(lost.values(), key=lambda one: (-(one.records or 0), one.system, one.code))),
    )


def origin_of(name: str) -> Origin:
    """What a name of a collection, data set, statement system or label space can state.

    Raises LabelError with the nearest name for an unknown one.
    """
    source, _, system = name.partition(":")
    of_source = [one for (of, _), one in coverage().items() if of == source and source]
    if of_source:
        chosen = [one for one in of_source if one.system == system] if system else of_source[:1]
        if chosen:
            return Origin(name, f"{source}, {chosen[0].system}: {chosen[0].about}", tuple(chosen))
    if name == "challenge-2021":
        of_all = tuple(one for one in coverage().values() if one.source and one.system == "snomed-ct")
        return Origin(name, f"all {len(of_all)} collections of the Challenge 2021, snomed-ct", of_all)
    if name in (*systems(), REPORT):
        return Origin(name, f"every code of {name}", (_every_code(name),))
    if name in names():
        return Origin(name, f"the classes of {name}", (_of_space(space(name)),))
    accepted = (*sources(), *(f"{s}:{one}" for s, one in coverage() if s), *systems(), REPORT, *names())
    raise LabelError(
        f"origin of statements: found {name!r}; accepted: a collection ({', '.join(sources())}), a statement "
        f"system ({', '.join((*systems(), REPORT))}) or a label space.{did_you_mean(name, accepted)}"
    )


def _every_code(system: str) -> Coverage:
    every = frozenset(codes(system)) or frozenset({EVERY_CODE})
    return Coverage(ANY_SOURCE, system, every, every, meant(system, every), f"every code of {system}", {})


def _of_space(one: LabelSpace) -> Coverage:
    """A space as an origin: the members of its classes, or its findings where it has none."""
    system = one.system or VOCABULARY
    stated = {member for label in one.classes for member in label.members} or {
        finding.removeprefix("=") for label in one.classes for finding in label.findings
    }
    return Coverage(
        one.name, system, frozenset(stated), frozenset(stated), meant(system, stated), one.source, {}
    )


def _codes(states: Coverage) -> list[tuple[str, str, str]]:
    """System, code and name of everything that is stated; findings where the codes are sentences."""
    if EVERY_CODE in states.mentioned:
        table: Mapping[str, object] = codes(VOCABULARY)
        return [(VOCABULARY, code, codes(VOCABULARY)[code].name) for code in table if code in states.findings]
    known = codes(states.system)
    return [(states.system, code, known[code].name) for code in known if code in states.mentioned]


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
