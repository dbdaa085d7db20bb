"""Attention of several heads against PyTorch's, its masks, its cache, and the function behind it."""

from __future__ import annotations

import copy

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina.autograd import gradcheck, gradgradcheck
from layer_twins import compare, flat

pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched:UserWarning")  # PyTorch's, of mixed masks
N, HEADS, E, L, S = 3, 2, 6, 5, 7


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def masks(kind: str, length: int, keys: int, seed=5) -> dict:
    """Arrays of masks in which every query keeps at least one key."""
    rng = np.random.default_rng(seed)
    attn = rng.random((length, keys)) < 0.4
    attn[:, 1] = False
    each = rng.random((N * HEADS, length, keys)) < 0.4
    each[:, :, 1] = False
    padding = np.arange(keys) >= np.array([[keys], [keys - 2], [3]])
    return {
        "none": {},
        "attn": {"attn_mask": attn},
        "attn of heads": {"attn_mask": each},
        "padding": {"key_padding_mask": padding},
        "both": {"attn_mask": attn, "key_padding_mask": padding},
        "both of heads": {"attn_mask": each, "key_padding_mask": padding},
        "added": {"attn_mask": rng.standard_normal((length, keys))},
        "added and padding": {"attn_mask": np.where(attn, -np.inf, 0.5), "key_padding_mask": padding},
        "added padding": {"key_padding_mask": np.where(padding, -np.inf, 0.25)},
    }[kind]


KINDS = ["none", "attn", "attn of heads", "padding", "both", "both of heads", "added", "added and padding"]
KINDS += ["added padding"]


def at_home(home, arrays: dict, dtype: str) -> dict:
    return {k: home.tensor(a if a.dtype == bool else a.astype(dtype)) for k, a in arrays.items()}


def same(a, b):
    for x, y in zip(flat(a), flat(b), strict=True):
        np.testing.assert_array_equal(to_numpy(x), to_numpy(y))


def pair(**options):
    return nn.MultiheadAttention(E, HEADS, **options), torch.nn.MultiheadAttention(E, HEADS, **options)


# ---- PyTorch's numbers ----


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_self_attention(kind, first, need_weights, dtype):
    ours, theirs = pair(batch_first=first)
    given = masks(kind, L, L)

    def call(home, m, x):
        return m(x, x, x, need_weights=need_weights, **at_home(home, given, dtype))

    compare(ours, theirs, [draw(N, L, E) if first else draw(L, N, E)], call, dtype)


