"""One change after the other to a file's bytes; the same generator makes the same damage."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

Damage = Callable[[bytes, Random, Sequence[bytes]], bytes]
"""A change: content, generator, and other whole files of the kind (to splice with)."""

EXTREMES = (
    "0", "-0", "1", "-1", "2", "00012", "1.5", "0.1", "99", "11", "32767", "-32768", "65536", "2147483647",
    "2147483648", "-2147483649", "4294967296", "9223372036854775808", "1" + "0" * 400, "1e308", "-1e308",
    "1e-320", "1e999", "nan", "NaN", "inf", "-inf", "", " ", "None", "null", "1_000", "1,5", "٣", "0x10",
    "1E+05", "2024-03-01", "01.02.2023", "1-Mar", "true", "TRUE",
)  # fmt: skip
TOKENS = (
    "\0", "\r", "\n", "\r\n", "\t", ",", ";", "|", "'", '"', '""', "\\", "/", "..", "../../etc/passwd",
    "/etc/passwd",
    "C:\\x", "~", "#", "#Dx:", "# Age: 300", "é", "\u0085", "\u2028", "\ufeff", "\u202e", "😀", "\ud7ff",
    "e\u0301",
    "=1+1", "%s%n", "{}", "[]", "{", "[", "}", "<x>", "http://example.org/x", "file:///etc/passwd", "A" * 300,
    "16x2", "16:3", "212", "508", "516", "524", "rec1/2", "1000(0)/mV", "nan/mV", "AFIB", "164889003",
    "__class__",
)  # fmt: skip
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CODECS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "latin-1", "utf-7", "cp037")
_WIDTHS = {"<i2": 2, ">i2": 2, "<i4": 4, "<i8": 8, "<f8": 8, "<f4": 4}


def damaged(content: bytes, kind: str, draw: Random, others: Sequence[bytes] = ()) -> bytes:
    """The content after one to four changes.

    kind: "text", "table", "json" or "binary"; "gzip" is a packed table, "safetensors" JSON before numbers.
    """
    if kind == "gzip":
        return _damaged_gzip(content, draw, others)
    if kind == "safetensors" and draw.random() < 0.6:
        length = int.from_bytes(content[:8], "little")
        header = damaged(content[8 : 8 + length], "json", draw)
        return len(header).to_bytes(8, "little") + header + content[8 + length :]
    changes = _CHANGES[kind]
    for _ in range(draw.choice((1, 1, 1, 1, 2, 2, 3, 4))):
        content = draw.choice(changes)(content, draw, others)
    return content


def flip_bits(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """One to eight bits turned; more often than not in the first kilobyte, where the headers stand."""
    if not content:
        return content
    changed = bytearray(content)
    for _turn in range(draw.randint(1, 8)):
        reach = min(1024, len(changed)) if draw.random() < 0.6 else len(changed)
        changed[draw.randrange(reach)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def truncate(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """Cut short: anywhere, by a few bytes, or to nothing."""
    how = draw.random()
    if how < 0.1:
        return b""
    return content[: draw.randrange(len(content) + 1)] if how < 0.7 else content[: -draw.randint(1, 16)]


def _block(content: bytes, draw: Random) -> tuple[int, int]:
    start = draw.randrange(len(content) + 1)
    return start, min(len(content), start + draw.choice((1, 2, 4, 8, 16, 64, 512, 4096)))


def delete_block(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A block taken out."""
    start, stop = _block(content, draw)
    return content[:start] + content[stop:]


