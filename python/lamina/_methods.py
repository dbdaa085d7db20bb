"""Methods of Tensor that are written in Python: the older constructors and types, diagonals, covariance, sharing."""

from __future__ import annotations

from . import _C
from ._C import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def new(self: Tensor, *data: Any, device: Any = None) -> Tensor:
    """The older constructor: a tensor of this dtype and device; new_zeros, new_empty and new_tensor say what they make.

    x.new() is empty, x.new(2, 3) and x.new(y.size()) have that shape (and are zero), x.new([1, 2]) holds the values of a
    list, array or tensor. A tuple of ints is a shape.

    >>> import lamina
    >>> x = lamina.ones(2, dtype=lamina.float64)
    >>> x.new(2, 3).shape, x.new(x.size()).tolist(), x.new([1, 2]).dtype
    ((2, 3), [0.0, 0.0], lamina.float64)
    """
    from ._legacy import construct

    place = self.device if device is None else device
    shape = data[0] if len(data) == 1 and isinstance(data[0], tuple) else None
    if shape is not None and all(isinstance(n, int) and not isinstance(n, bool) for n in shape):
        data = shape
        if not data:
            return _C.zeros((), dtype=self.dtype, device=place)
    if len(data) == 1 and isinstance(data[0], (str, float)):
        raise TypeError(f"new: expected sizes or one sequence, array or tensor, got {data[0]!r}")
    return construct("new", self.dtype, data).to(place)


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The tensor in another dtype, or, without one, the name of its type: 'lamina.FloatTensor'.

    dtype: a dtype, FloatTensor and its kin, or a name such as 'lamina.LongTensor', 'torch.FloatTensor' or
    'torch.cuda.FloatTensor', which also moves the tensor to that device. non_blocking changes nothing.

    >>> import lamina
    >>> x = lamina.tensor([1.5, 2.0])
    >>> x.type(), x.type(lamina.int64).tolist(), x.type("lamina.DoubleTensor").dtype
    ('lamina.FloatTensor', [1, 2], lamina.float64)
    """
    if isinstance(dtype, _C.dtype):
        return self.to(dtype)
    from ._legacy import _DTYPES, TypedTensor

    if dtype is None:
        name = next(name for name, kind in _DTYPES.items() if kind == self.dtype)
        return f"lamina.{'cuda.' if self.device.type == 'cuda' else ''}{name}"
    if isinstance(dtype, TypedTensor):
        return self.to(dtype.dtype)
    home, _, name = dtype.rpartition(".") if isinstance(dtype, str) else ("", "", "")
    places = {"lamina": "cpu", "torch": "cpu", "lamina.cuda": "cuda", "torch.cuda": "cuda"}
    if name not in _DTYPES or home not in places:
        raise _C.InvalidValue(f"type: expected a dtype, FloatTensor or its kin, or 'lamina.FloatTensor', got {dtype!r}")
    return self.to(places[home], _DTYPES[name])


def get_device(self: Tensor) -> int:
    """The index of the CUDA device that holds the tensor, -1 for the CPU.

    >>> import lamina
    >>> lamina.ones(2).get_device()
    -1
    """
    return -1 if self.device.type == "cpu" else self.device.index or 0


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Writes fill_value to the main diagonal: at least two dims, of equal size where there are more than two.

    wrap: in a matrix with more rows than columns the diagonal starts again after each (columns + 1) rows. The gradient
    of what was overwritten is 0. Raises ShapeError.

    >>> import lamina
    >>> lamina.zeros(5, 2).fill_diagonal_(3, wrap=True).tolist()
    [[3.0, 0.0], [0.0, 3.0], [0.0, 0.0], [3.0, 0.0], [0.0, 3.0]]
    """
    shape = self.shape
    if len(shape) < 2:
        raise _C.ShapeError(f"fill_diagonal_: needs at least two dims, got shape {tuple(shape)}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise _C.ShapeError(f"fill_diagonal_: more than two dims must have equal sizes, got shape {tuple(shape)}")
    if len(shape) == 2:
        rows, columns = shape
        step = columns + 1
        for first in range(0, rows if wrap and columns else 1, step):
            self[first : first + columns].diagonal().fill_(fill_value)
        return self
    line = self.diagonal(0, 0, 1)  # the joined dim stands last
    while line.dim() > 1:
        line = line.diagonal(0, 0, -1)
    line.fill_(fill_value)
    return self


def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replaces each element by callable(element), in row-major order: slow, and without a gradient.

    Raises GradError for a tensor that requires grad, DeviceError outside the CPU.

    >>> import lamina
    >>> lamina.tensor([1.0, 2.0]).apply_(lambda v: v * 10).tolist()
    [10.0, 20.0]
    """
    _plain("apply_", self)
    return _rewritten(self, [callable(v) for v in self.flatten().tolist()])


def map_(self: Tensor, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replaces each element by callable(element, other's element); `tensor` broadcasts: slow, and without a gradient.

    >>> import lamina
    >>> lamina.tensor([1.0, 2.0]).map_(lamina.tensor([10.0]), lambda a, b: a + b).tolist()
    [11.0, 12.0]
    """
    from ._operands import need_tensors

    need_tensors("map_", tensor=tensor)
    _plain("map_", self)
    _plain("map_", tensor)
    pairs = zip(self.flatten().tolist(), tensor.expand_as(self).flatten().tolist(), strict=True)
    return _rewritten(self, [callable(a, b) for a, b in pairs])


def _plain(op: str, x: Tensor) -> None:
    if x.requires_grad:
        raise _C.GradError(f"{op}: a Python function per element has no gradient; hint: x.detach().{op}(...)")
    if x.device.type != "cpu":
        raise _C.DeviceError(f"{op}: works on the CPU, the tensor is on {x.device}; hint: x.cpu()")


def _rewritten(x: Tensor, values: list[Any]) -> Tensor:
    if values:
        x.copy_(_C.tensor(values, dtype=x.dtype).reshape(x.shape))
    return x


def share_memory_(self: Tensor) -> Tensor:
    """Changes nothing: threads of one process see the same memory as it is, and other processes never do.

    >>> import lamina
    >>> lamina.ones(2).share_memory_().is_shared()
    False
    """
    return self


def is_shared(self: Tensor) -> bool:
    """False: no tensor's memory is shared with another process."""
    return False


def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor as it is: transfers need no pinned memory."""
    return self


def is_pinned(self: Tensor, device: Any = None) -> bool:
    """False: there is no pinned memory."""
    return False


def cov(self: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """lamina.cov: covariances of the rows, which are variables; columns are observations."""
    from . import _functions

    return _functions.cov(self, correction=correction, fweights=fweights, aweights=aweights)


def corrcoef(self: Tensor) -> Tensor:
    """lamina.corrcoef: correlations of the rows, which are variables; columns are observations."""
    from . import _functions

    return _functions.corrcoef(self)


def dist(self: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """lamina.dist: the p-norm of self - other."""
    from . import _functions

    return _functions.dist(self, other, p)


def __array_ufunc__(self: Tensor, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """NumPy's functions and operators on tensors give tensors: np.float64(2) * x, np.exp(x), array + x."""
    from . import _numpy

    return _numpy.apply(ufunc, method, inputs, options)


def is_nonzero(self: Tensor) -> bool:
    """lamina.is_nonzero: whether the one element is not zero."""
    from . import _legacy

    return _legacy.is_nonzero(self)


def storage(self: Tensor) -> Any:
    """The memory behind the tensor, counted in its elements: PyTorch's older name for untyped_storage."""
    from .compat.typed_storage import TypedStorage

    return TypedStorage(self)


def _is_cpu(self: Tensor) -> bool:
    """True on the CPU."""
    return str(self.device.type) == "cpu"


setattr(Tensor, "is_cpu", property(_is_cpu))  # noqa: B010
type_.__name__ = "type"  # the builtin is in use above
for _method in (
    new, type_, get_device, fill_diagonal_, apply_, map_, share_memory_, is_shared, pin_memory, is_pinned, cov, corrcoef,
    dist, __array_ufunc__, is_nonzero, storage,
):  # fmt: skip
    _method.__qualname__ = f"Tensor.{_method.__name__}"
    setattr(Tensor, _method.__name__, _method)

# What other kinds of tensors are, and none here is.
for _name in (
    "is_sparse is_sparse_csr is_quantized is_nested is_meta is_mkldnn is_mps is_xpu is_xla is_hpu is_ipu is_vulkan "
    "is_maia is_mtia is_ort"
).split():  # fmt: skip
    setattr(Tensor, _name, False)
