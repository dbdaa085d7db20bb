"""What PyTorch refuses in its own error inputs, lamina refuses with a typed error."""

from __future__ import annotations

import warnings

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")  # PyTorch's inputs need it
op_db_errors = pytest.importorskip("op_db_errors")
from op_db_exceptions import OUT_TAKEN, TAKEN  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize("name", op_db_errors.names())
def test_error_inputs(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = op_db_errors.run(name)
    assert not found, "\n".join(found[:5])


def test_decisions_are_needed():
    """Each name of the list of decisions is an operation that has error inputs."""
    known = {op_db_errors.op_db.database()[n].name for n in op_db_errors.names()}
    assert not (TAKEN | OUT_TAKEN) - known
