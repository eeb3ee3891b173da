"""What a method of explanation is: a definition with its source, its settings, and a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from leadlight.classifier import Classifier
    from leadlight.explanation.reading import Reading


@dataclass(frozen=True)
class Settings:
    """Settings of a method, each a number or a text with a default. A subclass states and checks them."""

    def one_of(self, name: str, accepted: Sequence[str]) -> None:
        """Refuse a text that is not among those accepted."""
        if getattr(self, name) not in accepted:
            raise ModelError(f"{name}: found {getattr(self, name)!r}; accepted: {', '.join(accepted)}.")

    def within(self, name: str, low: float, high: float, unit: str = "") -> None:
        """Refuse a number outside low to high."""
        if not low <= getattr(self, name) <= high:
            raise ModelError(
                f"{name}: found {getattr(self, name):g}; accepted: {low:g} to {high:g}{unit and ' ' + unit}."
            )


@dataclass(frozen=True)
class Map:
    """What a method gives for one target.

    relevance: (leads, samples) of the whole recording; unit: what a number is; signed, leads_apart,
    baseline, parts, facts, beside: as of an ``Explanation``; uniform: None for that of the reading;
    meaning: sentences on how to read it; notes: what is to be known of this one.
    """

    relevance: NDArray[np.float64]
    unit: str
    signed: bool
    meaning: tuple[str, ...]
    leads_apart: bool = True
    baseline: str = ""
    uniform: NDArray[np.float64] | None = None
    parts: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    beside: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Method:
    """A method of explanation.

    definition, needs, cost, cannot_show: sentences for people; source: where it was published;
    class_dependent: whether it explains one class; settings: their type, whose defaults are the
    method's; settings_meaning: what each is; run: maps of a reading, one for each of the class codes
    (None for no class, where it is not class-dependent); refuses: why it cannot be used with a
    classifier, "" where it can.
    """

    name: str
    definition: str
    source: str
    needs: str
    cost: str
    cannot_show: str
    class_dependent: bool
    settings: type[Settings]
    settings_meaning: Mapping[str, str]
    run: Callable[[Reading, Sequence[str | None], Any], list[Map]]
    refuses: Callable[[Classifier], str]

    @property
    def defaults(self) -> dict[str, Any]:
        """The settings and their default values."""
        return asdict(self.settings())

    def set(self, given: Mapping[str, Any]) -> Settings:
        """Settings from names and values, of which texts may stand for numbers.

        Raises ModelError for names, kinds and values that are not accepted.
        """
        known = {one.name: one.default for one in fields(self.settings)}
        values = {}
        for name, value in given.items():
            if name not in known:
                hint = did_you_mean(name, known)
                raise ModelError(
                    f"{self.name}: found the setting {name}; accepted: {', '.join(known) or 'none'}.{hint}"
                )
            values[name] = _of_kind(self.name, name, value, known[name])
        try:
            return self.settings(**values)
        except ModelError as error:
            raise ModelError(f"{self.name}, {error}") from None


def _of_kind(method: str, name: str, value: Any, default: Any) -> Any:
    """The value in the kind of its default."""
    kind = type(default)
    words = {int: "a whole number", float: "a number", str: "a text"}[kind]
    try:
        if isinstance(value, bool) or (kind is int and isinstance(value, float) and not value.is_integer()):
            raise ValueError
        if kind is str and not isinstance(value, str):
            raise ValueError
        result = kind(value)
        if kind is not str and not np.isfinite(result):
            raise ValueError
        return result
    except (ValueError, TypeError, OverflowError):
        raise ModelError(
            f"{method}, {name}: found {value!r}; accepted: {words}, such as {default}."
        ) from None


def never(classifier: Classifier) -> str:
    """For methods that every classifier can be explained with."""
    return ""
