"""Reading a policy: config/policy.toml, and over it what a bureau wants otherwise."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from datetime import date
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


@dataclass(frozen=True)
class PolicyDocument:
    """A policy as headquarters sends it to zones."""

    version: int
    policy: Policy


def policy_bytes(version: int, file: Path | None = None) -> bytes:
    """The document that brings the policy in ``file``, by default the default one, to a zone.

    Every number goes with it, so that a zone whose programs are older measures alike. Raises
    ``ConfigurationError``.
    """
    load_policy(file)
    tables = _read(DEFAULT_FILE) if file is None else _merged(_read(DEFAULT_FILE), _read(file))
    fields = {"version": version, "policy": tables}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=date.isoformat).encode()


def read_policy(content: bytes) -> PolicyDocument:
    """A policy from such bytes; what it does not name is as by default. Raises ``ConfigurationError``."""
    where = Path("(the policy that headquarters sent)")
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise ConfigurationError(where, ["it is not JSON"]) from None
    found, version = (fields.get("policy"), fields.get("version")) if isinstance(fields, dict) else (None, None)
    if not isinstance(found, dict) or type(version) is not int:
        raise ConfigurationError(where, ["it has no tables under `policy`, or no whole number as `version`"])
    return PolicyDocument(version, _checked(_merged(_read(DEFAULT_FILE), found), where))


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
