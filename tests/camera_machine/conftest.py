"""One machine with cameras for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.camera_machine import image
from tests.camera_machine.machine import Machine, running
from tests.debian import Impossible


@pytest.fixture(scope="module")  # it takes a third of a core while it runs
def machine() -> Iterator[Machine]:
    with ExitStack() as stack:
        try:
            up = stack.enter_context(running(image.build()))
        except Impossible as reason:
            pytest.skip(f"no emulated PC with cameras here: {reason}")
        yield up
