"""A label space: classes in order, and how each follows from a record's statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LabelError, did_you_mean
from leadlight.recording import Statement


@dataclass(frozen=True)
class LabelClass:
    """One class of a label space.

    members: the statement codes of which any one sets the class; source: where
    the class and its members are defined.
    """

    code: str
    description: str
    members: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, eq=False)
class Targets:
    """What a model should say of each record.

    values: uint8 (records, classes), 1 where a record has the class;
    known: bool (records, classes), False where the record's source cannot tell:
    such an entry is neither positive nor negative and is left out of loss and metrics.
    """

    values: NDArray[np.uint8]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which records have at least one class of the space: bool (records,)."""
        labelled: NDArray[np.bool_] = np.asarray(self.values.any(axis=1))
        return labelled

    def usable(self, unlabelled: Literal["drop", "keep"] = "drop") -> NDArray[np.bool_]:
        """Which records take part in training or evaluation: bool (records,).

        unlabelled: "drop" leaves out records without any class of the space, as the
        PTB-XL benchmark does; "keep" lets them take part as negative for every class.
        A record of which nothing is known never takes part.
        Raises LabelError for another choice.
        """
        if unlabelled not in ("drop", "keep"):
            raise LabelError(f'unlabelled records: found {unlabelled!r}; accepted: "drop" or "keep".')
        known: NDArray[np.bool_] = np.asarray(self.known.any(axis=1))
        return known if unlabelled == "keep" else known & self.labelled


@dataclass(frozen=True)
class LabelSpace:
    """Ordered classes that follow from the statements of one system.

    name: "ptb-xl/superclass"; version: raised when classes, order or members change;
    system: whose statement codes the members are ("scp-ecg"); benchmark: the name of
    the task in the PTB-XL benchmark.
    """

    name: str
    title: str
    version: str
    system: str
    source: str
    classes: tuple[LabelClass, ...]
    benchmark: str = ""
    note: str = ""
    _columns: dict[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(set(self.codes)) != len(self.classes):
            raise LabelError(f"{self.name}: a class code stands twice in {', '.join(self.codes)}.")
        columns: dict[str, tuple[int, ...]] = {}
        for column, label in enumerate(self.classes):
            for member in label.members:
                columns[member] = (*columns.get(member, ()), column)
        object.__setattr__(self, "_columns", columns)

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the classes, in order."""
        return tuple(label.code for label in self.classes)

    def index(self, code: str) -> int:
        """Place of a class in the order. Raises LabelError with the nearest code for an unknown one."""
        try:
            return self.codes.index(code)
        except ValueError:
            raise LabelError(
                f"{self.name}, class: found {code!r}; accepted: {', '.join(self.codes)}."
                f"{did_you_mean(code, self.codes)}"
            ) from None

    def encode(
        self,
        statement_lists: Iterable[Sequence[Statement]],
        min_likelihood: float = 0.0,
        *,
        unstated: Literal["keep", "drop"] = "keep",
    ) -> Targets:
        """Targets of many records from their statements.

        statement_lists: the statements of each record. min_likelihood: percent; 0 takes
        every statement whatever its likelihood, as the PTB-XL benchmark does; above 0,
        statements with a smaller likelihood are left out. unstated: what a threshold
        above 0 does to statements whose likelihood the source does not state (in PTB-XL
        most form and rhythm statements): "keep" or "drop" them.
        Statements of the space's system that belong to none of its classes set nothing.
        A record that has statements in other systems only is unknown for every class.
        Raises LabelError for a threshold outside 0-100 or another choice for unstated.
        """
        if not 0.0 <= min_likelihood <= 100.0:
            raise LabelError(f"min_likelihood: found {min_likelihood}; accepted: 0 to 100 percent.")
        if unstated not in ("keep", "drop"):
            raise LabelError(f'unstated: found {unstated!r}; accepted: "keep" or "drop".')
        keep_unstated = min_likelihood == 0.0 or unstated == "keep"
        columns, system = self._columns, self.system
        rows_set: list[int] = []
        columns_set: list[int] = []
        foreign: list[int] = []
        row = -1
        for row, statements in enumerate(statement_lists):
            own = False
            for statement in statements:
                if statement.system != system:
                    continue
                own = True
                likelihood = statement.likelihood
                if likelihood is None:
                    if not keep_unstated:
                        continue
                elif likelihood < min_likelihood:
                    continue
                for column in columns.get(statement.code, ()):
                    rows_set.append(row)
                    columns_set.append(column)
            if not own and statements:
                foreign.append(row)
        values = np.zeros((row + 1, len(self.classes)), dtype=np.uint8)
        values[rows_set, columns_set] = 1
        known = np.ones(values.shape, dtype=np.bool_)
        known[foreign] = False
        return Targets(values, known)
