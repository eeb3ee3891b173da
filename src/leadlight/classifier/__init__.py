"""The model folder and what comes out of it: contract, weights, predictions.

Here: the contract and its checks, saving and loading model folders, the
classifier, its predictions, and the weights that come with Leadlight
(``shipped/``). Not here: networks (``leadlight.models``), training, metrics.
Reading a contract needs no torch; loading weights does.
"""

from __future__ import annotations

from leadlight.classifier.card import model_card
from leadlight.classifier.classifier import Classifier
from leadlight.classifier.contract import Contract, contract_from, read_contract
from leadlight.classifier.folder import find_model_folder, load, save_model, shipped
from leadlight.classifier.prediction import Prediction

__all__ = [
    "Classifier",
    "Contract",
    "Prediction",
    "contract_from",
    "find_model_folder",
    "load",
    "model_card",
    "read_contract",
    "save_model",
    "shipped",
]
