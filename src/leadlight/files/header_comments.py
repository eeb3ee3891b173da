"""Age, sex, patient and diagnoses from the comments of a WFDB header, where they are stated cleanly.

Spellings of the PhysioNet/CinC Challenges ("#Age: 59", "# Dx: 426783006,59118001", the
text labels of early CPSC headers) and of CODE-15% ("# Patient ID: 1"). What is there
and not understood is noted, never guessed; notes name the field and not its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from leadlight.recording import Patient, Sex, Statement

_COMMENT = re.compile(r"(age|sex|dx|patient id)\s*:\s*(.*)", re.IGNORECASE)
_AGE = re.compile(r"\d{1,3}(?:\.\d{1,6})?", re.ASCII)
_SNOMED = re.compile(r"\d{6,18}", re.ASCII)
_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9 ()/_-]{0,39}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_UNKNOWN = ("", "nan", "unknown", "none", "n/a")
_SEXES: dict[str, Sex] = {"male": "male", "m": "male", "female": "female", "f": "female"}

OLDEST = 120
OVER_89 = 300
"""What PTB-XL writes for patients over 89, whose ages it may not tell."""
_NO_AGE = "-1"
_DX_PARTS = re.compile(r"[,;]")
_CODES = re.compile(r"\d{6,18}(?:\s+\d{6,18})+", re.ASCII)


def read_comments(comments: Iterable[str]) -> tuple[Patient, tuple[Statement, ...], tuple[str, ...]]:
    """Patient, statements and notes. comments: lines without their "#"."""
    identifier: str | None = None
    age: float | None = None
    sex: Sex | None = None
    statements: tuple[Statement, ...] = ()
    notes: list[str] = []
    seen: set[str] = set()
    for comment in comments:
        match = _COMMENT.fullmatch(comment)
        if match is None:
            continue
        field, value = match[1].lower(), match[2].strip()
        if field in seen:
            notes.append(f"the header's comments state {field} twice; the first was read")
            continue
        seen.add(field)
        if value.lower() in _UNKNOWN:
            continue
        understood = True
        if field == "age":
            number = float(value) if _AGE.fullmatch(value) else -1.0
            if value == _NO_AGE:
                notes.append("the header's age is -1; read as not known")
            elif number == OVER_89:
                age = 90.0
                notes.append("the header's age is PTB-XL's sign for over 89; read as 90")
            elif 0 <= number <= OLDEST:
                age = number
            else:
                understood = False
        elif field == "sex":
            sex = _SEXES.get(value.lower())
            understood = sex is not None
        elif field == "patient id":
            understood = bool(_IDENTIFIER.fullmatch(value))
            identifier = value if understood else None
        else:
            statements, understood = _diagnoses(value)
        if not understood:
            what = "diagnoses were" if field == "dx" else f"{field} was"
            notes.append(f"the header's {what} not understood")
    return Patient(identifier, age, sex), statements, tuple(notes)


def write_comments(patient: Patient, statements: Iterable[Statement]) -> list[str]:
    """Comments, without "#", that ``read_comments`` reads as this patient and these statements.

    Statements of other systems than SNOMED CT and "text", and what would not be understood, are left out.
    """
    comments = []
    if patient.id is not None and _IDENTIFIER.fullmatch(patient.id):
        comments.append(f"Patient ID: {patient.id}")
    if patient.age is not None and 0 <= patient.age <= OLDEST:
        comments.append(f"Age: {patient.age:g}")
    if patient.sex is not None:
        comments.append(f"Sex: {patient.sex.capitalize()}")
    forms = {"snomed-ct": _SNOMED, "text": _TEXT}
    codes = [s.code for s in statements if s.system in forms and forms[s.system].fullmatch(s.code)]
    if codes:
        comments.append(f"Dx: {','.join(codes)}")
    return comments


def _diagnoses(value: str) -> tuple[tuple[Statement, ...], bool]:
    """Statements of the codes that are SNOMED CT numbers or plain text, and whether that is all of them.

    Each code once, however often it stands there. Blanks part numbers, not words: a text label may have some.
    """
    words: list[str] = []
    for part in _DX_PARTS.split(value):
        word = part.strip()
        words += word.split() if _CODES.fullmatch(word) else [word]
    words = [word for word in dict.fromkeys(words) if word.lower() not in _UNKNOWN]
    statements = []
    for word in words:
        if _SNOMED.fullmatch(word):
            statements.append(Statement(word, "snomed-ct"))
        elif _TEXT.fullmatch(word):
            statements.append(Statement(word, "text"))
    return tuple(statements), len(statements) == len(words)
