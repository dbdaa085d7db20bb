"""Every operation of the registry against its NumPy twin, in every float dtype, and against PyTorch where installed."""

from __future__ import annotations

import operator
import pathlib
import re

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import FLOATS, REGISTRY, TOLERANCE, all_names, cases, has_twin, names, outputs, to_numpy


@pytest.mark.parametrize("name", all_names())
def test_is_covered(name):
    assert has_twin(name), f"{name} has no NumPy twin: add one to tests/reference/"


def as_list(expected) -> list[np.ndarray]:
    return [np.asarray(e) for e in expected] if isinstance(expected, (tuple, list)) else [np.asarray(expected)]


def rounded_to(dtype: str, a):
    """Float arrays, also those in lists, with the values that dtype has for them."""
    if isinstance(a, list):
        return [rounded_to(dtype, x) for x in a]
    if isinstance(a, np.ndarray) and a.dtype == np.float64:
        return to_numpy(lamina.tensor(a, dtype=getattr(lamina, dtype)).double())
    return a


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", names())
def test_values(name, dtype):
    for case in cases(name):
        if case.twin.only and dtype not in case.twin.only:
            continue
        # The twin sees the values as rounded to the dtype, so that only the operation's own error counts.
        rounded = [rounded_to(dtype, a) for a in case.args]
        expected = as_list(case.twin.function(*rounded, **case.kwargs))
        got = outputs(case.run(dtype))
        assert len(got) == len(expected), case.id
        for g, e in zip(got, expected, strict=True):
            assert g.shape == e.shape, f"{case.id}: shape {g.shape}, expected {e.shape}"
            tolerance = TOLERANCE[dtype] * case.twin.rtol
            np.testing.assert_allclose(
                to_numpy(g).astype(np.float64), e.astype(np.float64), rtol=tolerance, atol=tolerance, err_msg=case.id
            )


@pytest.mark.parametrize("name", [n for n in names() if "elementwise" in REGISTRY[n]])
def test_inplace_equals_out_of_place(name):
    if f"{name}_" not in REGISTRY:
        pytest.skip("no in-place form")
    for case in cases(name):
        args = case.tensors("float32")
        if args[0].shape != case.call(*args).shape or case.call(*args).dtype != args[0].dtype:
            continue
        expected = case.call(*args)
        target = args[0].clone()
        returned = getattr(target, f"{name}_")(*args[1:])
        assert returned is target
        np.testing.assert_array_equal(to_numpy(target), to_numpy(expected))


def torch_function(case):
    name = case.twin.torch if case.twin.torch is not None else case.name
    if "." in name:
        return operator.attrgetter(name)(torch)
    for home in (torch, torch.nn.functional, torch.Tensor, torch.special):
        if name and hasattr(home, name):
            return getattr(home, name)
    return None


# PyTorch's own float64 gradient of hardsigmoid multiplies by a float32 1/6; its trigamma is 5e-10 off.
TORCH_GRADIENT_TOLERANCE = {"hardsigmoid": 1e-7, "digamma": 1e-8}


