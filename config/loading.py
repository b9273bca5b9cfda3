"""Reading a TOML file into typed settings, with errors that a person can act on."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigurationError


class Settings(BaseModel):
    """A part of a configuration: unknown keys are refused, a misspelt one must not silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Loaded = TypeVar("Loaded", bound=Settings)


def load(model: type[Loaded], file: Path) -> Loaded:
    """The settings in ``file``. Relative paths in them are the caller's to resolve.

    Raises ``ConfigurationError`` naming the file and every wrong key.
    """
    try:
        with file.open("rb") as opened:
            found = tomllib.load(opened)
    except FileNotFoundError:
        mend = "give its path with --config, or copy one of config/*.toml there and edit it"
        raise ConfigurationError(file, [f"the file does not exist; {mend}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(file, [f"not valid TOML: {error}"]) from error
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise ConfigurationError(file, [explain(problem, model) for problem in error.errors()]) from error


def explain(problem: Any, model: type[BaseModel], *, show_found: bool = True) -> str:
    """One problem that pydantic found, as a line that names the key, what was found and the mend.

    Without ``show_found`` no value is repeated: where it may be a person's and the line goes into the ledger.
    """
    where = ".".join(str(part) for part in problem["loc"]) or "(the whole file)"
    if problem["type"] == "extra_forbidden":
        names = _known_names(model)
        close = difflib.get_close_matches(str(problem["loc"][-1]), names, n=1)
        mend = f"did you mean {close[0]!r}?" if close else "remove it"
        return f"{where}: there is no such key; {mend}"
    if problem["type"] == "missing":
        return f"{where}: this key is missing; add it"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{where}: {message}"
    return f"{where}: {message}" if not show_found else f"{where}: {message} (found {problem['input']!r:.80})"


def _known_names(model: type[BaseModel]) -> list[str]:
    """Every key of the model and of the models inside it."""
    names: set[str] = set()
    waiting: list[Any] = [model]
    seen: set[Any] = set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            for name, field in current.model_fields.items():
                names.add(field.alias or name)
                waiting.append(field.annotation)
        waiting.extend(getattr(current, "__args__", ()))
    return sorted(names)
