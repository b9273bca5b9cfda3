"""docs/schema holds the JSON Schema of every event type as the models have it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custody.events import MODELS
from custody.events.schema import files, main

DIRECTORY = Path(__file__).parents[2] / "docs" / "schema"


def test_the_committed_schemas_are_those_of_the_models() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in DIRECTORY.glob("*.json")}
    assert committed == files(), "run: python -m custody.events.schema docs/schema"


def test_every_event_type_has_its_schema_with_its_data() -> None:
    for type_ in MODELS:
        schema = json.loads(files()[f"{type_}.json"])
        assert schema["properties"]["type"] == {"const": type_}
        assert schema["properties"]["data"]["type"] == "object"


def test_the_generator_writes_the_files_and_says_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "schema")]) == 0
    assert len(list((tmp_path / "schema").glob("*.json"))) == len(MODELS)
    assert str(len(MODELS)) in capsys.readouterr().out


def test_the_generator_asks_for_a_directory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "DIRECTORY" in capsys.readouterr().err
