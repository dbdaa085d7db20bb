"""What a program sees of memory layout is PyTorch's, whatever order the kernels keep below it (docs/adr/0009)."""

from __future__ import annotations

import pickle
import threading

import lamina
import lamina.nn.functional as F
import numpy as np
import pytest
from conftest import needs_torch, torch
from hypothesis import given, settings
from hypothesis import strategies as st

RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


X, Y = numbers(2, 4, 6, 5), numbers(2, 4, 6, 5)
LINE, VOLUME = numbers(2, 4, 9), numbers(2, 4, 3, 5, 4)
W2, W1, W3 = numbers(6, 4, 3, 3), numbers(6, 4, 3), numbers(6, 4, 2, 2, 2)
DEPTHWISE, POINT, BACK = numbers(4, 1, 3, 3), numbers(6, 4, 1, 1), numbers(4, 3, 2, 2)
ROW, COLUMN = numbers(2, 4, 1, 7), numbers(2, 4, 7, 1)


def conv(m, x, w=W2, **keywords):
    return m.nn.functional.conv2d(x, m.tensor(w), **keywords)


# Each takes the library and the operands; they run on contiguous operands and on channels-last ones.
RESULTS = {
    "conv2d": (conv, X),
    "conv2d, stride and padding": (lambda m, x: conv(m, x, stride=2, padding=1), X),
    "conv2d, depthwise": (lambda m, x: conv(m, x, DEPTHWISE, groups=4), X),
    "conv2d, 1x1": (lambda m, x: conv(m, x, POINT), X),
    "conv2d, one channel": (lambda m, x: conv(m, x, W2[:1]), X),
    "conv2d, one place": (lambda m, x: conv(m, x), numbers(2, 4, 3, 3)),
    "conv2d, one row": (lambda m, x: conv(m, x, POINT), ROW),
    "conv2d, one column": (lambda m, x: conv(m, x, POINT), COLUMN),
    "conv2d, one image": (conv, numbers(1, 4, 6, 5)),
    "conv2d, asked by the weight": (
        lambda m, x: m.nn.functional.conv2d(x, m.tensor(W2).contiguous(memory_format=m.channels_last)),
        X,
    ),
    "conv2d, no batch": (conv, X[0]),
    "conv_transpose2d": (lambda m, x: m.nn.functional.conv_transpose2d(x, m.tensor(BACK), stride=2), X),
    "conv1d": (lambda m, x: m.nn.functional.conv1d(x, m.tensor(W1)), LINE),
    "conv1d, no batch": (lambda m, x: m.nn.functional.conv1d(x, m.tensor(W1)), LINE[0]),
    "conv3d": (lambda m, x: m.nn.functional.conv3d(x, m.tensor(W3)), VOLUME),
    "conv, relu, conv": (lambda m, x: conv(m, m.relu(conv(m, x)), numbers(3, 6, 1, 1)), X),
    "max_pool2d": (lambda m, x: m.nn.functional.max_pool2d(conv(m, x), 2), X),
    "max_pool2d, indices": (lambda m, x: m.nn.functional.max_pool2d(conv(m, x), 2, return_indices=True)[1], X),
    "avg_pool2d": (lambda m, x: m.nn.functional.avg_pool2d(conv(m, x), 2), X),
    "adaptive_avg_pool2d": (lambda m, x: m.nn.functional.adaptive_avg_pool2d(conv(m, x), 1), X),
    "adaptive_avg_pool2d, 2": (lambda m, x: m.nn.functional.adaptive_avg_pool2d(conv(m, x), 2), X),
    "max_pool1d": (lambda m, x: m.nn.functional.max_pool1d(m.nn.functional.conv1d(x, m.tensor(W1)), 2), LINE),
    "max_pool3d": (lambda m, x: m.nn.functional.max_pool3d(m.nn.functional.conv3d(x, m.tensor(W3)), 2), VOLUME),
    "avg_pool3d": (lambda m, x: m.nn.functional.avg_pool3d(m.nn.functional.conv3d(x, m.tensor(W3)), 2), VOLUME),
    "batch_norm": (lambda m, x: m.nn.functional.batch_norm(conv(m, x), None, None, training=True), X),
    "group_norm": (lambda m, x: m.nn.functional.group_norm(conv(m, x), 3), X),
    "layer_norm": (lambda m, x: m.nn.functional.layer_norm(conv(m, x), (3,)), X),
    "interpolate": (lambda m, x: m.nn.functional.interpolate(conv(m, x), scale_factor=2), X),
    "bilinear": (lambda m, x: m.nn.functional.interpolate(conv(m, x), scale_factor=2, mode="bilinear"), X),
    "gelu": (lambda m, x: m.nn.functional.gelu(conv(m, x)), X),
    "number": (lambda m, x: 2 * conv(m, x) + 1, X),
    "bias": (lambda m, x: conv(m, x) + m.tensor(numbers(6, 1, 1)), X),
    "comparison": (lambda m, x: conv(m, x) > 0, X),
    "to float64": (lambda m, x: conv(m, x).to(m.float64), X),
    "sum of two": (lambda m, x: conv(m, x) + conv(m, 2 * x), X),
    "skip": (lambda m, x: x + conv(m, x, numbers(4, 4, 3, 3), padding=1), X),
    "skip, other side": (lambda m, x: conv(m, x, numbers(4, 4, 3, 3), padding=1) + x, X),
    "cat": (lambda m, x: m.cat([conv(m, x), conv(m, x)], 1), X),
    "cat, rows": (lambda m, x: m.cat([conv(m, x), conv(m, x)], 2), X),
    "cat, skip": (lambda m, x: m.cat([x, conv(m, x, numbers(4, 4, 3, 3), padding=1)], 1), X),
    "stack": (lambda m, x: m.stack([conv(m, x), conv(m, x)]), X),
    "chunk": (lambda m, x: conv(m, x).chunk(2, 1)[1], X),
    "chunk, sigmoid": (lambda m, x: conv(m, x).chunk(2, 1)[1].sigmoid(), X),
    "slice of rows": (lambda m, x: conv(m, x)[:, :, 1:3], X),
    "negative index": (lambda m, x: conv(m, x)[:, -1], X),
    "flatten(2)": (lambda m, x: conv(m, x).flatten(2), X),
    "patches": (lambda m, x: conv(m, x).flatten(2).transpose(1, 2), X),
    "patches, computed": (lambda m, x: conv(m, x).flatten(2).transpose(1, 2) * 2, X),
    "permute": (lambda m, x: conv(m, x).permute(0, 2, 3, 1), X),
    "permute, contiguous": (lambda m, x: conv(m, x).permute(0, 2, 3, 1).contiguous(), X),
    "mT": (lambda m, x: conv(m, x).mT, X),
    "detach": (lambda m, x: conv(m, x).detach(), X),
    "clone": (lambda m, x: conv(m, x).clone(), X),
    "channels_last": (lambda m, x: conv(m, x).contiguous(memory_format=m.channels_last), X),
    "unsqueeze": (lambda m, x: conv(m, x).unsqueeze(1), X),
    "expand": (lambda m, x: conv(m, x).unsqueeze(0).expand(3, -1, -1, -1, -1), X),
    "softmax": (lambda m, x: conv(m, x).softmax(1), X),
    "unfold": (lambda m, x: conv(m, x).unfold(3, 2, 1), X),
    "as_strided": (lambda m, x: conv(m, x).as_strided((3, 4), (7, 2), 1), X),
    "squeeze_": (lambda m, x: conv(m, x)[:, :1].clone().squeeze_(1), X),
    "transpose_": (lambda m, x: conv(m, x).transpose_(1, 3), X),
    "zeros_like": (lambda m, x: m.zeros_like(conv(m, x)), X),
    "pixel_shuffle": (lambda m, x: m.nn.functional.pixel_shuffle(conv(m, x, numbers(8, 4, 1, 1)), 2), X),
    "index": (lambda m, x: conv(m, x)[m.tensor([1, 0])], X),
    "where": (lambda m, x: m.where(conv(m, x) > 0, conv(m, x), conv(m, 2 * x)), X),
    "half": (lambda m, x: conv(m, x).bfloat16().float(), X),
}
# Asked-for channels-last images that come out row-major, or the other way round (docs/differences.md).
OTHERWISE = {"avg_pool3d", "stack", "chunk, sigmoid", "softmax", "pixel_shuffle", "index"}


