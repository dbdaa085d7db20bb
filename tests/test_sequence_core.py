"""The recurrent and attention operations themselves: bits, memory, gradients twice, changes in place, threads."""

from __future__ import annotations

import threading

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina.autograd import grad, gradcheck, gradgradcheck

attend = lamina.nn.functional.scaled_dot_product_attention
MODES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
DTYPES = [lamina.float32, lamina.float64]


def draw(*shape, seed=0, dtype=lamina.float64, needs=False):
    a = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return lamina.tensor(a, dtype=dtype, requires_grad=needs)


def same(a, b):
    np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


class Layer:
    """One recurrent layer: its operands, and the call."""

    def __init__(self, mode, rows=3, inputs=4, hidden=5, projected=0, both=False, needs=True, dtype=lamina.float64):
        gates, self.mode, self.both, self.projects = MODES[mode], mode, both, bool(projected)
        out, runs = projected or hidden, 1 + both
        shapes = [(gates * hidden, inputs), (gates * hidden, out), (gates * hidden,), (gates * hidden,)]
        shapes += [(projected, hidden)] * bool(projected)
        options = {"dtype": dtype, "needs": needs}
        self.params = [draw(*s, seed=i, **options) for i in range(runs) for s in shapes]
        self.state = [draw(runs, rows, n, seed=9, **options) for n in [out] + [hidden] * (mode == "lstm")]

    def __call__(self, x, lengths=None, state=None, params=None):
        state = state or self.state
        hx = list(state) if self.mode == "lstm" else state[0]
        return getattr(lamina, self.mode)(
            x, hx, list(params or self.params), True, 1, 0.0, False, self.both, False, lengths
        )


def total(outputs):
    return sum((o * o.detach().cos()).sum() for o in outputs)


KINDS = [(mode, 0) for mode in MODES] + [("lstm", 3)]


