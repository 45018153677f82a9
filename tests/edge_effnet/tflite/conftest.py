"""The editor is tried on the network of the converters' tests."""

from __future__ import annotations

from tests.converters.conftest import tiny  # noqa: F401 (a fixture)
