"""A fork: the parent keeps queue, spool and connections; the child starts afresh."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sink import ACCEPTED, Sink

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

#: A parent with a full queue forks; both go on sending, and end as programs do.
FORK = """
    import os, sys, time
    from ariftly import Ariftly, SendOptions
    url, spool, end = sys.argv[1:4]
    client = Ariftly(base_url=url, api_key="k", send=SendOptions(spool=spool or None))
    def event(n, task):
        return {"type": "task.progress", "task_id": task, "data": {"n": n}}
    client.events.send(event(0, "parent"))
    for n in range(1, 500):
        client.events.try_send(event(n, "parent"))
        if n == 250:
            pid = os.fork()
            if pid == 0:
                stats = client.events.stats()
                assert (stats.sent, stats.queued, stats.in_flight) == (0, 0, 0), stats
                for m in range(100):
                    client.events.try_send(event(m, "child"))
                client.events.send(event(100, "child"))
                for m in range(101, 150):
                    client.events.try_send(event(m, "child"))
                if end == "close":
                    assert client.close() == []
                    os._exit(0)
                sys.exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
"""

MULTIPROCESSING = """
    import multiprocessing, sys
    from ariftly import Ariftly
    client = Ariftly(base_url=sys.argv[1], api_key="k")
    def work(child):
        for n in range(50):
            client.events.try_send({"type": "task.progress", "task_id": f"child-{child}", "data": {"n": n}})
    if __name__ == "__main__":
        client.events.send({"type": "task.progress", "task_id": "parent", "data": {"n": 0}})
        multiprocessing.set_start_method("fork")
        children = [multiprocessing.Process(target=work, args=[child]) for child in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            assert child.exitcode == 0
"""


@pytest.mark.parametrize("end", ["close", "exit"])
@pytest.mark.parametrize("has_spool", [False, True])
def test_both_sides_of_a_fork_send_each_event_once(sink: Sink, tmp_path: Path, has_spool: bool, end: str) -> None:
    spool = tmp_path / "spool"
    _run(FORK, sink.url, str(spool) if has_spool else "", end)
    sink.assert_complete(650)
    assert {task: len(numbers) for task, numbers in sink.numbers().items()} == {"parent": 500, "child": 150}
    if has_spool:
        assert list(spool.iterdir()) == []


def test_a_child_of_multiprocessing_sends_what_is_queued_when_it_ends(sink: Sink) -> None:
    _run(MULTIPROCESSING, sink.url)
    sink.assert_complete(151)


def test_the_events_of_a_child_that_was_killed_are_adopted_by_the_next_opener(sink: Sink, tmp_path: Path) -> None:
    sink.answer = lambda events: (503, {"retry-after": "60"})
    program = """
        import os, signal, sys
        from ariftly import Ariftly, SendOptions
        client = Ariftly(base_url=sys.argv[1], api_key="k", send=SendOptions(spool=sys.argv[2]))
        client.events.try_send({"type": "task.progress", "task_id": "parent", "data": {"n": 0}})
        if os.fork() == 0:
            for n in range(3):
                client.events.try_send({"type": "task.progress", "task_id": "child", "data": {"n": n}})
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    spool = tmp_path / "spool"
    _run(program, sink.url, str(spool), code=-9)
    assert sorted(path.name[:6] for path in spool.iterdir()) == ["000000", "child-", "lock"]
    sink.answer = lambda events: ACCEPTED
    next_opener = """
        import sys
        from ariftly import Ariftly, SendOptions
        with Ariftly(base_url=sys.argv[1], api_key="k", send=SendOptions(spool=sys.argv[2])) as client:
            assert client.events.stats().sent == 4
    """
    _run(next_opener, sink.url, str(spool))
    sink.assert_complete(4)
    assert list(spool.iterdir()) == []


def _run(program: str, *args: str, code: int = 0) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *args], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
