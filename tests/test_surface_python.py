"""What is written in Python: methods of Tensor, cov and its kin, transforms, DistributedSampler, messages of layers."""

from __future__ import annotations

import copy
import pickle
import warnings

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina.autograd import gradcheck, gradgradcheck
from lamina.distributions import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    Independent,
    IndependentTransform,
    Normal,
    Poisson,
    PowerTransform,
    SigmoidTransform,
    SoftplusTransform,
    TanhTransform,
    TransformedDistribution,
    Uniform,
    kl_divergence,
)
from lamina.nn.attention import SDPBackend, sdpa_kernel
from lamina.utils.data import DataLoader, DistributedSampler


# -- methods of Tensor --------------------------------------------------------------------------------------------------
def test_new():
    x = lamina.ones(2, dtype=lamina.int32)
    assert x.new(2, 3).shape == (2, 3) and x.new(()).shape == () and x.new().shape == (0,)
    assert x.new((2, 3)).dtype == lamina.int32 and x.new([2, 3]).tolist() == [2, 3]
    assert x.new(np.array([1.5])).tolist() == [1]
    y = lamina.ones(2)
    z = y.new(y)
    assert z.tolist() == [1, 1] and not y.new(nn.Parameter(y)).requires_grad
    for bad in ("ab", 1.5):
        with pytest.raises(TypeError, match="new: expected sizes or one sequence"):
            x.new(bad)
    with pytest.raises(TypeError, match="new: expected sizes"):
        x.new([1], [2])


def test_type():
    x = lamina.tensor([1.5, 2.0], requires_grad=True)
    for name in "Float Double Half BFloat16 Long Int Short Char Byte Bool".split():
        kind = getattr(lamina, name + "Tensor")
        for asked in (kind, f"lamina.{name}Tensor", f"torch.{name}Tensor", kind.dtype):
            y = x.type(asked)
            assert isinstance(y, kind) and y.type() == f"lamina.{name}Tensor"
    assert x.type(lamina.float32) is x
    x.type("torch.DoubleTensor").sum().backward()
    assert x.grad.tolist() == [1, 1]
    for bad in ("FloatTensor", "torch.Tensor", "numpy.FloatTensor", int, 3):
        with pytest.raises(ValueError, match="type: expected a dtype"):
            x.type(bad)


