"""Every command and every line of Python in README.md runs, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(
    r"^```(sh|python)\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


def test_readme_has_examples():
    assert {language for language, _ in EXAMPLES} == {"sh", "python"}


@pytest.mark.timeout(600)
def test_readme_examples_run(tmp_path):
    environment = {**os.environ, "LEADLIGHT_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    for language, code in EXAMPLES:
        if language == "python":
            commands = [[sys.executable, "-c", code]]
        else:
            commands = [
                [sys.executable, "-m", "leadlight.cli.app", *shlex.split(line)[1:]]
                for line in code.splitlines()
            ]
        for command in commands:
            answer = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert answer.returncode == 0, f"{command}\n{answer.stdout}\n{answer.stderr}"
    made = {path.name for path in tmp_path.iterdir()}
    assert {"tracing.pdf", "findings.csv", "why.pdf", "why.png", "tracing.png", "report.html"} <= made


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (README.parent / target).exists(), target
