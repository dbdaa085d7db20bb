"""Names of public programs: FloatTensor and its kin, Variable, compile, backends, DataParallel, old arguments."""

from __future__ import annotations

import copy
import math
import pickle

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

KINDS = "FloatTensor DoubleTensor HalfTensor BFloat16Tensor LongTensor IntTensor ShortTensor CharTensor ByteTensor BoolTensor"


@needs_torch
@pytest.mark.parametrize("kind", KINDS.split())
def test_typed_tensors(kind):
    ours, theirs = getattr(lamina, kind), getattr(torch, kind)
    for data in ([], [[1, 0], [3, 4]], np.array([1, 2], dtype=np.int64), (1, 0)):
        a, b = ours(data), theirs(data)
        assert str(a.dtype).split(".")[-1] == str(b.dtype).split(".")[-1]
        assert a.shape == tuple(b.shape) and a.tolist() == b.tolist()
    assert ours(2, 3).shape == (2, 3) and ours().shape == (0,)
    assert ours is getattr(lamina, kind) and ours.__name__ == kind
    for other in KINDS.split():
        assert isinstance(ours(1), getattr(lamina, other)) == (other == kind)
    assert isinstance(ours(lamina.ones(2)), ours)
    assert not isinstance([1.0], ours)


def test_typed_tensors_refuse():
    with pytest.raises(TypeError, match="FloatTensor: expected sizes or one sequence"):
        lamina.FloatTensor([1.0], [2.0])
    with pytest.raises((TypeError, ValueError)):
        lamina.FloatTensor("x")


def test_variable():
    x = lamina.ones(2)
    v = lamina.autograd.Variable(x, requires_grad=True)
    assert isinstance(v, lamina.Tensor) and isinstance(x, lamina.autograd.Variable)
    assert v.requires_grad and not x.requires_grad and v.data_ptr() == x.data_ptr()
    y = lamina.autograd.Variable((v * 2).sum())
    assert y.is_leaf and not y.requires_grad
    with pytest.raises(TypeError, match="Variable: data must be a Tensor, got list"):
        lamina.autograd.Variable([1.0])


def test_compile_gives_back_what_it_got():
    model = lamina.nn.Linear(2, 2)
    assert lamina.compile(model) is model

    @lamina.compile
    def double(x):
        return 2 * x

    @lamina.compile(mode="reduce-overhead", fullgraph=True)
    def triple(x):
        return 3 * x

    assert double(lamina.ones(1)).item() == 2 and triple(lamina.ones(1)).item() == 3
    with pytest.raises(TypeError, match="compile: expected a Module or a function, got int"):
        lamina.compile(3)


def test_switches():
    backends = lamina.backends
    backends.cudnn.benchmark = True
    backends.cudnn.deterministic = True
    backends.cuda.matmul.allow_tf32 = True
    assert backends.cudnn.benchmark and not backends.cudnn.is_available() and backends.cudnn.version() is None
    assert backends.cuda.is_built() == lamina.cuda.is_available()
    assert not backends.mps.is_available() and not backends.mps.is_built()
    lamina.set_float32_matmul_precision("high")
    assert lamina.get_float32_matmul_precision() == "high"
    lamina.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="expected 'highest', 'high' or 'medium', got 'low'"):
        lamina.set_float32_matmul_precision("low")
    lamina.use_deterministic_algorithms(True, warn_only=True)
    assert lamina.are_deterministic_algorithms_enabled()
    lamina.use_deterministic_algorithms(False)
    assert not lamina.are_deterministic_algorithms_enabled()


def test_cuda_names_without_a_device():
    lamina.manual_seed(3)
    first = lamina.rand(2)
    lamina.manual_seed(3)
    lamina.cuda.manual_seed(7)
    lamina.cuda.manual_seed_all(7)
    lamina.cuda.empty_cache()
    assert lamina.equal(lamina.rand(2), first)
    assert lamina.cuda.amp.GradScaler is lamina.amp.GradScaler