@needs_torch
@pytest.mark.parametrize(
    ("name", "order"),
    [(n, "contiguous") for n in RESULTS] + [(n, "channels_last") for n, (_, x) in RESULTS.items() if x.ndim > 3],
)
def test_strides_are_pytorchs(name, order):
    global RANDOM
    results = []
    for m in (lamina, torch):
        RANDOM = np.random.default_rng(1)
        run, x = RESULTS[name]
        x = m.tensor(x)
        if order == "channels_last":
            x = x.contiguous(memory_format=m.channels_last if x.ndim == 4 else m.channels_last_3d)
        results.append(run(m, x))
    ours, theirs = results
    assert ours.shape == tuple(theirs.shape)
    # PyTorch's strides of dims of size 1 tell nothing.
    strides = [[s for s, n in zip(t.stride(), t.shape, strict=True) if n != 1] for t in results]
    if order == "channels_last":
        assert (strides[0] == strides[1]) == (name not in OTHERWISE)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5)
        return
    assert tuple(ours.stride()) == tuple(theirs.stride())
    assert ours.is_contiguous() == theirs.is_contiguous()
    assert ours.storage_offset() == theirs.storage_offset()
    if ours.ndim == 4:
        asked = [t.is_contiguous(memory_format=m.channels_last) for t, m in ((ours, lamina), (theirs, torch))]
        assert asked[0] == asked[1]
    expected = theirs.numpy()
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-4, atol=1e-5)
    assert ours.numpy().strides == expected.strides or 1 in ours.shape or not ours.is_contiguous()


