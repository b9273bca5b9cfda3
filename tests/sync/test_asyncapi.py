"""The published document of topics and messages is that of the models, is whole, and says what the code takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError

from custody.events import MODELS
from sync.asyncapi import main, text
from sync.errors import BadMessage
from sync.protocol import messages, wire
from sync.protocol.messages import Ack, Batch, Command, Hello, Key, Proof, Status, Tree, decode, encode

from .asyncapi_document import FILE, Document

LOG, NOTE = "9f2c61d07a3be845", "test/nz01/9f2c61d07a3be845\n1\nAAAA\n\n— test/nz01 BBBB\n"
LINE = orjson.dumps(
    {
        "specversion": "1.0",
        "id": "01a20606-35c0-7397-8aa3-803366a7c0d1",
        "source": "/zones/nz01",
        "type": "door.opened",
        "time": "2026-11-23T09:04:11.120000+08:00",
        "ledger": LOG,
        "sequence": "000000000001",
        "data": {"door": "front-door"},
    }
)
ALL = {
    "hello": Hello(((LOG, NOTE),), ask="5d0c2b7e9a41f863"),
    "batch": Batch(LOG, 1, NOTE, (LINE, LINE)),
    "status": Status(LOG, NOTE, ask="5d0c2b7e9a41f863", proof=(b"h" * 32,)),
    "ack": Ack(LOG, NOTE),
    "command": Command("i", "open", {"door": "x" * 2000}, "hq", "2026-11-23T09:04:11Z", "n", "s"),
    "tree": Tree(LOG, NOTE),
    "proof": Proof(LOG, 3, (b"x" * 32,), NOTE),
    "key": Key("test/hq+0+k", "test/hq+1+k", "s"),
}
UP = {wire.kind(model) for model in wire.UP}


@pytest.fixture(scope="module")
def document() -> Document:
    return Document()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_committed_document_is_that_of_the_models() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m sync.asyncapi docs/asyncapi.json"


def test_everything_that_it_refers_to_is_there(document: Document) -> None:
    found = set(references(document.fields))
    assert all(document.resolve(one) for one in found)
    assert {f"schema/{type_}.json" for type_ in MODELS} <= found


def test_it_has_the_parts_that_asyncapi_3_wants_of_it(document: Document) -> None:
    fields = document.fields
    assert fields["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(fields["info"])
    assert {"host", "protocol"} <= set(fields["servers"]["broker"])
    channels = {f"#/channels/{name}" for name in fields["channels"]}
    assert {one["channel"]["$ref"] for one in fields["operations"].values()} == channels
    assert {one["action"] for one in fields["operations"].values()} == {"send", "receive"}
    for channel in fields["channels"].values():
        named = set(channel.get("parameters", {}))
        assert named == {part[1:-1] for part in channel["address"].split("/") if part.startswith("{")}
    for message in fields["components"]["messages"].values():
        payload = message["payload"]
        Draft202012Validator.check_schema(document.resolve(payload["$ref"]) if "$ref" in payload else payload)


def test_every_message_that_the_code_reads_is_in_it_and_no_other() -> None:
    kinds = {wire.kind(model) for model in (*wire.UP, *wire.DOWN)}
    assert kinds == set(messages._READERS) == set(ALL)


@pytest.mark.parametrize("kind", ALL)
def test_what_the_code_writes_is_what_the_document_says(document: Document, kind: str) -> None:
    payload = encode(ALL[kind])  # type: ignore[arg-type]
    right, wrong = ("up", "down") if kind in UP else ("down", "up")
    assert document.check(f"v1/nz01/{right}", payload) == kind
    with pytest.raises(AssertionError, match="has no message"):
        document.check(f"v1/nz01/{wrong}", payload)


@pytest.mark.parametrize("kind", ALL)
def test_what_lacks_a_field_is_refused_by_the_code_and_by_the_document(document: Document, kind: str) -> None:
    plain = orjson.loads(_header(kind))
    (model,) = [model for model in (*wire.UP, *wire.DOWN) if wire.kind(model) == kind]
    for lacking in [name for name in plain if model.model_fields[name].is_required()]:
        payload = orjson.dumps({name: value for name, value in plain.items() if name != lacking})
        with pytest.raises(BadMessage):
            decode(payload)
        if lacking != "k":
            with pytest.raises(ValidationError):
                document.check(f"v1/nz01/{'up' if kind in UP else 'down'}", payload)


def _header(kind: str) -> bytes:
    import zlib

    payload = encode(ALL[kind])  # type: ignore[arg-type]
    return (zlib.decompress(payload) if payload[:1] == b"\x78" else payload).split(b"\n")[0]


def test_the_generator_writes_the_file_that_it_is_given(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "asyncapi.json"
    assert main([str(file)]) == 0
    assert json.loads(file.read_text()) == json.loads(text())
    assert main([]) == 2
    assert "FILE" in capsys.readouterr().err
