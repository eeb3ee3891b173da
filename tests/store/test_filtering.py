"""Conditions: what they mean, and that nothing else than a condition is ever done with their text."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.datasets import DatasetIndex
from leadlight.errors import StoreError
from leadlight.recording import Statement
from leadlight.store import Store, filter_store, open_store, select, store_index, verify, where_mask
from leadlight.store.conditions import ACCEPTED, read_condition

N = 40


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, write_dataset: Callable[[Path], DatasetIndex]) -> Store:
    """Ages 40 to 79, every sixth missing; sexes; own columns; statements of several systems."""
    folder = tmp_path_factory.mktemp("filtering")
    index = write_dataset(folder / "data")
    said = (
        (Statement("AFIB"),),
        (Statement("164889003", "snomed-ct"), Statement("NORM")),  # atrial fibrillation
        (Statement("AFIB", "leadlight", 0.0),),
        (Statement("IMI", likelihood=35.0),),
    )
    entries = [
        replace(
            entry,
            age=None if number % 6 == 0 else entry.age,
            sex=None if number % 7 == 0 else entry.sex,
            statements=said[number % 4],
            source=("georgia", "ptb-xl")[number % 2],
            columns={
                "qrs": None if number % 5 == 0 else 80.0 + number,
                "cart": "it's" if number == 3 else "c",
            },
        )
        for number, entry in enumerate(index.entries)
    ]
    own = replace(index, entries=tuple(entries), columns={"qrs": "number", "cart": "text"})
    return store_index(own, folder / "store")


def rows(store: Store, condition: str) -> list[int]:
    return np.flatnonzero(where_mask(store, condition)).tolist()


def expected(wanted: Callable[[int], bool]) -> list[int]:
    return [number for number in range(N) if wanted(number)]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("age > 60 and source == 'georgia'", lambda n: n % 6 and 40 + n > 60 and n % 2 == 0),
        ("age > 60 and source = 'georgia'", lambda n: n % 6 and 40 + n > 60 and n % 2 == 0),
        ("NOT (age > 60)", lambda n: n % 6 and 40 + n <= 60),  # missing: neither true nor false
        ("age is null", lambda n: n % 6 == 0),
        ("age is not null and age <> 41", lambda n: n % 6 and n != 1),
        ("age between 50 and 52.5", lambda n: n % 6 and 10 <= n <= 12),
        ("age not between 50 and 78", lambda n: n % 6 and (n < 10 or n > 38)),
        ("fold in (2, 3)", lambda n: n // 2 % 10 + 1 in (2, 3)),
        ("fold not in (2, 3)", lambda n: n // 2 % 10 + 1 not in (2, 3)),
        ("sex = 'male' or sex is null", lambda n: n % 7 == 0 or n % 2 == 0),
        ("sex != 'male'", lambda n: n % 7 and n % 2),
        ("age is null or not sex = 'male'", lambda n: n % 6 == 0 or (n % 7 and n % 2)),
        ("source like 'geo%'", lambda n: n % 2 == 0),
        ("source like 'GEO%'", lambda n: False),
        ("source ilike 'GEO_gia'", lambda n: n % 2 == 0),
        ("cart = 'it''s'", lambda n: n == 3),
        ("qrs * 2 - 10 >= 220", lambda n: n % 5 and n >= 35),
        ("qrs / 0 > 1", lambda n: n % 5),
        ("-age < -75", lambda n: n % 6 and n > 35),
        ("record_id = '17'", lambda n: n == 17),
        ("record_id < '1'", lambda n: n == 0),  # as text
        ("not resampled", lambda n: True),
        ("resampled = true", lambda n: False),
        ("len(notes) > 0", lambda n: n % 7 == 0),
        ("'odd' in notes", lambda n: n % 7 == 0),
        ("'odd' not in notes", lambda n: n % 7),
        ("contains(notes, 'odd')", lambda n: n % 7 == 0),
        ("'odd' in (notes)", lambda n: n % 7 == 0),
        ("'V1' in mains_leads", lambda n: False),  # not known at 100 Hz
        ("'V1' not in mains_leads", lambda n: False),
        ("mains_leads is null", lambda n: True),
        ("has('AFIB')", lambda n: n % 4 in (0, 1)),  # by any system; stated to be absent in the third
        ("has('164889003')", lambda n: n % 4 == 1),
        ("has('MI')", lambda n: n % 4 == 3),  # an inferior one is one
        ("has('nothing')", lambda n: False),
        ("1 = 1", lambda n: True),
        ("'a' = 'b'", lambda n: False),
        ("true", lambda n: True),
    ],
)
def test_what_a_condition_takes(store: Store, condition: str, wanted: Callable[[int], bool]) -> None:
    assert rows(store, condition) == expected(wanted)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("agee > 4", "found the column 'agee'; accepted: record_id.*Did you mean 'age'"),
        ('source = "georgia"', "found the column 'georgia'.*Text stands in single quotes"),
        ("age > '40'", "compares a number with text"),
        ("sex = 1", "compares text with a number"),
        ("resampled > false", "no order"),
        ("age", "a number alone is no condition"),
        ("notes = 'odd'", "compares a list with text"),
        ("notes", "a list alone is no condition"),
        ("statements = 'AFIB'", "has\\('CODE'\\) asks for a statement"),
        ("quality is null", "cannot be compared"),
        ("age and fold = 1", "a number where a condition is needed"),
        ("sex + 1 > 2", "text where a number is needed"),
        ("age like '4%'", "a number where text is needed"),
        ("sex like cart", "a pattern is one 'text'"),
        ("len(sex) > 2", "text where a list is needed"),
        ("age = null", "is null"),
        ("null", "is null"),
        ("age in ()", "an empty list"),
        ("age in (select 1)", "SELECT 1"),
        ("age > (select 1)", "SELECT 1"),
        ("cast(age as int) > 1", "CAST"),
        ("age::int > 1", "CAST"),
        ("case when 1 = 1 then true end", "CASE"),
        ("age % 2 = 0", "%"),
        ("a.age > 1", "a.age"),
        ("upper(sex) = 'MALE'", "UPPER"),
        ("__import__('os')", "has\\(...\\), len\\(...\\) and contains"),
        ("age > 1; drop table x", "cannot be read"),
        ("select 1", "cannot be read"),
        ("age >", "cannot be read"),
        ("", "cannot be read"),
        ("age > 1e999", "a finite decimal number"),
        ("age > 40\nand fold = 1", "cannot be printed"),
        ("(" * 41 + "age > 1" + ")" * 41, "more than 40 brackets"),
        ("not " * 61 + "resampled", "60 times"),
        (" or ".join(["1=1"] * 200), "accepted: up to 500"),
        ("age > " + "1" * 2000, "2,006 characters"),
        ("has(sex)", "has takes one 'CODE'"),
        ("10 < age < 20", "compares a condition with a number"),
    ],
)  # fmt: skip
def test_what_is_refused_and_in_which_words(store: Store, condition: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        where_mask(store, condition)


# Random conditions, beside an evaluation of their own pieces by pandas.

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<>": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Piece = tuple[str, Callable[[pd.DataFrame], "pd.Series[Any]"]]


def _truth(values: Any, known: Any) -> pd.Series[Any]:
    return pd.Series(values).astype("boolean").mask(~pd.Series(known))


@st.composite
def comparisons(draw: st.DrawFn) -> Piece:
    if draw(st.booleans()):
        column, word = draw(st.sampled_from(["age", "qrs", "fold"])), draw(st.sampled_from(sorted(_COMPARE)))
        number = draw(
            st.one_of(st.integers(0, 130), st.floats(0, 130, allow_nan=False).map(lambda x: round(x, 2)))
        )
        return f"{column} {word} {number}", lambda t: _truth(
            _COMPARE[word](t[column].astype(float), number), t[column].notna()
        )
    column, text = (
        draw(st.sampled_from(["sex", "source", "cart"])),
        draw(st.sampled_from(["male", "georgia", "it's", "c", ""])),
    )
    word = draw(st.sampled_from(["=", "!="]))
    written = text.replace("'", "''")
    return f"{column} {word} '{written}'", lambda t: _truth(
        _COMPARE[word](t[column].fillna("?"), text), t[column].notna()
    )


@st.composite
def memberships(draw: st.DrawFn) -> Piece:
    listed = draw(st.lists(st.integers(0, 11), min_size=1, max_size=4))
    denied = draw(st.booleans())
    text = f"fold {'not ' if denied else ''}in ({', '.join(map(str, listed))})"
    return text, lambda t: _truth(t["fold"].isin(listed) ^ denied, t["fold"].notna())


@st.composite
def ranges(draw: st.DrawFn) -> Piece:
    low, high = draw(st.integers(30, 90)), draw(st.integers(30, 90))
    return f"age BETWEEN {low} AND {high}", lambda t: _truth(
        (t["age"] >= low) & (t["age"] <= high), t["age"].notna()
    )


@st.composite
def missing(draw: st.DrawFn) -> Piece:
    column, denied = draw(st.sampled_from(["age", "sex", "qrs"])), draw(st.booleans())
    text = f"{column} is {'not ' if denied else ''}null"
    return text, lambda t: (t[column].isna() ^ denied).astype("boolean")


def _combined(pieces: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def both(parts: tuple[str, Piece, Piece]) -> Piece:
        word, (left, of_left), (right, of_right) = parts
        join = operator.and_ if word == "and" else operator.or_
        return f"({left}) {word} ({right})", lambda t: join(of_left(t), of_right(t))

    def denied(piece: Piece) -> Piece:
        return f"not ({piece[0]})", lambda t: ~piece[1](t)

    return st.one_of(st.tuples(st.sampled_from(["and", "or"]), pieces, pieces).map(both), pieces.map(denied))


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.one_of(comparisons(), memberships(), ranges(), missing()), _combined, max_leaves=8))
def test_random_conditions_equal_pandas(store: Store, piece: Piece) -> None:
    text, evaluate = piece
    answer = evaluate(store.index).fillna(False).to_numpy(dtype=bool)
    assert where_mask(store, text).tolist() == answer.tolist(), text


_WORDS = [
    'age', 'fold', 'sex', "'x'", '"y"', '1', '.5', '1e9', '(', ')', '[', ']', '{', '}', ',', ';',
    '=', '==', '<', '>', 'and', 'or', 'not', 'in', 'is', 'null', 'between', 'like', 'case', 'when',
    'then', 'end', 'select', 'from', 'has', 'len', 'contains', 'cast', 'as', '::', '||', '->', '@',
    '$', '%', '*', '/', '+', '-', '--', '/*', '*/', 'exec', 'import', '__class__', 'lambda',
    'date', 'interval', 'array', 'struct', 'any', 'all', 'exists', 'row_number', 'over',
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(_WORDS),
            max_size=12,
        ).map(" ".join),
    )
)
def test_any_text_is_a_condition_or_a_store_error(store: Store, text: str) -> None:
    try:
        mask = where_mask(store, text)
    except StoreError:
        return
    assert mask.shape == (N,) and mask.dtype == bool


def test_no_text_is_run(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither Python nor a query engine sees the text: only sqlglot's parser does."""
    import builtins
    import sqlite3

    import sqlglot.executor

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("run")

    monkeypatch.setattr(builtins, "eval", refuse)
    monkeypatch.setattr(builtins, "exec", refuse)
    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr(sqlglot.executor, "execute", refuse)
    monkeypatch.setattr(pd.DataFrame, "query", refuse)
    monkeypatch.setattr(pd.DataFrame, "eval", refuse)
    assert rows(store, "age > 70 and has('AFIB')") == [32, 33, 37]
    with pytest.raises(StoreError):
        rows(store, f"open('{tmp_path}/x', 'w') is null")
    assert list(tmp_path.iterdir()) == []


