"""The AsyncAPI 3 document of topics and messages: ``python -m sync.asyncapi docs/asyncapi.json``.

It is made from the models of the messages (``sync.protocol.wire``) and of the events; an event's own schema is
referred to where it lies, in ``docs/schema``. The application that it describes is headquarters; a zone is the
other end of each operation.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel

from custody.events.registry import MODELS

from .keys import HEADQUARTERS_NAME
from .protocol import wire
from .protocol.messages import COMPRESS_FROM_BYTES, MESSAGE_BYTES_MAX
from .session import KEEPALIVE_S

MQTT_BINDING = "0.2.0"
CONTENT = "application/x-ndjson"
SCHEMAS = "schema/{type}.json"
"""Where an event's schema lies, seen from the document."""


def document() -> dict[str, Any]:
    """The whole of it, as JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fourmusts: the road between custody zones and headquarters",
            "version": _version(),
            "description": _text(
                f"""MQTT 3.1.1, QoS 1, clean sessions. A message on the topics of a zone is a JSON header, and
                after a batch's header its event lines, each after a line feed; from {COMPRESS_FROM_BYTES} bytes on
                the whole may be zlib (its first byte is then 0x78). Unpacked it has at most {MESSAGE_BYTES_MAX}
                bytes. The broker is trusted with nothing: only the cosignature in an ack frees anything at a zone.
                For other systems there is the feed; subscribe to v1/feed/#."""
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "hq.example:8883",
                "protocol": "secure-mqtt",
                "protocolVersion": "3.1.1",
                "description": _text(
                    """Any MQTT 3.1.1 broker. Each zone has a client certificate whose common name is its id, its
                    user name and its client id, and the broker's access list keeps it to its own topics."""
                ),
                "security": [{"$ref": "#/components/securitySchemes/certificate"}],
                "bindings": {
                    "mqtt": {"cleanSession": True, "keepAlive": KEEPALIVE_S, "bindingVersion": MQTT_BINDING}
                },
            }
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(),
            "parameters": {
                "zone": {"description": "A zone's id: 1 to 23 of [0-9a-z].", "examples": ["nz01"]},
                "type": {
                    "description": "An event's type, with / for each dot. Unknown types are forwarded too.",
                    "examples": ["finding/raised", "stay/entered"],
                },
            },
            "securitySchemes": {"certificate": {"type": "X509", "description": "TLS client certificate."}},
        },
    }


def text() -> str:
    """The document as it is published."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def event_message(type_: str) -> str:
    """The name in the document of the message that carries an event of this type."""
    return f"event.{type_}"


def _channels() -> dict[str, Any]:
    zone = {"zone": {"$ref": "#/components/parameters/zone"}}
    return {
        "up": _channel("v1/{zone}/up", "From a zone to headquarters.", map(wire.kind, wire.UP), zone),
        "down": _channel("v1/{zone}/down", "From headquarters to a zone.", map(wire.kind, wire.DOWN), zone),
        "zoneState": _channel("v1/{zone}/state", "Whether a zone is connected.", ["zoneState"], zone),
        "headquartersState": _channel(
            f"v1/{HEADQUARTERS_NAME}/state", "Whether headquarters is connected.", ["headquartersState"]
        ),
        "headquartersTree": _channel(
            f"v1/{HEADQUARTERS_NAME}/tree", "The checkpoint of headquarters' own ledger.", ["checkpoint"]
        ),
        "headquartersEcho": _channel(
            f"v1/{HEADQUARTERS_NAME}/up",
            "Headquarters to itself, after a silence, to see that the broker still delivers; of no use to others.",
            ["headquartersState"],
        ),
        "feed": _channel(
            "v1/feed/{zone}/{type}",
            "Each verified event of a zone, and each line of headquarters' own ledger that concerns it.",
            map(event_message, MODELS),
            {**zone, "type": {"$ref": "#/components/parameters/type"}},
        ),
    }


def _channel(
    address: str, description: str, messages: Any, parameters: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        **({} if parameters is None else {"parameters": dict(parameters)}),
    }


def _operations() -> dict[str, Any]:
    return {
        "receiveFromZone": _operation("receive", "up"),
        "sendToZone": _operation("send", "down"),
        "seeZone": _operation("receive", "zoneState", retain=True),
        "showItself": _operation("send", "headquartersState", retain=True),
        "showItsTree": _operation("send", "headquartersTree", retain=True),
        "askTheBroker": _operation("send", "headquartersEcho"),
        "publishFeed": _operation("send", "feed"),
    }


def _operation(action: str, channel: str, *, retain: bool = False) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"mqtt": {"qos": 1, "retain": retain, "bindingVersion": MQTT_BINDING}},
    }


def _messages() -> dict[str, Any]:
    found: dict[str, Any] = {wire.kind(model): _message(model, CONTENT) for model in (*wire.UP, *wire.DOWN)}
    found["batch"]["description"] += " Each line has the schema of its event's type, as on the feed."
    found["zoneState"] = _message(wire.ZoneState, "application/json")
    found["headquartersState"] = _message(wire.HeadquartersState, "application/json")
    found["checkpoint"] = {
        "name": "checkpoint",
        "contentType": "text/plain",
        "description": "A C2SP checkpoint with headquarters' cosignature.",
        "payload": {"type": "string"},
    }
    for type_, model in MODELS.items():
        found[event_message(type_)] = {
            "name": type_,
            "contentType": "application/cloudevents+json",
            "description": _text(model.__doc__ or type_),
            "payload": {"$ref": SCHEMAS.format(type=type_)},
        }
    return found


def _message(model: type[BaseModel], content_type: str) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    schema.pop("description", None)
    return {
        "name": schema.pop("title"),
        "contentType": content_type,
        "description": _text(model.__doc__ or ""),
        # References inside a schema are meant from the whole document, so what they refer to is put in place.
        "payload": _inlined(schema, definitions),
    }


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def _text(paragraph: str) -> str:
    return " ".join(inspect.cleandoc(paragraph).split())


def _version() -> str:
    try:
        return version("fourmusts")
    except PackageNotFoundError:
        return "0"


def main(arguments: list[str]) -> int:
    """Write the document to the one file named."""
    from pathlib import Path

    if len(arguments) != 1:
        print("usage: python -m sync.asyncapi FILE", file=sys.stderr)
        return 2
    Path(arguments[0]).write_text(text(), encoding="utf-8")
    print(f"{arguments[0]} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
