"""Prints which of PyTorch's operations pass on its own sample inputs, which fail, which are missing.

usage: python tools/op_report.py [--only conv,linalg] [--failures N] (needs torch and expecttest)
"""

from __future__ import annotations

import argparse
import collections
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

import op_db


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="comma-separated parts of names")
    parser.add_argument("--failures", type=int, default=2, help="failing samples shown for each operation")
    arguments = parser.parse_args()
    wanted = [w for w in arguments.only.split(",") if w]
    groups = collections.defaultdict(list)
    for name in op_db.database():
        if not wanted or any(w in name for w in wanted):
            outcome = op_db.run(name)
            groups[outcome.status].append(outcome)
    for status in ("passed", "skipped", "missing", "failed"):
        print(f"{status}: {len(groups[status])}")
        if status in ("passed", "missing"):
            print("  " + " ".join(o.name for o in groups[status]))
        for o in groups[status] if status in ("skipped", "failed") else []:
            print(f"  {o.name} ({len(o.failures)} of {o.samples} samples) {o.reason}".rstrip())
            for failure in o.failures[: arguments.failures]:
                print(f"    {failure}")
    return 1 if groups["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
