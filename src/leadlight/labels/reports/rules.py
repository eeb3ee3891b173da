"""Reads a statement that is not in the table of phrases, by rules.

1. Spellings are made one ("1st deg" is "first degree").
2. Patterns find what is spoken of; the earliest and first in the table wins, and
   what one has read no other reads.
3. In the rest, walls ("inferior/lateral") name infarction, ischaemia, ST and Q by
   their place, and cues say how sure a finding is, each within its clause: a hedge
   ends at a comma, a dash, "with" or "but"; a negation reaches to the end or to "but".
4. Of several certainties the weakest holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadlight.labels.findings import broader
from leadlight.labels.findings import findings as vocabulary
from leadlight.labels.reports.statement import Certainty, Kind, ReportStatement, StatedFinding, certainties
from leadlight.labels.reports.tables import (
    Cue,
    Rule,
    ages,
    cues,
    neutral_words,
    rules,
    spellings,
    territories,
    walls,
    whole_rules,
)

_BORDER = re.compile(r", | - |; ?|: ?|\. | but | however | although | except | with ")
_COMMA = re.compile(r", ")
_END_OF_NEGATION = re.compile(r"; | but | however | although | except |\. ")
_ALTERNATIVE = re.compile(r"(?<![a-z])(?:and/or|or)(?![a-z])")
_BEFORE_OR = re.compile(r" (?:and/or|or) ")
_AFTER_OR = re.compile(r"(?<![a-z])(?:and/or|or) $")
_SLASH = re.compile(r"\s?/\s?")
_BETWEEN_WALLS = re.compile(r"\s?(?:/|,|and|or)?\s?")
_WORD = re.compile(r"[a-z][a-z']+")


@dataclass(frozen=True)
class _Span:
    """Where something stands in the text."""

    start: int
    end: int


@dataclass(frozen=True)
class _Found(_Span):
    rule: Rule
    words: str


@dataclass(frozen=True)
class _Heard(_Span):
    cue: Cue


@dataclass(frozen=True)
class _Place(_Span):
    walls: tuple[frozenset[str], ...]
    either: bool = False


def read_by_rules(text: str) -> ReportStatement:
    """Read a normalised statement by rules alone, whether or not the table knows it."""
    read = spell(text)
    remark: tuple[StatedFinding, ...] = ()
    kind: Kind = "not understood"
    for whole in whole_rules():
        if match := whole.pattern.search(read):
            kind = whole.kind
            if not _negated_before(read, match.start()):
                remark = tuple(StatedFinding(code, level, match.group()) for code, level in whole.findings)
            if kind != "technical":
                return ReportStatement(text, kind, remark, "rules")
            # A finding may stand beside a technical remark.
            read = _masked(read, [_Span(match.start(), match.end())])
            break

    found = _find(read)
    rest = _masked(read, found)
    heard = _hear(rest)
    places = _locate(rest)
    stated = _state(read, found, heard, places)
    unread = _unread(rest, heard, places)
    if kind == "technical" and not any(_is_of_the_heart(one) for one in stated):
        return ReportStatement(text, kind, remark, "rules")
    if not stated and not found:
        return ReportStatement(text, "not understood", (), "none", unread=unread)
    if not stated:
        return ReportStatement(text, "comment", (), "rules", unread=unread)
    kind = "finding" if any(map(_is_of_the_heart, stated)) else "technical"
    return ReportStatement(text, kind, (*stated, *remark), "rules", unread=unread)


def _is_of_the_heart(one: StatedFinding) -> bool:
    return vocabulary()[one.code].kind not in ("technical", "group")


def spell(text: str) -> str:
    """The text in the words in which the rules are written."""
    for pattern, read in spellings():
        text = pattern.sub(read, text)
    return re.sub(r"\s+", " ", text).strip()


def _find(read: str) -> list[_Found]:
    pattern, table = rules()
    return [
        _Found(one.start(), one.end(), table[(one.lastindex or 1) - 1], one.group())
        for one in pattern.finditer(read)
        if one.group()
    ]


def _masked(read: str, found: Sequence[_Span]) -> str:
    for one in found:
        read = read[: one.start] + "\0" * (one.end - one.start) + read[one.end :]
    return read


def _hear(rest: str) -> list[_Heard]:
    pattern, table = cues()
    return [_Heard(one.start(), one.end(), table[(one.lastindex or 1) - 1]) for one in pattern.finditer(rest)]


def _negated_before(read: str, place: int) -> bool:
    return any(
        one.cue.effect == "absent" and one.cue.side == "after" and one.end <= place for one in _hear(read)
    )


def _locate(rest: str) -> list[_Place]:
    """Walls, those that stand in one list together."""
    pattern, table = walls()
    lists: list[_Place] = []
    for one in pattern.finditer(rest):
        named = table[(one.lastindex or 1) - 1]
        joint = _BETWEEN_WALLS.fullmatch(rest, lists[-1].end, one.start()) if lists else None
        if joint:
            # "extensive anterior": the nearer word names the wall.
            before = tuple(wall for wall in lists[-1].walls if wall != {"E"})
            either = lists[-1].either or joint.group().strip() == "or"
            lists[-1] = _Place(lists[-1].start, one.end(), (*before, named), either)
        else:
            lists.append(_Place(one.start(), one.end(), (named,)))
    return lists


def _codes(one: _Found, places: list[_Place]) -> tuple[tuple[str, Certainty], ...]:
    rule = one.rule
    if rule.place == "age":
        return ((ages()[one.words], "certain"),)
    if not rule.place:
        return rule.findings
    before = [place for place in places if place.end <= one.start]
    after = [place for place in places if place.start >= one.end]
    place = before[-1] if before else after[0] if after else None
    named = place.walls if place else (frozenset[str](),)
    table = territories()
    together = frozenset[str]().union(*named)
    # "inferior/lateral" is one place, "ant/septal and lateral" is two.
    either = place is not None and place.either
    single = not either and all(len(wall) == 1 for wall in named) and together in table
    sets = (together,) if single else named
    codes = dict.fromkeys(code for walls_ in sets for code in table[walls_][rule.place])
    return tuple((code, "possible" if either else "certain") for code in codes)


def _state(
    read: str, found: list[_Found], heard: list[_Heard], places: list[_Place]
) -> tuple[StatedFinding, ...]:
    levels = certainties()
    sure: list[Certainty | None] = [_certainty(read, one, found, heard) for one in found]
    stated: dict[str, StatedFinding] = {}
    for k, one in enumerate(found):
        level = sure[k]
        if one.rule.place == "MI" and level == "absent" and _has_age(read, one, found):
            continue  # "no acute infarct": an old one may be there
        if one.rule.follows:
            leaders = [i for i, other in enumerate(found) if i != k and _is_kind(other, one.rule.follows)]
            if leaders:
                nearest = min(leaders, key=lambda i: abs(found[i].start - one.start))
                leader = sure[nearest]
                level = None if level is None or leader is None else _weaker(level, leader)
            elif one.rule.place == "age":
                continue
        if level is None:
            continue
        for code, own in _codes(one, places):
            hedges_count = level == "absent" or not one.rule.fixed
            certainty = _weaker(level, own) if hedges_count else own
            known = stated.get(code)
            if known is None or levels[known.certainty].strength < levels[certainty].strength:
                stated[code] = StatedFinding(code, certainty, one.words)
    return tuple(stated.values())


def _is_kind(one: _Found, kind: str) -> bool:
    if one.rule.place:
        return one.rule.place == kind
    return any(code == kind or kind in broader(code) for code, _ in one.rule.findings)


def _has_age(read: str, infarct: _Found, found: list[_Found]) -> bool:
    ahead = (one for one in found if one.rule.place == "age" and one.end <= infarct.start)
    return any(not _BORDER.search(read[one.end : infarct.start]) for one in ahead)


def _weaker(one: Certainty, other: Certainty) -> Certainty:
    levels = certainties()
    return other if levels[other].strength < levels[one].strength else one


def _certainty(read: str, one: _Found, found: list[_Found], heard: list[_Heard]) -> Certainty | None:
    """How sure the statement is of what stands here; None where it is not stated at all."""
    level: Certainty = "certain"
    for cue in heard:
        effect = cue.cue.effect
        if effect == "nothing" or not _reaches(read, cue, one, found):
            continue
        if effect == "ignore":
            return None
        if effect == "absent":
            return _negated(read, cue, one)
        level = _weaker(level, effect)
    if _is_alternative(read, one, found, hedged=level != "certain"):
        level = _weaker(level, "possible")
    return level


def _reaches(read: str, heard: _Heard, one: _Found, found: list[_Found]) -> bool:
    cue = heard.cue
    ahead = one.start >= heard.end
    if ahead and cue.side != "before":
        between = read[heard.end : one.start]
        if cue.effect == "absent" or cue.reach == "statement":
            return not _END_OF_NEGATION.search(between)
        return not _BORDER.search(_COMMA.sub(" ", between) if cue.reach == "list" else between)
    if not ahead and cue.side != "after":
        between = read[one.end : heard.start]
        if cue.side == "before":
            return not _BORDER.search(between)
        # "both": backwards only where nothing follows in the cue's own clause.
        if any(f.start >= heard.end and not _BORDER.search(read[heard.end : f.start]) for f in found):
            return False
        alone = not any(f.end <= heard.start and not _BORDER.search(read[f.end : heard.start]) for f in found)
        return len(_BORDER.findall(between)) <= (1 if alone else 0)
    return False


def _negated(read: str, heard: _Heard, one: _Found) -> Certainty | None:
    """Absent within the negation's own clause or list; beyond it, nothing can be said."""
    if one.end <= heard.start:
        return "absent"
    between = read[heard.end : one.start]
    if not _BORDER.search(between):
        return "absent"
    in_list = not _BORDER.search(_COMMA.sub(" ", between)) and _ALTERNATIVE.search(read, heard.end)
    return "absent" if in_list else None


def _is_alternative(read: str, one: _Found, found: list[_Found], *, hedged: bool) -> bool:
    if _BEFORE_OR.match(read, one.end) or _AFTER_OR.search(read[: one.start]):
        return True
    for other in found:
        if other is one or other.rule.place == "age":
            continue
        left, right = (one, other) if one.start < other.start else (other, one)
        between = read[left.end : right.start]
        if any(left.end <= f.start < right.start for f in found if f is not right) or _BORDER.search(between):
            continue
        if _ALTERNATIVE.search(between) or (hedged and _SLASH.fullmatch(between)):
            return True
    return False


def _unread(rest: str, heard: list[_Heard], places: list[_Place]) -> tuple[str, ...]:
    for one in (*heard, *places):
        rest = rest[: one.start] + "\0" * (one.end - one.start) + rest[one.end :]
    return tuple(word for word in _WORD.findall(rest) if word not in neutral_words())
