"""Both judges on generated days: ``python tests/oracle/compare.py --seeds 0:1000``.

Prints, for every seed on which they differ, the findings that only one of them has and the fewest event
lines with which they still differ about the same rule. Exit status 1 if any seed differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import orjson  # noqa: E402
from oracle import judge as second_judge  # noqa: E402
from stories import story, until_of  # noqa: E402

from custody.events import parse_line  # noqa: E402

COMPARED = ("stay", "rule", "verdict", "severity", "start", "end", "seconds", "zone", "must")
Row = tuple[Any, ...]
Judge = Callable[[list[bytes], "int | None"], list[dict[str, Any]]]


def first_judge() -> Judge:
    """The product's judge with its default policy."""
    from config.policy import load_policy
    from custody.court import judge

    policy = load_policy(None)

    def run(lines: list[bytes], until_us: int | None) -> list[dict[str, Any]]:
        found = judge([parse_line(line) for line in lines], policy, until_us)
        return [finding.to_dict() for finding in found]

    return run


def row(finding: dict[str, Any]) -> Row:
    return tuple(round(finding[k], 6) if k == "seconds" else finding[k] for k in COMPARED)


def differences(first: Judge, lines: list[bytes], until_us: int | None) -> tuple[Counter[Row], Counter[Row]]:
    """(only the product's judge, only the second judge), each counted as often as it was found."""
    product = Counter(row(f) for f in first(lines, until_us))
    second = Counter(row(f) for f in second_judge(lines, until_us))
    return product - second, second - product


def rules_that_differ(first: Judge, lines: list[bytes], until_us: int | None) -> set[str]:
    return {r[1] for only in differences(first, lines, until_us) for r in only}


def shrink(first: Judge, lines: list[bytes], until_us: int | None, rule: str) -> list[bytes]:
    """Drop lines, large pieces first, as long as the judges differ about ``rule``.

    What is left is numbered anew, so that a dropped line leaves no gap in its ledger, unless the
    difference is about the gaps.
    """

    def still(candidate: list[bytes]) -> bool:
        return bool(candidate) and rule in rules_that_differ(first, candidate, until_us)

    kept = list(dict.fromkeys(lines))
    number = _numbered_anew if still(_numbered_anew(kept)) else list
    without_heartbeats = number([line for line in kept if b'"type":"zone.heartbeat"' not in line])
    kept = without_heartbeats if still(without_heartbeats) else number(kept)
    size = len(kept) // 2
    while size >= 1:
        at = 0
        while at < len(kept):
            fewer = number(kept[:at] + kept[at + size :])
            if still(fewer):
                kept = fewer
            else:
                at += size
        size //= 2
    return sorted(kept, key=lambda line: (parse_line(line).time_us, parse_line(line).sequence))


def _numbered_anew(lines: list[bytes]) -> list[bytes]:
    rows = [orjson.loads(line) for line in lines]
    places: dict[str, dict[str, int]] = {}
    for row in sorted(rows, key=lambda r: r["sequence"]):
        places.setdefault(row["ledger"], {}).setdefault(row["sequence"], len(places[row["ledger"]]) + 1)
    for row in rows:
        cited = row["data"].get("follows") if row["type"] == "ledger.opened" else None
        if cited and cited["ledger"] in places:
            cited["size"] = places[cited["ledger"]].get(f"{cited['size']:012d}", 0)
        row["sequence"] = f"{places[row['ledger']][row['sequence']]:012d}"
    return [orjson.dumps(row) for row in rows]


def report(first: Judge, seed: int, lines: list[bytes], until_us: int | None, to_shrink: bool) -> None:
    product, second = differences(first, lines, until_us)
    print(f"== seed {seed}, until {until_us}")
    for name, only in (("product", product), ("second ", second)):
        for found in sorted(only.elements(), key=str):
            print(f"   only {name}: {found}")
    if to_shrink:
        for rule in sorted({r[1] for only in (product, second) for r in only}):
            print(f"   -- {rule}, the fewest lines:")
            fewest = shrink(first, lines, until_us, rule)
            for line in fewest:
                print(f"      {line.decode()}")
            product, second = differences(first, fewest, until_us)
            print(f"      product: {sorted(map(str, product))}")
            print(f"      second:  {sorted(map(str, second))}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the judge with the second judge on generated days.")
    parser.add_argument("--seeds", default="0:200", help="FIRST:LAST, the last not included")
    parser.add_argument("--no-shrink", action="store_true", help="only say which findings differ")
    parser.add_argument("--at-most", type=int, default=10, help="report so many differing seeds in full")
    options = parser.parse_args()
    low, high = (int(part) for part in options.seeds.split(":"))
    first = first_judge()
    differing: Counter[str] = Counter()
    reported = 0
    for seed in range(low, high):
        lines = story(seed)
        until_us = until_of(seed, lines)
        rules = rules_that_differ(first, lines, until_us)
        differing.update(rules)
        if rules:
            reported += 1
            if reported <= options.at_most:
                report(first, seed, lines, until_us, not options.no_shrink)
    print(f"{high - low} days, {reported} differ; days by rule: {dict(sorted(differing.items()))}")
    return 1 if reported else 0


if __name__ == "__main__":
    sys.exit(main())
