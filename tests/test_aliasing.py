"""Which results share memory with which arguments: as PyTorch's, for every sample of the registry."""

from __future__ import annotations

import harness
import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina import nn

# Where sharing differs, each a decision.
DECISIONS = {
    "im2col": "PyTorch's F.unfold; Tensor.unfold, a view, is another operation",
    "col2im": "PyTorch's F.fold",
}


def theirs(name: str):
    for home in (torch, torch.nn.functional, torch.linalg, torch.special):
        short = name.removeprefix("linalg_").removeprefix("special_")
        if callable(getattr(home, short, None)):
            return getattr(home, short)
    return getattr(torch.Tensor, name, None)


def arrays(values) -> list[np.ndarray]:
    found = []
    for value in values if isinstance(values, (list, tuple)) else [values]:
        if isinstance(value, (list, tuple)):
            found += arrays(value)
        elif hasattr(value, "numpy"):
            found.append(value.detach().numpy())
    return found


def shared(inputs, result) -> list[tuple[int, int]]:
    """(result, argument) pairs that overlap."""
    given, made = arrays(inputs), arrays(result)
    return [(i, k) for i, a in enumerate(made) for k, b in enumerate(given) if a.size and np.shares_memory(a, b)]


def converted(value):
    if isinstance(value, np.ndarray):
        return torch.tensor(value)
    if isinstance(value, list) and value and isinstance(value[0], np.ndarray):
        return [torch.tensor(v) for v in value]
    return value


@needs_torch
@pytest.mark.parametrize("name", [n for n in harness.names() if n not in DECISIONS])
def test_sharing_equals_torch(name):
    other = theirs(name)
    if other is None:
        pytest.skip("PyTorch has no operation of this name")
    for case in harness.cases(name):
        given = [converted(a) for a in case.args]
        try:
            expected = shared(given, other(*given, **{k: converted(v) for k, v in case.kwargs.items()}))
        except Exception:  # another signature, or a dtype that PyTorch refuses
            continue
        own, keywords = case.tensors("float64"), case.keywords("float64")
        assert shared(own, case.call(*own, **keywords)) == expected, (name, case.number)


SHAPES = [(3,), (1,), (), (1, 3), (3, 1), (2, 1, 3), (0, 2)]


@needs_torch
@pytest.mark.parametrize("shape", SHAPES)
def test_repeating_never_gives_a_view(shape):
    for repeats in (
        (1,),
        (2,),
        (1, 1),
        (2, 1),
        (1, 2),
        (1, 1, 1),
        (3, 1, 1),
        (1, 2, 1),
        (1, 1, 2),
        (0, 1, 1),
        (2, 1, 1, 1),
    ):
        if len(repeats) < len(shape):
            continue
        x, t = lamina.rand(shape), None
        t = torch.tensor(x.numpy().copy())
        for mine, other in ((x.repeat(repeats), t.repeat(repeats)), (x.tile(repeats), t.tile(repeats))):
            assert mine.tolist() == other.tolist() and mine.is_contiguous()
            before = x.tolist()
            mine.fill_(-5.0)
            assert x.tolist() == before
    for count in (1, 2):
        y = x.repeat_interleave(count)
        y.fill_(-7.0)
        assert x.tolist() == before


def test_a_parameter_made_by_repeat_is_trained():
    cls = lamina.zeros(1, 1, 4)
    token = nn.Parameter(cls.repeat(3, 1, 1))
    assert token.is_leaf and token.shape == (3, 1, 4)
    optimizer = lamina.optim.SGD([token], lr=1.0)
    (token * lamina.ones(3, 1, 4)).sum().backward()
    optimizer.step()
    assert token.tolist() == [[[-1.0] * 4]] * 3 and cls.tolist() == [[[0.0] * 4]]
    x = lamina.ones(2, requires_grad=True)
    (x.repeat(3, 1) * lamina.arange(6.0).reshape(3, 2)).sum().backward()
    assert x.grad.tolist() == [6.0, 9.0]