@pytest.mark.parametrize("name", [n for n in RESULTS if n not in ("expand", "unfold", "as_strided")])
def test_views_see_the_result_and_write_to_it(name):
    run, x = RESULTS[name]
    y = run(lamina, lamina.tensor(x))
    before = y.clone().numpy().copy()
    if not y.is_contiguous():
        y = y.contiguous()
    twin, flat = y.detach(), y.view(-1)
    assert np.array_equal(flat.numpy(), before.ravel())
    assert y.view(y.shape[0], -1).data_ptr() == y.data_ptr() == flat.data_ptr()
    flat[1] = 1
    assert y.flatten()[1].item() == 1 == twin.flatten()[1].item()
    y.zero_()
    assert not flat.numpy().any() and not twin.numpy().any()


def image():
    return F.conv2d(lamina.tensor(X), lamina.tensor(W2))


def truth():
    return np.ascontiguousarray(image().numpy())


FORMS = {
    "numpy": lambda y: y.numpy(),
    "asarray": lambda y: np.asarray(y),
    "dlpack": lambda y: np.from_dlpack(y),
    "buffer": lambda y: np.asarray(memoryview(y)),
    "tolist": lambda y: np.array(y.tolist(), np.float32),
    "pickle": lambda y: pickle.loads(pickle.dumps(y)).numpy(),
    "item": lambda y: np.array([y[i].item() for i in np.ndindex(*y.shape)], np.float32).reshape(y.shape),
    "iterate": lambda y: np.stack([t.numpy() for t in y]),
    "parameter": lambda y: lamina.nn.Parameter(y).detach().numpy(),
    "clone": lambda y: y.clone().numpy(),
    "halves": lambda y: np.concatenate([t.numpy() for t in y.chunk(2, 1)], 1),
    "turned": lambda y: y.permute(3, 1, 0, 2).numpy().transpose(2, 1, 3, 0),
    "flipped": lambda y: y.flip(1).numpy()[:, ::-1],
    "stepped": lambda y: np.stack([y[:, :, i::2].clone().numpy() for i in range(2)], 3).reshape(y.shape),
    "rows": lambda y: y.view(-1, y.shape[-1]).numpy().reshape(y.shape),
    "channels merged": lambda y: y.view(y.shape[0], 2, -1).numpy().reshape(y.shape),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_out_gives_the_same_numbers(form):
    y = image()
    assert np.array_equal(FORMS[form](y), truth())
    assert np.array_equal(y.numpy(), truth())


def test_saved_files_hold_rows(tmp_path):
    y = image()
    lamina.save({"y": y}, tmp_path / "y.safetensors")
    assert np.array_equal(lamina.load(tmp_path / "y.safetensors")["y"].numpy(), truth())


def test_detached_and_data_share_memory_before_and_after_a_view():
    for look in (lambda y: y, lambda y: y.view(2, -1)):
        y = image()
        twin, other = y.detach(), lamina.zeros(1)
        other.data = y
        y.add_(1)
        look(y)
        twin[:, 0] = 7
        other.mul_(2)
        expected = truth() + 1
        expected[:, 0] = 7
        for t in (y, twin, other):
            assert np.array_equal(t.numpy(), expected * 2)


def test_writes_through_parts():
    expected = truth()
    y = image()
    y[:, 1] = 0
    y[0, :, 2] += 1
    y[:, :, :, ::2] *= 3
    y.view(2, -1)[:, 5:9] = -1
    y[1, 2, 1, 1] = 9
    expected[:, 1] = 0
    expected[0, :, 2] += 1
    expected[:, :, :, ::2] *= 3
    expected.reshape(2, -1)[:, 5:9] = -1
    expected[1, 2, 1, 1] = 9
    assert np.array_equal(y.numpy(), expected)


def test_index_writes():
    y, expected = image(), truth()
    y[lamina.tensor([0, 1]), lamina.tensor([2, 3])] = 5
    expected[[0, 1], [2, 3]] = 5
    y[y > 1] = 0
    expected[expected > 1] = 0
    y.scatter_(1, lamina.zeros(2, 1, *y.shape[2:]).long(), 4)
    expected[:, 0] = 4
    y.index_fill_(2, lamina.tensor([1]), 3)
    expected[:, :, 1] = 3
    assert np.array_equal(y.numpy(), expected)


def test_overlapping_operands():
    y, expected = image(), truth()
    y.add_(y.view(-1).flip(0).view(y.shape))
    expected = expected + expected[::-1, ::-1, ::-1, ::-1]
    y.mul_(y)
    assert np.array_equal(y.numpy(), expected * expected)
    z, expected = image(), truth()
    z[:, :3].copy_(z[:, 3:])
    expected[:, :3] = expected[:, 3:]
    assert np.array_equal(z.numpy(), expected)


# ---- gradients ----


def network(m, x, w, v, look):
    y = m.nn.functional.max_pool2d(m.relu(m.nn.functional.conv2d(x, w, padding=1)), 2)
    return look(m, y).square().sum() + (y.view(y.shape[0], -1) @ v).sum()


LOOKS = {
    "view": lambda m, y: y.view(y.shape[0], -1).sin(),
    "halves": lambda m, y: y.chunk(2, 1)[0].contiguous().view(-1).exp(),
    "view after use": lambda m, y: y.exp().view(-1) * y.view(-1),
    "in place after a view": lambda m, y: y.clone().view(y.shape[0], -1).mul_(2),
    "in place, then a view": lambda m, y: (y * 1).relu_().view(-1),
    "through a view": lambda m, y: written(y * 1),
    "patches": lambda m, y: y.flatten(2).transpose(1, 2).cumsum(1),
}


def written(y):
    y.view(y.shape[0], -1)[:, ::3] *= 2
    y[:, 1] += 1
    return y.view(-1)


@needs_torch
@pytest.mark.parametrize("look", LOOKS)
def test_gradients_are_pytorchs(look):
    weights = numbers(6 * 3 * 2, 3)
    results = []
    for m in (lamina, torch):
        x, w, v = (m.tensor(a.astype(np.float64), requires_grad=True) for a in (X, W2, weights))
        network(m, x, w, v, LOOKS[look]).backward()
        results.append([x.grad, w.grad, v.grad])
        for g in results[-1]:
            assert g.is_contiguous() and g.view(-1).numel() == g.numel()
    for ours, theirs in zip(*results, strict=True):
        assert tuple(ours.stride()) == theirs.stride()
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-9)