@given(st.integers(0, 9), st.integers(0, 5), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_fill_diagonal(rows, columns, wrap, turned):
    x = lamina.arange(rows * columns).reshape(rows, columns)
    expected = np.arange(rows * columns).reshape(rows, columns)
    if turned:  # strides that are not those of a contiguous matrix
        x = x.t().contiguous().t()
    if columns:
        np.fill_diagonal(expected, -1, wrap=wrap) if rows else None
    assert x.fill_diagonal_(-1, wrap) is x
    assert x.tolist() == expected.tolist()


def test_fill_diagonal_of_cubes_and_gradients():
    x = lamina.zeros(3, 3, 3, 3)
    x.fill_diagonal_(2)
    assert x.sum().item() == 6 and all(x[i, i, i, i].item() == 2 for i in range(3))
    for wrap in (False, True):
        x = lamina.randn(7, 3, dtype=lamina.float64, requires_grad=True)
        assert gradcheck(lambda x, wrap=wrap: (x * 2).fill_diagonal_(3.0, wrap), (x,))
    x = lamina.ones(2, 2, 2, requires_grad=True)
    (x * 2).fill_diagonal_(0).sum().backward()
    assert x.grad.sum().item() == 12 and x.grad[1, 1, 1].item() == 0
    with pytest.raises(lamina.ShapeError, match="equal sizes"):
        lamina.zeros(2, 2, 3).fill_diagonal_(1)
    with pytest.raises(lamina.ShapeError, match="at least two dims"):
        lamina.zeros(2).fill_diagonal_(1)
    with pytest.raises(lamina.GradError):
        lamina.zeros(2, 2, requires_grad=True).fill_diagonal_(1)


def test_apply_and_map():
    seen = []
    x = lamina.arange(6).reshape(2, 3).t()
    assert x.apply_(lambda v: seen.append(v) or v * 10) is x
    assert seen == [0, 3, 1, 4, 2, 5] and x.tolist() == [[0, 30], [10, 40], [20, 50]]
    assert lamina.empty(0).apply_(lambda v: 1 / 0).shape == (0,)
    assert lamina.ones(2, dtype=lamina.bool).apply_(lambda v: not v).tolist() == [False, False]
    x = lamina.ones(2)
    with pytest.raises(ZeroDivisionError):
        x.apply_(lambda v: v / 0)
    assert x.tolist() == [1, 1]
    for method, arguments in (("apply_", (abs,)), ("map_", (x, max))):
        with pytest.raises(lamina.GradError, match=method):
            getattr(lamina.ones(2, requires_grad=True), method)(*arguments)
    with pytest.raises(TypeError, match="map_: tensor must be a Tensor"):
        x.map_(3, max)


def test_sharing_changes_nothing():
    x, layer = lamina.ones(2), nn.Linear(2, 2)
    assert x.share_memory_() is x and not x.is_shared() and x.pin_memory() is x and not x.is_pinned()
    assert layer.share_memory() is layer


# -- functions ----------------------------------------------------------------------------------------------------------
def test_functions_in_place():
    from lamina import _inplace

    for name in _inplace.__all__:
        assert getattr(lamina, name) is getattr(_inplace, name)
    x = lamina.tensor([-1.0, 4.0])
    assert lamina.relu_(x) is x and lamina.sqrt_(x).tolist() == [0, 2]
    x = lamina.tensor([0.5], requires_grad=True)
    lamina.sigmoid_(x * 1).backward()
    assert abs(x.grad.item() - 0.235004) < 1e-6
    assert copy.deepcopy(lamina.relu_) is lamina.relu_ and pickle.loads(pickle.dumps(lamina.tanh_)) is lamina.tanh_
    with pytest.raises((TypeError, ValueError)):
        lamina.relu_([1.0])


@needs_torch
def test_names_of_functions_in_place_are_those_of_pytorch():
    theirs = {n for n in dir(torch) if n.endswith("_") and not n.startswith("_") and hasattr(lamina.Tensor, n)}
    assert not [n for n in sorted(theirs) if not hasattr(lamina, n)]


def test_cov_against_numpy():
    rng = np.random.default_rng(0)
    for shape in ((3, 5), (1, 4), (6,), (2, 2)):
        data = rng.normal(size=shape)
        count = shape[-1]
        f, a = rng.integers(1, 4, count), rng.random(count)
        for correction in (0, 1):
            for weights in ({}, {"fweights": f}, {"aweights": a}, {"fweights": f, "aweights": a}):
                expected = np.cov(data, ddof=correction, **weights)
                found = lamina.cov(
                    lamina.tensor(data), correction=correction, **{k: lamina.tensor(v) for k, v in weights.items()}
                )
                np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(lamina.tensor(data).corrcoef().numpy(), np.corrcoef(data), rtol=1e-12)


def test_cov_gradients():
    x = lamina.randn(3, 5, dtype=lamina.float64, requires_grad=True)
    a = lamina.rand(5, dtype=lamina.float64).add(0.5).requires_grad_()
    f = lamina.tensor([1, 2, 1, 3, 1])
    assert gradcheck(lamina.cov, (x,)) and gradgradcheck(lamina.cov, (x,))
    assert gradcheck(lambda x, a: lamina.cov(x, fweights=f, aweights=a), (x, a))
    assert gradcheck(lambda x: lamina.corrcoef(x).tril(-1), (x,))
    y = lamina.randn(2, 1, 5, dtype=lamina.float64, requires_grad=True)
    for p in (1, 2, 3.5, float("inf")):
        assert gradcheck(lambda x, y, p=p: lamina.dist(x, y, p), (x, y))


def test_cov_refuses():
    x = lamina.rand(2, 3)
    for weights, error in (
        ({"fweights": lamina.ones(3)}, lamina.DtypeError),
        ({"aweights": lamina.ones(3, dtype=lamina.int64)}, lamina.DtypeError),
        ({"fweights": lamina.tensor([1, 2])}, lamina.ShapeError),
        ({"fweights": lamina.tensor([1, -2, 3])}, ValueError),
        ({"aweights": lamina.zeros(3)}, ValueError),
        ({"aweights": [1, 2, 3]}, TypeError),
    ):
        with pytest.raises(error, match="cov: "):
            lamina.cov(x, **weights)
    for bad in (lamina.rand(2, 2, 2), lamina.ones(2, dtype=lamina.bool), [1.0]):
        with pytest.raises((TypeError, ValueError), match="cov: "):
            lamina.cov(bad)
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert lamina.cov(lamina.rand(2, 1)).isnan().all()
    with pytest.raises(lamina.ShapeError, match="corrcoef"):
        lamina.corrcoef(lamina.rand(2, 2, 2))
    with pytest.raises(lamina.DtypeError, match="dist: needs a floating dtype"):
        lamina.dist(lamina.tensor([1]), lamina.tensor([2]))


@given(st.lists(st.integers(1, 5), max_size=4), st.data())
@settings(max_examples=50, deadline=None)
def test_unravel_index(shape, data):
    total = int(np.prod(shape))
    flat = data.draw(st.lists(st.integers(0, total - 1), max_size=5))
    found = lamina.unravel_index(lamina.tensor(flat, dtype=lamina.int64), shape)
    expected = np.unravel_index(np.array(flat, dtype=np.int64), shape) if shape else ()
    assert [f.tolist() for f in found] == [e.tolist() for e in expected]


def test_unravel_index_refuses():
    at = lamina.tensor
    assert [i.item() for i in lamina.unravel_index(at(-1), (2, 3))] == [1, 2]
    for bad in (6, -7):
        with pytest.raises(IndexError, match=rf"index {bad} is outside of shape \(2, 3\)"):
            lamina.unravel_index(at([0, bad]), (2, 3))
    with pytest.raises(IndexError):
        lamina.unravel_index(at([0]), (0, 3))
    with pytest.raises(lamina.DtypeError):
        lamina.unravel_index(at([0.0]), 3)
    with pytest.raises(lamina.ShapeError):
        lamina.unravel_index(at([0]), (3, -1))
    with pytest.raises(TypeError):
        lamina.unravel_index(at([0]), at([3]))


def test_frombuffer():
    memory = bytearray(range(8))
    x = lamina.frombuffer(memory, dtype=lamina.uint8)
    x[0] = 9
    assert memory[0] == 9  # no copy
    with pytest.raises((BufferError, ValueError)):
        memory.append(1)  # held by the tensor
    assert lamina.frombuffer(memory, dtype=lamina.int32, offset=4).shape == (1,)
    half = lamina.tensor([1.5, -2.0, 3.0], dtype=lamina.bfloat16)
    raw = half.float().numpy().view(np.uint16)[1::2].tobytes()
    assert lamina.frombuffer(raw, dtype=lamina.bfloat16, offset=2, count=1).tolist() == [-2]
    assert lamina.frombuffer(raw, dtype=lamina.bfloat16).tolist() == [1.5, -2, 3]
    assert lamina.frombuffer(np.ones(2), dtype=lamina.float64, requires_grad=True).requires_grad
    with pytest.raises(ValueError):
        lamina.frombuffer(b"ab", dtype=lamina.uint8).zero_()
    for arguments in ({"offset": 8}, {"offset": -1}, {"count": 0}, {"count": 3, "dtype": lamina.int32}, {"offset": 1}):
        with pytest.raises(ValueError, match="frombuffer"):
            lamina.frombuffer(memory, **({"dtype": lamina.int16} | arguments))
    for bad in (b"", bytearray([2])):
        with pytest.raises(ValueError, match="frombuffer"):
            lamina.frombuffer(bad, dtype=lamina.bool)
    with pytest.raises(TypeError, match="frombuffer: str"):
        lamina.frombuffer("ab", dtype=lamina.uint8)
    with pytest.raises(TypeError, match="frombuffer: dtype"):
        lamina.frombuffer(memory, dtype="float32")


def test_range():
    with pytest.warns(UserWarning, match="arange"):
        assert lamina.range(0, 2.5).tolist() == [0, 1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert lamina.range(5, 1, -2, dtype=lamina.int64).tolist() == [5, 3, 1]
        assert lamina.range(2**60, 2**60 + 1, dtype=lamina.int64).tolist() == [2**60, 2**60 + 1]
        assert lamina.range(0, 1, 0.5, requires_grad=True).requires_grad
        for bad in ((0, 1, 0), (0, 1, -1), (1, 0), (0, float("inf")), (0, float("nan"))):
            with pytest.raises(ValueError, match="range: "):
                lamina.range(*bad)
        with pytest.raises(ValueError, match="range: step must be whole"):
            lamina.range(0, 3, 1.5, dtype=lamina.int64)


def test_devices_and_memory():
    lamina.set_default_device(None)
    lamina.set_default_device(lamina.device("cpu"))
    with pytest.raises(lamina.DeviceError, match="set_default_device"):
        lamina.set_default_device("cuda")
    assert lamina.get_default_device() == lamina.device("cpu") and lamina.get_device(lamina.ones(1)) == -1
    cuda = lamina.cuda
    for name in "memory_allocated max_memory_allocated memory_reserved max_memory_reserved memory_cached".split():
        assert getattr(cuda, name)() == 0 and getattr(cuda, name)("cuda:0") == 0
    for name in "reset_peak_memory_stats reset_max_memory_allocated ipc_collect".split():
        assert getattr(cuda, name)() is None
    assert cuda.memory_stats() == {} and "not counted" in cuda.memory_summary() and not cuda.is_initialized()


# -- layers -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Linear(4.0, 2), "Linear: in_features must be an int, got 4.0; hint: in_features=4"),
        (lambda: nn.Linear(4, 2.5), "Linear: out_features must be an int, got 2.5$"),
        (lambda: nn.Linear(True, 2), "Linear: in_features must be an int, got True"),
        (lambda: nn.Linear("4", 2), "Linear: in_features must be an int, got '4'"),
        (lambda: nn.Linear(None, 2), "Linear: in_features must be an int, got None"),
        (lambda: nn.Linear(lamina.tensor(4.0), 2), "Linear: in_features must be an int"),
        (lambda: nn.Bilinear(2, 3.0, 4), "Bilinear: in2_features must be an int"),
        (lambda: nn.MultiheadAttention(4.0, 2), "MultiheadAttention: embed_dim must be an int, got 4.0"),
        (lambda: nn.MultiheadAttention(4, 2.0), "MultiheadAttention: num_heads must be an int"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=2.0), "MultiheadAttention: kdim must be an int"),
        (lambda: nn.Conv2d(1.0, 2, 3), "Conv2d: in_channels must be an int"),
        (lambda: nn.Conv2d(1, 2, 3.0), "Conv2d: kernel_size must be an int"),
        (lambda: nn.Conv2d(1, 2, (3, 3.0)), "Conv2d: kernel_size must be an int, got 3.0"),
        (lambda: nn.ConvTranspose1d(1, 2, 3, stride=2.0), "ConvTranspose1d: stride must be an int"),
        (lambda: nn.Embedding(3.0, 2), "Embedding: num_embeddings must be an int"),
        (lambda: nn.EmbeddingBag(3, 2.0), "EmbeddingBag: embedding_dim must be an int"),
        (lambda: nn.BatchNorm2d(3.0), "BatchNorm2d: num_features must be an int"),
        (lambda: nn.GroupNorm(1, 3.0), "GroupNorm: num_channels must be an int"),
        (lambda: nn.LayerNorm(3.0), "LayerNorm: normalized_shape must be an int"),
        (lambda: nn.LayerNorm((3, "a")), "LayerNorm: normalized_shape must be an int"),
        (lambda: nn.TransformerEncoderLayer(4.0, 2), "MultiheadAttention: embed_dim must be an int"),
    ],
)
def test_sizes_of_layers(make, says):
    with pytest.raises(TypeError, match=says):
        make()


