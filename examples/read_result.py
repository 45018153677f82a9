"""Read what `edge-effnet bench --json RESULT.json` wrote: raw samples, medians, and their worth.

    python examples/read_result.py RESULT.json

Needs the base install.
"""

import sys
from pathlib import Path

from benchmarks.results.store import read_results


def main(file: str) -> None:
    for result in read_results(Path(file)):
        machine = result.environment
        print(f"{machine.device or machine.cpu}, {machine.cores} cores, {machine.runtime}")
        for case in result.cases:
            spread = case.spread
            low, high = spread.median_interval_ms
            print(
                f"  {case.title}: median {spread.p50_ms:.2f} ms ({low:.2f} to {high:.2f}), "
                f"99 % under {spread.p99_ms:.2f} ms, {spread.count} samples"
            )
            for remark in case.verdict.problems:
                print(f"    not valid: {remark.what}; to fix: {remark.fix}")
        for remark in result.verdict.problems:
            print(f"  not valid: {remark.what}; to fix: {remark.fix}")


if __name__ == "__main__":
    main(*sys.argv[1:])