# ---- recurrent layers ----


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("mode", "projected"), KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_row_alone_has_the_bits_of_its_batch(data, mode, projected, both, dtype):
    """Outputs, states and the gradients of input and states; lengths cut a row as if it were shorter."""
    steps, rows = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 33))
    hidden = data.draw(st.sampled_from([4, 8, 15, 17, 33]))
    lengths = data.draw(st.lists(st.integers(0, steps), min_size=rows, max_size=rows))
    layer = Layer(mode, rows, 3, hidden, projected, both, dtype=dtype)
    x = draw(steps, rows, 3, dtype=dtype, needs=True)
    whole = layer(x, lamina.tensor(lengths))
    gradients = grad(total(whole), [x, *layer.state])
    for row in {0, rows // 2, rows - 1}:
        n = lengths[row]
        assert not to_numpy(whole[0])[n:, row].any()
        if n == 0:
            for last, first in zip(whole[1:], layer.state, strict=True):
                same(last[:, row], first[:, row])
            continue
        part = x[:n, row : row + 1].detach().requires_grad_()
        state = [s[:, row : row + 1].detach().requires_grad_() for s in layer.state]
        alone = layer(part, state=state)
        same(alone[0], whole[0][:n, row : row + 1])
        for a, b in zip(alone[1:], whole[1:], strict=True):
            same(a, b[:, row : row + 1])
        found = grad(total(alone), [part, *state])
        same(found[0], gradients[0][:n, row : row + 1])
        assert not to_numpy(gradients[0])[n:, row].any()
        for a, b in zip(found[1:], gradients[1:], strict=True):
            same(a, b[:, row : row + 1])


@pytest.mark.parametrize(("mode", "projected"), KINDS)
def test_layout_and_threads_do_not_matter(mode, projected):
    layer = Layer(mode, 40, 6, 24, projected, dtype=lamina.float32, needs=False)
    x = draw(11, 40, 6, dtype=lamina.float32)
    want = layer(x)
    turned = [x.transpose(0, 1).contiguous().transpose(0, 1), x.permute(2, 0, 1).contiguous().permute(1, 2, 0)]
    turned.append(lamina.stack([x, x * 2], -1)[..., 0])
    loose = [lamina.stack([p, p], -1)[..., 1] for p in layer.params]
    for calls in [*(lambda t=t: layer(t) for t in turned), lambda: layer(x, params=loose)]:
        for a, b in zip(calls(), want, strict=True):
            same(a, b)
    threads = lamina.get_num_threads()
    try:
        for n in (1, 2, 3, 8):
            lamina.set_num_threads(n)
            for a, b in zip(layer(x), want, strict=True):
                same(a, b)
    finally:
        lamina.set_num_threads(threads)


@pytest.mark.parametrize("lengths", [None, [2, 0]])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(("mode", "projected"), KINDS)
def test_recurrent_gradients_twice(mode, projected, both, lengths):
    layer = Layer(mode, 2, 2, 2 + bool(projected), 2 if projected else 0, both)
    x, count = draw(2, 2, 2, needs=True), len(layer.state)
    given_lengths = None if lengths is None else lamina.tensor(lengths)

    def call(x, *rest):
        return tuple(layer(x, given_lengths, rest[:count], rest[count:]))

    args = (x, *layer.state, *layer.params)
    assert gradcheck(call, args)
    assert gradgradcheck(call, args)


@pytest.mark.parametrize(("mode", "projected"), KINDS)
def test_both_ways_to_the_gradient_agree(mode, projected):
    """The kernel's gradient, and the operations that stand for it where a second one may follow."""
    layer = Layer(mode, 5, 3, 6, projected, both=True)
    x = draw(6, 5, 3, needs=True)
    operands = [x, *layer.state, *layer.params]
    loss = total(layer(x, lamina.tensor([6, 3, 0, 1, 6])))
    fast = grad(loss, operands, retain_graph=True)
    for a, b in zip(fast, grad(loss, operands, create_graph=True), strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-11, atol=1e-12)
    for i, operand in enumerate(operands):  # one at a time: the same bits
        same(grad(loss, operand, retain_graph=True)[0], fast[i])


@needs_torch
@pytest.mark.parametrize("mode", list(MODES))
def test_one_tensor_in_many_places(mode):
    """The state is an ancestor of the input, weights and biases are shared, and a second gradient goes through all."""
    arrays = [draw(MODES[mode] * 3, 3).numpy(), draw(MODES[mode] * 3).numpy(), draw(1, 2, 3).numpy()]
    runs = []
    for home in (lamina, torch):
        w, b, s = (home.tensor(a, requires_grad=True) for a in arrays)
        x = home.cat([s.sin(), s.exp(), s.expand(1, 2, 3)], 0)
        out = getattr(home, mode)(x, [s, s] if mode == "lstm" else s, [w, w, b, b], True, 1, 0.0, False, False, False)
        first = home.autograd.grad(sum((o * o).sum() for o in out), [w, b, s], create_graph=True)
        runs.append([*first, *home.autograd.grad(sum((g * g).sum() for g in first), [w, b, s])])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(to_numpy(a), b.detach().numpy(), rtol=1e-10, atol=1e-11)


@pytest.mark.slow
@needs_torch
@pytest.mark.parametrize("mode", list(MODES))
def test_long_sequences_keep_float32_accuracy(mode):
    x = draw(1000, 2, 8).numpy()
    layer = Layer(mode, 2, 8, 16)
    for p in layer.params:
        p.detach().mul_(0.25)
    exact = layer(lamina.tensor(x))[0]
    narrow = [to_numpy(t).astype(np.float32) for t in [*layer.state, *layer.params]]
    errors = []
    for home in (lamina, torch):
        tensors = [home.tensor(a) for a in narrow]
        count = len(layer.state)
        hx = tensors[:count] if mode == "lstm" else tensors[0]
        args = home.tensor(x.astype(np.float32)), hx, tensors[count:], True, 1, 0.0, False, False, False
        errors.append(np.abs(getattr(home, mode)(*args)[0].numpy() - to_numpy(exact)).max())
    assert errors[0] <= 2 * errors[1] + 1e-6


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("changed", ["output", "input", "w_ih", "w_hh", "state"])
def test_changes_in_place_are_seen(mode, changed):
    layer = Layer(mode)
    x = draw(4, 3, 4, needs=True) * 1
    out = layer(x)
    loss = sum(o.sum() for o in out)
    victim = {"output": out[0], "input": x, "state": layer.state[0]}
    victim |= {"w_ih": layer.params[0], "w_hh": layer.params[1]}
    with lamina.no_grad():
        victim[changed].mul_(2)
    with pytest.raises(lamina.GradError, match="changed in place"):
        grad(loss, layer.params)


@pytest.mark.parametrize("mode", list(MODES))
def test_last_states_may_be_changed(mode):
    layer = Layer(mode)
    out = layer(draw(4, 3, 4))
    loss = sum(o.sum() for o in out)
    want = grad(loss, layer.params, retain_graph=True)
    with lamina.no_grad():
        for state in out[1:]:
            state.zero_()
    for a, b in zip(grad(loss, layer.params), want, strict=True):
        same(a, b)


@pytest.mark.parametrize("mode", list(MODES))
def test_lengths_may_be_reused(mode):
    """A buffer of lengths that holds those of the next batch changes nothing of this one."""
    layer, x, lengths = Layer(mode, both=True), draw(4, 3, 4), lamina.tensor([4, 2, 0])
    loss = total(layer(x, lengths))
    want = grad(loss, layer.params, retain_graph=True)
    lengths.fill_(1)
    for create in (False, True):
        for a, b in zip(grad(loss, layer.params, retain_graph=True, create_graph=create), want, strict=True):
            np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("mode", list(MODES))
def test_what_stands_behind_the_end_of_a_row_is_not_read(mode, create):
    layer, lengths = Layer(mode, 2), lamina.tensor([5, 3])
    x = draw(5, 2, 4)
    want = grad(total(layer(x, lengths)), layer.params)
    x[3:, 1] = float("nan")
    for a, b in zip(grad(total(layer(x, lengths)), layer.params, create_graph=create), want, strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("create", [False, True])
def test_relu_passes_the_gradient_of_nan(create):
    x = lamina.tensor([[float("nan")], [1.0]], requires_grad=True)
    y = lamina.rnn_relu_cell(x, lamina.zeros(2, 1), lamina.ones(1, 1), lamina.ones(1, 1))
    assert grad(y.sum(), x, create_graph=create)[0].tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("create", [False, True])
def test_a_state_that_w_hr_does_not_reach(create):
    layer = Layer("lstm", projected=3, needs=False)
    layer.params[4].requires_grad_()
    c = layer(draw(1, 3, 4))[2]
    found = grad(c.sum(), layer.params[4], create_graph=create, allow_unused=True)[0]
    assert found is None or not to_numpy(found).any()


# ---- attention ----


def operands(rows, keys, width=16, values=None, heads=2, dtype=lamina.float64, needs=True, groups=None):
    options = {"dtype": dtype, "needs": needs}
    g = groups or heads
    return [draw(2, n, m, w, seed=i, **options)
            for i, (n, m, w) in enumerate([(heads, rows, width), (g, keys, width), (g, keys, values or width)])]  # fmt: skip


def extra(kind, rows, keys, dtype=lamina.float64):
    """Keyword arguments of one kind of attention."""
    r = np.random.default_rng(5)
    if kind == "causal":
        return {"is_causal": True}
    if kind == "bool":
        return {"attn_mask": lamina.tensor(r.random((rows, keys)) < 0.6)}
    if kind == "float":
        return {"attn_mask": lamina.tensor(r.standard_normal((2, 1, rows, keys)), dtype=dtype)}
    return {}


SIZES = [(1, 130), (57, 129), (130, 57), (113, 257)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("gradient", [False, True])
def test_memory_grows_with_the_length_alone(gradient, causal):
    """8192 queries and keys: the scores would take 256 MiB a head, all of this takes less than 3."""
    length, width = 8192, 8
    q, k, v = (lamina.randn(1, 1, length, width, requires_grad=gradient) for _ in range(3))
    attend(q[:, :, :64], k[:, :, :64], v[:, :, :64])
    lamina.reset_peak_memory_stats()
    before = lamina.memory_stats()["allocated"]
    y = attend(q, k, v, is_causal=causal)
    if gradient:
        y.backward(lamina.ones(1, 1, 1, 1).expand(1, 1, length, width))
    bytes_of_one = length * width * 4
    assert lamina.memory_stats()["peak_allocated"] - before <= (7 if gradient else 2) * bytes_of_one


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("length", [55, 56, 57, 127, 128, 129, 256, 300])
def test_causal_queries_have_the_bits_of_their_prefix(length, dtype):
    q, k, v = operands(length, length, dtype=dtype)
    whole = attend(q, k, v, is_causal=True)
    g = draw(*whole.shape, seed=4, dtype=dtype)
    dq = grad(whole, q, g)[0]
    for n in {1, 2, 56, 57, length // 2, length - 1}:
        part = [t[:, :, :n].detach().requires_grad_() for t in (q, k, v)]
        shorter = attend(*part, is_causal=True)
        same(shorter, whole[:, :, :n])
        same(grad(shorter, part[0], g[:, :, :n])[0], dq[:, :, :n])
        last = q[:, :, n - 1 : n].detach().requires_grad_()
        alone = attend(last, *(t.detach() for t in part[1:]))
        same(alone, whole[:, :, n - 1 : n])
        same(grad(alone, last, g[:, :, n - 1 : n])[0], dq[:, :, n - 1 : n])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float"])
@pytest.mark.parametrize(("rows", "keys"), SIZES)
def test_a_head_alone_has_the_same_bits(rows, keys, kind, dtype):
    """Batch, heads, layout and threads do not matter, for outputs and for gradients."""
    q, k, v = operands(rows, keys, 9, 5, dtype=dtype)
    given = extra(kind, rows, keys, dtype)
    whole = attend(q, k, v, **given)
    g = draw(*whole.shape, seed=7, dtype=dtype)
    want = grad(whole, [q, k, v], g)
    mask = given.get("attn_mask")
    one = {"attn_mask": mask[1, 0] if mask.dim() == 4 else mask} if mask is not None else given
    alone = [t[1, 1].detach().requires_grad_() for t in (q, k, v)]
    y = attend(*alone, **one)
    same(y, whole[1, 1])
    for a, b in zip(grad(y, alone, g[1, 1]), want, strict=True):
        same(a, b[1, 1])
    turned = [t.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_() for t in (q, k)]
    turned.append(v.detach().transpose(2, 3).contiguous().transpose(2, 3).requires_grad_())
    threads = lamina.get_num_threads()
    try:
        for n in (1, 2, 3, 8):
            lamina.set_num_threads(n)
            y = attend(*turned, **given)
            same(y, whole)
            for a, b in zip(grad(y, turned, g), want, strict=True):
                same(a, b)
    finally:
        lamina.set_num_threads(threads)


@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float"])
@pytest.mark.parametrize("groups", [1, 2])
def test_groups_are_repeated_heads(groups, kind):
    q, k, v = operands(58, 130, 7, 3, heads=4, groups=groups)
    given = extra(kind, 58, 130)
    y = attend(q, k, v, enable_gqa=True, **given)
    repeated = attend(q, *(lamina.repeat_interleave(t, 4 // groups, 1) for t in (k, v)), **given)
    same(y, repeated)
    g = draw(*y.shape, seed=3)
    for a, b in zip(grad(y, [q, k, v], g), grad(repeated, [q, k, v], g), strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-11, atol=1e-13)


@pytest.mark.slow
@needs_torch
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_masks_of_every_form_are_pytorchs(data):
    size = st.sampled_from([1, 2, 3, 16, 55, 57, 64, 127, 129, 257])
    rows, keys, width, values = (
        data.draw(size),
        data.draw(size),
        *data.draw(st.tuples(*[st.sampled_from([1, 3, 8, 65])] * 2)),
    )
    arrays = [
        draw(*s, seed=i).numpy() for i, s in enumerate([(2, 3, rows, width), (2, 3, keys, width), (2, 3, keys, values)])
    ]
    shape = [data.draw(st.sampled_from([1, n])) for n in (2, 3, rows, keys)][data.draw(st.integers(0, 3)) :]
    r = np.random.default_rng(data.draw(st.integers(0, 99)))
    mask = r.random(shape) < 0.7 if data.draw(st.booleans()) else r.standard_normal(shape)
    if mask.dtype != bool and data.draw(st.booleans()):
        mask = np.where(r.random(shape) < 0.5, -np.inf, mask)
    full = np.broadcast_to(mask, (2, 3, rows, keys))
    seen = (full if mask.dtype == bool else np.isfinite(full)).any(-1, keepdims=True)
    runs = []
    for home in (lamina, torch):
        tensors = [home.tensor(a, requires_grad=True) for a in arrays]
        m = home.tensor(mask)
        tensors += [] if mask.dtype == bool else [m.requires_grad_()]
        if home is lamina:
            y = attend(*tensors[:3], m)
        else:
            s = tensors[0] @ tensors[1].transpose(-1, -2) / width**0.5
            s = torch.where(m, s, -torch.inf) if m.dtype == torch.bool else s + m
            s = torch.where(torch.tensor(seen), s, 0.0)
            y = torch.where(torch.tensor(seen), torch.softmax(s, -1) @ tensors[2], 0.0)
        g = draw(2, 3, rows, values, seed=8).numpy()
        runs.append([y, *home.autograd.grad(y, tensors, home.tensor(g))])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(to_numpy(a), b.detach().numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("create", [False, True])
def test_rows_that_see_nothing_give_zero(create):
    q, k, v = operands(60, 130)
    allowed = np.random.default_rng(1).random((60, 130)) < 0.5
    allowed[[0, 55, 56, 59]] = False
    allowed[1, :128] = False  # a whole block of keys
    for mask in (lamina.tensor(allowed), lamina.tensor(np.where(allowed, 0.0, -np.inf))):
        y = attend(q, k, v, mask)
        found = grad(y.square().sum(), [q, k, v], create_graph=create)
        for blind in (0, 55, 56, 59):
            assert not to_numpy(y)[:, :, blind].any()
            assert not to_numpy(found[0])[:, :, blind].any()
        assert all(np.isfinite(to_numpy(f)).all() for f in found)
        same(y[:, :, 1], attend(q[:, :, 1:2], k[:, :, 128:], v[:, :, 128:], mask[1:2, 128:])[:, :, 0])


def test_what_a_mask_hides_is_not_seen():
    q, k, v = operands(60, 130)
    mask = lamina.ones(130).bool()
    mask[70] = False
    want = attend(q, k, v, mask)
    with lamina.no_grad():
        k[:, :, 70], v[:, :, 70] = float("inf"), 1e300
    same(attend(q, k, v, mask), want)


@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_attention_gradients_twice(kind, groups, dropout):
    q, k, v = (t[:1].detach().requires_grad_() for t in operands(3, 4, 2, 3, groups=groups))
    given = extra(kind, 3, 4)
    mask = given.pop("attn_mask", None)
    if kind == "float":
        mask = mask[:1].requires_grad_()
    rest = (mask,) if kind == "float" else ()

    def call(q, k, v, *own):
        lamina.manual_seed(5)
        return attend(q, k, v, own[0] if own else mask, dropout, enable_gqa=True, **given)

    assert gradcheck(call, (q, k, v, *rest))
    assert gradgradcheck(call, (q, k, v, *rest))


@pytest.mark.parametrize("dropout", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float"])
@pytest.mark.parametrize(("rows", "keys"), SIZES)
def test_both_ways_to_the_gradient_of_attention_agree(rows, keys, kind, dropout):
    """The operations draw the very weights that the kernel dropped."""
    tensors, given = operands(rows, keys, 4, 3), extra(kind, rows, keys)
    if kind == "float":
        tensors.append(given["attn_mask"].requires_grad_())
    y = attend(*tensors[:3], dropout_p=dropout, **given)
    assert dropout < 1 or not to_numpy(y).any()
    g = draw(*y.shape, seed=6)
    fast = grad(y, tensors, g, retain_graph=True)
    for a, b in zip(fast, grad(y, tensors, g, create_graph=True), strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-9, atol=1e-11)
    for i, t in enumerate(tensors):
        same(grad(y, t, g, retain_graph=True)[0], fast[i])


def test_dropout_keeps_its_share_and_scales_it():
    keys, p = 500, 0.3
    q, k = lamina.zeros(200, 1), lamina.zeros(keys, 1)
    weights = to_numpy(attend(q, k, lamina.eye(keys), dropout_p=p)) * keys
    kept = weights != 0
    np.testing.assert_allclose(weights[kept], 1 / (1 - p), rtol=1e-5)
    deviation = np.sqrt(p * (1 - p) / kept.size)
    assert abs(kept.mean() - (1 - p)) < 5 * deviation
    for axis in (0, 1):
        n = kept.shape[axis]
        assert abs(kept.mean(axis) - (1 - p)).max() < 6 * np.sqrt(p * (1 - p) / n)


@needs_torch
@pytest.mark.parametrize(("rows", "keys", "width"), [(300, 300, 64), (57, 2000, 8), (33, 257, 300)])
def test_attention_keeps_float32_accuracy(rows, keys, width):
    exact = attend(*operands(rows, keys, width))
    narrow = [to_numpy(t).astype(np.float32) for t in operands(rows, keys, width)]
    ours = to_numpy(attend(*(lamina.tensor(a) for a in narrow)))
    theirs = torch.nn.functional.scaled_dot_product_attention(*(torch.tensor(a) for a in narrow)).numpy()
    error, other = (np.sqrt(((t - to_numpy(exact)) ** 2).mean()) for t in (ours, theirs))
    assert error <= 1.5 * other + 1e-9


@pytest.mark.parametrize("changed", ["query", "key", "value", "mask", "bool mask", "output"])
def test_changes_in_place_are_seen_by_attention(changed):
    q, k, v = (t * 1 for t in operands(5, 6))
    mask = extra("bool" if changed == "bool mask" else "float", 5, 6)["attn_mask"]
    y = attend(q, k, v, mask)
    victim = {"query": q, "key": k, "value": v, "output": y}.get(changed, mask)
    loss = y.sum()
    with lamina.no_grad():
        victim.zero_()
    with pytest.raises(lamina.GradError, match="changed in place"):
        grad(loss, [q, k, v])


# ---- the surroundings ----


def test_many_threads_at_once():
    """Every Python thread gets the bits that it gets alone."""
    layer, x = Layer("lstm", 20, 4, 16, both=True, dtype=lamina.float32), draw(12, 20, 4, dtype=lamina.float32)
    q, k, v = operands(130, 140, dtype=lamina.float32)

    def work():
        found = grad(total(layer(x, lamina.tensor([12] * 10 + [5] * 10))), layer.params)
        y = attend(q, k, v)
        return [*found, y, *grad(total([y]), [q, k, v])]

    want, results = work(), [None] * 8

    def thread(i):
        for _ in range(5):
            results[i] = work()

    threads = [threading.Thread(target=thread, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        for a, b in zip(r, want, strict=True):
            same(a, b)