def test_sizes_of_other_kinds():
    layer = nn.Linear(np.int64(3), lamina.tensor(2))
    assert type(layer.in_features) is int and type(layer.out_features) is int
    assert nn.Conv2d(np.int32(1), 2, np.array([3, 5])).kernel_size == (3, 5)
    assert nn.Conv2d(1, 2, np.int64(3)).kernel_size == (3, 3)
    assert nn.LayerNorm(np.int64(3)).normalized_shape == (3,)
    assert nn.LayerNorm(lamina.zeros(2, 3).shape[1:]).normalized_shape == (3,)
    with pytest.raises(ValueError, match="Conv2d: kernel_size must be one number or 2"):
        nn.Conv2d(1, 2, (3, 3, 3))


def test_backward_names_what_it_got():
    x = lamina.ones(2, requires_grad=True)
    for bad in (3, "x"):
        with pytest.raises(TypeError, match="backward: expected a Tensor"):
            x.sum().backward(bad)
    for bad in (None, [None], 3):
        with pytest.raises(TypeError, match="backward: "):
            lamina.autograd.backward(bad)
    with pytest.raises(TypeError, match="backward: "):
        x.sum().backward(inputs=[None])
    with pytest.raises(TypeError, match="grad: "):
        lamina.autograd.grad(x.sum(), [None])


