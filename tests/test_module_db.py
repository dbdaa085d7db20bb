"""lamina's layers against PyTorch's own list of modules, its inputs and its wrong inputs."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

if torch is not None:
    pytest.importorskip("expecttest")  # PyTorch's sample inputs need it
    import module_db

    NAMES = list(module_db.database())
else:
    NAMES = []


@needs_torch
def test_every_module_is_there():
    assert len(NAMES) > 100 and [name for name in NAMES if module_db.class_of(name) is None] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_inputs(name):
    found = module_db.run(name, most=3)
    assert not found, "\n".join(found[:5])


@needs_torch
def test_the_comparison_can_fail(monkeypatch):
    real = lamina.nn.Softplus.forward
    monkeypatch.setattr(lamina.nn.Softplus, "forward", lambda self, x: real(self, x) * (1 + 1e-5))
    assert any("result 0" in p for p in module_db.run("Softplus", most=1))
    monkeypatch.setattr(lamina.nn.BatchNorm1d, "forward", lambda self, x: x)
    assert any("takes wrong input" in p for p in module_db.run("BatchNorm1d", most=1))


def test_what_the_list_found():
    """Each was a difference: eps of batch norms, a scalar's batchmean, ignore_index of probabilities, lazy dtypes."""
    F = lamina.nn.functional
    for eps in (0.0, -1.0):
        with pytest.raises(ValueError, match="eps must be positive"):
            lamina.nn.BatchNorm2d(2, eps=eps)(lamina.randn(2, 2, 3, 3))
    with pytest.raises(ValueError, match="eps must not be negative"):
        F.batch_norm(lamina.ones(2, 2), lamina.zeros(2), lamina.ones(2), eps=-1e-5)
    assert lamina.nn.BatchNorm1d(2, eps=0.0).eval()(lamina.ones(2, 2)).tolist() == [[1.0, 1.0]] * 2
    p, q = lamina.tensor(0.3).log(), lamina.tensor(0.6)
    assert F.kl_div(p, q, reduction="batchmean").item() == F.kl_div(p, q, reduction="sum").item()
    soft = lamina.full((2, 2), 0.5)
    with pytest.raises(ValueError, match="ignore_index"):
        F.cross_entropy(lamina.zeros(2, 2), soft, ignore_index=1)
    np.testing.assert_allclose(F.cross_entropy(lamina.zeros(2, 2), soft).item(), np.log(2), rtol=1e-6)
    for lazy, x in (
        (lamina.nn.LazyConv2d(2, 1), lamina.ones(1, 3, 2, 2)),
        (lamina.nn.LazyLinear(2, bias=False), lamina.ones(1, 3)),
        (lamina.nn.LazyBatchNorm1d(affine=False), lamina.randn(4, 3)),
        (lamina.nn.LazyBatchNorm1d(affine=False, track_running_stats=False), lamina.randn(4, 3)),
    ):
        assert lazy.double()(x.double()).dtype == lamina.float64
