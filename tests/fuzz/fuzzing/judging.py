"""One damaged input after the other: read, judged, timed and weighed."""

from __future__ import annotations

import random
import shutil
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fuzzing import damage, invariants
from fuzzing.targets import TARGETS, Target
from leadlight.errors import LeadlightError

CPU_SECONDS = 1.0
"""Of one input. Processor time: others may be busy on the same machine."""
MEGABYTES = 1024
_RAN_OUT = "memory ran out on the way"


@dataclass(frozen=True)
class Verdict:
    """verdict: accepted, refused or failed; error: its class; message: what was said, or why it failed."""

    target: str
    number: int
    verdict: str
    error: str
    message: str
    seconds: float
    megabytes: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class Bench:
    """A folder in which inputs of one target are laid out and read."""

    def __init__(self, target: Target | str, place: Path, seed: int, real: Path | None) -> None:
        self.target = TARGETS[target] if isinstance(target, str) else target
        self.place, self.seed = place, seed
        self.cases = self.target.cases(real)
        self.lift_limit: Callable[[], None] = lambda: None
        """What takes away a limit on memory that holds for the process."""

    def check_originals(self) -> list[Verdict]:
        """Every whole case, read; it also imports what reading imports."""
        found = []
        for number in range(len(self.cases)):
            found.append(self._judge(self._lay(number, {}), -1 - number, self.cases[number].entry))
        return found

    def read(self, number: int) -> Verdict:
        """The verdict on input ``number``. What is slow is read again: imports and others' load pass.

        What was refused because memory ran out is read again without the limit: asking for room that
        is never filled costs nothing, filling it shows in the peak.
        """
        verdict = self._read_once(number)
        if verdict.message.startswith(_RAN_OUT):
            self.lift_limit()
            verdict = self._read_once(number)
        if verdict.verdict != "failed" and verdict.seconds > CPU_SECONDS:
            verdict = self._read_once(number)
            if verdict.seconds > CPU_SECONDS:
                return self._failed(verdict, f"took {verdict.seconds:.2f} s of processor time")
        if verdict.verdict != "failed" and verdict.megabytes > MEGABYTES:
            return self._failed(verdict, f"took {verdict.megabytes:,.0f} MB")
        return verdict

    def damage(self, number: int) -> tuple[int, dict[str, bytes], random.Random]:
        """Which case, its damaged files, and the generator as it stands behind the damage."""
        draw = random.Random(f"{self.seed}/{self.target.name}/{number}")
        at = draw.randrange(len(self.cases))
        case = self.cases[at]
        files, kinds, weights = zip(*case.damageable, strict=True)
        chosen = draw.choices(range(len(files)), weights)[0]
        others = [one.files[files[chosen]] for one in self.cases if files[chosen] in one.files]
        if len(others) < 2:
            suffix = Path(files[chosen]).suffix
            others = [
                one.files[name]
                for one in self.cases
                for name, _, _ in one.damageable
                if name.endswith(suffix)
            ]
        content = damage.damaged(case.files[files[chosen]], kinds[chosen], draw, others)
        return at, {files[chosen]: content}, draw

    def _read_once(self, number: int) -> Verdict:
        at, changed, draw = self.damage(number)
        folder = self._lay(at, changed)
        self.target.mend(folder, draw)
        return self._judge(folder, number, self.cases[at].entry)

    def _lay(self, at: int, changed: dict[str, bytes]) -> Path:
        folder = self.place / f"{self.target.name}"
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in (self.cases[at].files | changed).items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return folder

    def _judge(self, folder: Path, number: int, entry: str) -> Verdict:
        before = _memory(reset=True)
        began = time.process_time()
        verdict, error, message = "accepted", "", ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.target.read(folder, entry)
        except self.target.errors as refusal:
            verdict, error, message = "refused", type(refusal).__name__, str(refusal)
            why = _wrong_with(refusal)
            if why:
                verdict, message = "failed", f"{why}: {message[:500]}"
        except BaseException as failure:
            if isinstance(failure, KeyboardInterrupt):
                raise
            last = traceback.extract_tb(failure.__traceback__)[-1]
            verdict, error = "failed", type(failure).__name__
            message = f"{failure} ({Path(last.filename).name}, line {last.lineno})"[:500]
        seconds = time.process_time() - began
        megabytes = max(0.0, _memory() - before)
        return Verdict(
            self.target.name, number, verdict, error, message[:500], round(seconds, 4), round(megabytes, 1)
        )

    @staticmethod
    def _failed(verdict: Verdict, why: str) -> Verdict:
        return Verdict(
            **{**verdict.as_dict(), "verdict": "failed", "message": f"{why}; {verdict.message}"[:500]}
        )


def _wrong_with(refusal: LeadlightError) -> str:
    """What is wrong with an error of the right class, or ""."""
    try:
        invariants.text_is_plain(str(refusal), "the message")
    except invariants.Broken as why:
        return str(why)
    cause: BaseException | None = refusal
    while cause is not None:
        if isinstance(cause, MemoryError):
            return _RAN_OUT
        cause = cause.__cause__ or cause.__context__
    return ""


def _memory(reset: bool = False) -> float:
    """Most megabytes in memory since the last reset; 0 where the system does not tell."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
