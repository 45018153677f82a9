"""Damaged files of one kind, as many as asked, each read in a process that is watched.

    python -m tests.fuzz json --cases 3000 --seed 7
    python -m tests.fuzz images --cases 3000 --seed 7
    python -m tests.fuzz tflite --cases 2000 --seed 7
    python -m tests.fuzz weights --cases 2000 --seed 7
    python -m tests.fuzz cards --cases 2000 --seed 7
    python -m tests.fuzz states --cases 2000 --seed 7

Prints what was read, what was refused, and each case that broke a promise: an exception that is
none of ours, a process that died, five seconds without an end, more than a gigabyte. Ends with 1
where there was one; the file is kept then.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.watched import AREAS, run


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("area", choices=sorted(AREAS))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-kept")
    options = parser.parse_args()
    ends = run(options.area, options.seed, options.cases, options.keep)
    print(f"{options.area}, seed {options.seed}: " + ", ".join(f"{n} {e}" for e, n in ends.items()))
    return int(set(ends) - {"read", "refused"} != set())


if __name__ == "__main__":
    sys.exit(main())
