"""One run again, told step by step: ``python tests/sync/simulator/replay.py SEED``. Exit status 1 if it fails."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2])]

from simulation.runs import FAST, headquarters_image, run, small_batches  # noqa: E402


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("seed", type=int)
    seed = arguments.parse_args().seed
    with tempfile.TemporaryDirectory(dir=FAST) as directory, small_batches():
        image = headquarters_image(Path(directory) / "new")
        outcome = run(seed, Path(directory), image, tracing=True)
    print("\n".join(outcome.trace))
    print(f"seed {seed}, faults: {', '.join(sorted(outcome.faults)) or 'none'}")
    print(f"broken: {outcome.broken}" if outcome.broken else "every promise was kept")
    return int(bool(outcome.broken))


if __name__ == "__main__":
    sys.exit(main())
