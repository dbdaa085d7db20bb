"""Shared settings of the tests: the engine's own state is the same before each of them."""

from __future__ import annotations

import signal

import lamina
import pytest

# A shell that starts the tests in the background leaves Ctrl-C ignored, here and in every child: take it back.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _fresh_state():
    lamina.manual_seed(0)
    yield
    assert lamina.is_grad_enabled(), "a test left grad mode off"
    assert lamina.get_default_dtype() == lamina.float32, "a test left another default dtype"


try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch (extra 'peers') is not installed")