OPTIONS = [
    {},
    {"bias": False},
    {"kdim": 4, "vdim": 3},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True, "kdim": 4, "bias": False},
]


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("kind", ["none", "attn", "both", "added and padding"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_cross_attention(options, kind, need_weights, dtype):
    ours, theirs = pair(batch_first=True, **options)
    given = masks(kind, L, S)

    def call(home, m, q, k, v):
        return m(q, k, v, need_weights=need_weights, average_attn_weights=False, **at_home(home, given, dtype))

    widths = options.get("kdim", E), options.get("vdim", E)
    compare(ours, theirs, [draw(N, L, E), *(draw(N, S, w, seed=i) for i, w in enumerate(widths))], call, dtype)


@needs_torch
@pytest.mark.parametrize("need_weights", [True, False])
def test_one_memory_for_keys_and_values(need_weights):
    ours, theirs = pair()
    compare(ours, theirs, [draw(L, N, E), draw(S, N, E)], lambda _, m, q, k: m(q, k, k, None, need_weights), "float64")


@needs_torch
@pytest.mark.parametrize("need_weights", [True, False])
def test_without_a_batch(need_weights):
    ours, theirs = pair(add_zero_attn=True)
    attn, padding = draw(HEADS, L, S) > 0.3, np.arange(S) >= 5
    attn[:, :, 0] = False

    def call(home, m, q, k):
        return m(q, k, k, home.tensor(padding), need_weights, home.tensor(attn))

    compare(ours, theirs, [draw(L, E), draw(S, E)], call, "float64")


@needs_torch
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("need_weights", [True, False])
def test_causal(options, padded, need_weights):
    """is_causal by itself is what PyTorch computes with the mask written out, extra keys included."""
    ours, theirs = pair(batch_first=True, **options)
    padding = masks("padding", L, L)["key_padding_mask"]

    def call(home, m, q, k, v):
        more = {"key_padding_mask": home.tensor(padding)} if padded else {}
        if home is lamina:
            return m(q, k, v, need_weights=need_weights, is_causal=True, **more)
        return m(q, k, v, need_weights=need_weights, attn_mask=torch.ones(L, L).triu(1).bool(), **more)

    widths = options.get("kdim", E), options.get("vdim", E)
    compare(ours, theirs, [draw(N, L, E), *(draw(N, L, w, seed=i) for i, w in enumerate(widths))], call, "float64")


@needs_torch
@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("need_weights", [True, False])
def test_function_is_pytorchs(separate, static, need_weights):
    weights = [draw(*s, seed=i) for i, s in enumerate([(3 * E, E), (3 * E,), (E, E), (E,), (E, E), (E, E), (E, E)])]
    fixed = [draw(N * HEADS, S, E // HEADS, seed=i) for i in range(2)] if static else [None, None]
    runs = []
    for home in (lamina, torch):
        tensors = [home.tensor(a, requires_grad=True) for a in (draw(L, N, E), *weights)]
        x, w, b, out_w, out_b, q, k, v = tensors
        out = home.nn.functional.multi_head_attention_forward(
            x, x, x, E, HEADS, None if separate else w, b, None, None, True, 0.0, out_w, out_b, need_weights=need_weights,
            use_separate_proj_weight=separate, q_proj_weight=q, k_proj_weight=k, v_proj_weight=v,
            static_k=None if fixed[0] is None else home.tensor(fixed[0]),
            static_v=None if fixed[1] is None else home.tensor(fixed[1]),
        )  # fmt: skip
        sum((o.exp() * o).sum() for o in out if o is not None).backward()
        runs.append([o.detach() for o in out if o is not None] + [t.grad for t in tensors if t.grad is not None])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(to_numpy(a), b.numpy(), rtol=1e-9, atol=1e-11)


@needs_torch
def test_start_is_pytorchs():
    ours, theirs = pair(add_bias_kv=True)
    assert [(k, tuple(v.shape)) for k, v in ours.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
    ]
    big = nn.MultiheadAttention(64, 4)
    assert abs(float(big.in_proj_weight.std().item()) - np.sqrt(2 / (64 + 192))) < 2e-3
    assert not to_numpy(big.in_proj_bias).any()
    assert not to_numpy(big.out_proj.bias).any()


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mask", ["none", "causal", "padding", "added"])
@pytest.mark.parametrize(("queries", "keys", "width"), [(130, 130, 64), (2, 300, 8), (67, 33, 3), (257, 129, 1)])
def test_sizes_between_the_tiles_of_kernels(queries, keys, width, mask, dtype):
    ours, theirs = (home.nn.MultiheadAttention(2 * width, 2, batch_first=True) for home in (lamina, torch))
    given = {
        "none": {},
        "causal": {"attn_mask": np.triu(np.ones((queries, keys), bool), 1)},
        "padding": {"key_padding_mask": np.arange(keys) >= np.array([[keys], [keys // 2]])},
        "added": {"attn_mask": draw(4, queries, keys, seed=3)},
    }[mask]

    def call(home, m, q, k):
        return m(q, k, k, need_weights=False, is_causal=mask == "causal", **at_home(home, given, dtype))

    compare(ours, theirs, [draw(2, queries, 2 * width), draw(2, keys, 2 * width, seed=1)], call, dtype)


# ---- what holds by itself ----


def test_both_ways_give_the_same_numbers():
    layer, x = nn.MultiheadAttention(16, 4, batch_first=True), lamina.randn(2, 9, 16)
    slow, weights = layer(x, x, x)
    fast, none = layer(x, x, x, need_weights=False)
    np.testing.assert_allclose(to_numpy(slow), to_numpy(fast), rtol=1e-4, atol=1e-6)
    assert none is None
    np.testing.assert_allclose(to_numpy(weights).sum(-1), 1, rtol=1e-6)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("added", [True, False])
def test_nothing_to_attend_to(need_weights, added):
    """Such rows give the bias of out_proj, with gradients that are numbers."""
    layer = nn.MultiheadAttention(E, HEADS, batch_first=True)
    with lamina.no_grad():
        layer.out_proj.bias.fill_(0.5)
    x = lamina.randn(2, L, E).requires_grad_()
    padding = lamina.tensor([[False] * L, [True] * L])
    if added:
        padding = lamina.zeros(2, L).masked_fill(padding, -float("inf"))
    out, weights = layer(x, x, x, padding, need_weights)
    np.testing.assert_array_equal(to_numpy(out)[1], 0.5)
    if need_weights:
        assert not to_numpy(weights)[1].any()
    out.square().sum().backward()
    assert np.isfinite(to_numpy(x.grad)).all()
    assert all(np.isfinite(to_numpy(p.grad)).all() for p in layer.parameters())


def test_rows_do_not_see_their_neighbours():
    layer, x = nn.MultiheadAttention(32, 4, batch_first=True), lamina.randn(5, 33, 32)
    for need in (True, False):
        whole = layer(x, x, x, need_weights=need, is_causal=True)
        alone = layer(x[3], x[3], x[3], need_weights=need, is_causal=True)
        same([t[3] for t in flat(whole)], alone)
        threads = lamina.get_num_threads()
        try:
            lamina.set_num_threads(1 if threads > 1 else 3)
            same(layer(x, x, x, need_weights=need, is_causal=True), whole)
        finally:
            lamina.set_num_threads(threads)


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_follows_the_seed_and_stops_in_evaluation(need_weights):
    layer, x = nn.MultiheadAttention(E, HEADS, dropout=0.5), lamina.randn(L, N, E)
    runs = []
    for seed in (1, 1, 2):
        lamina.manual_seed(seed)
        runs.append(to_numpy(layer(x, x, x, need_weights=need_weights)[0]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()
    layer.eval()
    same(layer(x, x, x, need_weights=need_weights), layer(x, x, x, need_weights=need_weights))


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("kind", ["none", "padding", "added", "causal"])
def test_gradients_twice(kind, need_weights):
    layer = nn.MultiheadAttention(4, 2, batch_first=True, dtype=lamina.float64)
    names = list(layer.state_dict())
    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    given = {
        "none": {},
        "padding": {"key_padding_mask": lamina.tensor([[False, False, True], [True, True, True]])},
        "added": {"attn_mask": lamina.tensor(draw(3, 3))},
        "causal": {"is_causal": True},
    }[kind]

    def run(x, *params):
        state = dict(zip(names, params, strict=True))
        return tuple(
            flat(lamina.func.functional_call(layer, state, (x, x, x), {"need_weights": need_weights, **given}))
        )

    x = lamina.tensor(draw(2, 3, 4), requires_grad=True)
    assert gradcheck(run, (x, *weights))
    assert gradgradcheck(run, (x, *weights))


@pytest.mark.parametrize("need_weights", [True, False])
def test_gradients_of_extra_keys_twice(need_weights):
    options = {"add_bias_kv": True, "add_zero_attn": True, "kdim": 3, "vdim": 2}
    layer = nn.MultiheadAttention(4, 2, dtype=lamina.float64, **options)
    names = [name for name, _ in layer.named_parameters()]
    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def run(q, k, v, *params):
        state = dict(zip(names, params, strict=True))
        return tuple(flat(lamina.func.functional_call(layer, state, (q, k, v), {"need_weights": need_weights})))

    inputs = [lamina.tensor(draw(n, 1, w, seed=w), requires_grad=True) for n, w in ((2, 4), (3, 3), (3, 2))]
    assert gradcheck(run, (*inputs, *weights))
    assert gradgradcheck(run, (*inputs, *weights))


# ---- the cache ----


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float64])
@pytest.mark.parametrize("length", [9, 300])
def test_cached_steps_are_the_whole(dtype, length):
    """One step at a time, and in pieces, bit for bit what one causal pass gives."""
    layer = nn.MultiheadAttention(16, 2, batch_first=True).to(dtype).eval()
    x = lamina.randn(2, length, 16).to(dtype)
    with lamina.no_grad():
        whole = layer(x, x, x, need_weights=False, is_causal=True)[0]
        for pieces in ([1] * length, [4, 1, length - 7, 2]):
            cache, start = nn.KVCache(2, 2, length, 8, dtype), 0
            for size in pieces:
                part = x[:, start : start + size]
                out = layer(part, part, part, need_weights=False, is_causal=True, cache=cache)[0]
                same(out, whole[:, start : start + size])
                start += size
            assert cache.length == length


def test_cached_steps_with_weights_and_padding():
    layer, x = nn.MultiheadAttention(16, 2, batch_first=True), lamina.randn(2, 6, 16)
    padding = lamina.tensor([[False] * 6, [True, True, False, False, False, False]])
    with lamina.no_grad():
        whole, weights = layer(x, x, x, padding, is_causal=True)
        cache = nn.KVCache(2, 2, 6, 8)
        for t in range(6):
            part = x[:, t : t + 1]
            out, share = layer(part, part, part, padding[:, : t + 1], is_causal=True, cache=cache)
            np.testing.assert_allclose(to_numpy(out), to_numpy(whole[:, t : t + 1]), rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(to_numpy(share), to_numpy(weights[:, t : t + 1, : t + 1]), rtol=1e-5, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=5), st.integers(1, 3))
def test_cache_holds_what_it_was_given(sizes, batch):
    keys = lamina.randn(batch, 2, sum(sizes), 3)
    cache, at = nn.KVCache(batch, 2, sum(sizes), 3), 0
    memory = cache._keys.data_ptr()
    for size in sizes:
        held, values = cache.append(keys[:, :, at : at + size], -keys[:, :, at : at + size])
        at += size
        same(held, keys[:, :, :at])
        same(values, -keys[:, :, :at])
    assert cache.length == at
    index = lamina.arange(batch).flip(0)
    cache.reorder(index)
    same(cache.keys, keys.flip(0))
    same(cache.values, -keys.flip(0))
    assert cache._keys.data_ptr() == memory
    cache.reorder(lamina.tensor([0] * (batch + 1)))
    assert cache.keys.shape == (batch + 1, 2, at, 3)
    same(cache.keys[batch], keys[batch - 1])
    cache.reset(at // 2)
    assert cache.keys.shape[2] == at // 2
    cache.reset()
    assert cache.length == 0


def test_decoding_needs_no_fresh_memory():
    layer = nn.MultiheadAttention(32, 4, batch_first=True).eval()
    cache, x = nn.KVCache(2, 4, 64, 8), lamina.randn(2, 1, 32)

    def decode():
        cache.reset()
        for _ in range(64):
            layer(x, x, x, need_weights=False, is_causal=True, cache=cache)

    with lamina.no_grad():
        for _ in range(2):
            decode()
        before = lamina.memory_stats()
        decode()
        after = lamina.memory_stats()
    assert after["system_allocs"] == before["system_allocs"]
    assert after["allocated"] == before["allocated"]


def test_a_copy_of_a_cache_is_its_own():
    cache = nn.KVCache(1, 1, 4, 2)
    cache.append(lamina.ones(1, 1, 2, 2), lamina.ones(1, 1, 2, 2))
    twin = copy.deepcopy(cache)
    twin.append(lamina.zeros(1, 1, 1, 2), lamina.zeros(1, 1, 1, 2))
    assert (cache.length, twin.length) == (2, 3)
    assert repr(cache) == "KVCache(1, 1, 4, 2, length=2, dtype=lamina.float32)"


# ---- hostile input ----


def zeros(*shape):
    return lamina.zeros(*shape)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m(zeros(L, N, 5), x, x), "query has 5 features"),
        (lambda m, x: m(x, zeros(L, N, 5), x), "key has 5 features"),
        (lambda m, x: m(x, zeros(L, N), x), "features|dims"),
        (lambda m, x: m(x, zeros(L, 2, E), zeros(L, 2, E)), "one batch size"),
        (lambda m, x: m(x, x, zeros(S, N, E)), "one length and batch"),
        (lambda m, x: m(zeros(1, L, N, E), x, x), "3 dims"),
        (lambda m, x: m(x, x, x, zeros(L, N)), "key_padding_mask has shape"),
        (lambda m, x: m(x[:, 0], x[:, 0], x[:, 0], zeros(1, L)), r"must be \(S,\)"),
        (lambda m, x: m(x, x, x, attn_mask=zeros(L, S)), "attn_mask has shape"),
        (lambda m, x: m(x, x, x, attn_mask=zeros(N, L, L)), "attn_mask has shape"),
        (lambda m, x: m(x, x, x, cache=nn.KVCache(N, HEADS, 4, 3)), "beyond max_length"),
        (lambda m, x: m(x, x, x, cache=nn.KVCache(N, HEADS, 9, 4)), "expected"),
    ],
)
def test_wrong_shapes(call, message):
    with lamina.no_grad(), pytest.raises(ValueError, match=message):
        call(nn.MultiheadAttention(E, HEADS), lamina.randn(L, N, E))


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x: m(None, x, x),
        lambda m, x: m(x, x, x, attn_mask=zeros(L, L).long()),
        lambda m, x: m(x, x, x, cache=nn.KVCache(N, HEADS, 9, 3, lamina.float64)),
        lambda m, x: m(x.double(), x.double(), x.double()),
        lambda m, x: nn.KVCache(1, 1, 1, 1).reorder([0]),
        lambda m, x: nn.KVCache(1, 1, 1, 1).append(None, None),
    ],
)
def test_wrong_kinds(call):
    with lamina.no_grad(), pytest.raises(TypeError):
        call(nn.MultiheadAttention(E, HEADS), lamina.randn(L, N, E))


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.MultiheadAttention(6, 4),
        lambda: nn.MultiheadAttention(0, 1),
        lambda: nn.MultiheadAttention(6, 0),
        lambda: nn.MultiheadAttention(6, 2, dropout=2.0),
        lambda: nn.KVCache(1, 2, -3, 4),
        lambda: nn.KVCache(1, 2, 3, 4).reset(1),
        lambda: nn.MultiheadAttention(6, 2, add_zero_attn=True)(*[zeros(1, 1, 6)] * 3, cache=nn.KVCache(1, 2, 3, 3)),
        lambda: nn.functional.multi_head_attention_forward(
            *[zeros(1, 1, 6)] * 3, 6, 2, None, None, None, None, False, 0.0, zeros(6, 6), None
        ),
    ],
)
def test_wrong_settings(call):
    with pytest.raises(ValueError, match=r"\w+: "):
        call()


def test_a_cache_takes_no_gradients():
    cache = nn.KVCache(1, 1, 3, 2)
    key = lamina.ones(1, 1, 1, 2, requires_grad=True)
    with pytest.raises(lamina.GradError, match="no_grad"):
        cache.append(key, key)
    with pytest.raises(IndexError):
        cache.reorder(lamina.tensor([1]))
    assert cache.length == 0


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("need", [True, False])
def test_empty_batch_and_empty_queries(first, need):
    layer = nn.MultiheadAttention(E, HEADS, batch_first=first)
    for n, length in ((0, 4), (2, 0)):
        x = zeros(n, length, E) if first else zeros(length, n, E)
        out, weights = layer(x, x, x, need_weights=need)
        assert out.shape == x.shape
        assert weights is None or weights.shape == (n, length, length)