def test_a_long_chain_of_conditions_is_no_deep_one(store: Store) -> None:
    text = " or ".join(f"fold = {n % 10 + 1}" for n in range(120))
    assert rows(store, text) == list(range(N))


def test_a_condition_names_its_columns_once() -> None:
    assert read_condition("age > 1 and (sex = 'x' or age < 3) and 'V1' in flat_leads").columns == (
        "age", "flat_leads", "sex",
    )  # fmt: skip
    assert "has('AFIB')" in ACCEPTED


# Filtered stores.


def test_a_filtered_store_holds_those_records_and_passes_verify(store: Store, tmp_path: Path) -> None:
    kept = filter_store(store.path, "age > 60 and fold < 9", tmp_path / "part")
    chosen = rows(store, "age > 60 and fold < 9")
    assert 0 < len(chosen) < N
    assert kept.index["record_id"].tolist() == [str(row) for row in chosen]
    for column in ("patient_id", "fold", "checksum", "source", "cart", "source_path"):
        assert kept.index[column].tolist() == store.index[column].iloc[chosen].tolist()
    assert (kept.counts(slice(None)) == store.counts(chosen)).all()
    assert kept.statements(slice(None)) == store.statements(chosen)
    assert [check.name for check in verify(kept.path) if not check.passed] == []
    (step,) = kept.description["filtered"]
    assert (step["where"], step["of_records"]) == ("age > 60 and fold < 9", N)
    assert kept.dataset == store.dataset and kept.description["notes"] == ["for tests"]
    twice = filter_store(kept.path, "sex = 'male'", tmp_path / "less")
    assert [one["where"] for one in twice.description["filtered"]] == [
        "age > 60 and fold < 9",
        "sex = 'male'",
    ]


