"""Packed and padded sequences: round trips, PyTorch's numbers, gradients, hostile input."""

from __future__ import annotations

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina.autograd import gradcheck, gradgradcheck
from lamina.nn.utils import rnn as packing
from layer_twins import flat


def same(a, b):
    for x, y in zip(flat(a), flat(b), strict=True):
        np.testing.assert_array_equal(to_numpy(x), to_numpy(y))


@st.composite
def batches(draw, least=0):
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    rest = draw(st.lists(st.integers(least, 3), max_size=2))
    shape = (sum(lengths), *rest)
    numbers = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    return lengths, np.split(numbers, np.cumsum(lengths)[:-1])


@settings(max_examples=60, deadline=None)
@given(batches(), st.booleans(), st.integers(0, 3))
def test_packing_round_trip(batch, first, more):
    lengths, arrays = batch
    rows = [lamina.tensor(a) for a in arrays]
    packed = packing.pack_sequence(rows, enforce_sorted=False)
    same(packing.unpack_sequence(packed), rows)
    padded, found = packing.pad_packed_sequence(packed, first, 9.5, max(lengths) + more)
    assert found.tolist() == lengths
    assert padded.shape[:2] == ((len(rows), max(lengths) + more) if first else (max(lengths) + more, len(rows)))
    same(packing.unpad_sequence(padded, found, first), rows)
    same(packing.pack_padded_sequence(padded, found, first, False), packed)
    inside = sum(a.size for a in arrays)
    assert int((padded == 9.5).sum()) == padded.numel() - inside or 9.5 in np.concatenate(arrays)
    order = np.argsort(-np.array(lengths), kind="stable")
    again = packing.pack_sequence([rows[i] for i in order])
    same(again.data, packed.data)
    assert again.sorted_indices is None


@needs_torch
@settings(max_examples=40, deadline=None)
@given(batches(1), st.booleans(), st.sampled_from(["left", "right"]))
def test_packing_is_pytorchs(batch, first, side):
    lengths, arrays = batch
    both = []
    for home in (lamina, torch):
        rows = [home.tensor(a, requires_grad=True) for a in arrays]
        pack = home.nn.utils.rnn
        padded = pack.pad_sequence(rows, first, -1.5, side)
        packed = pack.pack_padded_sequence(padded, lengths, first, False)
        again, found = pack.pad_packed_sequence(packed, first, 2.5)
        (padded.square().sum() + again.exp().sum()).backward()
        each = [padded, *packed, again, found, *pack.unpad_sequence(padded * 1, found, first), *(r.grad for r in rows)]
        both.append([np.array(t.detach().tolist()).reshape(tuple(t.shape)) for t in each])
    for a, b in zip(*both, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_packed_sequence_converts():
    packed = packing.pack_sequence([lamina.arange(3), lamina.arange(5)], enforce_sorted=False)
    assert packed.double().data.dtype == lamina.float64
    assert packed.double().long().data.tolist() == packed.data.tolist()
    assert packed.to("cpu") is packed
    assert not packed.is_cuda
    for name in ("float", "half", "bfloat16", "int", "short", "char", "byte", "cpu"):
        assert isinstance(getattr(packed, name)(), packing.PackedSequence)
    data, sizes, order, inverse = packed
    assert order[inverse].tolist() == [0, 1]
    assert packing.PackedSequence((data, sizes)).sorted_indices is None
    assert packed._replace(data=data * 2).data.tolist() == [2 * v for v in data.tolist()]


def test_packed_gradients_twice():
    def run(a, b):
        packed = packing.pack_sequence([a, b], enforce_sorted=False)
        return packing.pad_packed_sequence(packed, total_length=5)[0].square()

    a, b = (lamina.tensor(np.random.default_rng(n).standard_normal((n, 2)), requires_grad=True) for n in (2, 4))
    assert gradcheck(run, (a, b))
    assert gradgradcheck(run, (a, b))


# ---- hostile input ----


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: packing.pack_padded_sequence(lamina.zeros(4, 2), [2, 3]), "enforce_sorted"),
        (lambda: packing.pack_padded_sequence(lamina.zeros(4, 2), [5, 3]), "between 1 and the 4"),
        (lambda: packing.pack_padded_sequence(lamina.zeros(4, 2), [3, 0]), "between 1 and the 4"),
        (lambda: packing.pack_padded_sequence(lamina.zeros(4, 2), [3]), r"must be \(2,\)"),
        (lambda: packing.pack_padded_sequence(lamina.zeros(4), [3]), "got"),
        (lambda: packing.pack_padded_sequence(lamina.zeros(4, 0, 3), []), "nothing to pack"),
        (lambda: packing.pad_packed_sequence(packing.pack_sequence([lamina.zeros(3)]), total_length=2), "total_length"),
        (lambda: packing.pad_sequence([]), "no sequences"),
        (lambda: packing.pad_sequence([lamina.zeros(2, 3), lamina.zeros(2, 4)]), r"number 1 is \(2, 4\)"),
        (lambda: packing.pad_sequence([lamina.zeros(2)], padding_side="top"), "padding_side"),
        (lambda: packing.pack_sequence([lamina.zeros(2, 3), lamina.zeros(0, 3)]), "sequence 1 is empty"),
        (lambda: packing.unpad_sequence(lamina.zeros(4, 2), [5, 1]), "between 0 and 4"),
        (lambda: packing.PackedSequence(lamina.zeros(3), lamina.tensor([1, 2])), "never grow"),
        (lambda: packing.PackedSequence(lamina.zeros(3), lamina.tensor([2, 2])), "4 rows"),
        (lambda: packing.PackedSequence(lamina.zeros(3), lamina.tensor([3.0])), "int64"),
    ],
)
def test_packing_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: packing.pack_padded_sequence([[1.0]], [1]),
        lambda: packing.pack_padded_sequence(lamina.zeros(4, 2), [2.5, 1.0]),
        lambda: packing.pack_padded_sequence(lamina.zeros(4, 2), lamina.zeros(2)),
        lambda: packing.pad_packed_sequence(lamina.zeros(3, 2)),
        lambda: packing.pad_sequence([1, 2]),
        lambda: packing.PackedSequence([1], [1]),
    ],
)
def test_packing_of_wrong_kinds(call):
    with pytest.raises(TypeError):
        call()