def test_sdpa_kernel():
    assert [b.name for b in SDPBackend][:2] == ["ERROR", "MATH"]
    q = lamina.randn(1, 2, 3, 4)
    attend = nn.functional.scaled_dot_product_attention
    with sdpa_kernel(SDPBackend.MATH):
        inside = attend(q, q, q)
    assert (inside == attend(q, q, q)).all()
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION], set_priority=True):
        pass
    for bad in ("math", ["math"], None):
        with pytest.raises(TypeError, match="sdpa_kernel"), sdpa_kernel(bad):
            pass


def test_switches_of_attention_kernels():
    cuda = lamina.backends.cuda
    for name in ("flash", "mem_efficient", "math", "cudnn"):
        enabled, enable = getattr(cuda, f"{name}_sdp_enabled"), getattr(cuda, f"enable_{name}_sdp")
        assert enabled() is True
        enable(False)
        assert enabled() is False
        enable(True)
    with pytest.raises(ZeroDivisionError), cuda.sdp_kernel(True, False, False):
        assert cuda.flash_sdp_enabled() and not cuda.math_sdp_enabled()
        raise ZeroDivisionError
    assert cuda.math_sdp_enabled()


def test_flat_weights():
    lstm = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    flat = lstm._flat_weights
    assert len(flat) == 16 and all(a is b for a, b in zip(flat, lstm.parameters(), strict=True))
    assert lstm._flat_weights_names[:2] == ["weight_ih_l0", "weight_hh_l0"]


