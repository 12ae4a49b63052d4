"""
Play many simulated schedules: python -m tests.simulation --seeds 0:100000 --jobs 2

Exit 1 when a rule was broken; what is printed then is enough to play it again (--seeds N:N+1).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "core")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parent / "core"), os.environ.get("PYTHONPATH", "")])  # for the processes of --jobs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Play simulated schedules and check the rules after every step.")
    parser.add_argument("--level", choices=("core", "engine", "both"), default="both", help="the decider alone, the engine over a store, or both")
    parser.add_argument("--seeds", default="0:2000", help="FIRST:END, END not included")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--failures", type=int, default=5, help="stop after so many")
    parser.add_argument("--no-shrink", action="store_true", help="show failing schedules as they are")
    given = parser.parse_args()
    first, _, end = given.seeds.partition(":")

    from simulated.campaign import campaign, shown

    failed = False
    for level in ("core", "engine") if given.level == "both" else (given.level,):
        report = campaign(level, int(first), int(end or int(first) + 1), jobs=given.jobs, failures_max=given.failures, shrinks=not given.no_shrink)
        for found in report.found:
            print(shown(found), end="\n\n")
        failed = failed or bool(report.found)
        speed = report.schedules / max(report.seconds, 0.001)
        print(f"{level}: {report.schedules} schedules, {report.steps} steps, {len(report.found)} failed, {report.seconds:.0f} s, {speed:.0f}/s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
