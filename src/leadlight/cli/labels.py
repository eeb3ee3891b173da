"""``leadlight labels``: label spaces, what is known of a finding, and what becomes of a data set's labels."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPACE | show CODE | map]",
            help="A label space, such as ptb-xl/superclass; or `show` with any code or name; or `map`.",
            show_default=False,
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ORIGIN",
            help="For map: a data set or collection, a statement system, or a label space.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="SPACE", help="For map: a label space.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the label spaces, or the classes of one: index, code, description, what sets it.

    `show` tells everything known of a finding, by any code or name. `map` tells which
    statements of a data set set each class of a space, whether absence is known, and what is lost.

    \b
    Examples:
      leadlight labels
      leadlight labels ptb-xl/superclass
      leadlight labels show LBBB
      leadlight labels show left bundle branch block
      leadlight labels map --from ptb-xl --to challenge-2021
      leadlight labels map --from ptb-xl:snomed-ct --to ecg-xplaim
    """
    first, *rest = words or [""]
    if first != "map" and (origin or target):
        raise typer.BadParameter(
            "--from and --to go with `leadlight labels map`.", param_hint="--from" if origin else "--to"
        )
    if first == "map":
        if rest:
            raise typer.BadParameter(f"found {rest[0]!r}; accepted: --from and --to alone.", param_hint="map")
        if not origin or not target:
            missing = "--to" if origin else "--from"
            raise typer.BadParameter(
                "missing. Example: leadlight labels map --from ptb-xl --to challenge-2021.",
                param_hint=missing,
            )
        _map(origin, target, as_json=as_json)
    elif first == "show":
        if not rest:
            raise typer.BadParameter(
                "a code or name is missing. Example: leadlight labels show LBBB.", param_hint="show"
            )
        _show(" ".join(rest), as_json=as_json)
    elif rest:
        raise typer.BadParameter(f"found {len(rest) + 1} words; accepted: one space.", param_hint="SPACE")
    elif first:
        _space(first, as_json=as_json)
    else:
        _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    from leadlight import labels
    from leadlight.cli.output import print_table

    spaces = [labels.space(name) for name in labels.names()]
    print_table(
        [
            {"name": one.name, "title": one.title, "classes": len(one), "version": one.version}
            for one in spaces
        ],
        as_json=as_json,
        footer=""
        if as_json
        else "`leadlight labels NAME` lists the classes of one, `leadlight labels show CODE` tells what is "
        "known of a finding.",
    )


def _space(name: str, *, as_json: bool) -> None:
    from leadlight import labels
    from leadlight.cli.output import print_json, print_table
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import LabelError

    with wrong_usage(LabelError, "SPACE"):
        chosen = labels.space(name)
    if as_json:
        print_json(
            {
                "name": chosen.name,
                "title": chosen.title,
                "version": chosen.version,
                "system": chosen.system,
                "benchmark": chosen.benchmark,
                "source": chosen.source,
                "note": chosen.note,
                "classes": [
                    {"index": index, **_plain(asdict(label))} for index, label in enumerate(chosen.classes)
                ],
            }
        )
        return
    columns = [name for name in ("members", "findings") if any(getattr(one, name) for one in chosen.classes)]
    print_table(
        [
            {
                "index": index,
                "code": label.code,
                "description": label.description,
                **{column: " ".join(getattr(label, column)) for column in columns},
            }
            for index, label in enumerate(chosen.classes)
        ],
        title=f"{chosen.name}, version {chosen.version}: {chosen.title}",
        footer="\n".join(
            line
            for line in (
                f"Members are codes of {chosen.system}; findings set the class in other systems, "
                '"=" without their kinds.'
                if chosen.system
                else 'Findings set the class, "=" without their kinds.',
                chosen.note,
                f"Source: {chosen.source}",
            )
            if line
        ),
    )


