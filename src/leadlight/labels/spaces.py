"""A label space: classes in order, and how each follows from a record's statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import LabelError, did_you_mean
from leadlight.labels.encoding import Rules, encode
from leadlight.labels.findings import findings
from leadlight.recording import Statement


@dataclass(frozen=True)
class LabelClass:
    """One class of a label space.

    members: codes of the space's own system of which any one sets the class; source:
    where the class and its members are defined; findings: what sets it in statements of
    other systems: a finding of the vocabulary or any kind of it; "=BBB" takes BBB alone,
    where kinds of it have classes of their own or none; core: what a collection must be
    able to state before the absence of the class means anything, "AFIB|AFAFL" where
    either will do; empty: each of the findings.
    """

    code: str
    description: str
    members: tuple[str, ...]
    source: str = ""
    findings: tuple[str, ...] = ()
    core: tuple[str, ...] = ()


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
    """Ordered classes, and how they follow from what sources state.

    name: "ptb-xl/superclass"; version: raised when classes, order or members change;
    system: whose statement codes the members are ("scp-ecg"), "" where all classes follow
    from findings; benchmark: the name of the task in the PTB-XL benchmark; closed: where
    nothing is said of a record's collection, a record with statements of the system has
    none of the classes that they do not set; report_rules: name of the rules that read
    whole reports for this space, "" for reading statement by statement.
    """

    name: str
    title: str
    version: str
    system: str
    source: str
    classes: tuple[LabelClass, ...]
    benchmark: str = ""
    note: str = ""
    closed: bool = True
    report_rules: str = ""

    def __post_init__(self) -> None:
        if len(set(self.codes)) != len(self.classes):
            raise LabelError(f"{self.name}: a class code stands twice in {', '.join(self.codes)}.")
        for label in self.classes:
            used = [one.removeprefix("=") for one in label.findings]
            for code in (*used, *(code for one in label.core for code in one.split("|"))):
                if code not in findings():
                    raise LabelError(
                        f"{self.name}, class {label.code}: found the finding {code!r}; accepted: a code of "
                        f"the vocabulary.{did_you_mean(code, findings())}"
                    )

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

    @cached_property
    def rules(self) -> Rules:
        """What each finding means for the classes."""
        return Rules(self)

    def encode(
        self,
        statement_lists: Iterable[Sequence[Statement]],
        min_likelihood: float = 0.0,
        *,
        unstated: Literal["keep", "drop"] = "keep",
        below: Literal["negative", "unknown"] = "negative",
        sources: Iterable[str] | None = None,
    ) -> Targets:
        """Targets of many records from their statements.

        statement_lists: the statements of each record. min_likelihood: percent; 0 takes
        every statement whatever its likelihood, as the PTB-XL benchmark does; above 0,
        statements with a smaller likelihood are left out. unstated: what a threshold
        above 0 does to statements whose likelihood the source does not state (in PTB-XL
        most form and rhythm statements): "keep" or "drop" them. below: whether a class
        that only a statement below the threshold would set is "negative" or "unknown".
        sources: the collection of each record ("ptb-xl", "georgia"), "" where not known.

        A class is set by statements of the space's own system through its members, and by
        statements of other systems through its findings. A likelihood of 0 says that the
        finding is absent. A class is known of a record that has it or is said not to; or
        whose collection states it where it is present, and nothing in the record leaves it
        open: a statement that is broader than the class, or one below the threshold. With
        sources, a record without statements is unknown. Without them, every class with
        members is known of records that have statements of the space's system, or none.
        Raises LabelError for a threshold outside 0-100, another choice for unstated or
        below, or another number of sources than records.
        """
        if not 0.0 <= min_likelihood <= 100.0:
            raise LabelError(f"min_likelihood: found {min_likelihood}; accepted: 0 to 100 percent.")
        if unstated not in ("keep", "drop"):
            raise LabelError(f'unstated: found {unstated!r}; accepted: "keep" or "drop".')
        if below not in ("negative", "unknown"):
            raise LabelError(f'below: found {below!r}; accepted: "negative" or "unknown".')
        values, known = encode(
            self.rules,
            statement_lists,
            sources,
            min_likelihood=min_likelihood,
            keep_unstated=unstated == "keep",
            below_is_unknown=below == "unknown",
        )
        return Targets(values, known)
