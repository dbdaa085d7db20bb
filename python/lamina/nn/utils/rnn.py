"""Batches of sequences of unequal length: padded, packed, and back.

A padded batch is one tensor (T, N, *) in which short sequences end in padding. A packed one holds the real steps
alone, step by step: all sequences' step 0, then the step 1 of those that have one, and so on, the longest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import index
from typing import Any, NamedTuple

from ... import _C
from ..._C import Tensor
from ..._C import functional as _F


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """The steps of several sequences without padding; made by pack_padded_sequence and pack_sequence.

    data (sum of lengths, *); batch_sizes int64 (T,) on the CPU: how many sequences have a step t; sorted_indices (N,):
    which sequence stands at each place, longest first, or None for the order given; unsorted_indices: the inverse.

    >>> import lamina
    >>> packed = lamina.nn.utils.rnn.pack_sequence([lamina.tensor([1, 2, 3]), lamina.tensor([4])])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 4, 2, 3], [2, 1, 1])
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:  # one argument: (data, batch_sizes)
            data, batch_sizes = data
        _check_packed(data, batch_sizes)
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The data elsewhere or in another dtype, as Tensor.to; batch_sizes stay on the CPU."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [None if i is None else i.to(data.device) for i in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *moved)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return self.to(*args, **kwargs) if args or kwargs else self.to("cuda")

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def double(self) -> PackedSequence:
        return self.to(_C.float64)

    def float(self) -> PackedSequence:
        return self.to(_C.float32)

    def half(self) -> PackedSequence:
        return self.to(_C.float16)

    def bfloat16(self) -> PackedSequence:
        return self.to(_C.bfloat16)

    def long(self) -> PackedSequence:
        return self.to(_C.int64)

    def int(self) -> PackedSequence:
        return self.to(_C.int32)

    def short(self) -> PackedSequence:
        return self.to(_C.int16)

    def char(self) -> PackedSequence:
        return self.to(_C.int8)

    def byte(self) -> PackedSequence:
        return self.to(_C.uint8)

    @property
    def is_cuda(self) -> bool:
        return bool(self.data.is_cuda)