def double_block(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A block written again, once or many times."""
    start, stop = _block(content, draw)
    return content[:stop] + content[start:stop] * draw.choice((1, 1, 1, 50)) + content[stop:]


def swap_blocks(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """Two blocks of one size exchanged."""
    if len(content) < 4:
        return content
    size = draw.randint(1, min(512, len(content) // 2))
    one, two = sorted(draw.randrange(len(content) - size + 1) for _ in range(2))
    two = max(two, one + size)
    if two + size > len(content):
        return content
    return (
        content[:one] + content[two : two + size] + content[one + size : two] + content[one : one + size]
        + content[two + size :]
    )  # fmt: skip


def splice(content: bytes, draw: Random, others: Sequence[bytes]) -> bytes:
    """The beginning of this file and the end of another one of its kind."""
    if not others:
        return swap_blocks(content, draw)
    other = draw.choice(others)
    return content[: draw.randrange(len(content) + 1)] + other[draw.randrange(len(other) + 1) :]


def overwrite_number(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A binary number in the file replaced by an extreme one."""
    kind = draw.choice(list(_WIDTHS))
    width = _WIDTHS[kind]
    if len(content) < width:
        return content
    at = draw.randrange(len(content) - width + 1)
    if draw.random() < 0.6:
        at = min(at, draw.randrange(1024)) & -4
    value = draw.choice(
        (b"\0" * width, b"\xff" * width, b"\xff" * (width - 1) + b"\x7f", b"\0" * (width - 1) + b"\x80")
    )
    return content[:at] + value + content[at + width :]


def extreme_number(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A number in the text replaced by an extreme one, or by what is none."""
    found = list(_NUMBER.finditer(content[:200_000]))
    if not found:
        return content
    match = draw.choice(found)
    return content[: match.start()] + draw.choice(EXTREMES).encode() + content[match.end() :]


def insert_token(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A word that means something to some reader, put anywhere."""
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice(TOKENS).encode("utf-8", "surrogatepass") + content[at:]


def _lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")


def change_lines(content: bytes, draw: Random, others: Sequence[bytes] = ()) -> bytes:
    """A line deleted, doubled, moved, or taken from another file of the kind."""
    lines = _lines(content)
    at = draw.randrange(len(lines))
    how = draw.randrange(4)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(draw.randrange(len(lines) + 1), lines[at])
    elif how == 2:
        other = draw.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif others:
        lines.insert(at, draw.choice(_lines(draw.choice(others))))
    return b"\n".join(lines)


def change_field(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A field of a line emptied, deleted, doubled, exchanged, or replaced; words where no commas are."""
    lines = _lines(content)
    # The first line names the columns: worth more than one try in so many.
    at = 0 if draw.random() < 0.15 else draw.randrange(len(lines))
    separator = b"," if b"," in lines[at] else b";" if b";" in lines[at] else b" "
    fields = lines[at].split(separator)
    field = draw.randrange(len(fields))
    how = draw.randrange(6)
    if how == 0:
        del fields[field]
    elif how == 1:
        fields.insert(field, fields[field])
    elif how == 2:
        fields[field] = draw.choice(EXTREMES).encode()
    elif how == 3:
        fields[field] = draw.choice(TOKENS).encode("utf-8", "surrogatepass")
    elif how == 4:
        other = draw.randrange(len(fields))
        fields[field], fields[other] = fields[other], fields[field]
    else:
        # The same field of another line: twice the same id, another patient.
        theirs = lines[draw.randrange(len(lines))].split(separator)
        fields[field] = theirs[min(field, len(theirs) - 1)]
    lines[at] = separator.join(fields)
    return b"\n".join(lines)


def change_column(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A column deleted, doubled, emptied, or filled with one value, in all lines."""
    lines = [line.split(b",") for line in _lines(content)]
    width = max(len(fields) for fields in lines)
    at, how, value = draw.randrange(width), draw.randrange(4), draw.choice(EXTREMES).encode()
    for number, fields in enumerate(lines):
        if at >= len(fields):
            continue
        if how == 0:
            del fields[at]
        elif how == 1:
            fields.append(fields[at])
        elif number:
            fields[at] = b"" if how == 2 else value
    return b"\n".join(b",".join(fields) for fields in lines)


def change_delimiter(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """Another separator, other line ends, or quotes of another kind, all through the file."""
    old, new = draw.choice(
        ((b",", b";"), (b",", b"\t"), (b",", b"|"), (b"\n", b"\r\n"), (b"\n", b"\r"), (b"\n", b"\n\n"),
         (b'"', b"'"), (b'"', b""), (b".", b","), (b" ", b"  "), (b":", b"="), (b"/", b"\\"))
    )  # fmt: skip
    return content.replace(old, new)


def change_encoding(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """The same text in another encoding, or with a byte that is in none."""
    if draw.random() < 0.25:
        at = draw.randrange(len(content) + 1)
        return content[:at] + draw.choice((b"\xff\xfe", b"\x80", b"\xc3", b"\xed\xa0\x80")) + content[at:]
    return content.decode("utf-8", "replace").encode(draw.choice(_CODECS), "replace")


def lengthen(content: bytes, draw: Random, _: Sequence[bytes] = ()) -> bytes:
    """A very long line, cell, nesting or row of separators."""
    at = draw.randrange(len(content) + 1)
    piece = draw.choice(
        (b"A", b"9", b",", b'"', b"[", b"(", b"{'a':", b"\n", b"0,", b"-", b"a=", b"\xc3\xa9")
    )
    return content[:at] + piece * draw.choice((100, 5_000, 30_000, 300_000)) + content[at:]


def change_json(content: bytes, draw: Random, others: Sequence[bytes] = ()) -> bytes:
    """A value of a JSON text replaced, deleted, doubled or moved; what is not JSON is changed as text."""
    try:
        whole: Any = json.loads(content)
    except (ValueError, RecursionError):
        return extreme_number(content, draw)
    places: list[tuple[Any, Any]] = []
    waiting = [whole]
    while waiting and len(places) < 5_000:
        inside = waiting.pop()
        if isinstance(inside, dict | list):
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            places += [(inside, key) for key in keys]
            waiting += [inside[key] for key in keys]
    if not places:
        return json.dumps(_strange(draw)).encode()
    inside, key = draw.choice(places)
    how = draw.randrange(8)
    if how == 0:
        del inside[key]
    elif how == 1:
        other, its_key = draw.choice(places)
        inside[key] = json.loads(json.dumps(other[its_key])) if _has(other, its_key) else None
    elif how == 2 and isinstance(inside, list):
        inside.append(inside[key])
    elif how == 2:
        inside[draw.choice(TOKENS[:-8])] = inside[key]
    elif how == 3 and isinstance(inside[key], int | float):
        inside[key] = draw.choice(
            (0, -1, inside[key] + 1, -inside[key], float(inside[key]), str(inside[key]))
        )
    else:
        inside[key] = _strange(draw)
    return json.dumps(whole, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")


def _has(inside: Any, key: Any) -> bool:
    return key in inside if isinstance(inside, dict) else key < len(inside)


def _strange(draw: Random) -> Any:
    return draw.choice(
        (0, -1, 1, True, False, None, "", "x", [], {}, [[]], [None], {"": 0}, 1.5, 2**31, -(2**31) - 1,
         2**63, 10**30, 1e308, -1e308, float("nan"), float("inf"), "nan", "0", "A" * 5_000, "../x",
         "/etc/passwd", "\0", "é", "I", [0] * 2_000, ["I"] * 12, {"a": {"a": {"a": []}}})
    )  # fmt: skip


def _damaged_gzip(content: bytes, draw: Random, others: Sequence[bytes]) -> bytes:
    how = draw.random()
    if how < 0.4:
        return damaged(content, "binary", draw, others)
    if how < 0.95:
        try:
            table = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return content
        return gzip.compress(damaged(table, "table", draw), 1, mtime=0)
    return _bomb(draw.choice((b"\n", b"0", b",", b"\r\n", b"1,2,3\n")), draw.choice((1, 40, 150)))


@cache
def _bomb(piece: bytes, megabytes: int) -> bytes:
    """A small gzip file that unpacks to very much, behind a proper beginning."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b"subject_id,gender,anchor_age,anchor_year\n")]
    block = piece * (1_000_000 // len(piece))
    parts += [packer.compress(block) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


_BYTES: tuple[Damage, ...] = (flip_bits, truncate, delete_block, double_block, swap_blocks, splice)
_TEXT: tuple[Damage, ...] = (
    *_BYTES, extreme_number, extreme_number, insert_token, change_lines, change_field, change_field,
    change_delimiter, change_encoding, lengthen,
)  # fmt: skip
_CHANGES: dict[str, tuple[Damage, ...]] = {
    "binary": (*_BYTES, flip_bits, overwrite_number, overwrite_number),
    "text": _TEXT,
    "table": (*_TEXT, change_field, change_field, change_column, extreme_number),
    "json": (*_TEXT, *(change_json,) * 12),
    "safetensors": (*_BYTES, overwrite_number),
}
