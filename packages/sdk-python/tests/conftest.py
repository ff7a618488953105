"""What several tests use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sink import Sink, start_sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with start_sink() as sink:
        yield sink
