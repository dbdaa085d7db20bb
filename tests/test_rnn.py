"""Recurrent layers against PyTorch's, row by row, step by step; packed sequences; hostile input."""

from __future__ import annotations

import copy
import warnings

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina.autograd import gradcheck, gradgradcheck
from lamina.nn.utils import rnn as packing
from layer_twins import compare, flat

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")  # PyTorch's, of its own speed
KINDS = ["RNN", "LSTM", "GRU"]
OPTIONS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"batch_first": True, "bias": False},
    {"num_layers": 3, "batch_first": True, "bidirectional": True, "bias": False},
]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def make(home, kind, *args, **options):
    return getattr(home.nn, kind)(*args, **options)


def states(kind, options, n=3, hidden=5):
    """Initial states as arrays: one, or two for LSTM."""
    depth = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    shapes = [(depth, n, options.get("proj_size") or hidden)]
    shapes += [(depth, n, hidden)] if kind == "LSTM" else []
    return [draw(*s, seed=i + 1) for i, s in enumerate(shapes)]


def given_state(hs):
    return hs[0] if len(hs) == 1 else tuple(hs)


def same(a, b):
    for x, y in zip(flat(a), flat(b), strict=True):
        np.testing.assert_array_equal(to_numpy(x), to_numpy(y))


CASES = [(kind, options) for kind in KINDS for options in OPTIONS]
CASES += [("RNN", {"nonlinearity": "relu", "num_layers": 2})]
CASES += [("LSTM", {"proj_size": 2, "num_layers": 2, **more}) for more in ({}, {"bidirectional": True, "bias": False})]


# ---- PyTorch's numbers ----


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("state", [False, True], ids=["zeros", "state"])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_layer_is_pytorchs(kind, options, state, dtype):
    ours, theirs = make(lamina, kind, 4, 5, **options), make(torch, kind, 4, 5, **options)
    assert repr(ours) == repr(theirs)
    x = draw(3, 7, 4) if options.get("batch_first") else draw(7, 3, 4)
    arrays = [x, *(states(kind, options) if state else [])]
    compare(ours, theirs, arrays, lambda home, m, x, *hs: m(x, given_state(hs)) if hs else m(x), dtype)


@needs_torch
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_without_a_batch(kind, options):
    ours, theirs = make(lamina, kind, 4, 5, **options), make(torch, kind, 4, 5, **options)
    hs = [h[:, 0] for h in states(kind, options)]
    compare(ours, theirs, [draw(6, 4), *hs], lambda home, m, x, *hs: m(x, given_state(hs)), "float64")
    compare(ours, theirs, [draw(6, 4)], lambda home, m, x: m(x), "float64")


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_packed_input(kind, options, enforce_sorted, dtype):
    ours, theirs = make(lamina, kind, 4, 5, **options), make(torch, kind, 4, 5, **options)
    lengths = [7, 4, 1] if enforce_sorted else [3, 7, 3]
    first = bool(options.get("batch_first"))
    x = draw(3, 7, 4) if first else draw(7, 3, 4)

    def call(home, m, x, *hs):
        pack = home.nn.utils.rnn
        out, state = m(pack.pack_padded_sequence(x, lengths, first, enforce_sorted), given_state(hs))
        return out, state, pack.pad_packed_sequence(out, first, -2.0, 9)

    compare(ours, theirs, [x, *states(kind, options)], call, dtype)


@needs_torch
def test_dropout_between_layers():
    """Everything dropped: the upper layer sees zeros, as PyTorch's does; evaluation drops nothing."""
    ours, theirs = (make(home, "GRU", 4, 5, 2, dropout=1.0) for home in (lamina, torch))
    compare(ours, theirs, [draw(7, 3, 4)], lambda home, m, x: m(x), "float64")
    compare(ours.eval(), theirs.eval(), [draw(7, 3, 4)], lambda home, m, x: m(x), "float64")