# -- distributions ------------------------------------------------------------------------------------------------------
def test_poisson():
    rate = lamina.tensor([0.0, 0.5, 30.0])
    p = Poisson(rate)
    draws = p.sample((20000,))
    assert draws.shape == (20000, 3) and (draws[:, 0] == 0).all()
    assert (draws.mean(0) - rate).abs().max().item() < 0.15 and (draws.var(0) - rate).abs().max().item() < 1.5
    ks = lamina.arange(200.0)
    assert abs(Poisson(30.0).log_prob(ks).exp().sum().item() - 1) < 1e-4
    assert Poisson(2).sample().dtype == lamina.float32 and not p.has_rsample
    assert p.expand((2, 3)).sample().shape == (2, 3)
    r = lamina.tensor([0.5, 3.0], dtype=lamina.float64, requires_grad=True)
    assert gradcheck(lambda r: Poisson(r).log_prob(lamina.tensor([2.0, 4.0], dtype=lamina.float64)), (r,))
    assert kl_divergence(Poisson(0.0), Poisson(2.0)).item() == 2
    with pytest.raises(ValueError, match="rate"):
        Poisson(-1.0)
    with pytest.raises(ValueError, match="value"):
        p.log_prob(lamina.tensor(0.5))


TRANSFORMS = {
    "exp": (ExpTransform(), lambda t: t.ExpTransform()),
    "sigmoid": (SigmoidTransform(), lambda t: t.SigmoidTransform()),
    "tanh": (TanhTransform(), lambda t: t.TanhTransform()),
    "softplus": (SoftplusTransform(), lambda t: t.SoftplusTransform()),
    "affine": (AffineTransform(1.0, -2.0), lambda t: t.AffineTransform(1.0, -2.0)),
    "wide": (AffineTransform(1.0, 2.0, event_dim=1), lambda t: t.AffineTransform(1.0, 2.0, event_dim=1)),
    "inverse": (ExpTransform().inv.inv, lambda t: t.ExpTransform().inv.inv),
    "several": (
        ComposeTransform([ExpTransform(), PowerTransform(0.5), AffineTransform(0.5, 2.0, 1)]),
        lambda t: t.ComposeTransform([t.ExpTransform(), t.PowerTransform(torch.tensor(0.5)), t.AffineTransform(0.5, 2.0, 1)]),
    ),
    "independent": (
        IndependentTransform(ComposeTransform([TanhTransform(), AffineTransform(0.0, 3.0)]), 1),
        lambda t: t.IndependentTransform(t.ComposeTransform([t.TanhTransform(), t.AffineTransform(0.0, 3.0)]), 1),
    ),
}  # fmt: skip


