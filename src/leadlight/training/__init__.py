"""From a recipe and a data set to a run folder: the loop, checkpoints and the model folder.

What is measured on a run is in ``leadlight.evaluation``; what a model folder
is, in ``leadlight.classifier``.
"""

from __future__ import annotations

from leadlight.training.run import Machine, Run, resolve, resume, train

__all__ = ["Machine", "Run", "resolve", "resume", "train"]
