"""Which records of a store meet a condition: ``--where``, worked out column by column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadlight import labels
from leadlight.errors import LabelError, StoreError, did_you_mean
from leadlight.recording import Statement
from leadlight.store import layout
from leadlight.store.conditions import Condition, number, quoted, read_condition, refusal
from leadlight.store.statements import StatementColumn

if TYPE_CHECKING:
    from leadlight.store.reading import Store

_NOT_COMPARED = ("statements", "quality")
_WORDS = {"number": "a number", "text": "text", "truth": "a condition", "list": "a list", "null": "null"}


@dataclass(frozen=True)
class _Value:
    """A value for each record, or one for all. kind: number, text, truth, list or null."""

    kind: str
    data: Any


def where_mask(store: Store, condition: str | Condition) -> NDArray[np.bool_]:
    """Which records meet a condition: bool (records,).

    condition: such as "age > 40 and source = 'georgia'". A missing value makes a comparison
    neither true nor false, as in SQL: a record is taken only where the whole is true.
    ``has('AFIB')`` asks for a statement of that code in any system, or for one that means that
    finding or a kind of it, and that does not state its absence.
    Raises StoreError for what cannot be read, columns that are not there, and values of
    different types.
    """
    if isinstance(condition, str):
        condition = read_condition(condition)
    known = list(layout.index_schema(store.description["columns"]).names)
    for name in condition.columns:
        if name not in known:
            raise StoreError(
                f"where: found the column {name!r}; accepted: "
                f"{', '.join(one for one in known if one not in _NOT_COMPARED)}.{did_you_mean(name, known)} "
                "Text stands in single quotes."
            )
        if name in _NOT_COMPARED:
            hint = " has('CODE') asks for a statement." if name == "statements" else ""
            raise StoreError(f"where: found the column {name!r}, which cannot be compared.{hint}")
    value = _Evaluation(store, condition.columns).of(condition.tree)
    if value.kind != "truth":
        raise refusal(condition.tree, f"{_WORDS[value.kind]} alone is no condition")
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(value.data, pa.Scalar):
        return np.full(len(store), bool(value.data.as_py()))
    mask: NDArray[np.bool_] = pc.fill_null(value.data, False).to_numpy(zero_copy_only=False)
    return mask.astype(np.bool_)


class _Evaluation:
    def __init__(self, store: Store, columns: tuple[str, ...]) -> None:
        self.store = store
        self.table: Any = store.columns(*columns) if columns else None

    def of(self, node: Any) -> _Value:
        """The value of a node. What ``conditions.read_condition`` accepts comes here, no more."""
        name = type(node).__name__
        method: Callable[[Any], _Value] = getattr(self, f"_{name.lower()}", self._comparison)
        return method(node)

    def _column(self, node: Any) -> _Value:
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.table[node.name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        column, kind = column.combine_chunks(), column.type
        if pa.types.is_boolean(kind):
            return _Value("truth", column)
        if pa.types.is_list(kind):
            return _Value("list", column)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return _Value("text", column)
        return _Value("number", _without_nan(pc.cast(column, pa.float64())))

    def _literal(self, node: Any) -> _Value:
        import pyarrow as pa

        if node.is_string:
            return _Value("text", pa.scalar(str(node.this)))
        return _Value("number", pa.scalar(number(node)))

    def _boolean(self, node: Any) -> _Value:
        import pyarrow as pa

        return _Value("truth", pa.scalar(bool(node.this)))

    def _null(self, node: Any) -> _Value:
        raise refusal(node.parent or node, "missing values are asked for by is null and is not null")

    def _paren(self, node: Any) -> _Value:
        return self.of(node.this)

    def _neg(self, node: Any) -> _Value:
        import pyarrow.compute as pc

        return _Value("number", pc.negate(self._needed(node.this, "number").data))

    def _not(self, node: Any) -> _Value:
        import pyarrow.compute as pc

        return _Value("truth", pc.invert(self._needed(node.this, "truth").data))

    def _and(self, node: Any) -> _Value:
        return self._joined(node, "and_kleene")

    def _or(self, node: Any) -> _Value:
        return self._joined(node, "or_kleene")

    def _joined(self, node: Any, function: str) -> _Value:
        """A chain of the same word, as long as it may be, from left to right."""
        import pyarrow.compute as pc

        chain = []
        left = node
        while type(left) is type(node):
            chain.append(left.expression)
            left = left.this
        result = self._needed(left, "truth").data
        for one in reversed(chain):
            result = getattr(pc, function)(result, self._needed(one, "truth").data)
        return _Value("truth", result)

    def _comparison(self, node: Any) -> _Value:
        import pyarrow.compute as pc

        name = type(node).__name__.lower()
        arithmetic = {"add": pc.add, "sub": pc.subtract, "mul": pc.multiply, "div": pc.divide}
        if name in arithmetic:
            left, right = self._needed(node.this, "number"), self._needed(node.expression, "number")
            return _Value("number", _without_nan(arithmetic[name](left.data, right.data)))
        comparisons = {
            "eq": pc.equal, "neq": pc.not_equal, "lt": pc.less, "lte": pc.less_equal, "gt": pc.greater,
            "gte": pc.greater_equal,
        }  # fmt: skip
        if name not in comparisons:
            raise refusal(node, "")
        left, right = self._alike(node, node.this, node.expression)
        if left.kind == "truth" and name not in ("eq", "neq"):
            raise refusal(node, "true and false have no order")
        return _Value("truth", comparisons[name](left.data, right.data))

    def _between(self, node: Any) -> _Value:
        import pyarrow.compute as pc

        value, low = self._alike(node, node.this, node.args["low"])
        _, high = self._alike(node, node.this, node.args["high"])
        if value.kind == "truth":
            raise refusal(node, "true and false have no order")
        above, below = pc.greater_equal(value.data, low.data), pc.less_equal(value.data, high.data)
        return _Value("truth", pc.and_kleene(above, below))

    def _in(self, node: Any) -> _Value:
        import pyarrow.compute as pc

        if node.args.get("field") is not None:
            return self._contained(node, node.args["field"], node.this)
        listed = node.expressions
        if not listed:
            raise refusal(node, "an empty list")
        if len(listed) == 1 and self._is_list(listed[0]):
            return self._contained(node, listed[0], node.this)
        result = None
        for one in listed:
            left, right = self._alike(node, node.this, one)
            equal = pc.equal(left.data, right.data)
            result = equal if result is None else pc.or_kleene(result, equal)
        return _Value("truth", result)

    def _contains(self, node: Any) -> _Value:
        return self._contained(node, node.this, node.expression)

    _arraycontains = _contains

    def _contained(self, node: Any, items: Any, wanted: Any) -> _Value:
        """Whether a list column has an item; a missing list is neither here nor there."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column, text = self._needed(items, "list").data, self.of(wanted)
        if text.kind != "text" or not isinstance(text.data, pa.Scalar):
            raise refusal(node, "an item is asked for by one 'text'")
        hits = pc.equal(column.flatten(), text.data).to_numpy(zero_copy_only=False)
        owners = pc.list_parent_indices(column).to_numpy()
        found = np.zeros(len(column), dtype=bool)
        found[owners[hits.astype(bool)]] = True
        return _Value("truth", pa.array(found, mask=column.is_null().to_numpy(zero_copy_only=False)))

    def _length(self, node: Any) -> _Value:
        import pyarrow as pa
        import pyarrow.compute as pc

        lengths = pc.list_value_length(self._needed(node.this, "list").data)
        return _Value("number", pc.cast(lengths, pa.float64()))

    def _is(self, node: Any) -> _Value:
        import pyarrow as pa
        from sqlglot import exp

        if isinstance(node.expression, exp.Null):
            value = self.of(node.this).data
            if isinstance(value, pa.Scalar):
                return _Value("truth", pa.scalar(not value.is_valid))
            return _Value("truth", value.is_null())
        import pyarrow.compute as pc

        if not isinstance(node.expression, exp.Boolean):
            raise refusal(node, "is null, is true and is false are accepted")
        equal = pc.equal(self._needed(node.this, "truth").data, pa.scalar(bool(node.expression.this)))
        return _Value("truth", pc.coalesce(equal, pa.scalar(False)))

    def _like(self, node: Any) -> _Value:
        return self._matched(node, ignore_case=False)

    def _ilike(self, node: Any) -> _Value:
        return self._matched(node, ignore_case=True)

    def _matched(self, node: Any, *, ignore_case: bool) -> _Value:
        import pyarrow as pa
        import pyarrow.compute as pc

        pattern = self._needed(node.expression, "text").data
        if not isinstance(pattern, pa.Scalar):
            raise refusal(node, "a pattern is one 'text', with % for anything and _ for one character")
        value = self._needed(node.this, "text").data
        return _Value("truth", pc.match_like(value, pattern.as_py(), ignore_case=ignore_case))

    def _anonymous(self, node: Any) -> _Value:
        import pyarrow as pa
        from sqlglot import exp

        wanted = node.expressions
        if len(wanted) != 1 or not isinstance(wanted[0], exp.Literal) or not wanted[0].is_string:
            raise refusal(node, "has takes one 'CODE'")
        return _Value("truth", pa.array(_states(self.store._statements, str(wanted[0].this))))

    def _is_list(self, node: Any) -> bool:
        from sqlglot import exp

        return isinstance(node, exp.Column) and self._column(node).kind == "list"

    def _needed(self, node: Any, kind: str) -> _Value:
        value = self.of(node)
        if value.kind != kind:
            raise refusal(node, f"{_WORDS[value.kind]} where {_WORDS[kind]} is needed")
        return value

    def _alike(self, node: Any, one: Any, other: Any) -> tuple[_Value, _Value]:
        left, right = self.of(one), self.of(other)
        if left.kind != right.kind or left.kind == "list":
            raise StoreError(
                f"where: found {quoted(node)}, which compares {_WORDS[left.kind]} with {_WORDS[right.kind]}; "
                "accepted: number with number, text with text. An item of a list: 'V6' in flat_leads."
            )
        return left, right


def _without_nan(values: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)


def _states(column: StatementColumn, code: str) -> NDArray[np.bool_]:
    """Which records have a statement of a code, or one that means it: bool (records,)."""
    wanted = _kinds(code)
    states = np.array([_is_stated(one, code, wanted) for one in column.different] or [False], dtype=bool)
    sums = np.concatenate([[0], np.cumsum(states[column.ids])]) if len(column.ids) else np.zeros(1, int)
    found: NDArray[np.bool_] = sums[column.starts[1:]] > sums[column.starts[:-1]]
    return found


def _is_stated(statement: Statement, code: str, wanted: frozenset[str]) -> bool:
    if statement.likelihood == 0:
        return False  # stated to be absent
    if statement.code == code:
        return True
    return any(
        finding in wanted and (likelihood is None or likelihood > 0)
        for finding, likelihood in (labels.meanings(statement) if wanted else ())
    )


@cache
def _kinds(code: str) -> frozenset[str]:
    """A finding and its kinds; empty for a code that is none."""
    try:
        return frozenset({code, *labels.narrower(code)}) if code in labels.findings() else frozenset()
    except LabelError:
        return frozenset()
