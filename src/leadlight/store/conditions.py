"""Conditions on a store's index, as ``--where`` takes them: read by sqlglot, and held to what is accepted.

A condition is parsed into a tree and every node of it is looked at: what is not listed here is
refused. Nothing of the text is ever run, as Python, as SQL or as anything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from leadlight.errors import StoreError

LONGEST = 2000
"""Characters of a condition."""
_MOST_TOKENS = 500
_DEEPEST = 40
_MOST_PREFIXES = 60  # not, - and +: each is one more call of the parser within another
ACCEPTED = (
    "columns, numbers, 'text', =, !=, <, <=, >, >=, and, or, not, in (...), between, is null, like, ilike, "
    "+ - * /, 'V6' in flat_leads, len(flat_leads), has('AFIB')"
)


@dataclass(frozen=True)
class Condition:
    """A condition that was read. text: as it was written; tree: sqlglot's, of accepted nodes alone."""

    text: str
    tree: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it asks for, each once, by name."""
        from sqlglot import exp

        return tuple(sorted({node.name for node in self.tree.find_all(exp.Column)}))


def read_condition(text: str) -> Condition:
    """Read a condition such as "age > 40 and source == 'georgia'".

    Raises StoreError for what cannot be read, for a text of more than 2,000 characters or
    too deeply nested, and for every part that is not accepted. Which columns there are, and
    of what type, is not asked here.
    """
    if len(text) > LONGEST:
        raise StoreError(f"where: found {len(text):,} characters; accepted: up to {LONGEST:,}.")
    if not text.isprintable():
        raise StoreError("where: found characters that cannot be printed; accepted: one line of text.")
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        _refuse_deep(text)
        tree = exp.condition(text, copy=False)
    except (SqlglotError, RecursionError, ValueError) as error:
        raise StoreError(
            f"where: found {_shortened(text)}, which cannot be read as a condition ({_reason(error)}); "
            f"accepted: {ACCEPTED}."
        ) from None
    _check(tree)
    return Condition(text, tree)


def _refuse_deep(text: str) -> None:
    """Refuse before the parser calls itself once more for every bracket."""
    from sqlglot.tokens import Tokenizer, TokenType  # type: ignore[attr-defined]

    depth = prefixes = 0
    tokens = Tokenizer().tokenize(text)
    opening = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE)
    closing = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END)
    for token in tokens:
        depth += (token.token_type in opening) - (token.token_type in closing)
        prefixes += token.token_type in (TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE)
        if depth > _DEEPEST or prefixes > _MOST_PREFIXES:
            raise StoreError(
                f"where: found more than {_DEEPEST} brackets within one another or {_MOST_PREFIXES} times "
                "not, - or +; accepted: simpler conditions. Filter in several steps."
            )
    if len(tokens) > _MOST_TOKENS:
        raise StoreError(f"where: found {len(tokens)} words and signs; accepted: up to {_MOST_TOKENS}.")


@cache
def _accepted() -> dict[type, frozenset[str]]:
    """Accepted node -> the parts that it may have."""
    from sqlglot import exp

    two = frozenset({"this", "expression"})
    pairs = (
        exp.And, exp.Or, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.Like, exp.ILike,
        exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Contains, exp.ArrayContains,
    )  # fmt: skip
    return {
        **dict.fromkeys(pairs, two),
        exp.Not: frozenset({"this"}),
        exp.Paren: frozenset({"this"}),
        exp.Neg: frozenset({"this"}),
        exp.Null: frozenset(),
        exp.Boolean: frozenset({"this"}),
        exp.Literal: frozenset({"this", "is_string"}),
        exp.Column: frozenset({"this"}),
        exp.Identifier: frozenset({"this", "quoted"}),
        exp.Between: frozenset({"this", "low", "high"}),
        exp.In: frozenset({"this", "expressions", "field"}),
        exp.Length: frozenset({"this"}),
        exp.Anonymous: frozenset({"this", "expressions"}),
    }


def _check(tree: Any) -> None:
    from sqlglot import exp

    accepted = _accepted()
    for node in tree.walk():
        parts = accepted.get(type(node))
        if parts is None:
            raise refusal(node, "")
        surplus = [name for name, value in node.args.items() if value and name not in parts]
        if surplus:
            raise refusal(node, "")
        if isinstance(node, exp.Anonymous) and str(node.this).casefold() != "has":
            raise refusal(node, "has(...), len(...) and contains(...) are the functions there are")
        if isinstance(node, exp.Literal) and not node.is_string:
            number(node)


def number(node: Any) -> float:
    """The number of a literal. Raises StoreError for one that is not finite."""
    try:
        value = float(node.this)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refusal(node, "a finite decimal number is needed")
    return value


def refusal(node: Any, why: str) -> StoreError:
    """The error for a part of a condition that cannot be used, which quotes it."""
    end = f" ({why})" if why else ""
    return StoreError(f"where: found {quoted(node)}{end}; accepted: {ACCEPTED}.")


def quoted(node: Any) -> str:
    """A part of a condition as sqlglot writes it, shortened."""
    write: Callable[[], str] = node.sql
    try:
        return _shortened(write())
    except Exception:  # writing is for messages alone, and knows more kinds of faults than ours
        return type(node).__name__


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")


def _reason(error: Exception) -> str:
    from sqlglot.errors import ParseError

    if isinstance(error, ParseError) and error.errors:
        described = str(error.errors[0].get("description") or "")
        if described and "<class" not in described:
            return described.rstrip(".")
    return "too deeply nested" if isinstance(error, RecursionError) else "a word or sign is out of place"