def test_dropout_follows_the_seed():
    layer, x = nn.LSTM(4, 5, 2, dropout=0.5), lamina.randn(7, 3, 4)
    runs = []
    for seed in (1, 1, 2):
        lamina.manual_seed(seed)
        runs.append(to_numpy(layer(x)[0]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("state", [True, False])
@pytest.mark.parametrize(
    ("kind", "options"),
    [(k, o) for k in ("RNNCell", "LSTMCell", "GRUCell") for o in ({}, {"bias": False})]
    + [("RNNCell", {"nonlinearity": "relu"})],
    ids=str,
)
def test_cell_is_pytorchs(kind, options, state, batched, dtype):
    ours, theirs = make(lamina, kind, 4, 5, **options), make(torch, kind, 4, 5, **options)
    assert repr(ours) == repr(theirs)
    lead = (3,) if batched else ()
    arrays = [draw(*lead, 4)]
    if state:
        arrays += [draw(*lead, 5, seed=i) for i in range(2 if kind == "LSTMCell" else 1)]
    compare(ours, theirs, arrays, lambda home, m, x, *hs: m(x, given_state(hs)) if hs else m(x), dtype)


@needs_torch
@pytest.mark.parametrize(("rows", "steps", "inputs", "hidden"), [(1, 40, 33, 65), (37, 5, 2, 3), (70, 3, 130, 100)])
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_between_the_tiles_of_kernels(kind, rows, steps, inputs, hidden):
    options = {"num_layers": 2, "bidirectional": True}
    ours, theirs = make(lamina, kind, inputs, hidden, **options), make(torch, kind, inputs, hidden, **options)
    arrays = [draw(steps, rows, inputs), *states(kind, options, rows, hidden)]
    compare(ours, theirs, arrays, lambda home, m, x, *hs: m(x, given_state(hs)), "float64")
    compare(ours, theirs, arrays, lambda home, m, x, *hs: m(x, given_state(hs)), "float32")


# ---- one layer, several ways, the same bits ----


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.integers(1, 40),
    st.integers(1, 70),
    st.booleans(),
)
def test_any_lengths_are_rows_alone(kind, lengths, inputs, hidden, both_ways):
    layer = make(lamina, kind, inputs, hidden, bidirectional=both_ways, batch_first=True)
    x = lamina.randn(len(lengths), max(1, *lengths), inputs)
    out, state = layer(x, lengths=lengths)
    for i in {0, len(lengths) // 2, len(lengths) - 1}:
        assert not to_numpy(out[i, lengths[i] :]).any()
        if lengths[i]:
            alone, end = layer(x[i, : lengths[i]])
            same(out[i, : lengths[i]], alone)
            same([s[:, i] for s in flat(state)], end)


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float64])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_lengths_are_rows_alone(kind, options, dtype):
    layer = make(lamina, kind, 4, 5, **options).to(dtype)
    first = bool(options.get("batch_first"))
    lengths, x = [7, 1, 4], lamina.tensor(draw(3, 7, 4), dtype=dtype)
    hs = [lamina.tensor(h, dtype=dtype) for h in states(kind, options)]
    given = x if first else x.transpose(0, 1)
    out, state = layer(given, given_state(hs), lengths=lengths)
    same((out, state), layer(given, given_state(hs), lengths=lamina.tensor(lengths, dtype=lamina.int32)))
    rows = out if first else out.transpose(0, 1)
    for i, n in enumerate(lengths):
        alone, end = layer(x[i, :n], given_state([h[:, i].contiguous() for h in hs]))
        same(rows[i, :n], alone)
        same([s[:, i] for s in flat(state)], end)
        assert not to_numpy(rows[i, n:]).any()
    if not options.get("bidirectional"):
        packed = packing.pack_padded_sequence(given, lengths, first, False)
        again, end = layer(packed, given_state(hs))
        same((packing.pad_packed_sequence(again, first)[0], end), (out, state))


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_packed_rows_are_rows_alone(kind, options):
    layer = make(lamina, kind, 4, 5, **options)
    rows = [lamina.tensor(draw(n, 4, seed=n), dtype=lamina.float32) for n in (2, 6, 3)]
    out, state = layer(packing.pack_sequence(rows, enforce_sorted=False))
    for i, (row, got) in enumerate(zip(rows, packing.unpack_sequence(out), strict=True)):
        alone, end = layer(row)
        same(got, alone)
        same([s[:, i] for s in flat(state)], end)


