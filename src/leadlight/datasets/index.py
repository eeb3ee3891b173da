"""The values that every data set's reader returns: what records there are, and what was set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from leadlight.recording import Sex, Statement

SIMULATED_VERSION = "simulated"
"""The version of a simulated data set, which has the name and layout of a real one."""


ColumnKind = Literal["number", "text"]
"""What a data set's own column of the index holds: float64 or text, None where missing."""


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One record of a data set, before its signal is read.

    path: of the file to read, relative to the data set's root, "/" between folders,
    without extension where a header names the file (WFDB); number: place in a file that
    holds many records, from 0; file_sampling_rate: Hz, of that file; fold: 1-10; age:
    years; source: the data set or collection it comes from, whose labelling it has;
    same_as: a name that all copies of one recording share, whichever data set they stand
    in ("ptb-xl/1"); zero_padded: samples at either end that are zero in every lead are
    padding, to be taken off when the file is read; quality: name of a flag -> the data
    set's own words, only flags that are raised; columns: values of the data set's own
    columns (``DatasetIndex.columns``); notes: what was odd and how it was read.
    """

    record_id: str
    patient_id: str
    path: str
    file_sampling_rate: float
    fold: int | None = None
    age: float | None = None
    sex: Sex | None = None
    statements: tuple[Statement, ...] = ()
    source: str = ""
    quality: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    number: int | None = None
    same_as: str = ""
    columns: Mapping[str, float | str | None] = field(default_factory=dict)
    zero_padded: bool = False


@dataclass(frozen=True)
class SetAside:
    """A record that is left out, and why. record_id: or "row 17" where it has no usable id."""

    record_id: str
    reason: str


@dataclass(frozen=True)
class DatasetIndex:
    """What a data set's folder holds.

    version: as far as it can be told; sampling_rate: Hz, that the records are wanted at;
    notes: what was missing, odd, or read in a particular way; columns: the data set's
    own columns and what they hold, such as measurements of the recorder; label_columns:
    which columns of a table of labels were read as statements.
    """

    dataset: str
    version: str
    root: Path
    sampling_rate: float
    entries: tuple[RecordEntry, ...]
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, ColumnKind] = field(default_factory=dict)
    label_columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True)
class DatasetDescription:
    """What a data set is, where it comes from and how to cite it.

    records, patients: of the newest version, None where not published; label_spaces: names
    of the spaces that its statements can express; gigabytes: of the whole data set, unpacked;
    download: the official address under which its files lie, "" where there is none.
    """

    name: str
    title: str
    records: int
    patients: int | None
    licence: str
    url: str
    doi: str
    citation: str
    versions: tuple[str, ...]
    label_spaces: tuple[str, ...]
    gigabytes: float | None = None
    download: str = ""