def _check_packed(data: Any, batch_sizes: Any) -> None:
    if not isinstance(data, Tensor) or not isinstance(batch_sizes, Tensor):
        kinds = f"{type(data).__name__} and {type(batch_sizes).__name__}"
        raise TypeError(f"PackedSequence: data and batch_sizes must be Tensors, got {kinds}")
    if batch_sizes.is_cuda:
        raise ValueError("PackedSequence: batch_sizes must be on the CPU; .cpu() brings them there")
    sizes = batch_sizes.tolist() if batch_sizes.dim() == 1 and batch_sizes.dtype == _C.int64 else []
    if not sizes or sizes[-1] < 1 or any(a < b for a, b in pairwise(sizes)):
        raise ValueError(
            "PackedSequence: batch_sizes must be int64 (T,) of positive numbers that never grow, got "
            f"{batch_sizes.dtype} {tuple(batch_sizes.shape)}; pack_padded_sequence makes them"
        )
    if data.dim() == 0 or data.shape[0] != sum(sizes):
        raise _C.ShapeError(
            f"PackedSequence: data has shape {tuple(data.shape)}, batch_sizes say that it has {sum(sizes)} rows"
        )


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another: (N,) -> (N,); None for None."""
    if permutation is None:
        return None
    numbers = _C.arange(permutation.numel(), dtype=permutation.dtype, device=permutation.device)
    return _C.empty_like(permutation).index_copy_(0, permutation, numbers)


def _lengths(op: str, lengths: Any, count: int, longest: int | None) -> Tensor:
    """Lengths as an int64 tensor (N,) on the CPU; `longest` bounds them."""
    given = lengths if isinstance(lengths, Tensor) else _C.tensor([index(n) for n in lengths], dtype=_C.int64)
    if given.is_floating_point() or given.dtype == _C.bool:
        raise _C.DtypeError(f"{op}: lengths must be integers, got {given.dtype}")
    if tuple(given.shape) != (count,):
        raise _C.ShapeError(f"{op}: lengths must be ({count},), one per sequence, got shape {tuple(given.shape)}")
    given = given.to("cpu").to(_C.int64)
    values = given.tolist()
    if longest is not None and any(not 0 < n <= longest for n in values):
        wrong = next(n for n in values if not 0 < n <= longest)
        raise _C.InvalidValue(f"{op}: every length must be between 1 and the {longest} steps of the input, got {wrong}")
    return given


def _places(lengths: Tensor, order: Tensor | None, steps: int, batch_first: bool, device: Any) -> Tensor:
    """Where each packed row stands in the flat padded batch; `lengths` go down, `order` says whose they are."""
    count = lengths.numel()
    taken = _C.arange(steps).unsqueeze(1) < lengths  # (T, N), longest first
    rows = taken.reshape(-1).nonzero().squeeze(1)  # in packed order: step by step
    step, column = rows.div(max(count, 1), rounding_mode="floor"), rows.remainder(max(count, 1))
    if order is not None:
        column = order.to("cpu").index_select(0, column)
    flat: Tensor = column * steps + step if batch_first else step * count + column
    return flat.to(device)


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A padded batch (T, N, *), or (N, T, *) with batch_first, and its lengths (N,) -> PackedSequence; differentiable.

    enforce_sorted demands that lengths go down (and keeps the order as it is); False sorts.
    Raises ValueError for lengths outside of 1..T or not sorted.

    >>> import lamina
    >>> x = lamina.tensor([[1, 2, 3], [4, 0, 0]])
    >>> lamina.nn.utils.rnn.pack_padded_sequence(x, [3, 1], batch_first=True).data.tolist()
    [1, 4, 2, 3]
    """
    op = "pack_padded_sequence"
    if not isinstance(input, Tensor):
        raise TypeError(f"{op}: input must be a Tensor, got {type(input).__name__}")
    if input.dim() < 2:
        raise _C.ShapeError(f"{op}: input must be (T, N, *) or, with batch_first, (N, T, *), got {tuple(input.shape)}")
    shape = tuple(input.shape)
    count, steps = (shape[0], shape[1]) if batch_first else (shape[1], shape[0])
    if count == 0 or steps == 0:
        raise _C.ShapeError(f"{op}: there is nothing to pack in an input of shape {shape}")
    taken, order = _lengths(op, lengths, count, steps), None
    if enforce_sorted:
        values = taken.tolist()
        if any(a < b for a, b in pairwise(values)):
            raise _C.InvalidValue(
                f"{op}: lengths must go down when enforce_sorted is True, got {values[:8]}; pass enforce_sorted=False"
            )
    else:
        taken, order = taken.sort(descending=True)
        order = order.to(input.device)
    longest = int(taken[0].item())
    batch_sizes = (_C.arange(longest).unsqueeze(1) < taken).sum(1)
    places = _places(taken, order, steps, batch_first, input.device)
    data = input.reshape(count * steps, *shape[2:]).index_select(0, places)
    return PackedSequence(data, batch_sizes, order, None)


def _sorted_lengths(packed: PackedSequence) -> Tensor:
    """Lengths in packed order, (N,): sequence i has a step t when batch_sizes[t] > i."""
    return (packed.batch_sizes.unsqueeze(0) > _C.arange(int(packed.batch_sizes[0].item())).unsqueeze(1)).sum(1)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """PackedSequence -> the padded batch (T, N, *), or (N, T, *) with batch_first, and the lengths (N,) on the CPU.

    Sequences stand in the order in which they were packed. T is the longest length, or total_length.
    Raises ValueError where total_length is shorter than the longest sequence.

    >>> import lamina
    >>> packed = lamina.nn.utils.rnn.pack_sequence([lamina.tensor([1, 2, 3]), lamina.tensor([4])])
    >>> padded, lengths = lamina.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    >>> padded.tolist(), lengths.tolist()
    ([[1, 2, 3], [4, 0, 0]], [3, 1])
    """
    if not isinstance(sequence, PackedSequence):
        raise TypeError(f"pad_packed_sequence: expected a PackedSequence, got {type(sequence).__name__}")
    data, lengths = sequence.data, _sorted_lengths(sequence)
    count, longest = lengths.numel(), int(lengths[0].item())
    steps = longest if total_length is None else total_length
    if steps < longest:
        raise ValueError(
            f"pad_packed_sequence: total_length {total_length} is shorter than the longest sequence, {longest}"
        )
    places = _places(lengths, sequence.sorted_indices, steps, batch_first, data.device)
    rest = tuple(data.shape)[1:]
    flat = data.new_full((count * steps, *rest), padding_value).index_copy(0, places, data)
    if sequence.unsorted_indices is not None:
        lengths = lengths.index_select(0, sequence.unsorted_indices.to("cpu"))
    return flat.reshape(*((count, steps) if batch_first else (steps, count)), *rest), lengths


