"""Positions: the formulas of the papers, offsets for decoding, invariances, and attention with each of them."""

from __future__ import annotations

import math

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina.autograd import gradcheck, gradgradcheck

F = nn.functional
FLOATS = [lamina.float32, lamina.float64]


def draw(*shape, seed=0, dtype=lamina.float64):
    return lamina.tensor(np.random.default_rng(seed).standard_normal(shape), dtype=dtype)


def same(a, b):
    np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


# ---- encodings that are added ----


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("dim", "base"), [(8, 10000.0), (7, 10000.0), (1, 100.0), (64, 500.0)])
def test_sinusoids(dim, base, dtype):
    layer = nn.SinusoidalPositionalEncoding(dim, base=base)
    got = to_numpy(layer(lamina.zeros(1, 200, dim, dtype=dtype)))[0]
    angle = np.arange(200)[:, None] / base ** (np.arange(0, dim, 2) / dim)
    expected = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(200, -1)[:, :dim]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-7 if dtype == lamina.float32 else 1e-12)
    assert got.dtype == expected.astype(got.dtype).dtype
    assert layer.state_dict() == {}


@pytest.mark.parametrize(
    "make", [nn.SinusoidalPositionalEncoding, lambda d, **m: nn.LearnedPositionalEncoding(300, d, **m)]
)
@pytest.mark.parametrize("dtype", FLOATS)
def test_offsets_and_layouts_of_added_encodings(make, dtype):
    layer, x = make(6).to(dtype), draw(3, 260, 6, dtype=dtype)
    turned = make(6, batch_first=False).to(dtype)
    turned.load_state_dict(layer.state_dict())
    whole = layer(x)
    same(turned(x.transpose(0, 1)).transpose(0, 1), whole)
    same(layer(x[1]), whole[1])
    same(turned(x[1]), whole[1])
    for start, stop in ((0, 1), (63, 65), (128, 260), (259, 260), (7, 7)):
        same(layer(x[:, start:stop], offset=start), whole[:, start:stop])
        same(turned(x[:, start:stop].transpose(0, 1), start).transpose(0, 1), whole[:, start:stop])


def test_a_table_that_grew_and_a_changed_dtype_have_the_same_rows():
    grown, fresh = nn.SinusoidalPositionalEncoding(8), nn.SinusoidalPositionalEncoding(8)
    grown(lamina.zeros(1, 3, 8))
    grown(lamina.zeros(1, 1000, 8))
    x = lamina.zeros(1, 1000, 8)
    same(grown(x), fresh(x))
    same(grown.double()(x.double()), nn.SinusoidalPositionalEncoding(8)(x.double()))


def test_tables_made_in_inference_serve_training():
    rope, added, x = nn.RotaryEmbedding(4), nn.SinusoidalPositionalEncoding(4), lamina.randn(2, 3, 4)
    with lamina.inference_mode():
        expected = rope.rotate(added(x))
    x.requires_grad_()
    same(rope.rotate(added(x)), expected)
    rope.rotate(added(x)).square().sum().backward()
    assert to_numpy(x.grad).any()


def test_learned_rows_are_parameters():
    layer = nn.LearnedPositionalEncoding(10, 4)
    assert list(layer.state_dict()) == ["weight"]
    wide = nn.LearnedPositionalEncoding(200, 100)
    assert abs(float(wide.weight.std().item()) - 0.02) < 1e-3
    layer(lamina.zeros(3, 2, 4), offset=5).sum().backward()
    expected = np.zeros((10, 4))
    expected[5:7] = 3
    np.testing.assert_array_equal(to_numpy(layer.weight.grad), expected)
    with pytest.raises(ValueError, match="position 10 is beyond max_length 10"):
        layer(lamina.zeros(3, 2, 4), offset=9)


def test_added_encodings_drop_in_training():
    layer, x = nn.SinusoidalPositionalEncoding(8, dropout=0.5), lamina.ones(1, 50, 8)
    out = to_numpy(layer(x))
    assert 0.3 < (out == 0).mean() < 0.7
    assert not (to_numpy(layer.eval()(x)) == 0).all()


@pytest.mark.parametrize("make", [nn.SinusoidalPositionalEncoding, lambda d: nn.LearnedPositionalEncoding(5, d)])
def test_gradients_of_added_encodings_twice(make):
    layer = make(4).double()
    params = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def run(x, *rest):
        named = dict(zip(layer.state_dict(), rest, strict=True))
        return lamina.func.functional_call(layer, named, (x,), {"offset": 2}).exp()

    x = draw(2, 3, 4).requires_grad_()
    assert gradcheck(run, (x, *params))
    assert gradgradcheck(run, (x, *params))


# ---- rotations ----