def _map(origin: str, target: str, *, as_json: bool) -> None:
    from leadlight import labels
    from leadlight.cli.output import print_json, print_table
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import LabelError

    with wrong_usage(LabelError, "--to"):
        labels.space(target)
    with wrong_usage(LabelError, "--from"):
        found = labels.mapping(origin, target)
    if as_json:
        print_json(
            {
                "from": {"name": found.origin.name, "title": found.origin.title},
                "to": {"name": found.space.name, "title": found.space.title},
                "classes": [_plain(asdict(one)) for one in found.classes],
                "lost": [asdict(one) for one in found.lost],
                "never_set": list(found.never_set),
                "never_told": list(found.never_told),
            }
        )
        return
    collections = {one.source for one in found.origin.states}
    print_table(
        [
            {
                "class": one.code,
                "description": one.description,
                "set by": " ".join(one.set_by) or None,
                "left open by": " ".join(one.open_by) or None,
                "absence": _absence(one.absence, len(collections)),
            }
            for one in found.classes
        ],
        title=f"{found.origin.title} -> {found.space.name}",
        footer=f"Never told, so unknown in every record: {' '.join(found.never_told) or 'no class'}.\n",
    )
    if found.lost:
        print_table(
            [
                {"lost": one.code, "name": one.name, "records": one.records}
                if any(lost.records is not None for lost in found.lost)
                else {"lost": one.code, "name": one.name}
                for one in found.lost
            ],
            title=f"{len(found.lost)} statements without a class",
        )


def _absence(told: tuple[str, ...], collections: int) -> str:
    if not told:
        return "unknown"
    return "known" if len(told) == collections else "known in " + " ".join(told)


def _show(text: str, *, as_json: bool) -> None:
    from leadlight import labels
    from leadlight.cli.output import print_json
    from leadlight.cli.usage import wrong_usage
    from leadlight.errors import LabelError

    with wrong_usage(LabelError, "show"):
        matches = labels.look_up(text)
    shown = [match for match in matches if not match.is_class] or matches
    codes = dict.fromkeys(code for match in shown for code in match.findings)
    known = [labels.known_of(code) for code in codes]
    if as_json:
        print_json(
            {
                "matches": [_plain(asdict(match)) for match in matches],
                "findings": [
                    {**_plain(asdict(one)), "criteria": _criterion(one.finding.code)} for one in known
                ],
            }
        )
        return
    typer.echo(f"{text} is")
    for match in matches:
        typer.echo(f"  {match.as_what} -> {' '.join(match.findings)}")
    for one in known:
        typer.echo("")
        _show_one(one)


def _show_one(one: Any) -> None:
    finding = one.finding
    typer.echo(f"{finding.code}: {finding.name}")
    lines = [
        ("kind", finding.kind),
        ("note", finding.note),
        ("defined by", finding.source),
        ("is a kind of", " ".join(one.broader)),
        ("has the kinds", " ".join(one.narrower)),
        *(
            (f"stated in {system}", f"{code}, {name}" if code != name else code)
            for system, code, name in one.codes
        ),
        ("sets", ", ".join(f"{code} of {space}" for space, code in one.classes)),
        ("leaves open", ", ".join(f"{code} of {space}" for space, code in one.open)),
        *(
            (
                f"absence {words}",
                ", ".join(f"{source} ({system})" for source, system, how in one.collections if how == which),
            )
            for which, words in (
                ("absence", "is told by"),
                ("presence", "is not told by"),
                ("kinds", "is told for kinds of it by"),
            )
        ),
        *_criterion_lines(finding.code),
        (
            "in reports",
            "; ".join(one.phrases[:12])
            + (f"; {len(one.phrases) - 12} more" if len(one.phrases) > 12 else ""),
        ),
    ]
    for what, value in lines:
        if value:
            typer.echo(f"  {what}: {value}")


def _criterion(code: str) -> dict[str, Any] | None:
    from leadlight import labels

    found = labels.criterion(code)
    return None if found is None else _plain(asdict(found))


def _criterion_lines(code: str) -> list[tuple[str, str]]:
    """What the criteria look at, and where that is on the tracing."""
    from leadlight import labels

    found = labels.criterion(code)
    if found is None:
        return []
    beats = " of early beats" if found.beats == "early" else ""
    place = f"{' '.join(found.leads) or 'all leads'}; {' '.join(found.segments)}{beats}"
    return [
        ("criteria look at", found.looks_at),
        ("place", place if found.has_place else "none that can be located"),
        ("neutral", "; ".join(" ".join(one) for one in (found.neutral_leads, found.neutral_segments) if one)),
        ("remark", found.remark),
        ("criteria by", found.source + ("" if found.is_checked else " (the place is not confirmed)")),
    ]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
