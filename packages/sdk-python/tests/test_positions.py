"""`packages/sdk/contract/vectors/position-files.json`: both SDKs read and write the same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ariftly import AriftlyError, FilePositionStore

FILE = Path(__file__).parents[2] / "sdk" / "contract" / "vectors" / "position-files.json"


@pytest.mark.parametrize("vector", [pytest.param(each, id=each["name"]) for each in json.loads(FILE.read_text())])
def test_file(vector: Mapping[str, Any], tmp_path: Path) -> None:
    for name, text in vector["files"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    path = tmp_path / vector.get("path", "position")
    store = FilePositionStore(path)
    if "save" in vector:
        store.save(vector["save"])
    if "error" in vector:
        with pytest.raises(AriftlyError) as raised:
            store.load()
        assert raised.value.code == vector["error"]
    else:
        assert store.load() == vector["load"]
    if "after" in vector:
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert {str(file.relative_to(tmp_path)): file.read_text() for file in files} == vector["after"]
    if "mode" in vector:
        assert f"{path.stat().st_mode & 0o777:o}" == vector["mode"]


def test_a_name_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FilePositionStore("position").save("v1.a")
    assert (tmp_path / "position").read_text() == "v1.a"
