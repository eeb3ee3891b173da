"""Messages about unknown names end with the name that was probably meant."""

from __future__ import annotations

import pytest

from leadlight.errors import did_you_mean, nearest


@pytest.mark.parametrize(
    ("wanted", "known", "meant"),
    [
        ("NROM", ["CD", "NORM"], "NORM"),
        ("norm", ["CD", "NORM"], "NORM"),
        ("imle_net", ["imle-net", "quick"], "imle-net"),
        ("colours", ["CD", "NORM"], None),
        ("anything", [], None),
    ],
)
def test_the_nearest_name_is_found_by_spelling_whatever_its_case(wanted, known, meant):
    assert nearest(wanted, known) == meant


def test_a_lower_cut_off_finds_a_name_that_is_much_longer():
    assert nearest("imle-net", ["imle-net-ptbxl-superclass"]) is None
    assert nearest("imle-net", ["imle-net-ptbxl-superclass"], cutoff=0.4) == "imle-net-ptbxl-superclass"


def test_the_hint_is_a_sentence_of_its_own_or_nothing():
    assert did_you_mean("quik", ["quick"]) == " Did you mean 'quick'?"
    assert did_you_mean("xyz", ["quick"]) == ""