def rotated(x, dim, base, interleaved, offset):
    """RoFormer's equation 34 in float64."""
    angle = (np.arange(x.shape[-2]) + offset)[:, None] / base ** (np.arange(0, dim, 2) / dim)
    out = x.copy()
    first = slice(0, dim, 2) if interleaved else slice(0, dim // 2)
    second = slice(1, dim, 2) if interleaved else slice(dim // 2, dim)
    a, b = x[..., first], x[..., second]
    out[..., first] = a * np.cos(angle) - b * np.sin(angle)
    out[..., second] = a * np.sin(angle) + b * np.cos(angle)
    return out


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize(("dim", "base"), [(8, 10000.0), (4, 100.0)])
def test_rotation(dim, base, interleaved, dtype):
    rope = nn.RotaryEmbedding(dim, base, interleaved)
    q, k = draw(2, 3, 70, 8, dtype=dtype), draw(2, 1, 70, 8, seed=1, dtype=dtype)
    for offset in (0, 5, 1000):
        for got, x in zip(rope(q, k, offset), (q, k), strict=True):
            expected = rotated(to_numpy(x).astype(np.float64), dim, base, interleaved, offset)
            np.testing.assert_allclose(to_numpy(got), expected, atol=1e-6 if dtype == lamina.float32 else 1e-11)
            assert got.dtype == dtype
    assert rope.state_dict() == {}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 200), st.booleans())
def test_scores_of_rotated_pairs_depend_on_the_distance(i, j, shift, interleaved):
    rope = nn.RotaryEmbedding(6, interleaved=interleaved)
    q, k = draw(1, 6), draw(1, 6, seed=1)
    here = float((rope.rotate(q, i) * rope.rotate(k, j)).sum().item())
    there = float((rope.rotate(q, i + shift) * rope.rotate(k, j + shift)).sum().item())
    assert abs(here - there) < 1e-10
    norm = float(rope.rotate(q, i).square().sum().item())
    assert abs(norm - float(q.square().sum().item())) < 1e-10


@pytest.mark.parametrize("interleaved", [True, False])
def test_cached_decoding_with_rotations_is_the_whole(interleaved):
    rope, length = nn.RotaryEmbedding(8, interleaved=interleaved), 80
    q, k, v = (lamina.randn(2, 2, length, 8) for _ in range(3))
    with lamina.no_grad():
        whole = F.scaled_dot_product_attention(*rope(q, k), v, is_causal=True)
        cache = nn.KVCache(2, 2, length, 8)
        for t in range(length):
            query, key = rope(q[:, :, t : t + 1], k[:, :, t : t + 1], cache.length)
            keys, values = cache.append(key, v[:, :, t : t + 1])
            same(F.scaled_dot_product_attention(query, keys, values), whole[:, :, t : t + 1])


@pytest.mark.parametrize("interleaved", [True, False])
def test_gradients_of_rotations_twice(interleaved):
    rope = nn.RotaryEmbedding(2, interleaved=interleaved)
    q, k = draw(1, 2, 3, 4).requires_grad_(), draw(1, 1, 3, 4, seed=1).requires_grad_()

    def run(q, k):
        return tuple(x.exp() for x in rope(q, k, 3))

    assert gradcheck(run, (q, k))
    assert gradgradcheck(run, (q, k))


# ---- biases ----


def test_slopes_of_heads():
    assert nn.ALiBi(8).slopes == tuple(2.0**-h for h in range(1, 9))
    np.testing.assert_allclose(nn.ALiBi(16).slopes, [2 ** (-0.5 * h) for h in range(1, 17)], rtol=1e-15)
    six = [2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-1, 2.0**-3]  # those of 4, then every other one of 8
    assert nn.ALiBi(6).slopes == tuple(six)
    for heads in range(1, 40):
        assert len(set(nn.ALiBi(heads).slopes)) == heads


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
def test_alibi(causal, dtype):
    layer = nn.ALiBi(3, causal)
    bias = layer(9, dtype=dtype)
    distance = np.abs(np.arange(9)[None] - np.arange(9)[:, None])
    expected = -np.array(layer.slopes)[:, None, None] * distance
    if causal:
        expected[:, np.triu(np.ones((9, 9), bool), 1)] = -math.inf
    np.testing.assert_array_equal(to_numpy(bias), expected)
    assert bias.dtype == dtype
    same(layer(2, offset=7, dtype=dtype), bias[:, 7:])
    same(layer(3, 9, offset=4, dtype=dtype), bias[:, 4:7])
    assert layer(0).shape == (3, 0, 0)


def test_alibi_as_a_mask_is_causal():
    q, k, v = (draw(2, 4, 6, 8, seed=i) for i in range(3))
    bias = nn.ALiBi(4, causal=True)(6, dtype=lamina.float64)
    whole = F.scaled_dot_product_attention(q, k, v, bias)
    scores = to_numpy(q) @ to_numpy(k).swapaxes(-1, -2) / np.sqrt(8) + to_numpy(bias)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    expected = shares / shares.sum(-1, keepdims=True) @ to_numpy(v)
    np.testing.assert_allclose(to_numpy(whole), expected, rtol=1e-12)
    last = F.scaled_dot_product_attention(
        q[:, :, 5:], k, v, nn.ALiBi(4, causal=True)(1, offset=5, dtype=lamina.float64)
    )
    same(last, whole[:, :, 5:])


