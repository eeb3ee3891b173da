"""The methods of explanation, one file each, and their register.

A file holds the definition with its source, the settings, the function, and ``METHOD``, from which
documentation, command line and reports take their words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from leadlight.explanation.method import Method
from leadlight.explanation.methods import (
    attention,
    grad_cam,
    gradients,
    guided_grad_cam,
    integrated_gradients,
    occlusion,
    smoothgrad,
)

if TYPE_CHECKING:
    from leadlight.classifier import Classifier

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        module.METHOD.name: module.METHOD
        for module in (
            attention,
            grad_cam,
            gradients,
            integrated_gradients,
            smoothgrad,
            guided_grad_cam,
            occlusion,
        )
    }
)
"""Every method by its name."""


def usable(classifier: Classifier) -> list[str]:
    """Names of the methods that a classifier can be explained with."""
    return [name for name, method in METHODS.items() if not method.refuses(classifier)]
