"""Training recipes: one TOML file a model, overlays such as ``quick``, and the schema that checks them.

A recipe with a ``model`` key stands alone; one without is laid over a model's
own recipe. Knows no torch: what a recipe says is done in ``leadlight.training``.
"""

from __future__ import annotations

from leadlight.recipes.augmentation_settings import AugmentationSettings
from leadlight.recipes.recipe import (
    MetadataSettings,
    Recipe,
    SamplingSettings,
    load_recipe,
    model_of,
    recipe_text,
    shipped,
)
from leadlight.recipes.training_settings import TrainingSettings

__all__ = [
    "AugmentationSettings",
    "MetadataSettings",
    "Recipe",
    "SamplingSettings",
    "TrainingSettings",
    "load_recipe",
    "model_of",
    "recipe_text",
    "shipped",
]
