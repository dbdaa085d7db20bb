"""The bits of a result do not depend on the memory layout of the operands, the one below the strides included."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from harness import cases, names, outputs, to_numpy


def transposed(t):
    order = tuple(reversed(range(t.ndim)))
    return t.permute(order).contiguous().permute(order)


def sliced(t):
    if t.ndim == 0:
        return t
    wide = lamina.zeros(t.shape[:-1] + (2 * t.shape[-1] + 1,), dtype=t.dtype)
    window = wide.as_strided(t.shape, wide.stride()[:-1] + (2,), 1)
    window.copy_(t)
    return window


def reversed_memory(t):
    """The same values over memory that runs backwards (negative strides)."""
    if t.ndim == 0 or t.dtype == lamina.bfloat16:
        return t
    a = np.ascontiguousarray(t.numpy()[tuple(slice(None, None, -1) for _ in t.shape)])
    return lamina.from_numpy(a[tuple(slice(None, None, -1) for _ in t.shape)])


def channels_last(t):
    return t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) if t.ndim == 4 else t


def has_images(args):
    flat = [t for a in args for t in (a if isinstance(a, list) else [a]) if isinstance(t, lamina.Tensor)]
    return any(t.ndim in (3, 4, 5) and 0 not in t.shape and t.is_floating_point() for t in flat)


def unseen(t):
    """Row-major to all who ask, with the channels side by side in memory (docs/adr/0009)."""
    if not has_images([t]):
        return t
    line = (1,) * (t.ndim - 2)
    conv = getattr(lamina.nn.functional, f"conv{t.ndim - 2}d")
    y = conv(lamina.zeros(t.shape[0], 1, *t.shape[2:]), lamina.zeros(t.shape[1], 1, *line)).to(t.dtype)
    assert y.is_contiguous()
    return y.copy_(t)


LAYOUTS = {
    "transposed": transposed,
    "sliced": sliced,
    "reversed": reversed_memory,
    "channels_last": channels_last,
    "unseen": unseen,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", names())
def test_layout(name, layout):
    for case in cases(name):
        if name == "view":  # its result depends on the layout by definition
            continue
        args = case.tensors("float32")
        if layout == "unseen" and not has_images(args):
            continue

        def lay(a):
            if isinstance(a, list):
                return [lay(x) for x in a]
            return LAYOUTS[layout](a) if isinstance(a, lamina.Tensor) else a

        plain = outputs(case.call(*args, **case.keywords("float32")))
        other = outputs(case.call(*[lay(a) for a in args], **case.keywords("float32")))
        for p, o in zip(plain, other, strict=True):
            assert to_numpy(p).tobytes() == to_numpy(o).tobytes(), f"{case.id}: bits differ for {layout} operands"


@pytest.mark.parametrize("name", names())
def test_gradient_layout(name):
    for case in cases(name):
        if name == "view" or not case.twin.grad:
            continue

        def gradients(change):
            args = [
                change(a.detach()).requires_grad_() if isinstance(a, lamina.Tensor) and a.dtype == lamina.float32 else a
                for a in case.tensors("float32")
            ]
            leaves = [a for a in args if isinstance(a, lamina.Tensor) and a.requires_grad]
            for o in outputs(case.call(*args, **case.keywords("float32"))):
                if o.requires_grad:
                    o.backward(lamina.ones_like(o), retain_graph=True)
            return [to_numpy(a.grad).tobytes() if a.grad is not None else b"" for a in leaves]

        plain = gradients(lambda t: t)
        for change in (transposed, unseen) if has_images(case.tensors("float32")) else (transposed,):
            assert plain == gradients(change), f"{case.id}: gradient bits differ for {change.__name__} operands"


def test_short_rows_across_many_buffers():
    """Rows of 3 elements, more of them than one conversion buffer holds."""
    x = lamina.tensor([0.0, 1.0, 0.25]).expand(6000, 3)
    assert (x >= 0).numpy().all()
    np.testing.assert_array_equal((x + 1).numpy(), x.numpy() + 1)
    y = lamina.arange(6000 * 3).reshape(3, 6000).t()
    np.testing.assert_array_equal((y + lamina.tensor([1, 2, 3])).numpy(), y.numpy() + [1, 2, 3])
