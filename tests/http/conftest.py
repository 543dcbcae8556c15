from __future__ import annotations

import pytest

from tests.http.parts import Running, running


@pytest.fixture
def server(tmp_path) -> Running:
    return running(tmp_path)
