"""RESULTS.md: every benchmark replaces its own section and leaves the others alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from samantic.evaluation.record import machine as this_machine
from samantic.imaging import atomic_path

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = "# Results\n\nWritten by the scripts of this folder; each section names the script that prints it.\n"


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace the section between this name's markers, or append it; atomic."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    section = f"{start}\n## {name[0].upper()}{name[1:]}\n\n{text.strip()}\n{end}"
    old = path.read_text(encoding="utf-8") if path.exists() else TITLE
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    new = pattern.sub(lambda _: section, old) if pattern.search(old) else f"{old.rstrip()}\n\n{section}\n"
    with atomic_path(path) as temporary:
        temporary.write_text(new, encoding="utf-8")


def machine() -> str:
    """One line about the machine that a figure was measured on, and the code's version."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS.parent, capture_output=True, text=True, check=False
    ).stdout.strip()
    return f"{this_machine()}, commit {commit or '-'}"