def test_gradients_do_not_see_padding():
    layer = nn.LSTM(4, 5, bidirectional=True, batch_first=True)
    x = lamina.randn(2, 6, 4).requires_grad_()
    out, (h, c) = layer(x, lengths=[6, 2])
    (out.sum() + h.sum() + c.sum()).backward()
    assert not to_numpy(x.grad)[1, 2:].any()
    assert to_numpy(x.grad)[1, :2].all()
    other = x.detach().clone()
    other[1, 2:] = float("nan")
    same(layer(other, lengths=[6, 2]), (out, (h, c)))


def test_a_row_without_steps_keeps_its_state():
    for kind in KINDS:
        layer, hs = make(lamina, kind, 4, 5), [lamina.tensor(h, dtype=lamina.float32) for h in states(kind, {})]
        out, state = layer(lamina.randn(6, 3, 4), given_state(hs), lengths=[6, 0, 2])
        assert not to_numpy(out)[:, 1].any()
        same([s[:, 1] for s in flat(state)], [h[:, 1] for h in hs])


@pytest.mark.parametrize("kind", KINDS)
def test_cells_walk_like_the_layer(kind):
    layer, cell = make(lamina, kind, 4, 5), make(lamina, f"{kind}Cell", 4, 5)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = lamina.randn(6, 3, 4)
    out, end = layer(x)
    state = None
    for t in range(6):
        state = cell(x[t], state)
        same(out[t], flat(state)[0])
    same([s[0] for s in flat(end)], state)


def test_streaming_needs_no_fresh_memory():
    cells = [nn.LSTMCell(16, 32), nn.GRUCell(16, 32), nn.RNNCell(16, 32)]
    x = lamina.randn(4, 16)
    held = [None, None, None]

    def step():
        for i, cell in enumerate(cells):
            held[i] = cell(x, held[i])

    with lamina.no_grad():
        for _ in range(3):
            step()
        before = lamina.memory_stats()
        for _ in range(200):
            step()
        after = lamina.memory_stats()
    assert after["system_allocs"] == before["system_allocs"]
    assert after["allocated"] == before["allocated"]
    assert after["reserved"] == before["reserved"]


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_neighbours_change_no_bit(kind):
    layer, x = make(lamina, kind, 20, 33, bidirectional=True), lamina.randn(9, 17, 20)
    threads = lamina.get_num_threads()
    try:
        lamina.set_num_threads(1)
        one = layer(x)
        lamina.set_num_threads(4)
        same(layer(x), one)
    finally:
        lamina.set_num_threads(threads)
    out, state = layer(x[:, 5:8].contiguous())
    same(out, one[0][:, 5:8])
    same(flat(state), [s[:, 5:8] for s in flat(one[1])])


# ---- second derivatives ----


