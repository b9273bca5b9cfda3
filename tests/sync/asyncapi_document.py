"""Reading ``docs/asyncapi.json`` as whoever integrates does: from a topic to the schema of what comes there."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"


class Document:
    def __init__(self) -> None:
        self.fields: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))

    def resolve(self, reference: str) -> Any:
        """What a reference means: in the document itself, or a file beside it."""
        if not reference.startswith("#/"):
            return json.loads((FILE.parent / reference).read_text(encoding="utf-8"))
        found: Any = self.fields
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]
        return found

    def channel(self, topic: str) -> dict[str, Any]:
        """The one that a message on this topic belongs to; one with fewer parameters counts before others."""
        found = [
            channel
            for channel in sorted(self.fields["channels"].values(), key=lambda one: len(one.get("parameters", {})))
            if re.fullmatch(_pattern(channel["address"]), topic)
        ]
        assert found, f"no channel of the document has the topic {topic}"
        return dict(found[0])

    def check(self, topic: str, payload: bytes) -> str:
        """The name of the message that this is. Raises ``jsonschema.ValidationError``, or fails, if it is none."""
        messages = self.channel(topic)["messages"]
        if payload[:1] == b"\x78":
            payload = zlib.decompress(payload)
        head, *lines = payload.split(b"\n")
        if list(messages) == ["checkpoint"]:
            self._validate("checkpoint", payload.decode())
            return "checkpoint"
        value = json.loads(head)
        name = self._name(topic, value, messages)
        assert name in messages, f"{topic} has no message {name}; there are: {', '.join(messages)}"
        self._validate(name, value)
        assert len(lines) == (value["n"] if name == "batch" else 0)
        for line in lines:
            event = json.loads(line)
            self._validate(f"event.{event['type']}", event)
        return name

    def _name(self, topic: str, value: dict[str, Any], messages: dict[str, Any]) -> str:
        if topic.startswith("v1/feed/"):
            assert topic.split("/", 3)[3].replace("/", ".") == value["type"]
            return f"event.{value['type']}"
        return str(value["k"]) if "k" in value else next(iter(messages))

    def _validate(self, name: str, value: Any) -> None:
        schema = self.fields["components"]["messages"][name]["payload"]
        if "$ref" in schema:
            schema = self.resolve(schema["$ref"])
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)


def _pattern(address: str) -> str:
    """A zone's id is one level of the topic, an event's type may be several."""
    escaped = re.escape(address).replace(r"\{zone\}", "[0-9a-z]{1,23}").replace(r"\{type\}", ".+")
    return escaped