@needs_torch
def test_second_gradients_and_hooks_that_view():
    results = []
    for m in (lamina, torch):
        x, w = (m.tensor(a.astype(np.float64), requires_grad=True) for a in (X, W2))
        y = m.nn.functional.conv2d(x, w)
        seen = []
        y.register_hook(lambda g, seen=seen: seen.append((g.view(-1).sum().item(), g.is_contiguous())))
        (g,) = m.autograd.grad(y.view(2, -1).pow(3).sum(), x, create_graph=True)
        assert g.is_contiguous()
        g.view(-1).square().sum().backward()
        results.append((seen[0], x.grad, w.grad))
    (ours, *our_grads), (theirs, *their_grads) = results
    assert ours[1] and ours[0] == pytest.approx(theirs[0])
    for a, b in zip(our_grads, their_grads, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-8, atol=1e-8)


def test_stale_saved_tensors_are_still_noticed():
    for look in (lambda y: y, lambda y: y.view(-1)):
        y = F.conv2d(lamina.tensor(X), lamina.tensor(W2, requires_grad=True))
        version = y._version
        z = y.exp().sum() + y.square().sum()
        look(y).numel()
        y.detach().numpy()
        assert y._version == version
        y.mul_(2)
        assert y._version == version + 1
        with pytest.raises(lamina.GradError, match="changed in place"):
            z.backward()


