"""What Leadlight says when something is wrong.

Every message names the thing, what was found, what is accepted and what to do
about it. The command line prints the message alone; ``--debug`` adds the trace.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

LONGEST_MESSAGE = 4_000
"""Characters. What a damaged file holds can be of any length, and stands in messages."""


class LeadlightError(Exception):
    """Base of every error that Leadlight raises on purpose. A message too long is cut in its middle."""

    def __init__(self, message: str = "") -> None:
        if len(message) > LONGEST_MESSAGE:
            left_out = len(message) - LONGEST_MESSAGE
            half = LONGEST_MESSAGE // 2
            message = f"{message[:half]} [... {left_out:,} characters ...] {message[-half:]}"
        super().__init__(message)


class FileFormatError(LeadlightError):
    """A file that cannot be read as what it claims to be.

    file: the file's path; field: the place inside it ("line 1, sampling rate");
    found: what stands there; accepted: what would be right; remedy: what to do.
    """

    def __init__(
        self,
        file: str | os.PathLike[str],
        field: str,
        found: object,
        accepted: str,
        remedy: str = "",
    ) -> None:
        self.file = os.fspath(file)
        self.field = field
        self.found = str(found)
        self.accepted = accepted
        self.remedy = remedy
        message = f"{self.file}, {field}: found {self.found}; accepted: {accepted}."
        super().__init__(f"{message} {remedy}" if remedy else message)

    def __reduce__(self) -> tuple[type[FileFormatError], tuple[str, str, str, str, str]]:
        # Errors cross process borders when data sets are prepared in parallel.
        return type(self), (self.file, self.field, self.found, self.accepted, self.remedy)


class DatasetError(LeadlightError):
    """A data set folder or index that cannot be used as a whole."""


class StoreError(LeadlightError):
    """A prepared store that is missing, unfinished, damaged or of another kind."""


class LabelError(LeadlightError):
    """An unknown label space, class or code."""


class SignalError(LeadlightError):
    """A signal operation that is not defined for this input."""


class ModelError(LeadlightError):
    """An unknown model, or arguments or inputs that a model cannot take."""


class ContractError(LeadlightError):
    """An input that breaks a model folder's contract, or a folder that breaks its own."""


class RecipeError(LeadlightError):
    """A recipe or a ``--set`` with an unknown key or an impossible value."""


class RunError(LeadlightError):
    """A run folder that is missing, unfinished or in the way."""


class EvaluationError(LeadlightError):
    """Truth, scores, thresholds or a fold that cannot be measured."""


def nearest(wanted: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is spelled most like the wanted one, whatever the case; None where none is near.

    cutoff: similarity from 0 (anything) to 1 (the same), as difflib measures it.
    """
    import difflib

    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(wanted.casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[near[0]] if near else None


def kind_of(value: object) -> str:
    """What a value of a wrong type is, for a message: "None", or "a value of type ndarray"."""
    return "None" if value is None else f"a value of type {type(value).__name__}"


def did_you_mean(wanted: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The end of a message about an unknown name: " Did you mean 'x'?", or "" where none is near."""
    name = nearest(wanted, known, cutoff)
    return "" if name is None else f" Did you mean {name!r}?"