@pytest.mark.parametrize("more", [{}, {"lengths": [3, 1]}], ids=["whole", "lengths"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [(k, {}) for k in KINDS]
    + [("RNN", {"nonlinearity": "relu"}), ("LSTM", {"proj_size": 1}), ("GRU", {"bidirectional": True, "bias": False})],
    ids=str,
)
def test_gradients_twice(kind, options, more):
    layer = make(lamina, kind, 2, 2, dtype=lamina.float64, **options)
    names = list(layer.state_dict())
    hs = [lamina.tensor(h, requires_grad=True) for h in states(kind, options, n=2, hidden=2)]
    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def run(x, *rest):
        state, params = rest[: len(hs)], rest[len(hs) :]
        out = lamina.func.functional_call(layer, dict(zip(names, params, strict=True)), (x, given_state(state)), more)
        return tuple(flat(out))

    x = lamina.tensor(draw(3, 2, 2), requires_grad=True)
    assert gradcheck(run, (x, *hs, *weights))
    assert gradgradcheck(run, (x, *hs, *weights))


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_gradients_of_a_cell_twice(kind):
    cell = make(lamina, kind, 2, 3, dtype=lamina.float64)
    names = list(cell.state_dict())
    weights = [p.detach().clone().requires_grad_() for p in cell.parameters()]
    hs = [lamina.tensor(draw(2, 3, seed=i), requires_grad=True) for i in range(2 if kind == "LSTMCell" else 1)]

    def run(x, *rest):
        params = dict(zip(names, rest[len(hs) :], strict=True))
        return tuple(flat(lamina.func.functional_call(cell, params, (x, given_state(rest[: len(hs)])))))

    x = lamina.tensor(draw(2, 2), requires_grad=True)
    assert gradcheck(run, (x, *hs, *weights))
    assert gradgradcheck(run, (x, *hs, *weights))


# ---- the layer as a module ----


def test_parameters_start_small_and_copies_are_free():
    layer = nn.LSTM(3, 16, 2, bidirectional=True)
    values = np.concatenate([to_numpy(p).ravel() for p in layer.parameters()])
    assert np.abs(values).max() <= 0.25
    assert abs(values.mean()) < 0.01
    assert values.std() > 0.13
    twin = copy.deepcopy(layer)
    layer.flatten_parameters()
    with lamina.no_grad():
        layer.weight_ih_l0.zero_()
    assert to_numpy(twin.weight_ih_l0).any()
    assert [len(w) for w in layer.all_weights] == [4, 4, 4, 4]
    assert layer.all_weights[0][0] is layer.weight_ih_l0


def test_saved_and_loaded(tmp_path):
    layer, x = nn.GRU(3, 4, 2), lamina.randn(5, 2, 3)
    lamina.save(layer.state_dict(), tmp_path / "gru.safetensors")
    twin = nn.GRU(3, 4, 2)
    twin.load_state_dict(lamina.load(tmp_path / "gru.safetensors"))
    same(layer(x), twin(x))


@pytest.mark.parametrize("change", ["weight_norm", "parametrized", "pruned"])
def test_weights_may_be_made_of_others(change):
    layer, x = nn.LSTM(3, 4), lamina.randn(5, 2, 3)
    before = layer(x)
    if change == "pruned":
        nn.utils.prune.l1_unstructured(layer, "weight_hh_l0", 1)
    else:
        home = nn.utils if change == "weight_norm" else nn.utils.parametrizations
        home.weight_norm(layer, "weight_hh_l0")
        for a, b in zip(flat(layer(x)), flat(before), strict=True):
            np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-5, atol=1e-6)
    layer(x)[0].sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize("dtype", [lamina.bfloat16, lamina.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision(kind, dtype):
    layer, x = make(lamina, kind, 6, 8), lamina.randn(5, 2, 6)
    exact = to_numpy(layer(x)[0])
    half = layer.to(dtype)(x.to(dtype))[0]
    assert half.dtype == dtype
    np.testing.assert_allclose(to_numpy(half.float()), exact, atol=2e-2 if dtype == lamina.bfloat16 else 2e-3)
    half.sum().backward()


# ---- hostile input ----

LSTM = ("LSTM", (3, 4))


def zeros(*shape):
    return lamina.zeros(*shape)


@pytest.mark.parametrize(
    ("layer", "call", "message"),
    [
        (LSTM, lambda m: m(zeros(5, 2, 7)), r"input has 7 features.*input_size 3"),
        (LSTM, lambda m: m(zeros(5)), "got shape"),
        (LSTM, lambda m: m(zeros(5, 2, 3, 1)), "got shape"),
        (LSTM, lambda m: m(zeros(0, 2, 3)), "no steps"),
        (LSTM, lambda m: m(zeros(0, 3)), "no steps"),
        (LSTM, lambda m: m(zeros(5, 2, 3), (zeros(1, 2, 4), zeros(1, 3, 4))), r"c_0 has shape \(1, 3, 4\)"),
        (LSTM, lambda m: m(zeros(5, 2, 3), (zeros(1, 4), zeros(1, 4))), r"expected \(1, 2, 4\)"),
        (LSTM, lambda m: m(zeros(5, 3), (zeros(1, 1, 4), zeros(1, 1, 4))), r"expected \(1, 4\)"),
        (LSTM, lambda m: m(zeros(5, 2, 3), lengths=[5]), r"must be \(2,\)"),
        (LSTM, lambda m: m(zeros(5, 2, 3), lengths=[6, 1]), "between 0 and the 5"),
        (LSTM, lambda m: m(zeros(5, 2, 3), lengths=[-1, 1]), "between 0 and the 5"),
        (LSTM, lambda m: m(zeros(5, 2, 3), lengths=zeros(2, 2).long()), "must be"),
        (LSTM, lambda m: m(zeros(5, 3), lengths=[5]), "belong to a batch"),
        (LSTM, lambda m: m(packing.pack_sequence([zeros(2, 3)]), lengths=[2]), "knows its lengths"),
        (LSTM, lambda m: m(packing.pack_sequence([zeros(2, 5)])), "input has 5 features"),
        (LSTM, lambda m: m(packing.pack_sequence([zeros(2)])), "packed data must be"),
        (("GRU", (3, 4, 2)), lambda m: m(zeros(5, 2, 3), zeros(1, 2, 4)), r"expected \(2, 2, 4\)"),
        (("LSTMCell", (3, 4)), lambda m: m(zeros(2, 5)), r"\(N, 3\)"),
        (("LSTMCell", (3, 4)), lambda m: m(zeros(2, 3), (zeros(2, 4), zeros(3, 4))), r"expected \(2, 4\)"),
        (("GRUCell", (3, 4)), lambda m: m(zeros(3), zeros(1, 4)), r"expected \(4,\)"),
        (("RNNCell", (3, 4)), lambda m: m(zeros(1, 2, 3)), "must be"),
    ],
)
def test_wrong_shapes(layer, call, message):
    kind, sizes = layer
    with pytest.raises(ValueError, match=message):
        call(make(lamina, kind, *sizes))


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.LSTM(3, 4)([1.0]),
        lambda: nn.LSTM(3, 4)(zeros(5, 2, 3), zeros(1, 2, 4)),
        lambda: nn.GRU(3, 4)(zeros(5, 2, 3), (zeros(1, 2, 4), zeros(1, 2, 4))),
        lambda: nn.GRU(3, 4)(zeros(5, 2, 3), lengths=[1.5, 2.0]),
        lambda: nn.LSTMCell(3, 4)(zeros(2, 3), zeros(2, 4)),
        lambda: nn.GRUCell(3, 4)(None),
        lambda: nn.LSTM(3.0, 4),
        lambda: nn.LSTM(3, 4, bias=1),
        lambda: nn.LSTM(3, 4)(zeros(5, 2, 3).double()),
    ],
)
def test_wrong_kinds(call):
    with pytest.raises(TypeError):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.LSTM(0, 4),
        lambda: nn.LSTM(3, 0),
        lambda: nn.LSTM(3, 4, 0),
        lambda: nn.LSTM(3, 4, dropout=1.5),
        lambda: nn.LSTM(3, 4, dropout=True),
        lambda: nn.LSTM(3, 4, proj_size=4),
        lambda: nn.LSTM(3, 4, proj_size=-1),
        lambda: nn.GRU(3, 4, proj_size=2),
        lambda: nn.RNN(3, 4, nonlinearity="gelu"),
        lambda: nn.RNNCell(3, 4, nonlinearity="gelu"),
        lambda: nn.RNNBase("MGU", 3, 4),
        lambda: nn.GRUCell(0, 4),
    ],
)
def test_wrong_settings(call):
    with pytest.raises(ValueError, match=r"\w+: "):
        call()


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="only one"):
        nn.GRU(3, 4, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.GRU(3, 4, 2, dropout=0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_nobody(kind):
    x = lamina.zeros(5, 0, 3, requires_grad=True)
    layer = make(lamina, kind, 3, 4, 2, bidirectional=True)
    out, state = layer(x, lengths=[])
    assert out.shape == (5, 0, 8)
    assert all(s.shape == (4, 0, 4) for s in flat(state))
    out.sum().backward()
    assert x.grad.shape == (5, 0, 3)
    assert make(lamina, f"{kind}Cell", 3, 4)(zeros(0, 3))[0 if kind == "LSTM" else ...].shape == (0, 4)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_what_padding_holds_reaches_no_gradient(batch_first, create_graph):
    layer = lamina.nn.GRU(2, 3, batch_first=batch_first, bidirectional=True)
    x = np.random.default_rng(0).standard_normal((2, 4, 2) if batch_first else (4, 2, 2)).astype(np.float32)
    clean, lengths = x.copy(), [2, 4]
    padding = (0, slice(2, None)) if batch_first else (slice(2, None), 0)
    x[padding], clean[padding] = np.nan, 0
    found = [
        lamina.autograd.grad(
            layer(lamina.tensor(v), lengths=lengths)[0].square().sum(),
            list(layer.parameters()),
            create_graph=create_graph,
        )
        for v in (x, clean)
    ]
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