def test_a_view_does_not_disturb_what_was_saved():
    grads = []
    for look in (False, True):
        w = lamina.tensor(W2, requires_grad=True)
        y = F.conv2d(lamina.tensor(X), w).sigmoid()
        z = F.conv2d(y, lamina.tensor(numbers(2, 6, 1, 1)) * 0 + 0.5).square().sum()
        if look:
            y.view(-1).sum()
            y.detach().numpy()
        z.backward()
        grads.append(w.grad.numpy().tobytes())
    assert grads[0] == grads[1]


def test_optimizers_take_such_parameters_and_gradients():
    plain = lamina.nn.Parameter(lamina.tensor(truth()))
    p = lamina.nn.Parameter(image())
    for q in (plain, p):
        step = lamina.optim.AdamW([q], lr=0.1)
        for _ in range(2):
            step.zero_grad()
            F.conv2d(q, lamina.tensor(np.ones((2, 6, 2, 2), np.float32))).square().sum().backward()
            step.step()
    assert np.array_equal(plain.detach().numpy(), p.detach().numpy())


# ---- chains ----


def _written(t):
    t = t.clone()
    t.view(-1)[::2] = 0.5
    return t * 2


STEPS = {
    "relu": lambda t: t.relu(),
    "scale": lambda t: t * 1.5,
    "add_": lambda t: t.clone().add_(0.25),
    "self": lambda t: t + t,
    "turn": lambda t: t.transpose(-1, -2),
    "front": lambda t: t.transpose(0, 1),
    "contiguous": lambda t: t.contiguous(),
    "step": lambda t: t[:, ::2],
    "tail": lambda t: t[..., 1:] if t.shape[-1] > 1 else t,
    "first": lambda t: t[:1],
    "back": lambda t: t.flip(1),
    "reshape": lambda t: t.reshape(t.shape[0], -1).reshape(t.shape),
    "merge": lambda t: t.reshape(-1, t.shape[-1]).sin().reshape(t.shape),
    "cat": lambda t: lamina.cat([t, t], 1),
    "sum": lambda t: t + t.sum((0, 1), keepdim=True),
    "pool": lambda t: F.avg_pool2d(t, 2, 1) if min(t.shape[-2:]) > 1 else t,
    "conv": lambda t: F.conv2d(t, t.new_ones(3, t.shape[1], 1, 1) * 0.25),
    "write": lambda t: _written(t.contiguous()),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=7))
