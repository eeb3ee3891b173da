"""The model card states what the contract states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leadlight.classifier import contract_from, model_card, read_contract


def test_it_states_every_fact_of_the_contract(model_folder: Path) -> None:
    contract = read_contract(model_folder)
    card = (model_folder / "MODEL_CARD.md").read_text()
    for fact in (
        "# small", "imle-net", "**Not a medical device.**", "V1, V2, V3", "100 Hz", "1000 samples (10 s)",
        "(signal - 0.1) / 0.25", "| MI | Myocardial infarction | 0.700 |",
        "Thresholds: best F1, fitted on fold 9 (n = 20)",
        "PTB-XL, a large publicly available electrocardiography dataset, version 1.0.3",
        "Licence of the data: CC BY 4.0.",
        "- training records: 1,600", "Folds for fitting: 1, 2. Folds for choosing: 9.", "n = 20 records",
        "| macro ROC-AUC | 0.9100 |", "| ROC-AUC MI | not defined |", "- Adults of one country only.",
        "Weights: Apache-2.0.", "- Wagner et al., PTB-XL, Scientific Data 2020", "| seed | 42 |",
        "| training.learning_rate | 0.001 |", contract.weights_sha256, contract.versions.torch, "ll.load(",
    ):  # fmt: skip
        assert fact in card, fact


def test_values_stay_in_their_cells_and_bring_no_html(fields: dict[str, Any]) -> None:
    fields["classes"][0] = ("CD", "wide | QRS\n# <b>heading</b>")
    fields["limits"] = ["one\n\n# two"]
    card = model_card(contract_from(fields))
    assert "| CD | wide \\| QRS # &lt;b&gt;heading&lt;/b&gt; | 0.300 |" in card
    assert "- one # two" in card


@pytest.mark.parametrize("key", ["limits", "citations"])
def test_empty_lists_leave_a_readable_card(fields: dict[str, Any], key: str) -> None:
    fields[key] = []
    fields["thresholds"] |= {"folds": [], "n_records": 0, "rule": "0.5 for every class"}
    card = model_card(contract_from(fields))
    assert "Thresholds: 0.5 for every class." in card
    assert "\n\n\n\n" not in card