def repacked(padded: Tensor, like: PackedSequence) -> PackedSequence:
    """A padded batch (T, N, *), in the order that pad_packed_sequence gives, packed as `like` is."""
    steps, count, *rest = padded.shape
    places = _places(_sorted_lengths(like), like.sorted_indices, steps, False, padded.device)
    data = padded.reshape(steps * count, *rest).index_select(0, places)
    return PackedSequence(data, like.batch_sizes, like.sorted_indices, like.unsorted_indices)


def _sequences(op: str, sequences: Any) -> list[Tensor]:
    listed = list(sequences.unbind(0)) if isinstance(sequences, Tensor) else list(sequences)
    if not listed:
        raise _C.InvalidValue(f"{op}: there are no sequences")
    for i, s in enumerate(listed):
        if not isinstance(s, Tensor):
            raise TypeError(f"{op}: sequences must be Tensors, number {i} is {type(s).__name__}")
        if s.dim() == 0 or tuple(s.shape)[1:] != tuple(listed[0].shape)[1:]:
            raise _C.ShapeError(
                f"{op}: sequences must be (length, *) alike but for the length, number 0 is {tuple(listed[0].shape)}, "
                f"number {i} is {tuple(s.shape)}"
            )
    return listed


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (length_i, *) -> one padded batch (T, N, *), or (N, T, *) with batch_first; differentiable.

    T is the longest length; padding_side says at which end padding_value fills up. The dtype is that of the first.

    >>> import lamina
    >>> lamina.nn.utils.rnn.pad_sequence([lamina.tensor([1, 2, 3]), lamina.tensor([4])], batch_first=True).tolist()
    [[1, 2, 3], [4, 0, 0]]
    """
    if padding_side not in ("left", "right"):
        raise ValueError(f"pad_sequence: padding_side must be 'left' or 'right', got {padding_side!r}")
    listed = _sequences("pad_sequence", sequences)
    steps, left = max(s.shape[0] for s in listed), padding_side == "left"
    rows = []
    for s in listed:
        missing = steps - s.shape[0]
        borders = [0, 0] * (s.dim() - 1) + ([missing, 0] if left else [0, missing])
        rows.append(_F.pad(s.to(listed[0].dtype), borders, "constant", padding_value))
    return _C.stack(rows, 0 if batch_first else 1)


def pack_sequence(sequences: Tensor | Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (length_i, *) -> PackedSequence; enforce_sorted demands the longest first.

    >>> import lamina
    >>> a, b = lamina.tensor([4]), lamina.tensor([1, 2, 3])
    >>> lamina.nn.utils.rnn.pack_sequence([a, b], enforce_sorted=False).sorted_indices.tolist()
    [1, 0]
    """
    listed = _sequences("pack_sequence", sequences)
    lengths = [s.shape[0] for s in listed]
    if 0 in lengths:
        raise _C.InvalidValue(
            f"pack_sequence: sequence {lengths.index(0)} is empty, a packed one has at least one step"
        )
    return pack_padded_sequence(pad_sequence(listed, True), lengths, True, enforce_sorted)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """A padded batch (T, N, *), or (N, T, *) with batch_first, and lengths (N,) -> N sequences (length_i, *).

    >>> import lamina
    >>> rows = lamina.nn.utils.rnn.unpad_sequence(lamina.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True)
    >>> [row.tolist() for row in rows]
    [[1, 2, 3], [4]]
    """
    op = "unpad_sequence"
    if not isinstance(padded_sequences, Tensor):
        raise TypeError(f"{op}: padded_sequences must be a Tensor, got {type(padded_sequences).__name__}")
    if padded_sequences.dim() < 2:
        raise _C.ShapeError(f"{op}: expected (T, N, *) or (N, T, *), got shape {tuple(padded_sequences.shape)}")
    padded = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    count, steps = tuple(padded.shape)[:2]
    values: Sequence[int] = _lengths(op, lengths, count, None).tolist()
    if any(not 0 <= n <= steps for n in values):
        raise _C.InvalidValue(f"{op}: every length must be between 0 and {steps}, got {list(values)[:8]}")
    return [padded[i, :n] for i, n in enumerate(values)]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """PackedSequence -> its sequences (length_i, *), in the order in which they were packed.

    >>> import lamina
    >>> packed = lamina.nn.utils.rnn.pack_sequence([lamina.tensor([1, 2, 3]), lamina.tensor([4])])
    >>> [s.tolist() for s in lamina.nn.utils.rnn.unpack_sequence(packed)]
    [[1, 2, 3], [4]]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
