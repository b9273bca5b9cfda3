"""Reading a policy: config/policy.toml, and over it what a bureau wants otherwise."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from custody.policy import Policy

from .errors import ConfigurationError
from .loading import explain

DEFAULT_FILE = Path(__file__).with_name("policy.toml")


def load_policy(file: Path | None = None) -> Policy:
    """The default policy; with ``file``, what it names replaces the default, key by key (``tiers`` as a whole).

    Raises ``ConfigurationError`` naming the file and every wrong key.
    """
    if file is None:
        return _default()
    return _checked(_merged(_read(DEFAULT_FILE), _read(file)), file)


@cache
def _default() -> Policy:
    return _checked(_read(DEFAULT_FILE), DEFAULT_FILE)


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except OSError as error:
        mend = "give the path of a policy file with --policy, or leave the option out"
        raise ConfigurationError(file, [f"the file cannot be read ({error.strerror}); {mend}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(file, [f"not valid TOML: {error}"]) from error


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _checked(found: dict[str, Any], file: Path) -> Policy:
    try:
        return Policy.model_validate(found)
    except ValidationError as error:
        raise ConfigurationError(file, [explain(problem, Policy) for problem in error.errors()]) from error
