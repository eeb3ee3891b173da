"""The text of scp_codes: read as data, never evaluated, refused when it is anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.datasets.ptbxl_rows import RowError, read_statements
from leadlight.recording import Statement


def test_statements_keep_their_order_and_likelihood():
    assert read_statements("{'NST_': 100.0, 'LAO/LAE': 35, 'PRC(S)': 0.0}") == (
        Statement("NST_", "scp-ecg", 100.0),
        Statement("LAO/LAE", "scp-ecg", 35.0),
        Statement("PRC(S)", "scp-ecg", None),
    )


def test_an_empty_dictionary_is_a_record_without_statements():
    assert read_statements("{}") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NORM",
        "['NORM']",
        "{'NORM'}",
        "{'NORM': 100.0",
        "{'NORM': 100.0} ; 1",
        "__import__('os').getcwd()",
        "{__import__('os').getcwd(): 1.0}",
        "{'NORM': __import__('os')}",
        "{'NORM': True}",
        "{'NORM': None}",
        "{'NORM': '100'}",
        "{'NORM': -1.0}",
        "{'NORM': 100.1}",
        "{'NORM': 1e999}",
        "{'NORM': nan}",
        "{'NORM': 50+50}",
        "{'NORM': 1j}",
        "{'NORM': [100.0]}",
        "{1: 100.0}",
        "{'': 100.0}",
        "{b'NORM': 100.0}",
        "{**{'NORM': 100.0}}",
        "{'NORM': 100.0, 'NORM': 0.0}",
        "{'" + "X" * 21 + "': 1.0}",
        "{'NORM': 1" + "0" * 3000 + "}",
        "(" * 3000,
        "{'NORM': " + "-" * 3000 + "1}",
        "{" * 3000,
        "{'NORM': 1.0, " + " " * 5000 + "}",
        "{'NORM': 1\x00}",
        "\ud800",
    ],
)
def test_anything_but_a_dictionary_of_codes_to_percentages_is_refused(text):
    with pytest.raises(RowError, match="scp_codes"):
        read_statements(text)


@given(st.dictionaries(st.text("ABCDEFGHIJ_/()123", min_size=1, max_size=8), st.floats(0, 100), max_size=8))
def test_what_python_writes_is_read_back(likelihoods):
    statements = read_statements(repr(likelihoods))
    assert {one.code: one.likelihood or 0.0 for one in statements} == likelihoods


@given(st.text(max_size=60) | st.text("{}'\":,.0123456789NORMSR ()[]-_", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        statements = read_statements(text)
    except RowError:
        return
    assert all(one.likelihood is None or 0 < one.likelihood <= 100 for one in statements)