@needs_torch
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "far"), [(32, 128), (8, 20), (16, 64), (64, 1000), (32, 256)])
def test_buckets_are_those_of_t5(buckets, far, bidirectional):
    """The formula of the paper's code in float64, where no logarithm falls on a border; exact powers on it."""
    layer = nn.T5RelativeBias(2, buckets, far, bidirectional)
    distance = torch.arange(700)[None, :] - torch.arange(700)[:, None]
    one_way = buckets // 2 if bidirectional else buckets
    base = (distance > 0) * one_way if bidirectional else 0
    size = distance.abs() if bidirectional else (-distance).clamp(min=0)
    exact = one_way // 2
    growth = torch.log(size.double().clamp(min=1) / exact) / math.log(far / exact) * (one_way - exact)
    large = (exact + (growth + 1e-9).long()).clamp(max=one_way - 1)
    expected = base + torch.where(size < exact, size, large)
    np.testing.assert_array_equal(to_numpy(layer.buckets(700)), expected.numpy())


def test_t5_bias_reads_its_table():
    layer = nn.T5RelativeBias(3, 8, 16)
    assert [(k, tuple(v.shape)) for k, v in layer.state_dict().items()] == [("relative_attention_bias.weight", (8, 3))]
    bias = layer(10)
    table, buckets = to_numpy(layer.relative_attention_bias.weight), to_numpy(layer.buckets(10))
    np.testing.assert_array_equal(to_numpy(bias), table[buckets].transpose(2, 0, 1))
    same(layer(3, offset=7), bias[:, 7:])
    same(layer(2, 10, offset=3), bias[:, 3:5])
    bias.sum().backward()
    counts = np.bincount(buckets.ravel(), minlength=8)
    np.testing.assert_array_equal(to_numpy(layer.relative_attention_bias.weight.grad), counts[:, None] * np.ones(3))


def test_gradients_of_t5_bias_twice():
    layer = nn.T5RelativeBias(2, 4, 8, dtype=lamina.float64)
    weight = layer.relative_attention_bias.weight.detach().clone().requires_grad_()

    def run(w):
        return lamina.func.functional_call(layer, {"relative_attention_bias.weight": w}, (3, 5)).exp()

    assert gradcheck(run, (weight,))
    assert gradgradcheck(run, (weight,))


def test_printing():
    assert repr(nn.RotaryEmbedding(8)) == "RotaryEmbedding(8, base=10000.0, interleaved=True)"
    assert repr(nn.ALiBi(4)) == "ALiBi(4, causal=False)"
    assert "16, 4, batch_first=True" in repr(nn.LearnedPositionalEncoding(16, 4))
    assert "num_buckets=32" in repr(nn.T5RelativeBias(4))


# ---- hostile input ----


def zeros(*shape):
    return lamina.zeros(*shape)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.SinusoidalPositionalEncoding(0), "d_model"),
        (lambda: nn.SinusoidalPositionalEncoding(4, base=0.0), "base"),
        (lambda: nn.SinusoidalPositionalEncoding(4, dropout=2.0), "dropout"),
        (lambda: nn.SinusoidalPositionalEncoding(4)(zeros(2, 3, 5)), "got"),
        (lambda: nn.SinusoidalPositionalEncoding(4)(zeros(4)), "got"),
        (lambda: nn.SinusoidalPositionalEncoding(4)(zeros(2, 3, 4), -1), "offset"),
        (lambda: nn.SinusoidalPositionalEncoding(4)(zeros(2, 3, 4), 1.5), "offset"),
        (lambda: nn.LearnedPositionalEncoding(0, 4), "max_length"),
        (lambda: nn.LearnedPositionalEncoding(4, 4)(zeros(2, 5, 4)), "beyond max_length 4"),
        (lambda: nn.RotaryEmbedding(3), "even"),
        (lambda: nn.RotaryEmbedding(4, -1.0), "base"),
        (lambda: nn.RotaryEmbedding(4)(zeros(2, 3, 2), zeros(2, 3, 2)), "D >= 4"),
        (lambda: nn.RotaryEmbedding(4).rotate(zeros(2, 4), offset=-2), "offset"),
        (lambda: nn.ALiBi(0), "num_heads"),
        (lambda: nn.ALiBi(2)(-1), "negative"),
        (lambda: nn.ALiBi(2)(3, offset=-1), "offset"),
        (lambda: nn.T5RelativeBias(0), "num_buckets"),
        (lambda: nn.T5RelativeBias(2, 7), "even"),
        (lambda: nn.T5RelativeBias(2, 32, 8), "max_distance"),
        (lambda: nn.T5RelativeBias(2)(3, -1), "negative"),
    ],
)
def test_errors_teach(call, message):
    with pytest.raises(ValueError, match=message):
        call()
