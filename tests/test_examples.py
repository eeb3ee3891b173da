"""Every example in README.md and docs/ runs, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs").glob("*.md"))


def examples(page: Path) -> list[tuple[str, str]]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```(sh|python)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run_examples(page: Path, folder: Path) -> None:
    environment = {**os.environ, "LEADLIGHT_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    for language, code in examples(page):
        if language == "python":
            commands = [[sys.executable, "-c", code]]
        else:
            lines = [shlex.split(line, comments=True) for line in code.splitlines()]
            commands = [[sys.executable, "-m", "leadlight.cli.app", *line[1:]] for line in lines if line]
        for command in commands:
            answer = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert answer.returncode == 0, f"{page.name}: {command}\n{answer.stdout}\n{answer.stderr}"


@pytest.fixture(scope="module")
def after_readme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the README's examples have run: ecg/, store/ and run/ are there."""
    folder = tmp_path_factory.mktemp("examples")
    run_examples(README, folder)
    return folder


@pytest.mark.timeout(600)
def test_readme_examples_run(after_readme):
    made = {path.name for path in after_readme.iterdir()}
    assert {"tracing.pdf", "findings.csv", "why.pdf", "why.png", "tracing.png", "report.html"} <= made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_guides_examples_run(page, after_readme):
    run_examples(page, after_readme)


@pytest.mark.parametrize("page", [README, *GUIDES], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target
