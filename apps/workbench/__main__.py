"""`python -m samantic.workbench URL PORT`: the workbench in a process of its own."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if "--end-with-input" in sys.argv:
        from samantic.workbench.waiting import end_with_input

        end_with_input()
    from samantic.workbench.app import run

    run(sys.argv[1], int(sys.argv[2]))