def test_chains_agree_with_row_major_memory(chain):
    inside, plain = image(), lamina.tensor(truth())
    for step in chain:
        inside, plain = STEPS[step](inside), lamina.tensor(STEPS[step](plain).numpy())
    assert np.array_equal(inside.numpy(), plain.numpy())


VIEWS = {
    "channels": lambda t: t[:, 1::2] if t.ndim > 1 and t.shape[1] > 1 else t,
    "last rows": lambda t: t[..., -2:, :] if t.ndim > 1 else t,
    "turn": lambda t: t.transpose(-1, 1) if t.ndim > 2 else t,
    "first": lambda t: t[0] if t.ndim > 1 else t,
    "rows": lambda t: t.view(-1, t.shape[-1]) if t.is_contiguous() else t,
    "all": lambda t: t.view(-1) if t.is_contiguous() else t,
    "samples": lambda t: t.view(t.shape[0], -1) if t.is_contiguous() else t,
    "detach": lambda t: t.detach(),
}
WRITES = {
    "add": lambda t: t.add_(1),
    "itself": lambda t: t.mul_(t),
    "fill": lambda t: t[..., :1].fill_(2),
    "copy": lambda t: t.copy_(t.flip(0)),
    "mask": lambda t: t.masked_fill_(t > 1, -1),
    "index": lambda t: t.index_fill_(0, lamina.tensor([0]), 3),
    "pointer": lambda t: t.data_ptr(),
    "read": lambda t: t.sum(),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(sorted({**VIEWS, **WRITES}))), min_size=2, max_size=10))
def test_writes_through_views_of_views(steps):
    inside, plain = [image()], [lamina.tensor(truth())]
    for at, step in steps:
        for tensors in (inside, plain):
            t = tensors[at % len(tensors)]
            if step in WRITES:
                WRITES[step](t)
            else:
                tensors.append(VIEWS[step](t))
    for a, b in zip(inside, plain, strict=True):
        assert a.stride() == b.stride()
        assert np.array_equal(a.numpy(), b.numpy())


# ---- threads ----


def test_threads_may_read_while_another_views():
    w, ones = lamina.tensor(numbers(16, 8, 3, 3)), lamina.tensor(np.ones((4, 16, 1, 1), np.float32))
    x = lamina.tensor(numbers(4, 8, 34, 34))
    expected, wrong = None, []
    for round in range(30):
        y = F.conv2d(x, w)
        twin = y.detach()
        jobs = [lambda: F.conv2d(y, ones), lambda: y.view(4, -1).sum(1), lambda: twin * 2, lambda: y[:, 3].exp()]
        got = [None] * len(jobs)
        start = threading.Barrier(len(jobs))

        def work(i, jobs=jobs, got=got, start=start):
            start.wait()
            got[i] = jobs[i]().numpy().copy()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(jobs))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        expected = got if expected is None else expected
        wrong += [(round, i) for i in range(len(jobs)) if not np.array_equal(got[i], expected[i])]
    assert not wrong


def test_threads_may_write_while_another_views():
    x, w = lamina.tensor(numbers(4, 8, 34, 34)), lamina.tensor(numbers(16, 8, 3, 3))
    expected = (F.conv2d(x, w) + 20).numpy()
    for _ in range(30):
        y = F.conv2d(x, w)
        y.copy_(y + 0)
        with lamina.no_grad():
            writer = threading.Thread(target=lambda y=y: [y.add_(1) for _ in range(20)])
            writer.start()
            y.view(4, -1).shape  # noqa: B018
            y.detach().data_ptr()
            writer.join()
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-4)