@needs_torch
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_against_pytorch(name):
    ours, theirs = TRANSFORMS[name][0], TRANSFORMS[name][1](torch.distributions)
    data = np.random.default_rng(0).normal(size=(4, 3))
    x, tx = lamina.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, ty = ours(x), theirs(tx)
    log, tlog = ours.log_abs_det_jacobian(x, y), theirs.log_abs_det_jacobian(tx, ty)
    assert tuple(log.shape) == tuple(tlog.shape)
    for a, b in ((y, ty), (log, tlog), (ours.inv(y), theirs.inv(ty))):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9)
    (y.sum() + log.sum()).backward()
    (ty.sum() + tlog.sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), tx.grad.numpy(), rtol=1e-9)
    assert ours.domain.event_dim == theirs.domain.event_dim and ours.codomain.event_dim == theirs.codomain.event_dim
    d = TransformedDistribution(Normal(lamina.zeros(4, 3), 1.0), ours)
    td = torch.distributions.TransformedDistribution(torch.distributions.Normal(torch.zeros(4, 3), 1.0), theirs)
    assert d.batch_shape == tuple(td.batch_shape) and d.event_shape == tuple(td.event_shape)
    assert d.rsample((2,)).shape == (2, 4, 3) and d.expand((5, *d.batch_shape)).sample().shape == (5, 4, 3)
    value = y.detach().float()
    expected = td.log_prob(torch.tensor(value.numpy()))
    np.testing.assert_allclose(d.log_prob(value).numpy(), expected.numpy(), rtol=2e-5, atol=1e-5)


def test_transformed_distributions():
    log_normal = TransformedDistribution(Normal(0.5, 2.0), ExpTransform())
    value = lamina.tensor([0.1, 1.0, 7.0])
    known = lamina.distributions.LogNormal(0.5, 2.0)
    np.testing.assert_allclose(log_normal.log_prob(value).numpy(), known.log_prob(value).numpy(), rtol=1e-5)
    np.testing.assert_allclose(log_normal.icdf(log_normal.cdf(value)).numpy(), value.numpy(), rtol=1e-3)
    lamina.manual_seed(3)
    first = log_normal.sample((5,))
    lamina.manual_seed(3)
    assert first.tolist() == known.sample((5,)).tolist()
    with pytest.raises(ValueError, match="satisfy the constraint"):
        log_normal.log_prob(lamina.tensor(-1.0))
    falling = TransformedDistribution(Uniform(0.0, 1.0), AffineTransform(1.0, -2.0))
    assert falling.cdf(lamina.tensor(0.5)).item() == 0.75 and falling.icdf(lamina.tensor(0.75)).item() == 0.5
    other = TransformedDistribution(Normal(0.0, 1.0), ExpTransform())
    assert kl_divergence(log_normal, other).item() == kl_divergence(Normal(0.5, 2.0), Normal(0.0, 1.0)).item()
    with pytest.raises(NotImplementedError, match="equal transforms"):
        kl_divergence(log_normal, falling)
    wide = TransformedDistribution(Normal(0.0, 1.0), AffineTransform(lamina.zeros(3), 1.0))
    assert wide.batch_shape == (3,) and Independent(wide, 1).log_prob(lamina.zeros(3)).shape == ()
    assert "ExpTransform" in repr(log_normal) and not wide.expand((2, 3)).support.event_dim
    for bad in (3, [3], None):
        with pytest.raises(ValueError, match="transforms must be"):
            TransformedDistribution(Normal(0.0, 1.0), bad)
    with pytest.raises(lamina.ShapeError, match="at least 1 dims"):
        TransformedDistribution(Normal(0.0, 1.0), AffineTransform(0.0, 1.0, event_dim=1))


