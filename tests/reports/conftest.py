"""A small study whose records a test can set one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.helpers.studies import Made, make


@pytest.fixture(name="make_study")
def _make_study() -> Callable[..., Made]:
    return make