def test_a_filter_that_was_made_is_not_made_again_and_another_is_refused(
    store: Store, tmp_path: Path
) -> None:
    filter_store(store.path, "fold = 1", tmp_path / "part")
    made = (tmp_path / "part" / "store.json").stat()
    filter_store(store.path, "fold = 1", tmp_path / "part")
    assert (tmp_path / "part" / "store.json").stat() == made
    with pytest.raises(StoreError, match=r"found another store here.*--overwrite"):
        filter_store(store.path, "fold = 2", tmp_path / "part")
    replaced = filter_store(store.path, "fold = 2", tmp_path / "part", overwrite=True)
    assert set(replaced.index["fold"]) == {2}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["part"]


def test_nothing_left_and_the_store_itself_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"found no record.*for which 'age > 500' is true"):
        filter_store(store.path, "age > 500", tmp_path / "part")
    assert not (tmp_path / "part").exists()
    with pytest.raises(StoreError, match="found one of the stores that are read"):
        filter_store(store.path, "age > 50", store.path)


@pytest.mark.usefixtures("shards_of_eight")
@pytest.mark.parametrize("where", ["fold > 0", "fold = 2"])
def test_a_damaged_signal_is_never_copied(index: DatasetIndex, tmp_path: Path, where: str) -> None:
    """Whole shards are compared with their checksum, single records with theirs."""
    store = store_index(index, tmp_path / "store")
    shard = store.path / "signals-00000.npy"
    content = bytearray(shard.read_bytes())
    content[128 + 2 * 12 * 150 * 2 + 8] ^= 1  # record 2, of fold 2
    shard.write_bytes(content)
    with pytest.raises(StoreError, match=r"signals-00000.npy: found other content"):
        filter_store(store.path, where, tmp_path / "part")
    with pytest.raises(StoreError):
        open_store(tmp_path / "part")


def test_selection_and_filter_agree(store: Store, tmp_path: Path) -> None:
    from leadlight.labels import space

    classes = space("ptb-xl/superclass")
    kept = filter_store(store.path, "age > 50", tmp_path / "part")
    with_copy = select(kept, range(1, 11), classes, n_samples=150)
    without = select(store, range(1, 11), classes, n_samples=150, where="age > 50")
    ids = store.index["record_id"].to_numpy()[without.rows].tolist()
    assert kept.index["record_id"].to_numpy()[with_copy.rows].tolist() == ids
    assert (with_copy.truth == without.truth).all() and (with_copy.known == without.known).all()
