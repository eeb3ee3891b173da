"""Importing Leadlight and asking the command for help stay quick, because nothing heavy is loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "torch", "numpy", "scipy", "pandas", "pyarrow", "sklearn", "matplotlib", "wfdb", "rich", "pydantic",
    "jinja2", "lightning_fabric", "safetensors", "tensorboard",
}  # fmt: skip
# Typer brings Rich's small parts to print help; they are not what takes time.
NOT_FOR_HELP = HEAVY - {"rich"}


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running the code."""
    script = (
        f"import sys, json\n{code}\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout.strip().splitlines()[-1]))


def test_import_loads_nothing_heavy():
    assert loaded_by("import leadlight") & HEAVY == set()


def test_help_loads_nothing_heavy():
    code = (
        "sys.argv = ['leadlight', '--help']\nfrom leadlight.cli.app import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass"
    )
    assert loaded_by(code) & NOT_FOR_HELP == set()


@pytest.mark.parametrize("name", ["read", "labels", "datasets"])
def test_reading_needs_numpy_alone(name):
    assert loaded_by(f"import leadlight\nleadlight.{name}") & HEAVY == {"numpy"}


def test_every_public_name_is_there():
    import leadlight

    for name in leadlight.__all__:
        assert getattr(leadlight, name) is not None
    assert [name for name in dir(leadlight) if not name.startswith("__")] == sorted(leadlight.__all__)


def test_explain_stays_a_function_when_its_room_is_imported():
    code = (
        "import leadlight.explanation\nimport leadlight\nimport leadlight.explanation\n"
        "assert callable(leadlight.explain)"
    )
    loaded_by(code)


def test_unknown_name_is_refused():
    import leadlight

    with pytest.raises(AttributeError, match="no attribute 'reed'"):
        _ = leadlight.reed