@needs_torch
@pytest.mark.parametrize("name", names())
def test_against_torch(name):
    for case in cases(name):
        function = torch_function(case)
        if function is None:
            pytest.skip("PyTorch has no operation of this name")
        if name == "clamp" and case.args[0].shape != np.broadcast_shapes(*(a.shape for a in case.args)):
            continue  # PyTorch does not broadcast the first operand

        grad = case.twin.grad and name not in ("floor_divide",)  # PyTorch has no derivative for it

        def convert(a, grad=grad):
            if isinstance(a, list) and a and isinstance(a[0], np.ndarray):
                return [convert(x) for x in a]
            if not isinstance(a, np.ndarray):
                return a
            return torch.tensor(a, requires_grad=grad and a.dtype == np.float64)

        theirs = [convert(a) for a in case.args]
        if name == "where":
            theirs[0] = theirs[0].detach() != 0
        ours = case.tensors("float64", requires_grad=grad)
        expected = function(*theirs, **{k: convert(v, grad=False) for k, v in case.kwargs.items()})
        expected = list(expected) if isinstance(expected, (tuple, list)) else [expected]
        got = outputs(case.call(*ours, **case.keywords("float64")))
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert g.shape == tuple(e.shape), case.id
            assert str(g.dtype).split(".")[1] == str(e.dtype).split(".")[1], (
                f"{case.id}: {g.dtype} but PyTorch has {e.dtype}"
            )
            np.testing.assert_allclose(
                to_numpy(g).astype(np.float64),
                e.detach().numpy().astype(np.float64),
                rtol=1e-11,
                atol=1e-11,
                err_msg=case.id,
            )
        if not grad:
            continue
        for g, e in zip(got, expected, strict=True):
            if g.requires_grad:
                weight = np.cos(np.arange(g.numel())).reshape(g.shape)
                g.backward(lamina.tensor(weight), retain_graph=True)
                e.backward(torch.tensor(weight), retain_graph=True)
        for o, t in zip(ours, theirs, strict=True):
            if isinstance(o, lamina.Tensor) and o.requires_grad and (o.grad is not None or t.grad is not None):
                ours_grad = np.zeros(o.shape) if o.grad is None else o.grad.numpy()
                theirs_grad = np.zeros(o.shape) if t.grad is None else t.grad.numpy()
                tolerance = TORCH_GRADIENT_TOLERANCE.get(name, 1e-10)
                np.testing.assert_allclose(
                    ours_grad, theirs_grad, rtol=tolerance, atol=tolerance, err_msg=f"{case.id} gradient"
                )


def test_operands_have_torchs_names():
    x = lamina.tensor([0.5, 2.0])
    for f, keywords in [
        (lamina.pow, {"input": x, "exponent": 2}),
        (lamina.pow, {"input": 2, "exponent": x}),
        (lamina.where, {"condition": x > 1, "input": x, "other": 0.0}),
        (lamina.clamp, {"input": x, "min": 1.0, "max": x}),
        (lamina.clip, {"input": x, "min": None, "max": 1.0}),
        (lamina.lerp, {"input": x, "end": 3.0, "weight": 0.25}),
        (lamina.clamp_min, {"input": x, "min": 1}),
        (lamina.clamp_max, {"input": x, "max": 1}),
        (lamina.atan2, {"input": x, "other": 1}),
        (lamina.greater, {"input": x, "other": 1}),
        (lamina.subtract, {"input": x, "other": 1, "alpha": 2}),
        (lamina.true_divide, {"input": x, "other": 4}),
        (lamina.abs, {"input": x}),
    ]:
        assert f(**keywords).tolist() == f(*keywords.values()).tolist()
    assert x.pow(exponent=2).tolist() == [0.25, 4.0]
    assert x.lerp(end=x, weight=0.5).tolist() == x.tolist()
    assert x.clone().pow_(exponent=2).tolist() == [0.25, 4.0]
    assert x.clone().clip_(min=1).tolist() == [1.0, 2.0]


def test_stubs_name_every_operand_and_alias():
    stub = pathlib.Path(lamina.__file__).with_name("_C.pyi").read_text()
    operand, number = "Tensor | Number", "Number"
    for line in [
        f"def pow(input: {operand}, exponent: {operand}, *, out: Any = None) -> Tensor:",
        f"    def pow_(self, exponent: {operand}) -> Tensor:",
        f"def lerp(input: {operand}, end: {operand}, weight: {operand}, *, out: Any = None) -> Tensor:",
        f"    def clamp_min(self, min: {operand}) -> Tensor:",
        f"def greater(input: {operand}, other: {operand}, *, out: Any = None) -> Tensor:",
        f"    def subtract_(self, other: {operand}, alpha: {number} = 1) -> Tensor:",
        f"    def eq_(self, other: {operand}) -> Tensor:",
        "def absolute(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:",
        "def concat(tensors: Sequence[Tensor], dim: builtins.int = 0, *, out: Any = None) -> Tensor:",
    ]:
        assert line + "\n" in stub, line
    assert not re.search(r"\*\*kwargs: Any\) -> Any", stub)