def test_samples_have_gradients():
    mean = lamina.tensor([0.3, -0.2], requires_grad=True)
    policy = TransformedDistribution(Normal(mean, 0.5), [TanhTransform(cache_size=1), AffineTransform(0.0, 2.0)])
    action = policy.rsample()
    (policy.log_prob(action).sum() + action.sum()).backward()
    assert mean.grad is not None and mean.grad.isfinite().all()


def test_cache_of_transforms():
    x = lamina.tensor([20.0, 0.5])  # tanh(20) is 1, whose inverse is infinite
    t = TanhTransform(cache_size=1)
    y = t(x)
    assert t.inv(y) is x and t(x) is y and TanhTransform().inv(y)[0].isinf()
    assert t.inv(y.clone())[0].isinf() and copy.deepcopy(t) == t and pickle.loads(pickle.dumps(t)) == t
    assert t.with_cache(1) is t and t.with_cache(0)._cache_size == 0
    assert ComposeTransform([ExpTransform()], cache_size=1).parts[0]._cache_size == 1
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        ExpTransform(cache_size=2)


def test_equality_of_transforms():
    assert (
        ExpTransform() == ExpTransform()
        and ExpTransform() != TanhTransform()
        and ExpTransform().inv == ExpTransform().inv
    )
    assert AffineTransform(0.0, 1.0) == AffineTransform(0.0, 1.0) != AffineTransform(0.0, 2.0)
    assert AffineTransform(lamina.zeros(2), 1.0) == AffineTransform(lamina.zeros(2), 1.0)
    assert AffineTransform(lamina.zeros(2), 1.0) != AffineTransform(lamina.zeros(3), 1.0)
    assert ComposeTransform([ExpTransform()]) == ComposeTransform([ExpTransform()]) != ComposeTransform([])
    assert len({ExpTransform(), ExpTransform()}) == 1
    assert AbsTransform()(lamina.tensor(-2.0)).item() == 2 and not AbsTransform().bijective
    with pytest.raises(NotImplementedError, match="AbsTransform has no"):
        AbsTransform().log_abs_det_jacobian(lamina.ones(1), lamina.ones(1))
    with pytest.raises(TypeError, match="parts must be Transforms"):
        ComposeTransform([abs])


# -- DistributedSampler -------------------------------------------------------------------------------------------------
@given(st.integers(1, 13), st.integers(1, 5), st.booleans(), st.booleans(), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_distributed_sampler(count, replicas, shuffle, drop_last, epoch):
    parts = []
    for rank in range(replicas):
        sampler = DistributedSampler(range(count), replicas, rank, shuffle, seed=7, drop_last=drop_last)
        sampler.set_epoch(epoch)
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler) and parts[-1] == list(sampler)
    seen = {index for part in parts for index in part}
    assert len({len(part) for part in parts}) == 1
    assert seen <= set(range(count)) and (drop_last or seen == set(range(count)))
    if drop_last:
        assert len(seen) == sum(map(len, parts)) > count - replicas


def test_distributed_sampler_epochs_and_errors():
    sampler = DistributedSampler(range(50), num_replicas=2, rank=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first and len(list(DataLoader(lamina.arange(50), batch_size=5, sampler=sampler))) == 5
    sampler.set_epoch(0)
    lamina.manual_seed(99)
    assert list(sampler) == first
    for bad in ({}, {"num_replicas": 2}, {"num_replicas": 2, "rank": 2}, {"num_replicas": 2, "rank": -1}):
        with pytest.raises(ValueError, match="DistributedSampler: "):
            DistributedSampler(range(3), **bad)
    with pytest.raises(TypeError, match="rank must be an int"):
        DistributedSampler(range(3), 2, 1.0)
    with pytest.raises(ValueError, match="empty"):
        DistributedSampler([], 2, 1)
