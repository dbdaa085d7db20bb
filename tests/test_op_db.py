"""lamina against PyTorch's own sample inputs, for every operation that both have."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")  # PyTorch's sample inputs need it
op_db = pytest.importorskip("op_db")
from op_db_exceptions import OPEN  # noqa: E402


def names():
    for name, op in op_db.database().items():
        if op_db.function_of(op.name):
            marks = [pytest.mark.xfail(reason="open: see op_db_exceptions.py", strict=True)] if name in OPEN else []
            yield pytest.param(name, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(names()))
def test_samples(name):
    outcome = op_db.run(name)
    if outcome.status == "skipped":
        pytest.skip(outcome.reason)
    assert not outcome.failures, "\n".join(outcome.failures[:5])
