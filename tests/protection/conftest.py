from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protection.apphub import AppHub


@pytest.fixture
def hub() -> Iterator[AppHub]:
    with AppHub().serving() as one:
        yield one
