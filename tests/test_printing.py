"""Tensors as text: the same layout as PyTorch's, for every dtype and size; copies and pickle."""

import copy
import math
import pickle

import lamina
import pytest

torch = pytest.importorskip("torch")

DTYPES = ["float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64", "bool"]


@pytest.fixture(autouse=True)
def _defaults():
    yield
    lamina.set_printoptions(profile="default")
    torch.set_printoptions(profile="default")


def both(values, dtype="float32", shape=None):
    t = torch.tensor(values, dtype=getattr(torch, dtype))
    x = lamina.tensor(values, dtype=getattr(lamina, dtype))
    if shape is not None:
        t, x = t.reshape(shape), x.reshape(*shape)
    return x, t


def same(x, t):
    assert repr(x) == repr(t).replace("torch.", "lamina.")
    assert str(x) == repr(x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("values", [[1, 0, 1], [[1, 0], [0, 1]], [], [[]], 1], ids=str)
def test_dtypes(dtype, values):
    same(*both(values, dtype))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.5, -3.25],
        [1e-5, 1.0],
        [1e9, 1.0],
        [1.0, 2000.0],
        [0.5, 2000.0],
        [1e-3, 0.9],
        [0.0, 0.0],
        [0.0, -0.0],
        [math.inf, 1.0],
        [math.nan, math.inf, -math.inf],
        [math.nan, 1.5],
        [1e38, -1e-38],
        [100000000.0, 1.0],
        [123456.789, 0.1],
        [-1.0, -2.0, 3.0],
        [1e-45],
        3.14159,
        1e10,
        math.nan,
        -0.0,
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers(values, dtype):
    same(*both(values, dtype))


@pytest.mark.parametrize(
    "shape",
    [
        (7,),
        (30,),
        (1000,),
        (1001,),
        (5, 5),
        (40, 40),
        (2, 3, 4),
        (20, 20, 20),
        (2, 2, 2, 2),
        (1, 1001),
        (1001, 1),
        (6, 1001),
        (7, 200),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_shapes(shape, dtype):
    n = math.prod(shape)
    values = [
        ((7 * i) % 1013) / 8 - 3 if dtype == "float32" else (i * 37) % 1013 if dtype == "int64" else i % 3 == 0
        for i in range(n)
    ]
    same(*both(values, dtype, shape))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_empty(shape, dtype):
    same(lamina.zeros(shape, dtype=getattr(lamina, dtype)), torch.zeros(shape, dtype=getattr(torch, dtype)))


@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2},
        {"precision": 8},
        {"threshold": 5},
        {"edgeitems": 1, "threshold": 3},
        {"linewidth": 30},
        {"sci_mode": True},
        {"sci_mode": False},
        {"profile": "short"},
        {"profile": "full"},
    ],
    ids=str,
)
def test_options(options):
    lamina.set_printoptions(**options)
    torch.set_printoptions(**options)
    values = [i * 1.37 for i in range(24)]
    same(*both(values))
    same(*both(values, shape=(4, 6)))
    same(*both([1e-6, 5.0]))
    same(*both([1.5e9, 2.25]))


def test_options_block_and_errors():
    with lamina._printing.printoptions(precision=1):
        assert repr(lamina.tensor([0.25, 1.0])) == "tensor([0.2, 1.0])"
    assert repr(lamina.tensor([0.25, 1.0])) == "tensor([0.2500, 1.0000])"
    with pytest.raises(ValueError, match="profile"):
        lamina.set_printoptions(profile="pretty")


def test_gradient_state():
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], grad_fn=<MulBackward>)"
    assert repr((x * 2).detach()) == "tensor([2., 4.])"
    long = repr(lamina.ones(13, requires_grad=True))
    assert long.splitlines()[-1] == "       requires_grad=True)"  # as PyTorch: a suffix that does not fit goes below
    assert long == repr(torch.ones(13, requires_grad=True))


def test_views_print_their_own_elements():
    x, t = both([float(i) for i in range(12)], shape=(3, 4))
    same(x.t(), t.t())
    same(x.select(0, 1), t[1])
    same(x.narrow(1, 1, 2), t[:, 1:3])
    same(lamina.ones(1).expand(2, 3), torch.ones(1).expand(2, 3))


def test_format():
    x = lamina.tensor(3.14159)
    assert f"{x:.2f}" == "3.14"
    assert f"{lamina.tensor(7):03d}" == "007"
    assert f"{lamina.tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError):
        format(lamina.tensor([1.0]), ".2f")


def test_big_tensor_is_quick():
    x = lamina.zeros(3000, 3000)
    assert repr(x) == repr(torch.zeros(3000, 3000))


# ---- copies ----


def test_deepcopy():
    x = lamina.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    assert y is not x and y.requires_grad and y.is_leaf
    assert y.tolist() == x.tolist() and y.grad.tolist() == x.grad.tolist()
    assert y.data_ptr() != x.data_ptr() and y.grad.data_ptr() != x.grad.data_ptr()
    a, b = copy.deepcopy([x, x])
    assert a is b
    with pytest.raises(lamina.GradError, match="deepcopy"):
        copy.deepcopy(x * 2)


def test_copy_shares_memory():
    x = lamina.tensor([1.0, 2.0])
    y = copy.copy(x)
    assert y is not x and y.data_ptr() == x.data_ptr()


@pytest.mark.parametrize("dtype", DTYPES)
def test_pickle(dtype):
    x = lamina.tensor([[1, 0], [1, 1]], dtype=getattr(lamina, dtype)).t()
    y = pickle.loads(pickle.dumps(x))
    assert y.dtype == x.dtype and y.shape == x.shape and y.tolist() == x.tolist()


def test_pickle_keeps_requires_grad_and_refuses_history():
    x = lamina.tensor([1.0], requires_grad=True)
    assert pickle.loads(pickle.dumps(x)).requires_grad
    with pytest.raises(lamina.GradError, match="pickle"):
        pickle.dumps(x * 2)


def test_memory_statistics():
    before = lamina.memory_stats()["allocated"]
    x = lamina.zeros(1 << 20)
    assert lamina.memory_stats()["allocated"] - before >= 4 << 20
    del x
    assert lamina.memory_stats()["allocated"] == before
    assert lamina.empty_cache() >= 0
    lamina.reset_peak_memory_stats()
    assert lamina.memory_stats()["peak_allocated"] <= before + (1 << 20)
