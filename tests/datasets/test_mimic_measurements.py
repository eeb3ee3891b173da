"""The cart's measurements: what stays, what goes, and what follows from them."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.datasets.mimic_iv_ecg_measurements import (
    COLUMNS,
    DERIVED,
    MEASURED,
    Cleaner,
    Values,
    limits,
    read_cell,
    sentinels,
)

# rr, P from 40 to 150, QRS from 190 to 284, T to 580 ms; axes of P, QRS and T
NORMAL = ("810", "40", "150", "190", "284", "580", "55", "30", "40")


def cleaned(**cells):
    cleaner = Cleaner()
    values = cleaner.clean([cells.get(name, cell) for name, cell in zip(MEASURED, NORMAL, strict=True)])
    return dict(zip((*MEASURED, *DERIVED), values, strict=True)), cleaner.notes()


def test_intervals_and_rate_follow_from_the_marks():
    values, notes = cleaned()
    assert values["heart_rate"] == pytest.approx(74.074, abs=1e-3)  # 60,000 / 810
    assert (values["pr_interval"], values["qrs_duration"], values["qt_interval"]) == (150, 94, 390)
    assert not notes


def test_qtc_by_bazett_and_by_fridericia():
    values, _ = cleaned(rr_interval="640")
    assert values["qtc_bazett"] == pytest.approx(390 / 0.8)  # the square root of 0.64 s
    values, _ = cleaned(rr_interval="512")
    assert values["qtc_fridericia"] == pytest.approx(390 / 0.8)  # the cube root of 0.512 s
    values, _ = cleaned(rr_interval="1000")
    assert values["qtc_bazett"] == values["qtc_fridericia"] == 390


@pytest.mark.parametrize("sentinel", ["29999", "32767", "-32768", "65535", "65534", "61440", "-21846"])
def test_sentinels_are_missing_in_every_column(sentinel):
    for name in MEASURED:
        values, notes = cleaned(**{name: sentinel})
        assert values[name] is None
        why = "not measured" if sentinel == "29999" else "other sentinels"
        assert notes == [f"measurement {name}, taken as missing in 1 rows: {why} 1"]


def test_999_is_no_axis_but_may_be_a_time():
    assert read_cell("qrs_axis", "999") == "impossible"
    assert read_cell("rr_interval", "999") == read_cell("t_end", "999") == 999


@pytest.mark.parametrize(
    ("name", "cell", "why"),
    [
        ("rr_interval", "0", "impossible"),
        ("rr_interval", "12345", "impossible"),
        ("p_onset", "0", "impossible"),
        ("t_axis", "-181", "impossible"),
        ("t_axis", "271", "impossible"),
        ("t_axis", "nan", "impossible"),
        ("t_axis", "inf", "impossible"),
        ("rr_interval", "8_10", "not a number"),
        ("rr_interval", "٨١٠", "not a number"),
        ("rr_interval", "2180-07-23", "not a number"),
        ("rr_interval", " ", "empty"),
    ],
)
def test_nonsense_is_missing(name, cell, why):
    assert read_cell(name, cell) == why


@pytest.mark.parametrize(
    ("name", "cell"),
    [("t_axis", "-180"), ("t_axis", "270"), ("p_onset", " 40 "), ("rr_interval", "810.0")],
)
def test_what_can_be_stays(name, cell):
    assert read_cell(name, cell) == float(cell)


def test_a_wave_that_ends_before_it_begins_loses_both_marks():
    values, notes = cleaned(p_end="12")
    assert values["p_onset"] is None and values["p_end"] is None and values["pr_interval"] is None
    assert values["qrs_duration"] == 94
    assert notes == ["measurement p_onset and p_end, taken as missing in 1 rows: in the wrong order 1"]


def test_intervals_that_cannot_be_are_missing_though_their_marks_can():
    values, notes = cleaned(qrs_onset="30", qrs_end="1000", t_end="1010", p_end="40")
    assert values["qrs_duration"] is None and values["pr_interval"] is None
    assert values["qrs_onset"] == 30
    assert "measurement qrs_duration, taken as missing in 1 rows: impossible 1" in notes


def test_the_cart_without_an_end_of_p_keeps_its_other_intervals():
    values, _ = cleaned(p_onset="340", p_end="29999", qrs_onset="500", qrs_end="594", t_end="880")
    assert values["p_end"] is None and values["pr_interval"] == 160 and values["qt_interval"] == 380


cells = st.one_of(
    st.integers(-70_000, 70_000).map(str),
    st.integers(1, 1500).map(str),
    st.sampled_from([str(int(one)) for one in sentinels()]),
    st.text(max_size=30),
    st.floats().map(str),
)


@given(st.lists(st.tuples(*[cells] * len(MEASURED)), min_size=1, max_size=5))
def test_whatever_a_row_holds_only_possible_values_come_out(rows):
    cleaner = Cleaner()
    again = Cleaner()
    for row in rows:
        values = dict(zip((*MEASURED, *DERIVED), cleaner.clean(row), strict=True))
        for name, limit in limits().items():
            value = values[name]
            assert value is None or (limit.lowest <= value <= limit.highest and value not in sentinels())
        for first, second in (("p_onset", "p_end"), ("qrs_onset", "qrs_end"), ("qrs_end", "t_end")):
            if None not in (values[first], values[second]):
                assert values[first] <= values[second]
        if values["qtc_bazett"] is not None:
            assert values["qtc_bazett"] > 0 and values["heart_rate"] is not None
        # A value never depends on the rows before it.
        assert Cleaner().clean(row) == again.clean(row) == tuple(values.values())


@given(st.lists(st.tuples(*[cells] * len(MEASURED)), min_size=1, max_size=5))
def test_every_cell_without_a_value_is_counted(rows):
    import re

    cleaner = Cleaner()
    missing = 0
    for row in rows:
        missing += sum(
            isinstance(read_cell(name, cell), str) for name, cell in zip(MEASURED, row, strict=True)
        )
        cleaner.clean(row)
    told = 0
    for note in cleaner.notes():
        name, reasons = re.fullmatch(r"measurement (.+), taken as missing in \d rows: (.*)", note).groups()
        if name in MEASURED:
            told += sum(int(one.rsplit(" ", 1)[1]) for one in reasons.split(", "))
    assert told == missing


def test_the_columns_of_a_record_behave_as_a_dictionary():
    values = Values(tuple(range(len(COLUMNS))))
    assert dict(values) == {name: place for place, name in enumerate(COLUMNS)}
    assert values == dict(values) and repr(values) == repr(dict(values))
    assert values.get("no such column") is None
    assert pickle.loads(pickle.dumps(values)) == values
    with pytest.raises(ValueError, match="columns"):
        Values((1.0,))
