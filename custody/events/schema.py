"""JSON Schema of every event type, from the models: ``python -m custody.events.schema docs/schema``.

One file a type, ``<type>.json``, with the whole line: the CloudEvents envelope and the type's ``data``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel

from .registry import MODELS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TIME = {"type": "string", "format": "date-time", "description": "ISO 8601 with its UTC offset."}


def schema_of(type_: str) -> dict[str, Any]:
    """The JSON Schema of a line of this type. Raises ``KeyError`` for a type that is not ours."""
    model: type[BaseModel] = MODELS[type_]
    data = model.model_json_schema(by_alias=True)
    definitions = data.pop("$defs", {})
    data.pop("title", None)
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": type_,
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "UUIDv7, made once."},
            "source": {"type": "string", "pattern": "^/zones/[0-9a-z]{1,23}$"},
            "type": {"const": type_},
            "subject": {"type": "string"},
            "time": {**TIME, "description": "When it happened."},
            "recordedtime": {**TIME, "description": "When it was written; absent when equal to time."},
            "ledger": {"type": "string", "description": "The ledger that the line is in."},
            "sequence": {"type": "string", "pattern": "^[0-9]+$", "description": "From 1, without gaps."},
            "bootid": {"type": "string"},
            "boottime": {"type": "string", "description": "CLOCK_BOOTTIME in seconds at writing."},
            "data": data,
        },
        "required": ["specversion", "id", "source", "type", "time", "ledger", "sequence", "data"],
    }
    if definitions:
        schema["$defs"] = definitions
    return schema


def files() -> dict[str, str]:
    """Every schema by the name of its file, as text that ends in a line feed."""
    return {
        f"{type_}.json": json.dumps(schema_of(type_), indent=2, ensure_ascii=False, sort_keys=False) + "\n"
        for type_ in MODELS
    }


def main(arguments: list[str]) -> int:
    """Write all files into the one directory named; what else lies there is left alone."""
    from pathlib import Path

    if len(arguments) != 1:
        print("usage: python -m custody.events.schema DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (directory / name).write_text(text, encoding="utf-8")
    print(f"{len(files())} schemas written to {directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