def test_data_parallel():
    inner = lamina.nn.Linear(2, 3)
    model = lamina.nn.parallel.DataParallel(inner, device_ids=[0])
    x = lamina.ones(4, 2)
    assert lamina.equal(model(x), inner(x)) and model.module is inner
    assert list(dict(model.named_parameters())) == ["module.weight", "module.bias"]
    assert not model.eval().module.training
    with pytest.raises(TypeError, match="DataParallel: module must be a Module"):
        lamina.nn.DataParallel(3)
    with pytest.raises(ValueError, match="one device at a time"):
        lamina.nn.DataParallel(inner, device_ids=[0, 1])


def test_arguments_of_grad():
    x = lamina.ones(2, requires_grad=True)
    (g,) = lamina.autograd.grad((x * x).sum(), x, None, True, True, True, True)
    assert g.tolist() == [2.0, 2.0] and g.requires_grad
    with pytest.raises(ValueError, match="only_inputs=False"):
        lamina.autograd.grad(x.sum(), x, only_inputs=False)
    with pytest.raises(ValueError, match="is_grads_batched=True is not supported"):
        lamina.autograd.grad(x.sum(), x, is_grads_batched=True)


@needs_torch
def test_clipping_keeps_float64():
    values = np.random.default_rng(0).standard_normal(5)
    norms, grads = [], []
    for lib in (lamina, torch):
        double = lib.zeros(5, dtype=lib.float64, requires_grad=True)
        double.grad = lib.tensor(values)
        single = lib.zeros(2, requires_grad=True)
        single.grad = lib.ones(2)
        norms.append(lib.nn.utils.clip_grad_norm_([double, single], 0.1))
        grads.append(double.grad.numpy())
        assert norms[-1].dtype == lib.float64
    assert norms[0].item() == pytest.approx(norms[1].item(), rel=1e-15)
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-15)


@pytest.mark.parametrize(
    "op", [lamina.add, lamina.nn.functional.gelu, lamina.tanh, lamina.linalg.matrix_exp, lamina.nn.functional.relu]
)
def test_operations_are_copied_by_name(op):
    assert copy.copy(op) is op and copy.deepcopy([op])[0] is op and pickle.loads(pickle.dumps(op)) is op


def test_a_layer_may_hold_an_operation():
    layer = lamina.nn.TransformerEncoderLayer(4, 2, 8, activation="gelu")
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert list(other.state_dict()) == list(layer.state_dict())
    assert len(lamina.nn.TransformerEncoder(layer, 2).layers) == 2


def test_load_takes_the_arguments_of_programs(tmp_path):
    path = tmp_path / "checkpoint.pth"
    lamina.save({"state_dict": {"w": lamina.ones(2)}, "best": np.float64(0.5), "list": [lamina.zeros(1)]}, path)
    places = (None, "cpu", lamina.device("cpu"), lambda storage, location: storage, {"cuda:0": "cpu"})
    for place in places:
        loaded = lamina.load(path, place, weights_only=False, mmap=True)
        assert loaded["state_dict"]["w"].tolist() == [1.0, 1.0] and loaded["best"] == 0.5
    with pytest.raises((ValueError, RuntimeError), match="tpu"):
        lamina.load(path, map_location="tpu")


def test_constants_and_sizes():
    assert (lamina.pi, lamina.e, lamina.inf) == (math.pi, math.e, math.inf) and math.isnan(lamina.nan)
    x = lamina.ones(2, 3)
    assert x[lamina.newaxis].shape == (1, 2, 3)
    assert isinstance(x.shape, lamina.Size) and lamina.Size([2, 3]) == x.size()


def test_default_tensor_type_and_is_nonzero():
    for given in (lamina.DoubleTensor, "torch.DoubleTensor"):
        lamina.set_default_tensor_type(given)
        assert lamina.ones(1).dtype == lamina.float64
        lamina.set_default_tensor_type(lamina.FloatTensor)
        assert lamina.ones(1).dtype == lamina.float32
    with pytest.raises(TypeError, match="set_default_tensor_type: expected FloatTensor"):
        lamina.set_default_tensor_type("Tensor")
    assert lamina.is_nonzero(lamina.tensor([[2]])) and not lamina.is_nonzero(lamina.tensor(False))
    with pytest.raises(ValueError, match="is_nonzero: expected one element, got 2"):
        lamina.is_nonzero(lamina.ones(2))
