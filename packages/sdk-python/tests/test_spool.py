"""The spool: the cases that all languages share, full disks, and the ids of the contract."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ariftly import Ariftly, ClosedError, SendOptions, SpoolEntry, open_spool
from ariftly._send.event_id import EventIdMinter
from ariftly._send.folder_lock import LockHeldError
from sink import ACCEPTED, Sink, event_of

VECTORS = Path(__file__).parents[2] / "sdk" / "contract" / "vectors"


def _vectors(name: str) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in json.loads((VECTORS / name).read_text())]


@pytest.mark.parametrize("vector", _vectors("event-ids.json"))
def test_ids_are_those_of_all_languages(vector: Mapping[str, Any]) -> None:
    random = iter(vector["random"])
    minter = EventIdMinter(lambda: tuple(next(random)))
    assert [minter.mint(ms) for ms in vector["ms"]] == vector["ids"]


@pytest.mark.parametrize("vector", _vectors("spools.json"))
def test_folders_are_those_of_all_languages(vector: Mapping[str, Any], tmp_path: Path) -> None:
    if vector.get("needs_life") and not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    folder = tmp_path / "spool"
    _fill(folder, vector)
    options = vector.get("options", {})
    if vector.get("refused"):
        with pytest.raises(LockHeldError):
            open_spool(folder, **options)
        return
    spool = open_spool(folder, **options)
    warnings: list[str] = []
    recovered = spool.recover(warnings.append)
    assert [_members(each.entry) for each in recovered] == vector["recovered"]
    tickets = [each.ticket for each in recovered]
    for step in vector["steps"]:
        entries = [SpoolEntry(each["json"].encode(), each["at_ms"], each["id"]) for each in step.get("append", [])]
        tickets += spool.append(entries)
        for at in step.get("settle", []):
            spool.settle(tickets[at])
        if "replace_id" in step:
            spool.replace_id(tickets[step["replace_id"][0]], step["replace_id"][1])
    if "files_after" in vector:
        assert _files(folder) == vector["files_after"]
    expected = vector.get("warnings", [])
    assert len(warnings) == len(expected)
    for text, file in zip(warnings, expected, strict=True):
        assert file in text
    spool.close()
    assert "lock" not in os.listdir(folder)


def _fill(folder: Path, vector: Mapping[str, Any]) -> None:
    folder.mkdir(mode=0o700)
    files = {path: text.encode() for path, text in vector.get("files", {}).items()}
    files |= {path: base64.b64decode(text) for path, text in vector.get("files_base64", {}).items()}
    for path, content in files.items():
        (folder / path).parent.mkdir(mode=0o700, exist_ok=True)
        (folder / path).write_bytes(content)
    for path, text in vector.get("locks", {}).items():
        (folder / path).parent.mkdir(mode=0o700, exist_ok=True)
        (folder / path).symlink_to(text.replace("$pid", str(os.getpid())))


def _files(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    texts = {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in paths}
    return {path: text for path, text in texts.items() if text != ""}


def _members(entry: SpoolEntry) -> dict[str, Any]:
    return {"id": entry.id, "at_ms": entry.at_ms, "json": entry.json.decode()}


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_what_is_given_up_because_of_the_key_stays_for_the_next_process(
    sink: Sink, tmp_path: Path, status: int
) -> None:
    problem = {"content-type": "application/problem+json"}
    sink.answer = lambda events: (status, problem)
    sink.body = b'{"code":"x","title":"x"}'
    options = SendOptions(spool=tmp_path / "spool", on_failed=lambda error, event: None)
    with Ariftly(base_url=sink.url, api_key="k", send=options) as client:
        client.events.try_send([event_of(0), event_of(1)])
        client.events.flush()
    sink.answer = lambda events: ACCEPTED
    with Ariftly(base_url=sink.url, api_key="k", send=SendOptions(spool=tmp_path / "spool")) as client:
        assert client.events.flush(10)
    sink.assert_complete(2)
    assert os.listdir(tmp_path / "spool") == []


def test_a_full_disk_fails_the_send_and_keeps_what_was_written(sink: Sink, tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool")
    with Ariftly(base_url=sink.url, api_key="k", send=SendOptions(spool=spool)) as client:
        client.events.send(event_of(0))
        descriptor = spool._descriptor
        spool._descriptor = os.open("/dev/full", os.O_WRONLY)
        with pytest.raises(OSError, match=r"No space left|Invalid argument"):
            client.events.send_nowait(event_of(1))
        os.close(spool._descriptor)
        spool._descriptor = descriptor
        client.events.send(event_of(2))
        assert client.events.stats().sent == 2
    assert [event["data"]["n"] for event in sink.events] == [0, 2]


def test_close_in_a_signal_handler_that_interrupts_the_spool_leaves_the_event_to_the_next_process(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = open_spool(tmp_path / "spool")
    append = spool.append
    with Ariftly(base_url=sink.url, api_key="k", send=SendOptions(spool=spool)) as client:
        client.events.send(event_of(0))

        def interrupted(entries: Sequence[SpoolEntry]) -> Sequence[int]:
            assert client.close(timeout=5) == []
            return append(entries)

        monkeypatch.setattr(spool, "append", interrupted)
        with pytest.raises(ClosedError):
            client.events.send_nowait(event_of(1)).result(5)
    with Ariftly(base_url=sink.url, api_key="k", send=SendOptions(spool=tmp_path / "spool")) as client:
        assert client.events.flush(10)
    sink.assert_complete(2)
    assert os.listdir(tmp_path / "spool") == []


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermissionError):
        open_spool(folder)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(NotADirectoryError):
        open_spool(f"{tmp_path}/link/")
