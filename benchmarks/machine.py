"""What stands beside every measurement: the machine, its load, the versions and the day."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path


def processor() -> str:
    """Name of the processor, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe_machine(*packages: str) -> str:
    """One line: day, processor, cores, load of the last minute, versions of Python and of these packages."""
    versions = [f"{name} {metadata.version(name)}" for name in packages or ("leadlight", "torch", "numpy")]
    return (
        f"{time.strftime('%Y-%m-%d')}; {processor()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {', '.join(versions)}."
    )
