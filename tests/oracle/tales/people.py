"""Officers and the choices that a register offers."""

from __future__ import annotations

import random
from typing import Any


def officer(name: str, rank: str, sex: str) -> dict[str, Any]:
    return {"id": name, "rank": rank, "sex": sex}


POLICE = [officer(f"p{n}", "police", "f" if n in (3, 6) else "m") for n in range(1, 8)]
AUXILIARIES = [officer(f"a{n}", "auxiliary", "f" if n == 2 else "m") for n in range(1, 5)]
DOCTORS = [officer("d1", "doctor", "m"), officer("d2", "doctor", "f")]
OTHERS = [officer("o1", "other", "m")]


def team(rng: random.Random, least: int, most: int) -> list[dict[str, Any]]:
    pool = rng.choices((POLICE, AUXILIARIES, DOCTORS, OTHERS), weights=(8, 3, 1, 1), k=most)
    picked = [rng.choice(members) for members in pool[: rng.randint(least, most)]]
    return list({o["id"]: o for o in picked}.values())


def police(rng: random.Random, count: int) -> list[dict[str, Any]]:
    return rng.sample(POLICE, count)


FLAGS = ("minor", "drunk", "ill", "injured", "pregnant", "nursing", "elderly", "high_risk")


def flags(rng: random.Random) -> list[str]:
    return rng.sample(FLAGS, rng.choices((0, 1, 2), weights=(7, 2, 1))[0])


KINDS = {
    "administrative_summons": (8, 12, 24, None, 10, 6),
    "criminal_summons": (12, 24, None, 8, 16),
    "compelled_appearance": (12, 24, None),
    "continued_questioning": (12, 24, 48, 4, None, 5, 60),
    "detention": (24, None, 30),
    "none": (None, 8, 9),
}
"""Limits in hours as registers have them, rightly and wrongly."""

HOURS_THAT_BITE = {
    "administrative_summons": (8, 12, 24),
    "criminal_summons": (12, 24),
    "compelled_appearance": (12, 24),
    "continued_questioning": (4, 12, 24, 48),
    "detention": (24,),
    "none": (8,),
}
