"""Types of the engine. Written by tools/gen_stubs.py from the registry; do not edit."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, overload

from typing_extensions import Self

Number: TypeAlias = builtins.int | builtins.float | builtins.bool

class ValuesIndices(NamedTuple):
    values: Tensor
    indices: Tensor

class MinMax(NamedTuple):
    min: Tensor
    max: Tensor

class Histogram(NamedTuple):
    hist: Tensor
    bin_edges: Tensor

class dtype:
    @property
    def name(self) -> str: ...
    @property
    def itemsize(self) -> builtins.int: ...
    @property
    def is_floating_point(self) -> builtins.bool: ...
    @property
    def is_signed(self) -> builtins.bool: ...
    @property
    def is_complex(self) -> builtins.bool: ...

class device:
    def __init__(self, type: str | device, index: builtins.int | None = None) -> None: ...
    @property
    def type(self) -> str: ...
    @property
    def index(self) -> builtins.int | None: ...

_Dtype: TypeAlias = dtype
_Device: TypeAlias = device

class Tensor:
    """A multi-dimensional array of one dtype, with automatic differentiation."""

    def __new__(cls, data: Tensor, *args: Any, **kwargs: Any) -> Self: ...
    def __getitem__(self, index: Any, /) -> Tensor: ...
    def __setitem__(self, index: Any, value: Tensor | Number, /) -> None: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __add__(self, other: Tensor | Number, /) -> Tensor: ...
    def __radd__(self, other: Tensor | Number, /) -> Tensor: ...
    def __iadd__(self, other: Tensor | Number, /) -> Tensor: ...
    def __sub__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rsub__(self, other: Tensor | Number, /) -> Tensor: ...
    def __isub__(self, other: Tensor | Number, /) -> Tensor: ...
    def __mul__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rmul__(self, other: Tensor | Number, /) -> Tensor: ...
    def __imul__(self, other: Tensor | Number, /) -> Tensor: ...
    def __truediv__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rtruediv__(self, other: Tensor | Number, /) -> Tensor: ...
    def __itruediv__(self, other: Tensor | Number, /) -> Tensor: ...
    def __floordiv__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rfloordiv__(self, other: Tensor | Number, /) -> Tensor: ...
    def __ifloordiv__(self, other: Tensor | Number, /) -> Tensor: ...
    def __mod__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rmod__(self, other: Tensor | Number, /) -> Tensor: ...
    def __imod__(self, other: Tensor | Number, /) -> Tensor: ...
    def __pow__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rpow__(self, other: Tensor | Number, /) -> Tensor: ...
    def __ipow__(self, other: Tensor | Number, /) -> Tensor: ...
    def __and__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rand__(self, other: Tensor | Number, /) -> Tensor: ...
    def __iand__(self, other: Tensor | Number, /) -> Tensor: ...
    def __or__(self, other: Tensor | Number, /) -> Tensor: ...
    def __ror__(self, other: Tensor | Number, /) -> Tensor: ...
    def __ior__(self, other: Tensor | Number, /) -> Tensor: ...
    def __xor__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rxor__(self, other: Tensor | Number, /) -> Tensor: ...
    def __ixor__(self, other: Tensor | Number, /) -> Tensor: ...
    def __lshift__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rlshift__(self, other: Tensor | Number, /) -> Tensor: ...
    def __ilshift__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rshift__(self, other: Tensor | Number, /) -> Tensor: ...
    def __rrshift__(self, other: Tensor | Number, /) -> Tensor: ...
    def __irshift__(self, other: Tensor | Number, /) -> Tensor: ...
    def __lt__(self, other: Any, /) -> Tensor: ...
    def __le__(self, other: Any, /) -> Tensor: ...
    def __gt__(self, other: Any, /) -> Tensor: ...
    def __ge__(self, other: Any, /) -> Tensor: ...
    def __eq__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
    def __ne__(self, other: Any, /) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __matmul__(self, other: Tensor, /) -> Tensor: ...
    def __rmatmul__(self, other: Tensor, /) -> Tensor: ...
    def __hash__(self) -> builtins.int: ...
    def __bool__(self) -> builtins.bool: ...
    def __float__(self) -> builtins.float: ...
    def __int__(self) -> builtins.int: ...
    def __index__(self) -> builtins.int: ...
    def __len__(self) -> builtins.int: ...
    @property
    def H(self) -> Any:
        """View of a matrix with its dims swapped."""
    @property
    def T(self) -> Any:
        """View with the dims reversed."""
    def __array__(self, dtype: Any = ..., copy: Any = ...) -> Any:
        """__array__"""
    def __array_namespace__(self, api_version: Any = ...) -> Any:
        """__array_namespace__"""
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions and operators on tensors give tensors: np.float64(2) * x, np.exp(x), array + x."""
    def __copy__(self) -> Any:
        """__copy__"""
    def __deepcopy__(self, arg0: Any) -> Any:
        """__deepcopy__"""
    def __dlpack__(self, stream: Any = ..., max_version: Any = ..., dl_device: Any = ..., copy: Any = ...) -> Any:
        """__dlpack__"""
    def __dlpack_device__(self) -> Any:
        """__dlpack_device__"""
    def __format__(self, arg0: Any) -> Any:
        """__format__"""
    def __reduce_ex__(self, arg0: Any) -> Any:
        """__reduce_ex__"""
    def __repr__(self) -> Any:
        """__repr__"""
    def __reversed__(self) -> Tensor:
        """__reversed__"""
    def __str__(self) -> Any:
        """__str__"""
    @property
    def _version(self) -> Any:
        """How often the memory was written in place."""
    def absolute(self) -> Tensor:
        """Absolute value; its gradient at 0 is 0."""
    def absolute_(self) -> Tensor:
        """Absolute value; its gradient at 0 is 0."""
    def apply_(self, callable: Callable[[Any], Any]) -> Tensor:
        """Replaces each element by callable(element), in row-major order: slow, and without a gradient."""
    def arccos(self) -> Tensor:
        """Arc cosine."""
    def arccos_(self) -> Tensor:
        """Arc cosine."""
    def arccosh(self) -> Tensor:
        """Inverse hyperbolic cosine."""
    def arccosh_(self) -> Tensor:
        """Inverse hyperbolic cosine."""
    def arcsin(self) -> Tensor:
        """Arc sine."""
    def arcsin_(self) -> Tensor:
        """Arc sine."""
    def arcsinh(self) -> Tensor:
        """Inverse hyperbolic sine."""
    def arcsinh_(self) -> Tensor:
        """Inverse hyperbolic sine."""
    def arctan(self) -> Tensor:
        """Arc tangent."""
    def arctan2(self, other: Tensor | Number) -> Tensor:
        """Angle of the point (other, input)."""
    def arctan2_(self, other: Tensor | Number) -> Tensor:
        """Angle of the point (other, input)."""
    def arctan_(self) -> Tensor:
        """Arc tangent."""
    def arctanh(self) -> Tensor:
        """Inverse hyperbolic tangent."""
    def arctanh_(self) -> Tensor:
        """Inverse hyperbolic tangent."""
    def backward(self, gradient: Any = ..., retain_graph: Any = ..., create_graph: Any = ..., inputs: Any = ...) -> None:
        """backward"""
    def bfloat16(self, memory_format: Any = ...) -> Tensor:
        """bfloat16"""
    def bool(self, memory_format: Any = ...) -> Tensor:
        """bool"""
    def byte(self, memory_format: Any = ...) -> Tensor:
        """byte"""
    def char(self, memory_format: Any = ...) -> Tensor:
        """char"""
    def cholesky(self, upper: Any = ...) -> Any:
        """lamina.linalg.cholesky with `upper` by position."""
    def cholesky_inverse(self, upper: Any = ...) -> Any:
        """A^-1, given the Cholesky factor of A: (*, N, N) -> (*, N, N)."""
    def cholesky_solve(self, L: Any, upper: Any = ...) -> Any:
        """X of A X = B, given the Cholesky factor of A: (*, N, K), (*, N, N) -> (*, N, K)."""
    def clip(self, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
        """input limited to min and max (numbers or tensors; one may be left out)."""
    def clip_(self, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
        """Limits self to min and max."""
    def corrcoef(self) -> Tensor:
        """lamina.corrcoef: correlations of the rows, which are variables; columns are observations."""
    def cov(self, *, correction: builtins.int = ..., fweights: Tensor | None = ..., aweights: Tensor | None = ...) -> Tensor:
        """lamina.cov: covariances of the rows, which are variables; columns are observations."""
    def cpu(self) -> Tensor:
        """cpu"""
    def cuda(self, device: Any = ...) -> Tensor:
        """cuda"""
    @property
    def data(self) -> Any:
        """The same memory without history."""
    @data.setter
    def data(self, value: Any) -> None: ...
    def data_ptr(self) -> builtins.int:
        """data_ptr"""
    def det(self) -> Any:
        """Determinant: (*, N, N) -> (*). Gradient: G det(A) A^-T; for singular A, G times the cofactors."""
    def detach(self) -> Tensor:
        """detach"""
    def detach_(self) -> Any:
        """detach_"""
    @property
    def device(self) -> Any:
        """Where the memory is."""
    def dim(self) -> builtins.int:
        """dim"""
    def dist(self, other: Tensor, p: builtins.float = ...) -> Tensor:
        """lamina.dist: the p-norm of self - other."""
    def divide(self, other: Tensor | Number, rounding_mode: str | None = None) -> Tensor:
        """input / other; rounding_mode 'floor' or 'trunc' rounds the quotient."""
    def divide_(self, other: Tensor | Number, rounding_mode: str | None = None) -> Tensor:
        """self / other, written into self."""
    def double(self, memory_format: Any = ...) -> Tensor:
        """double"""
    @property
    def dtype(self) -> Any:
        """Type of the elements."""
    def element_size(self) -> builtins.int:
        """element_size"""
    def expand_as(self, arg0: Any) -> Tensor:
        """expand_as"""
    def expit(self) -> Tensor:
        """1 / (1 + exp(-input))."""
    def expit_(self) -> Tensor:
        """1 / (1 + exp(-input))."""
    def fill_diagonal_(self, fill_value: Any, wrap: builtins.bool = ...) -> Tensor:
        """Writes fill_value to the main diagonal: at least two dims, of equal size where there are more than two."""
    def fix(self) -> Tensor:
        """Integer part, towards zero."""
    def fix_(self) -> Tensor:
        """Integer part, towards zero."""
    def float(self, memory_format: Any = ...) -> Tensor:
        """float"""
    def ger(self, vec2: Tensor) -> Tensor:
        """Products of every pair of elements: (M), (N) -> (M, N)."""
    def get_device(self) -> builtins.int:
        """The index of the CUDA device that holds the tensor, -1 for the CPU."""
    @property
    def grad(self) -> Any:
        """Gradient that backward() added up, or None."""
    @grad.setter
    def grad(self, value: Any) -> None: ...
    @property
    def grad_fn(self) -> Any:
        """The recorded operation that made this tensor, or None."""
    def greater(self, other: Tensor | Number) -> Tensor:
        """input > other."""
    def greater_(self, other: Tensor | Number) -> Tensor:
        """input > other."""
    def greater_equal(self, other: Tensor | Number) -> Tensor:
        """input >= other."""
    def greater_equal_(self, other: Tensor | Number) -> Tensor:
        """input >= other."""
    def half(self, memory_format: Any = ...) -> Tensor:
        """half"""
    def int(self, memory_format: Any = ...) -> Tensor:
        """int"""
    def inverse(self) -> Any:
        """Inverse of square matrices: (*, N, N) -> (*, N, N). Gradient: -Y^T G Y^T for Y = A^-1."""
    def is_complex(self) -> builtins.bool:
        """is_complex"""
    def is_contiguous(self, memory_format: Any = ...) -> builtins.bool:
        """is_contiguous"""
    @property
    def is_cpu(self) -> Any:
        """True on the CPU."""
    @property
    def is_cuda(self) -> Any:
        """True on a CUDA device."""
    def is_floating_point(self) -> builtins.bool:
        """is_floating_point"""
    is_hpu: builtins.bool
    is_ipu: builtins.bool
    @property
    def is_leaf(self) -> Any:
        """True for tensors that no recorded operation made."""
    is_maia: builtins.bool
    is_meta: builtins.bool
    is_mkldnn: builtins.bool
    is_mps: builtins.bool
    is_mtia: builtins.bool
    is_nested: builtins.bool
    def is_nonzero(self) -> builtins.bool:
        """lamina.is_nonzero: whether the one element is not zero."""
    is_ort: builtins.bool
    def is_pinned(self, device: Any = ...) -> builtins.bool:
        """False: there is no pinned memory."""
    is_quantized: builtins.bool
    def is_shared(self) -> builtins.bool:
        """False: no tensor's memory is shared with another process."""
    def is_signed(self) -> builtins.bool:
        """is_signed"""
    is_sparse: builtins.bool
    is_sparse_csr: builtins.bool
    is_vulkan: builtins.bool
    is_xla: builtins.bool
    is_xpu: builtins.bool
    def item(self) -> Any:
        """item"""
    @property
    def itemsize(self) -> Any:
        """Bytes of one element."""
    def less(self, other: Tensor | Number) -> Tensor:
        """input < other."""
    def less_(self, other: Tensor | Number) -> Tensor:
        """input < other."""
    def less_equal(self, other: Tensor | Number) -> Tensor:
        """input <= other."""
    def less_equal_(self, other: Tensor | Number) -> Tensor:
        """input <= other."""
    def logdet(self) -> Any:
        """log det: NaN for a negative determinant, -inf for zero: (*, N, N) -> (*)."""
    def long(self, memory_format: Any = ...) -> Tensor:
        """long"""
    @property
    def mH(self) -> Any:
        """View with the last two dims swapped."""
    @property
    def mT(self) -> Any:
        """View with the last two dims swapped."""
    def map_(self, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Replaces each element by callable(element, other's element); `tensor` broadcasts: slow, and without a gradient."""
    def matrix_exp(self) -> Any:
        """Matrix exponential: (*, N, N) -> (*, N, N). By matmul alone, so exact as matmul is: Taylor's series of degree 18"""
    def matrix_power(self, n: Any) -> Any:
        """The n-th power, of the inverse for negative n: (*, N, N) -> (*, N, N). By repeated squaring."""
    def moveaxis(self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]) -> Tensor:
        """View with dims moved to other places."""
    def multiply(self, other: Tensor | Number) -> Tensor:
        """input * other."""
    def multiply_(self, other: Tensor | Number) -> Tensor:
        """input * other."""
    @property
    def nbytes(self) -> Any:
        """Bytes of all elements."""
    @property
    def ndim(self) -> Any:
        """Number of dims."""
    def ndimension(self) -> builtins.int:
        """ndimension"""
    def negative(self) -> Tensor:
        """-input."""
    def negative_(self) -> Tensor:
        """-input."""
    def nelement(self) -> builtins.int:
        """nelement"""
    def new(self, *data: Any, device: Any = ...) -> Tensor:
        """The older constructor: a tensor of this dtype and device; new_zeros, new_empty and new_tensor say what they make."""
    def new_empty(self, *args: Any, dtype: Any = ..., device: Any = ..., requires_grad: Any = ...) -> Tensor:
        """new_empty"""
    def new_full(self, size: Any, fill_value: Any, dtype: Any = ..., device: Any = ..., requires_grad: Any = ...) -> Tensor:
        """new_full"""
    def new_ones(self, *args: Any, dtype: Any = ..., device: Any = ..., requires_grad: Any = ...) -> Tensor:
        """new_ones"""
    def new_tensor(self, data: Any, dtype: Any = ..., device: Any = ..., requires_grad: Any = ...) -> Any:
        """new_tensor"""
    def new_zeros(self, *args: Any, dtype: Any = ..., device: Any = ..., requires_grad: Any = ...) -> Tensor:
        """new_zeros"""
    def nonzero(self, *, as_tuple: Any = ...) -> Any:
        """nonzero"""
    def not_equal(self, other: Tensor | Number) -> Tensor:
        """input != other."""
    def not_equal_(self, other: Tensor | Number) -> Tensor:
        """input != other."""
    def numel(self) -> builtins.int:
        """numel"""
    def numpy(self, force: Any = ...) -> Any:
        """numpy"""
    def pin_memory(self, device: Any = ...) -> Tensor:
        """The tensor as it is: transfers need no pinned memory."""
    def pinverse(self, rcond: Any = ...) -> Any:
        """lamina.linalg.pinv with rcond by position."""
    def polygamma(self, n: Any) -> Tensor:
        """polygamma"""
    def qr(self, some: Any = ...) -> Any:
        """lamina.linalg.qr: reduced, or complete with some=False."""
    def register_hook(self, hook: Any) -> Any:
        """register_hook"""
    def register_post_accumulate_grad_hook(self, hook: Any) -> Any:
        """register_post_accumulate_grad_hook"""
    @property
    def requires_grad(self) -> Any:
        """True if gradients flow to this tensor."""
    @requires_grad.setter
    def requires_grad(self, value: Any) -> None: ...
    def requires_grad_(self, requires_grad: Any = ...) -> Any:
        """requires_grad_"""
    def reshape_as(self, arg0: Any) -> Tensor:
        """reshape_as"""
    def retain_grad(self) -> None:
        """retain_grad"""
    @property
    def retains_grad(self) -> Any:
        """True after retain_grad() on a tensor that is no leaf."""
    def sgn(self) -> Tensor:
        """-1, 0 or 1 by the sign of input."""
    def sgn_(self) -> Tensor:
        """-1, 0 or 1 by the sign of input."""
    @property
    def shape(self) -> Any:
        """Sizes of the dims, as a tuple."""
    def share_memory_(self) -> Tensor:
        """Changes nothing: threads of one process see the same memory as it is, and other processes never do."""
    def short(self, memory_format: Any = ...) -> Tensor:
        """short"""
    def size(self, dim: Any = ...) -> Any:
        """size"""
    def slogdet(self) -> Any:
        """Sign and logarithm of the size of the determinant: (*, N, N) -> (*), (*). Gradient: G A^-T."""
    def storage(self) -> Any:
        """The memory behind the tensor, counted in its elements: PyTorch's older name for untyped_storage."""
    def storage_offset(self) -> builtins.int:
        """storage_offset"""
    def stride(self, dim: Any = ...) -> Any:
        """stride"""
    def subtract(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """input - alpha * other."""
    def subtract_(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """input - alpha * other."""
    def svd(self, some: Any = ..., compute_uv: Any = ...) -> Any:
        """input = U diag(S) V^T: returns V itself, where linalg.svd returns its transpose. compute_uv=False: U, V are 0."""
    def swapaxes(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """View with two dims swapped."""
    def swapaxes_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Swaps two dims of self."""
    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """View with two dims swapped."""
    def swapdims_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Swaps two dims of self."""
    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """to"""
    def tolist(self) -> Any:
        """tolist"""
    def true_divide(self, other: Tensor | Number, rounding_mode: str | None = None) -> Tensor:
        """input / other; rounding_mode 'floor' or 'trunc' rounds the quotient."""
    def true_divide_(self, other: Tensor | Number, rounding_mode: str | None = None) -> Tensor:
        """self / other, written into self."""
    def type(self, dtype: Any = ..., non_blocking: builtins.bool = ...) -> Any:
        """The tensor in another dtype, or, without one, the name of its type: 'lamina.FloatTensor'."""
    def type_as(self, arg0: Any) -> Tensor:
        """type_as"""
    def untyped_storage(self) -> Any:
        """What is known of the memory that the views of a tensor share."""
    def vdot(self, tensor: Tensor) -> Tensor:
        """Sum of products of two vectors: (K), (K) -> ()."""
    def view_as(self, arg0: Any) -> Tensor:
        """view_as"""
    def where(self, condition: Any, other: Any) -> Tensor:
        """where"""
    def abs(self) -> Tensor:
        """Absolute value; its gradient at 0 is 0."""

    def abs_(self) -> Tensor:
        """Absolute value; its gradient at 0 is 0."""

    def acos(self) -> Tensor:
        """Arc cosine."""

    def acos_(self) -> Tensor:
        """Arc cosine."""

    def acosh(self) -> Tensor:
        """Inverse hyperbolic cosine."""

    def acosh_(self) -> Tensor:
        """Inverse hyperbolic cosine."""

    def add(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """input + alpha * other."""

    def add_(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """input + alpha * other."""

    def addbmm(self, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """beta * input + alpha * (the sum over b of batch1[b] batch2[b]), input broadcast: (M, N), (B, M, K), (B, K, N) -> (M, N)."""

    def addbmm_(self, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """addbmm, written into self."""

    def addcdiv(self, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1) -> Tensor:
        """input + value * tensor1 / tensor2."""

    def addcdiv_(self, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1) -> Tensor:
        """input + value * tensor1 / tensor2."""

    def addcmul(self, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1) -> Tensor:
        """input + value * tensor1 * tensor2."""

    def addcmul_(self, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1) -> Tensor:
        """input + value * tensor1 * tensor2."""

    def addmm(self, mat1: Tensor, mat2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """beta * input + alpha * (mat1 mat2), input broadcast: (M, N), (M, K), (K, N) -> (M, N)."""

    def addmm_(self, mat1: Tensor, mat2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """addmm, written into self."""

    def addmv(self, mat: Tensor, vec: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """beta * input + alpha * (mat vec), input broadcast: (M), (M, K), (K) -> (M)."""

    def addmv_(self, mat: Tensor, vec: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """addmv, written into self."""

    def addr(self, vec1: Tensor, vec2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """beta * input + alpha * outer(vec1, vec2), input broadcast: (M, N), (M), (N) -> (M, N)."""

    def addr_(self, vec1: Tensor, vec2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """addr, written into self."""

    def adjoint(self) -> Tensor:
        """View with the last two dims swapped: (*, M, N) -> (*, N, M)."""

    def all(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """True where every element over dim is not zero: (*, N) -> (*)."""

    def allclose(self, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> builtins.bool:
        """True if isclose holds everywhere."""

    def amax(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Largest element over dim; equal ones share the gradient: (*, N) -> (*)."""

    def amin(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Smallest element over dim; equal ones share the gradient: (*, N) -> (*)."""

    def aminmax(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> MinMax:
        """Smallest and largest elements over dim: (*, N) -> (*), (*)."""

    def any(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """True where any element over dim is not zero: (*, N) -> (*)."""

    def argmax(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Place of the first largest element over dim, or in the flattened tensor: (*, N) -> (*)."""

    def argmin(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Place of the first smallest element over dim, or in the flattened tensor: (*, N) -> (*)."""

    def argsort(self, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = False) -> Tensor:
        """Places that sort each line: (*, N) -> (*, N)."""

    def argwhere(self) -> Tensor:
        """Coordinates of the elements that are not zero, one row each."""

    def as_strided(self, size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int], storage_offset: builtins.int | None = None) -> Tensor:
        """View of the same storage with any size and stride inside it."""

    def asin(self) -> Tensor:
        """Arc sine."""

    def asin_(self) -> Tensor:
        """Arc sine."""

    def asinh(self) -> Tensor:
        """Inverse hyperbolic sine."""

    def asinh_(self) -> Tensor:
        """Inverse hyperbolic sine."""

    def atan(self) -> Tensor:
        """Arc tangent."""

    def atan2(self, other: Tensor | Number) -> Tensor:
        """Angle of the point (other, input)."""

    def atan2_(self, other: Tensor | Number) -> Tensor:
        """Angle of the point (other, input)."""

    def atan_(self) -> Tensor:
        """Arc tangent."""

    def atanh(self) -> Tensor:
        """Inverse hyperbolic tangent."""

    def atanh_(self) -> Tensor:
        """Inverse hyperbolic tangent."""

    def baddbmm(self, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """beta * input + alpha * (batch1 batch2), input broadcast: (B, M, N), (B, M, K), (B, K, N) -> (B, M, N)."""

    def baddbmm_(self, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """baddbmm, written into self."""

    @overload
    def bernoulli(self, generator: Generator | None = None) -> Tensor:
        """1 with probability input, else 0: (*) -> (*)."""
    @overload
    def bernoulli(self, p: builtins.float, generator: Generator | None = None) -> Tensor:
        """Like input: 1 with probability p, else 0."""

    def bernoulli_(self, p: Tensor | Number | None = None, generator: Generator | None = None) -> Tensor:
        """Writes 1 with probability p (0.5; a number or a tensor), else 0, into self."""

    def bincount(self, weights: Tensor | None = None, minlength: builtins.int = 0) -> Tensor:
        """How often (or with which sum of weights) each number occurs in a 1-D tensor."""

    def bitwise_and(self, other: Tensor | Number) -> Tensor:
        """Bitwise and."""

    def bitwise_and_(self, other: Tensor | Number) -> Tensor:
        """Bitwise and."""

    def bitwise_left_shift(self, other: Tensor | Number) -> Tensor:
        """input * 2^other in the integers; 0 where other is negative or above the width."""

    def bitwise_left_shift_(self, other: Tensor | Number) -> Tensor:
        """input * 2^other in the integers; 0 where other is negative or above the width."""

    def bitwise_not(self) -> Tensor:
        """Every bit flipped; logical not for bool."""

    def bitwise_not_(self) -> Tensor:
        """Every bit flipped; logical not for bool."""

    def bitwise_or(self, other: Tensor | Number) -> Tensor:
        """Bitwise or."""

    def bitwise_or_(self, other: Tensor | Number) -> Tensor:
        """Bitwise or."""

    def bitwise_right_shift(self, other: Tensor | Number) -> Tensor:
        """input / 2^other rounded down; only the sign is left where other is negative or above the width."""

    def bitwise_right_shift_(self, other: Tensor | Number) -> Tensor:
        """input / 2^other rounded down; only the sign is left where other is negative or above the width."""

    def bitwise_xor(self, other: Tensor | Number) -> Tensor:
        """Bitwise exclusive or."""

    def bitwise_xor_(self, other: Tensor | Number) -> Tensor:
        """Bitwise exclusive or."""

    def bmm(self, mat2: Tensor) -> Tensor:
        """Products of two batches of matrices: (B, M, K), (B, K, N) -> (B, M, N)."""

    def broadcast_to(self, *size: Any) -> Tensor:
        """View with dims of size 1 repeated without copying."""

    def cauchy_(self, median: builtins.float = 0.0, sigma: builtins.float = 1.0, generator: Generator | None = None) -> Tensor:
        """Writes numbers of a Cauchy distribution into self."""

    def ceil(self) -> Tensor:
        """Smallest integer >= input."""

    def ceil_(self) -> Tensor:
        """Smallest integer >= input."""

    def celu(self, alpha: Number = 1) -> Tensor:
        """input where positive, else alpha * (exp(input / alpha) - 1)."""

    def celu_(self, alpha: Number = 1) -> Tensor:
        """input where positive, else alpha * (exp(input / alpha) - 1)."""

    def chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of at most chunks equal pieces along dim."""

    def clamp(self, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
        """input limited to min and max (numbers or tensors; one may be left out)."""

    def clamp_(self, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
        """Limits self to min and max."""

    def clamp_max(self, max: Tensor | Number) -> Tensor:
        """min(input, max); the gradient is input's at a tie."""

    def clamp_max_(self, max: Tensor | Number) -> Tensor:
        """min(input, max); the gradient is input's at a tie."""

    def clamp_min(self, min: Tensor | Number) -> Tensor:
        """max(input, min); the gradient is input's at a tie."""

    def clamp_min_(self, min: Tensor | Number) -> Tensor:
        """max(input, min); the gradient is input's at a tie."""

    def clone(self, memory_format: str | None = None) -> Tensor:
        """A copy with its own memory, same memory order unless memory_format says otherwise: (*) -> (*)."""

    def contiguous(self, memory_format: str | None = None) -> Tensor:
        """input itself if it is row-major (or channels_last) in memory, else such a copy: (*) -> (*)."""

    def copy_(self, src: Tensor) -> Tensor:
        """Writes src, broadcast and converted, into self."""

    def copysign(self, other: Tensor | Number) -> Tensor:
        """|input| with the sign of other; the gradient at 0 is 0."""

    def copysign_(self, other: Tensor | Number) -> Tensor:
        """|input| with the sign of other; the gradient at 0 is 0."""

    def cos(self) -> Tensor:
        """Cosine."""

    def cos_(self) -> Tensor:
        """Cosine."""

    def cosh(self) -> Tensor:
        """Hyperbolic cosine."""

    def cosh_(self) -> Tensor:
        """Hyperbolic cosine."""

    def count_nonzero(self, dim: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """Number of elements over dim that are not zero: (*, N) -> (*)."""

    def cross(self, other: Tensor, dim: builtins.int | None = None) -> Tensor:
        """Vector products along a dim of size 3 (the first one unless given)."""

    def cummax(self, dim: builtins.int) -> ValuesIndices:
        """Running maxima along dim and the last place of each: (*, N) -> (*, N), (*, N)."""

    def cummin(self, dim: builtins.int) -> ValuesIndices:
        """Running minima along dim and the last place of each: (*, N) -> (*, N), (*, N)."""

    def cumprod(self, dim: builtins.int, dtype: _Dtype | None = None) -> Tensor:
        """Running products along dim: (*, N) -> (*, N)."""

    def cumprod_(self, dim: builtins.int, dtype: _Dtype | None = None) -> Tensor:
        """Running products along dim, written into self."""

    def cumsum(self, dim: builtins.int, dtype: _Dtype | None = None) -> Tensor:
        """Running sums along dim: (*, N) -> (*, N)."""

    def cumsum_(self, dim: builtins.int, dtype: _Dtype | None = None) -> Tensor:
        """Running sums along dim, written into self."""

    def deg2rad(self) -> Tensor:
        """Degrees to radians."""

    def deg2rad_(self) -> Tensor:
        """Degrees to radians."""

    def diag(self, diagonal: builtins.int = 0) -> Tensor:
        """A vector as a diagonal of a matrix, or a diagonal of a matrix as a vector."""

    def diag_embed(self, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1) -> Tensor:
        """The last dim as a diagonal of two new dims."""

    def diagflat(self, offset: builtins.int = 0) -> Tensor:
        """All elements as a diagonal of a matrix."""

    def diagonal(self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """View of a diagonal, as the last dim."""

    def diagonal_scatter(self, src: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """input with src written on a diagonal."""

    def diff(self, n: builtins.int = 1, dim: builtins.int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
        """Differences of neighbours along dim, n times, with prepend and append joined on before."""

    def digamma(self) -> Tensor:
        """Derivative of lgamma; NaN at negative integers."""

    def digamma_(self) -> Tensor:
        """Derivative of lgamma; NaN at negative integers."""

    def div(self, other: Tensor | Number, rounding_mode: str | None = None) -> Tensor:
        """input / other; rounding_mode 'floor' or 'trunc' rounds the quotient."""

    def div_(self, other: Tensor | Number, rounding_mode: str | None = None) -> Tensor:
        """self / other, written into self."""

    def dot(self, tensor: Tensor) -> Tensor:
        """Sum of products of two vectors: (K), (K) -> ()."""

    @overload
    def dsplit(self, indices_or_sections: builtins.int) -> tuple[Tensor, ...]:
        """Views of equal pieces along dim 2."""
    @overload
    def dsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int]) -> tuple[Tensor, ...]:
        """Views of the pieces along dim 2 between the given places."""

    def elu(self, alpha: Number = 1) -> Tensor:
        """input where positive, else alpha * (exp(input) - 1)."""

    def elu_(self, alpha: Number = 1) -> Tensor:
        """input where positive, else alpha * (exp(input) - 1)."""

    def entr(self) -> Tensor:
        """-input * log(input): 0 at 0, minus infinity below."""

    def entr_(self) -> Tensor:
        """-input * log(input): 0 at 0, minus infinity below."""

    def eq(self, other: Tensor | Number) -> Tensor:
        """input == other."""

    def eq_(self, other: Tensor | Number) -> Tensor:
        """input == other."""

    def equal(self, other: Tensor) -> builtins.bool:
        """True if both have one shape and equal elements."""

    def erf(self) -> Tensor:
        """Error function."""

    def erf_(self) -> Tensor:
        """Error function."""

    def erfc(self) -> Tensor:
        """1 - erf(input), accurate in the tail."""

    def erfc_(self) -> Tensor:
        """1 - erf(input), accurate in the tail."""

    def erfcx(self) -> Tensor:
        """exp(input^2) erfc(input), without overflow."""

    def erfcx_(self) -> Tensor:
        """exp(input^2) erfc(input), without overflow."""

    def erfinv(self) -> Tensor:
        """Inverse of erf: infinite at 1 and -1, NaN beyond."""

    def erfinv_(self) -> Tensor:
        """Inverse of erf: infinite at 1 and -1, NaN beyond."""

    def exp(self) -> Tensor:
        """e to the power of input."""

    def exp2(self) -> Tensor:
        """2 to the power of input."""

    def exp2_(self) -> Tensor:
        """2 to the power of input."""

    def exp_(self) -> Tensor:
        """e to the power of input."""

    def expand(self, *size: Any) -> Tensor:
        """View with dims of size 1 repeated without copying; -1 keeps a size."""

    def expm1(self) -> Tensor:
        """exp(input) - 1, accurate near 0."""

    def expm1_(self) -> Tensor:
        """exp(input) - 1, accurate near 0."""

    def exponential_(self, lambd: builtins.float = 1.0, generator: Generator | None = None) -> Tensor:
        """Writes numbers of an exponential distribution into self."""

    def fill_(self, value: Tensor | Number) -> Tensor:
        """Writes value into every element of self."""

    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """Merges dims start_dim to end_dim."""

    def flip(self, *dims: Any) -> Tensor:
        """Order of elements reversed along dims, as a copy."""

    def fliplr(self) -> Tensor:
        """Order of elements reversed along dim 1."""

    def flipud(self) -> Tensor:
        """Order of elements reversed along dim 0."""

    def float_power(self, exponent: Tensor | Number) -> Tensor:
        """input to the power of exponent, in float64."""

    def float_power_(self, exponent: Tensor | Number) -> Tensor:
        """Writes float_power into self, which is float64."""

    def floor(self) -> Tensor:
        """Largest integer <= input."""

    def floor_(self) -> Tensor:
        """Largest integer <= input."""

    def floor_divide(self, other: Tensor | Number) -> Tensor:
        """Quotient rounded down."""

    def floor_divide_(self, other: Tensor | Number) -> Tensor:
        """Quotient rounded down."""

    def fmax(self, other: Tensor | Number) -> Tensor:
        """The larger of both; a NaN only where both are."""

    def fmax_(self, other: Tensor | Number) -> Tensor:
        """The larger of both; a NaN only where both are."""

    def fmin(self, other: Tensor | Number) -> Tensor:
        """The smaller of both; a NaN only where both are."""

    def fmin_(self, other: Tensor | Number) -> Tensor:
        """The smaller of both; a NaN only where both are."""

    def fmod(self, other: Tensor | Number) -> Tensor:
        """Remainder with the sign of input."""

    def fmod_(self, other: Tensor | Number) -> Tensor:
        """Remainder with the sign of input."""

    def frac(self) -> Tensor:
        """input without its integer part."""

    def frac_(self) -> Tensor:
        """input without its integer part."""

    def frexp(self) -> tuple[Tensor, Tensor]:
        """Mantissas with 1/2 <= |m| < 1 and int32 exponents e such that input = m 2^e: (*) -> (*), (*)."""

    def gather(self, dim: builtins.int, index: Tensor) -> Tensor:
        """out[i][j] = input[index[i][j]][j] for dim 0, and so on: the shape of index."""

    def gcd(self, other: Tensor | Number) -> Tensor:
        """Greatest common divisor."""

    def gcd_(self, other: Tensor | Number) -> Tensor:
        """Greatest common divisor."""

    def ge(self, other: Tensor | Number) -> Tensor:
        """input >= other."""

    def ge_(self, other: Tensor | Number) -> Tensor:
        """input >= other."""

    def gelu_(self) -> Tensor:
        """input * P(N(0, 1) <= input), exact."""

    def gelu_tanh(self) -> Tensor:
        """The tanh approximation of gelu."""

    def gelu_tanh_(self) -> Tensor:
        """The tanh approximation of gelu."""

    def geometric_(self, p: builtins.float, generator: Generator | None = None) -> Tensor:
        """Writes numbers of trials up to the first success into self."""

    def gt(self, other: Tensor | Number) -> Tensor:
        """input > other."""

    def gt_(self, other: Tensor | Number) -> Tensor:
        """input > other."""

    def hardshrink(self, lambd: Number = 0.5) -> Tensor:
        """input, but 0 within [-lambd, lambd]."""

    def hardshrink_(self, lambd: Number = 0.5) -> Tensor:
        """input, but 0 within [-lambd, lambd]."""

    def hardsigmoid(self) -> Tensor:
        """min(max(input + 3, 0), 6) / 6."""

    def hardsigmoid_(self) -> Tensor:
        """min(max(input + 3, 0), 6) / 6."""

    def hardswish(self) -> Tensor:
        """input * hardsigmoid(input)."""

    def hardswish_(self) -> Tensor:
        """input * hardsigmoid(input)."""

    def hardtanh(self, min_val: Number = -1, max_val: Number = 1) -> Tensor:
        """input clamped to [min_val, max_val]."""

    def hardtanh_(self, min_val: Number = -1, max_val: Number = 1) -> Tensor:
        """input clamped to [min_val, max_val]."""

    def heaviside(self, values: Tensor | Number) -> Tensor:
        """0 below 0, 1 above, values at 0."""

    def heaviside_(self, values: Tensor | Number) -> Tensor:
        """0 below 0, 1 above, values at 0."""

    def histc(self, bins: builtins.int = 100, min: Number = 0, max: Number = 0) -> Tensor:
        """Counts of elements in bins of equal width from min to max (those of input if both are equal)."""

    @overload
    def histogram(self, bins: builtins.int, range: builtins.float | Sequence[builtins.float] | None = None, weight: Tensor | None = None, density: builtins.bool = False) -> Histogram:
        """Counts (or sums of weight) in bins of equal width over range, and the edges."""
    @overload
    def histogram(self, bins: Tensor, weight: Tensor | None = None, density: builtins.bool = False) -> Histogram:
        """Counts (or sums of weight) between the edges bins, and the edges."""

    @overload
    def hsplit(self, indices_or_sections: builtins.int) -> tuple[Tensor, ...]:
        """Views of equal pieces along dim 1 (dim 0 of a 1-D tensor)."""
    @overload
    def hsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int]) -> tuple[Tensor, ...]:
        """Views of the pieces along dim 1 (dim 0 of a 1-D tensor) between the given places."""

    def hypot(self, other: Tensor | Number) -> Tensor:
        """sqrt(input^2 + other^2), without overflow on the way."""

    def hypot_(self, other: Tensor | Number) -> Tensor:
        """sqrt(input^2 + other^2), without overflow on the way."""

    def i0(self) -> Tensor:
        """Modified Bessel function of the first kind, order 0."""

    def i0_(self) -> Tensor:
        """Modified Bessel function of the first kind, order 0."""

    def i0e(self) -> Tensor:
        """exp(-|input|) i0(input)."""

    def i0e_(self) -> Tensor:
        """exp(-|input|) i0(input)."""

    def i1(self) -> Tensor:
        """Modified Bessel function of the first kind, order 1."""

    def i1_(self) -> Tensor:
        """Modified Bessel function of the first kind, order 1."""

    def i1e(self) -> Tensor:
        """exp(-|input|) i1(input)."""

    def i1e_(self) -> Tensor:
        """exp(-|input|) i1(input)."""

    def index_add(self, dim: builtins.int, index: Tensor, source: Tensor, alpha: Number = 1) -> Tensor:
        """input with alpha * source added to the entries of dim that index names."""

    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, alpha: Number = 1) -> Tensor:
        """Adds alpha * source to the entries of dim that index names."""

    def index_copy(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """input with source written into the entries of dim that index names."""

    def index_copy_(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """Writes source into the entries of dim that index names."""

    def index_fill(self, dim: builtins.int, index: Tensor, value: Tensor | Number) -> Tensor:
        """input with value written into the entries of dim that index names."""

    def index_fill_(self, dim: builtins.int, index: Tensor, value: Tensor | Number) -> Tensor:
        """Writes value into the entries of dim that index names."""

    def index_put(self, indices: Sequence[Tensor], values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """input with values written (or added) at index tensors."""

    def index_put_(self, indices: Sequence[Tensor], values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """Writes values (or adds them) at index tensors, in order, into self."""

    def index_reduce(self, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, include_self: builtins.bool = True) -> Tensor:
        """input with source combined into the entries of dim that index names; reduce: prod, mean, amax or amin."""

    def index_reduce_(self, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, include_self: builtins.bool = True) -> Tensor:
        """index_reduce, written into self."""

    def index_select(self, dim: builtins.int, index: Tensor) -> Tensor:
        """The entries of dim that a 1-D index names, as a copy."""

    def inner(self, other: Tensor) -> Tensor:
        """Sums of products over the last dim of both; a plain product where one is 0-d."""

    def isclose(self, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> Tensor:
        """True where |input - other| <= atol + rtol * |other|."""

    def isfinite(self) -> Tensor:
        """Whether input is neither infinite nor NaN."""

    def isinf(self) -> Tensor:
        """Whether input is plus or minus infinity."""

    def isnan(self) -> Tensor:
        """Whether input is NaN."""

    def isneginf(self) -> Tensor:
        """Whether input is minus infinity."""

    def isposinf(self) -> Tensor:
        """Whether input is plus infinity."""

    def isreal(self) -> Tensor:
        """True everywhere, since there are no complex dtypes: (*) -> (*)."""

    def kron(self, other: Tensor) -> Tensor:
        """Kronecker product: every element of input times all of other, as blocks."""

    def kthvalue(self, k: builtins.int, dim: builtins.int = -1, keepdim: builtins.bool = False) -> ValuesIndices:
        """The k-th smallest element along dim and its place."""

    def lcm(self, other: Tensor | Number) -> Tensor:
        """Least common multiple."""

    def lcm_(self, other: Tensor | Number) -> Tensor:
        """Least common multiple."""

    def ldexp(self, other: Tensor | Number) -> Tensor:
        """input * 2^other."""

    def ldexp_(self, other: Tensor | Number) -> Tensor:
        """input * 2^other."""

    def le(self, other: Tensor | Number) -> Tensor:
        """input <= other."""

    def le_(self, other: Tensor | Number) -> Tensor:
        """input <= other."""

    def leaky_relu(self, negative_slope: Number = 0.01) -> Tensor:
        """input where positive, else negative_slope * input."""

    def leaky_relu_(self, negative_slope: Number = 0.01) -> Tensor:
        """input where positive, else negative_slope * input."""

    def lerp(self, end: Tensor | Number, weight: Tensor | Number) -> Tensor:
        """input + weight * (end - input)."""

    def lerp_(self, end: Tensor | Number, weight: Tensor | Number) -> Tensor:
        """input + weight * (end - input)."""

    def lgamma(self) -> Tensor:
        """log |gamma(input)|: log((input - 1)!)."""

    def lgamma_(self) -> Tensor:
        """log |gamma(input)|: log((input - 1)!)."""

    def log(self) -> Tensor:
        """Natural logarithm."""

    def log10(self) -> Tensor:
        """Logarithm to base 10."""

    def log10_(self) -> Tensor:
        """Logarithm to base 10."""

    def log1p(self) -> Tensor:
        """log(1 + input), accurate near 0."""

    def log1p_(self) -> Tensor:
        """log(1 + input), accurate near 0."""

    def log2(self) -> Tensor:
        """Logarithm to base 2."""

    def log2_(self) -> Tensor:
        """Logarithm to base 2."""

    def log_(self) -> Tensor:
        """Natural logarithm."""

    def log_ndtr(self) -> Tensor:
        """log(ndtr(input)), accurate in the tail."""

    def log_ndtr_(self) -> Tensor:
        """log(ndtr(input)), accurate in the tail."""

    def log_normal_(self, mean: builtins.float = 1.0, std: builtins.float = 2.0, generator: Generator | None = None) -> Tensor:
        """Writes exp of normal numbers into self."""

    def log_softmax(self, dim: builtins.int, dtype: _Dtype | None = None) -> Tensor:
        """log(softmax(input, dim)), without the loss of digits: (*, N) -> (*, N)."""

    def logaddexp(self, other: Tensor | Number) -> Tensor:
        """log(exp(input) + exp(other)), without overflow."""

    def logaddexp2(self, other: Tensor | Number) -> Tensor:
        """log2(2^input + 2^other), without overflow."""

    def logaddexp2_(self, other: Tensor | Number) -> Tensor:
        """log2(2^input + 2^other), without overflow."""

    def logaddexp_(self, other: Tensor | Number) -> Tensor:
        """log(exp(input) + exp(other)), without overflow."""

    def logcumsumexp(self, dim: builtins.int) -> Tensor:
        """log of the running sums of exp(input) along dim, without overflow: (*, N) -> (*, N)."""

    def logical_and(self, other: Tensor | Number) -> Tensor:
        """True where both are nonzero."""

    def logical_and_(self, other: Tensor | Number) -> Tensor:
        """True where both are nonzero."""

    def logical_not(self) -> Tensor:
        """True where input is zero."""

    def logical_not_(self) -> Tensor:
        """True where input is zero."""

    def logical_or(self, other: Tensor | Number) -> Tensor:
        """True where either is nonzero."""

    def logical_or_(self, other: Tensor | Number) -> Tensor:
        """True where either is nonzero."""

    def logical_xor(self, other: Tensor | Number) -> Tensor:
        """True where exactly one is nonzero."""

    def logical_xor_(self, other: Tensor | Number) -> Tensor:
        """True where exactly one is nonzero."""

    def logit(self, eps: builtins.float | None = None) -> Tensor:
        """log(input / (1 - input)), input clamped to [eps, 1 - eps] where eps is given: (*) -> (*)."""

    def logit_(self, eps: builtins.float | None = None) -> Tensor:
        """Writes logit into self."""

    def logsigmoid(self) -> Tensor:
        """log(sigmoid(input)), without overflow."""

    def logsigmoid_(self) -> Tensor:
        """log(sigmoid(input)), without overflow."""

    def logsumexp(self, dim: builtins.int | Sequence[builtins.int], keepdim: builtins.bool = False) -> Tensor:
        """log(sum(exp(input))) over dim, without overflow: (*, N) -> (*)."""

    def lt(self, other: Tensor | Number) -> Tensor:
        """input < other."""

    def lt_(self, other: Tensor | Number) -> Tensor:
        """input < other."""

    def masked_fill(self, mask: Tensor, value: Tensor | Number) -> Tensor:
        """input with value where mask holds: (*), (*) -> (*)."""

    def masked_fill_(self, mask: Tensor, value: Tensor | Number) -> Tensor:
        """Writes value where mask holds."""

    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """input with the elements of source, in order, where mask holds."""

    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """masked_scatter, written into self."""

    def masked_select(self, mask: Tensor) -> Tensor:
        """The elements where mask holds, as a 1-D tensor."""

    def matmul(self, other: Tensor) -> Tensor:
        """Matrix product with broadcast batch dims; a 1-D operand is a row (left) or a column (right): (*, M, K), (*, K, N) -> (*, M, N)."""

    @overload
    def max(self) -> Tensor:
        """Largest of all elements; NaN where there is one: (*) -> ()."""
    @overload
    def max(self, dim: builtins.int, keepdim: builtins.bool = False) -> ValuesIndices:
        """Largest elements over dim and the first place of each: (*, N) -> (*), (*)."""
    @overload
    def max(self, other: Tensor) -> Tensor:
        """The larger of two elements, as maximum: (*), (*) -> (*)."""

    def maximum(self, other: Tensor | Number) -> Tensor:
        """The larger of both; NaN if either is."""

    def maximum_(self, other: Tensor | Number) -> Tensor:
        """The larger of both; NaN if either is."""

    def mean(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: _Dtype | None = None) -> Tensor:
        """Mean over dim (all dims unless given): (*, N) -> (*)."""

    @overload
    def median(self) -> Tensor:
        """The lower of the middle elements; NaN where there is one: (*) -> ()."""
    @overload
    def median(self, dim: builtins.int, keepdim: builtins.bool = False) -> ValuesIndices:
        """The lower of the middle elements along dim and its place: (*, N) -> (*), (*)."""

    @overload
    def min(self) -> Tensor:
        """Smallest of all elements; NaN where there is one: (*) -> ()."""
    @overload
    def min(self, dim: builtins.int, keepdim: builtins.bool = False) -> ValuesIndices:
        """Smallest elements over dim and the first place of each: (*, N) -> (*), (*)."""
    @overload
    def min(self, other: Tensor) -> Tensor:
        """The smaller of two elements, as minimum: (*), (*) -> (*)."""

    def minimum(self, other: Tensor | Number) -> Tensor:
        """The smaller of both; NaN if either is."""

    def minimum_(self, other: Tensor | Number) -> Tensor:
        """The smaller of both; NaN if either is."""

    def mish(self) -> Tensor:
        """input * tanh(softplus(input))."""

    def mish_(self) -> Tensor:
        """input * tanh(softplus(input))."""

    def mm(self, mat2: Tensor) -> Tensor:
        """Product of two matrices: (M, K), (K, N) -> (M, N)."""

    def mode(self, dim: builtins.int = -1, keepdim: builtins.bool = False) -> ValuesIndices:
        """The most frequent (of these, the smallest) element along dim and its last place: (*, N) -> (*), (*)."""

    def movedim(self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]) -> Tensor:
        """View with dims moved to other places."""

    def msort(self) -> Tensor:
        """Elements sorted along the first dim: (N, *) -> (N, *)."""

    def mul(self, other: Tensor | Number) -> Tensor:
        """input * other."""

    def mul_(self, other: Tensor | Number) -> Tensor:
        """input * other."""

    def multinomial(self, num_samples: builtins.int, replacement: builtins.bool = False, generator: Generator | None = None) -> Tensor:
        """Places drawn from each row with the probabilities of its elements: (*, N) -> (*, K)."""

    def mv(self, vec: Tensor) -> Tensor:
        """Matrix times vector: (M, K), (K) -> (M)."""

    def mvlgamma(self, p: builtins.int) -> Tensor:
        """Logarithm of the p-dimensional gamma function: (*) -> (*)."""

    def nan_to_num(self, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None) -> Tensor:
        """NaN and the infinities replaced, by 0 and the largest and smallest finite number unless given: (*) -> (*)."""

    def nan_to_num_(self, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None) -> Tensor:
        """Replaces NaN and the infinities in self."""

    def nanmean(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: _Dtype | None = None) -> Tensor:
        """Mean over dim of what is not NaN: (*, N) -> (*)."""

    @overload
    def nanmedian(self) -> Tensor:
        """median of what is not NaN: (*) -> ()."""
    @overload
    def nanmedian(self, dim: builtins.int, keepdim: builtins.bool = False) -> ValuesIndices:
        """median along dim of what is not NaN: (*, N) -> (*), (*)."""

    def nanquantile(self, q: Tensor | Number, dim: builtins.int | None = None, keepdim: builtins.bool = False, interpolation: str = 'linear') -> Tensor:
        """quantile of what is not NaN."""

    def nansum(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: _Dtype | None = None) -> Tensor:
        """sum with NaN as zero: (*, N) -> (*)."""

    @overload
    def narrow(self, dim: builtins.int, start: builtins.int, length: builtins.int) -> Tensor:
        """View of length elements of dim from start on."""
    @overload
    def narrow(self, dim: builtins.int, start: Tensor, length: builtins.int) -> Tensor:
        """narrow with start as a 0-d integer tensor."""

    def narrow_copy(self, dim: builtins.int, start: builtins.int, length: builtins.int) -> Tensor:
        """narrow, as a copy."""

    def ndtr(self) -> Tensor:
        """Distribution function of the standard normal law."""

    def ndtr_(self) -> Tensor:
        """Distribution function of the standard normal law."""

    def ndtri(self) -> Tensor:
        """The x whose normal distribution function ndtr(x) is input."""

    def ndtri_(self) -> Tensor:
        """The x whose normal distribution function ndtr(x) is input."""

    def ne(self, other: Tensor | Number) -> Tensor:
        """input != other."""

    def ne_(self, other: Tensor | Number) -> Tensor:
        """input != other."""

    def neg(self) -> Tensor:
        """-input."""

    def neg_(self) -> Tensor:
        """-input."""

    def nextafter(self, other: Tensor) -> Tensor:
        """The next number from input towards other."""

    def nextafter_(self, other: Tensor) -> Tensor:
        """Moves self to the next number towards other."""

    def norm(self, p: builtins.float = 2, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: _Dtype | None = None) -> Tensor:
        """(sum |input|^p)^(1/p) over dim; p may be 0, inf and -inf: (*, N) -> (*)."""

    def normal_(self, mean: builtins.float = 0.0, std: builtins.float = 1.0, generator: Generator | None = None) -> Tensor:
        """Writes numbers of a normal distribution into self."""

    def outer(self, vec2: Tensor) -> Tensor:
        """Products of every pair of elements: (M), (N) -> (M, N)."""

    def permute(self, *dims: Any) -> Tensor:
        """View with dims in the given order."""

    def positive(self) -> Tensor:
        """input itself; refuses bool: (*) -> (*)."""

    def pow(self, exponent: Tensor | Number) -> Tensor:
        """input to the power of exponent."""

    def pow_(self, exponent: Tensor | Number) -> Tensor:
        """input to the power of exponent."""

    def prelu(self, weight: Tensor) -> Tensor:
        """input where positive, else weight * input; weight has one element, or one per channel (dim 1)."""

    @overload
    def prod(self, dtype: _Dtype | None = None) -> Tensor:
        """Product of all elements: (*) -> ()."""
    @overload
    def prod(self, dim: builtins.int, keepdim: builtins.bool = False, dtype: _Dtype | None = None) -> Tensor:
        """Product over dim: (*, N) -> (*)."""

    def put(self, index: Tensor, source: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """input with source written (or added) at places of the flattened tensor."""

    def put_(self, index: Tensor, source: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """put, written into self."""

    def quantile(self, q: Tensor | Number, dim: builtins.int | None = None, keepdim: builtins.bool = False, interpolation: str = 'linear') -> Tensor:
        """q-quantiles along dim (of all elements without dim); q is a number or a 1-D tensor, which leads the result. interpolation: linear, lower, higher, midpoint or nearest."""

    def rad2deg(self) -> Tensor:
        """Radians to degrees."""

    def rad2deg_(self) -> Tensor:
        """Radians to degrees."""

    @overload
    def random_(self, generator: Generator | None = None) -> Tensor:
        """Writes integers from all that the dtype counts without gaps, 0 included."""
    @overload
    def random_(self, to: builtins.int, generator: Generator | None = None) -> Tensor:
        """Writes integers in [0, to) into self."""
    @overload
    def random_(self, from_: builtins.int, to: builtins.int, generator: Generator | None = None) -> Tensor:
        """Writes integers in [from, to) into self."""

    def ravel(self) -> Tensor:
        """input as one row: (*) -> (N)."""

    def reciprocal(self) -> Tensor:
        """1 / input."""

    def reciprocal_(self) -> Tensor:
        """1 / input."""

    def relu(self) -> Tensor:
        """max(input, 0)."""

    def relu6(self) -> Tensor:
        """min(max(input, 0), 6)."""

    def relu6_(self) -> Tensor:
        """min(max(input, 0), 6)."""

    def relu_(self) -> Tensor:
        """max(input, 0)."""

    def remainder(self, other: Tensor | Number) -> Tensor:
        """Remainder with the sign of other, as Python's %."""

    def remainder_(self, other: Tensor | Number) -> Tensor:
        """Remainder with the sign of other, as Python's %."""

    def renorm(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """input with each slice along dim whose p-norm is above maxnorm shortened to it: (*) -> (*)."""

    def renorm_(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """renorm, written into self."""

    def repeat(self, *repeats: Any) -> Tensor:
        """Copies of input side by side, repeats times along each dim."""

    @overload
    def repeat_interleave(self, repeats: builtins.int, dim: builtins.int | None = None, output_size: builtins.int | None = None) -> Tensor:
        """Every element (of the flattened input without dim) repeated."""
    @overload
    def repeat_interleave(self, repeats: Tensor, dim: builtins.int | None = None, output_size: builtins.int | None = None) -> Tensor:
        """Element i along dim repeated repeats[i] times."""
    @overload
    def repeat_interleave(self, output_size: builtins.int | None = None) -> Tensor:
        """i, repeats[i] times."""

    def reshape(self, *shape: Any) -> Tensor:
        """Same elements in another shape (one size may be -1); a view where strides allow."""

    def resize_(self, *size: Any, memory_format: str | None = None) -> Tensor:
        """Gives self another shape on the memory that it has, elements in their order there; an empty tensor gets new memory of zeros. Refused for tensors of a graph and sizes beyond the memory."""

    def resize_as_(self, other: Tensor, memory_format: str | None = None) -> Tensor:
        """resize_ to the shape of other."""

    def roll(self, shifts: builtins.int | Sequence[builtins.int], dims: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """Elements moved by shifts along dims, those beyond the end back to the start."""

    def rot90(self, k: builtins.int = 1, dims: builtins.int | Sequence[builtins.int] = (0, 1)) -> Tensor:
        """input turned k times by 90 degrees in the plane of dims."""

    def round(self, decimals: builtins.int = 0) -> Tensor:
        """Nearest integer, halves to even; decimals keeps that many places."""

    def round_(self) -> Tensor:
        """Nearest integer, halves to even."""

    def rsqrt(self) -> Tensor:
        """1 / sqrt(input)."""

    def rsqrt_(self) -> Tensor:
        """1 / sqrt(input)."""

    @overload
    def scatter(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str | None = None) -> Tensor:
        """input with src written at the indices along dim."""
    @overload
    def scatter(self, dim: builtins.int, index: Tensor, value: Number, reduce: str | None = None) -> Tensor:
        """input with value written at the indices along dim."""

    @overload
    def scatter_(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str | None = None) -> Tensor:
        """self[index[i][j]][j] = src[i][j] for dim 0, and so on; the last one stays where several meet."""
    @overload
    def scatter_(self, dim: builtins.int, index: Tensor, value: Number, reduce: str | None = None) -> Tensor:
        """self[index[i][j]][j] = value for dim 0, and so on."""

    def scatter_add(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """input with src added at the indices along dim."""

    def scatter_add_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """self[index[i][j]][j] += src[i][j] for dim 0, and so on."""

    def scatter_reduce(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, include_self: builtins.bool = True) -> Tensor:
        """input with src combined into the places that index names along dim; reduce: sum, prod, mean, amax or amin; include_self false leaves out what stood there."""

    def scatter_reduce_(self, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, include_self: builtins.bool = True) -> Tensor:
        """scatter_reduce, written into self."""

    def select(self, dim: builtins.int, index: builtins.int) -> Tensor:
        """View of one index of dim; the dim is gone."""

    def select_scatter(self, src: Tensor, dim: builtins.int, index: builtins.int) -> Tensor:
        """input with src written at one index of dim."""

    def selu(self) -> Tensor:
        """scale * elu(input, alpha) with the constants of self-normalizing networks."""

    def selu_(self) -> Tensor:
        """scale * elu(input, alpha) with the constants of self-normalizing networks."""

    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-input))."""

    def sigmoid_(self) -> Tensor:
        """1 / (1 + exp(-input))."""

    def sign(self) -> Tensor:
        """-1, 0 or 1 by the sign of input."""

    def sign_(self) -> Tensor:
        """-1, 0 or 1 by the sign of input."""

    def signbit(self) -> Tensor:
        """Whether the sign bit is set: negative numbers and -0."""

    def silu(self) -> Tensor:
        """input * sigmoid(input)."""

    def silu_(self) -> Tensor:
        """input * sigmoid(input)."""

    def sin(self) -> Tensor:
        """Sine."""

    def sin_(self) -> Tensor:
        """Sine."""

    def sinc(self) -> Tensor:
        """sin(pi input) / (pi input), 1 at 0."""

    def sinc_(self) -> Tensor:
        """sin(pi input) / (pi input), 1 at 0."""

    def sinh(self) -> Tensor:
        """Hyperbolic sine."""

    def sinh_(self) -> Tensor:
        """Hyperbolic sine."""

    def slice_scatter(self, src: Tensor, dim: builtins.int = 0, start: builtins.int | None = None, end: builtins.int | None = None, step: builtins.int = 1) -> Tensor:
        """input with src written at start:end:step of dim."""

    def softmax(self, dim: builtins.int, dtype: _Dtype | None = None) -> Tensor:
        """exp(input) divided by its sum over dim: (*, N) -> (*, N)."""

    def softplus(self, beta: Number = 1, threshold: Number = 20) -> Tensor:
        """log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold."""

    def softplus_(self, beta: Number = 1, threshold: Number = 20) -> Tensor:
        """log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold."""

    def softshrink(self, lambd: Number = 0.5) -> Tensor:
        """input moved towards 0 by lambd, 0 within."""

    def softshrink_(self, lambd: Number = 0.5) -> Tensor:
        """input moved towards 0 by lambd, 0 within."""

    def softsign(self) -> Tensor:
        """input / (1 + |input|)."""

    def softsign_(self) -> Tensor:
        """input / (1 + |input|)."""

    def sort(self, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = False) -> ValuesIndices:
        """Elements of each line in order (always stable, NaN the largest) and where they stood: (*, N) -> (*, N), (*, N)."""

    @overload
    def split(self, split_size_or_sections: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of pieces of one size along dim; the last may be smaller."""
    @overload
    def split(self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of pieces of the given sizes along dim."""

    def split_with_sizes(self, split_sizes: builtins.int | Sequence[builtins.int], dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of pieces of the given sizes along dim."""

    def sqrt(self) -> Tensor:
        """Square root."""

    def sqrt_(self) -> Tensor:
        """Square root."""

    def square(self) -> Tensor:
        """input * input."""

    def square_(self) -> Tensor:
        """input * input."""

    def squeeze(self, dim: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """View without the dims of size 1 (all of them, or those given)."""

    def squeeze_(self, dim: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """Drops dims of size 1 of self."""

    @overload
    def std(self, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool | None = None, keepdim: builtins.bool = False, correction: builtins.float | None = None) -> Tensor:
        """Standard deviation over dim, the root of var: (*, N) -> (*)."""
    @overload
    def std(self, unbiased: builtins.bool) -> Tensor:
        """std of all elements with unbiased by position: (*) -> ()."""

    def sub(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """input - alpha * other."""

    def sub_(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """input - alpha * other."""

    def sum(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: _Dtype | None = None) -> Tensor:
        """Sum over dim (all dims unless given): (*, N) -> (*)."""

    def sum_to_size(self, *size: Any) -> Tensor:
        """Sums the dims in which input is larger than size, which must broadcast to it."""

    def t(self) -> Tensor:
        """Transpose of a tensor of at most 2 dims: (M, N) -> (N, M)."""

    def t_(self) -> Tensor:
        """Transposes self, of at most 2 dims."""

    def take(self, index: Tensor) -> Tensor:
        """Elements of the flattened input, in the shape of index."""

    def take_along_dim(self, indices: Tensor, dim: builtins.int | None = None) -> Tensor:
        """gather with broadcasting; of the flattened input without dim."""

    def tan(self) -> Tensor:
        """Tangent."""

    def tan_(self) -> Tensor:
        """Tangent."""

    def tanh(self) -> Tensor:
        """Hyperbolic tangent."""

    def tanh_(self) -> Tensor:
        """Hyperbolic tangent."""

    def tanhshrink(self) -> Tensor:
        """input - tanh(input), accurate near 0."""

    def tanhshrink_(self) -> Tensor:
        """input - tanh(input), accurate near 0."""

    @overload
    def tensor_split(self, indices_or_sections: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of nearly equal pieces along dim."""
    @overload
    def tensor_split(self, indices_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of the pieces of dim between the given places."""
    @overload
    def tensor_split(self, tensor_indices_or_sections: Tensor, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """tensor_split with the number of pieces or the places as a tensor."""

    def threshold(self, threshold: Number = 0, value: Number = 0) -> Tensor:
        """input where above threshold, else value."""

    def threshold_(self, threshold: Number = 0, value: Number = 0) -> Tensor:
        """input where above threshold, else value."""

    def tile(self, *dims: Any) -> Tensor:
        """repeat, with ones put before too short a list."""

    def topk(self, k: builtins.int, dim: builtins.int = -1, largest: builtins.bool = True, sorted: builtins.bool = True) -> ValuesIndices:
        """The k largest (or smallest) elements along dim, in order, and their places; equal ones in order of place."""

    def trace(self) -> Tensor:
        """Sum of the diagonal of a matrix: (M, N) -> ()."""

    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """View with two dims swapped."""

    def transpose_(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Swaps two dims of self."""

    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """Zero above a diagonal: (*, M, N) -> (*, M, N)."""

    def tril_(self, diagonal: builtins.int = 0) -> Tensor:
        """Writes zero above a diagonal."""

    def triu(self, diagonal: builtins.int = 0) -> Tensor:
        """Zero below a diagonal: (*, M, N) -> (*, M, N)."""

    def triu_(self, diagonal: builtins.int = 0) -> Tensor:
        """Writes zero below a diagonal."""

    def trunc(self) -> Tensor:
        """Integer part, towards zero."""

    def trunc_(self) -> Tensor:
        """Integer part, towards zero."""

    def trunc_divide(self, other: Tensor | Number) -> Tensor:
        """Quotient rounded towards zero."""

    def trunc_divide_(self, other: Tensor | Number) -> Tensor:
        """Quotient rounded towards zero."""

    def unbind(self, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of every index of dim."""

    def unflatten(self, dim: builtins.int, sizes: builtins.int | Sequence[builtins.int]) -> Tensor:
        """View of dim as several dims of sizes (one may be -1)."""

    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """View of all windows of size along dimension, step apart; their elements stand in a new last dim."""

    def uniform_(self, from_: builtins.float = 0.0, to: builtins.float = 1.0, generator: Generator | None = None) -> Tensor:
        """Writes uniform numbers in [from, to) into self."""

    def unique(self, sorted: builtins.bool = True, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None) -> Any:
        """The different elements (or slices along dim), sorted; with return_inverse where each element went, with return_counts how often each occurs."""

    def unique_consecutive(self, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None) -> Any:
        """input without repetitions of the element (or slice along dim) before."""

    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """View with a new dim of size 1 at dim."""

    def unsqueeze_(self, dim: builtins.int) -> Tensor:
        """Gives self a new dim of size 1."""

    @overload
    def var(self, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool | None = None, keepdim: builtins.bool = False, correction: builtins.float | None = None) -> Tensor:
        """Variance over dim, squares divided by n - correction (1 unless given): (*, N) -> (*)."""
    @overload
    def var(self, unbiased: builtins.bool) -> Tensor:
        """var of all elements with unbiased by position: (*) -> ()."""

    @overload
    def view(self, *shape: Any) -> Tensor:
        """Same memory in another shape (one size may be -1); refuses where a copy would be needed."""
    @overload
    def view(self, dtype: _Dtype) -> Tensor:
        """The same bytes read as another dtype, without a gradient unless it is the same; where widths differ the last dim grows or shrinks."""

    @overload
    def vsplit(self, indices_or_sections: builtins.int) -> tuple[Tensor, ...]:
        """Views of equal pieces along dim 0."""
    @overload
    def vsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int]) -> tuple[Tensor, ...]:
        """Views of the pieces along dim 0 between the given places."""

    def where_(self, input: Tensor | Number, other: Tensor | Number) -> Tensor:
        """input where condition holds, else other."""

    def xlog1py(self, other: Tensor | Number) -> Tensor:
        """input * log(1 + other), 0 where input is 0 (and other not NaN)."""

    def xlog1py_(self, other: Tensor | Number) -> Tensor:
        """input * log(1 + other), 0 where input is 0 (and other not NaN)."""

    def xlogy(self, other: Tensor | Number) -> Tensor:
        """input * log(other), 0 where input is 0 (and other not NaN)."""

    def xlogy_(self, other: Tensor | Number) -> Tensor:
        """input * log(other), 0 where input is 0 (and other not NaN)."""

    def zero_(self) -> Tensor:
        """Writes zero into every element of self."""


def abs(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Absolute value; its gradient at 0 is 0."""
def acos(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Arc cosine."""
def acosh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse hyperbolic cosine."""
def adam_step(params: Sequence[Tensor], grads: Sequence[Tensor], exp_avgs: Sequence[Tensor], exp_avg_sqs: Sequence[Tensor], max_exp_avg_sqs: Sequence[Tensor], steps: builtins.int | Sequence[builtins.int], lr: builtins.float, beta1: builtins.float, beta2: builtins.float, eps: builtins.float, weight_decay: builtins.float, decoupled: builtins.bool, maximize: builtins.bool) -> None:
    """One step of Adam (decoupled: AdamW) over all params; steps[i] counts from 1, max_exp_avg_sqs is [] without amsgrad."""
def adaptive_avg_pool1d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, *, out: Any = None) -> Tensor:
    """Means over windows chosen so that the output has output_size (None: as the input): (N, C, L) or (C, L)."""
def adaptive_avg_pool2d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, *, out: Any = None) -> Tensor:
    """Means over windows chosen so that the output has output_size (None: as the input): (N, C, H, W) or (C, H, W)."""
def add(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """input + alpha * other."""
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """beta * input + alpha * (the sum over b of batch1[b] batch2[b]), input broadcast: (M, N), (B, M, K), (B, K, N) -> (M, N)."""
def addcdiv(input: Tensor | Number, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1, *, out: Any = None) -> Tensor:
    """input + value * tensor1 / tensor2."""
def addcmul(input: Tensor | Number, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1, *, out: Any = None) -> Tensor:
    """input + value * tensor1 * tensor2."""
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """beta * input + alpha * (mat1 mat2), input broadcast: (M, N), (M, K), (K, N) -> (M, N)."""
def addmv(input: Tensor, mat: Tensor, vec: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """beta * input + alpha * (mat vec), input broadcast: (M), (M, K), (K) -> (M)."""
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2), input broadcast: (M, N), (M), (N) -> (M, N)."""
def adjoint(input: Tensor, *, out: Any = None) -> Tensor:
    """View with the last two dims swapped: (*, M, N) -> (*, N, M)."""
def all(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """True where every element over dim is not zero: (*, N) -> (*)."""
def allclose(input: Tensor, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False) -> builtins.bool:
    """True if isclose holds everywhere."""
def amax(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Largest element over dim; equal ones share the gradient: (*, N) -> (*)."""
def amin(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Smallest element over dim; equal ones share the gradient: (*, N) -> (*)."""
def aminmax(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> MinMax:
    """Smallest and largest elements over dim: (*, N) -> (*), (*)."""
def any(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """True where any element over dim is not zero: (*, N) -> (*)."""
@overload
def arange(end: Number, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """0, 1, ... below end."""
@overload
def arange(start: Number, end: Number, step: Number = 1, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """start, start + step, ... below end (above, for a negative step)."""
def argmax(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Place of the first largest element over dim, or in the flattened tensor: (*, N) -> (*)."""
def argmin(input: Tensor, dim: builtins.int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Place of the first smallest element over dim, or in the flattened tensor: (*, N) -> (*)."""
def argsort(input: Tensor, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Places that sort each line: (*, N) -> (*, N)."""
def argwhere(input: Tensor, *, out: Any = None) -> Tensor:
    """Coordinates of the elements that are not zero, one row each."""
def as_strided(input: Tensor, size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int], storage_offset: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """View of the same storage with any size and stride inside it."""
def asin(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Arc sine."""
def asinh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse hyperbolic sine."""
def atan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Arc tangent."""
def atan2(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Angle of the point (other, input)."""
def atanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse hyperbolic tangent."""
@overload
def atleast_1d(input: Tensor, *, out: Any = None) -> Tensor:
    """input with at least 1 dim."""
@overload
def atleast_1d(*tensors: Any, out: Any = None) -> tuple[Tensor, ...]:
    """Each tensor with at least 1 dim."""
@overload
def atleast_2d(input: Tensor, *, out: Any = None) -> Tensor:
    """input with at least 2 dims, new ones in front."""
@overload
def atleast_2d(*tensors: Any, out: Any = None) -> tuple[Tensor, ...]:
    """Each tensor with at least 2 dims."""
@overload
def atleast_3d(input: Tensor, *, out: Any = None) -> Tensor:
    """input with at least 3 dims: (N) becomes (1, N, 1), (M, N) becomes (M, N, 1)."""
@overload
def atleast_3d(*tensors: Any, out: Any = None) -> tuple[Tensor, ...]:
    """Each tensor with at least 3 dims."""
def avg_pool1d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, *, out: Any = None) -> Tensor:
    """Mean of each window of (N, C, L) or (C, L); stride is kernel_size unless given."""
def avg_pool2d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, divisor_override: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """Mean of each window of (N, C, H, W) or (C, H, W); stride is kernel_size unless given."""
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """beta * input + alpha * (batch1 batch2), input broadcast: (B, M, N), (B, M, K), (B, K, N) -> (B, M, N)."""
def batch_norm(input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None, bias: Tensor | None = None, training: builtins.bool = False, momentum: builtins.float = 0.1, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
    """As layer_norm over all dims but the second; training uses statistics of the batch and moves running_mean and running_var by momentum: (N, C, *) -> (N, C, *)."""
@overload
def bernoulli(input: Tensor, generator: Generator | None = None, *, out: Any = None) -> Tensor:
    """1 with probability input, else 0: (*) -> (*)."""
@overload
def bernoulli(input: Tensor, p: builtins.float, generator: Generator | None = None, *, out: Any = None) -> Tensor:
    """Like input: 1 with probability p, else 0."""
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Any = None) -> Tensor:
    """input1 weight[o] input2 + bias[o] for every o: (*, I), (*, J), (O, I, J), (O) -> (*, O)."""
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = 'mean', *, out: Any = None) -> Tensor:
    """-(target log(input) + (1 - target) log(1 - input)), logarithms not below -100: (*), (*) -> ()."""
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = 'mean', pos_weight: Tensor | None = None, *, out: Any = None) -> Tensor:
    """binary_cross_entropy of sigmoid(input), exact for large input; pos_weight weighs the positive term: (*), (*) -> ()."""
def bincount(input: Tensor, weights: Tensor | None = None, minlength: builtins.int = 0, *, out: Any = None) -> Tensor:
    """How often (or with which sum of weights) each number occurs in a 1-D tensor."""
def bitwise_and(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Bitwise and."""
def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input * 2^other in the integers; 0 where other is negative or above the width."""
def bitwise_not(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Every bit flipped; logical not for bool."""
def bitwise_or(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Bitwise or."""
def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input / 2^other rounded down; only the sign is left where other is negative or above the width."""
def bitwise_xor(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Bitwise exclusive or."""
def block_diag(*tensors: Any, out: Any = None) -> Tensor:
    """Matrices along the diagonal of a matrix of zeros; vectors count as rows."""
def bmm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """Products of two batches of matrices: (B, M, K), (B, K, N) -> (B, M, N)."""
def broadcast_tensors(*tensors: Any, out: Any = None) -> tuple[Tensor, ...]:
    """Views of all tensors in their common shape."""
def broadcast_to(input: Tensor, *size: Any, out: Any = None) -> Tensor:
    """View with dims of size 1 repeated without copying."""
def bucketize(input: Tensor | Number, boundaries: Tensor, out_int32: builtins.bool = False, right: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Number of the interval between sorted boundaries that holds each element."""
def cartesian_prod(*tensors: Any, out: Any = None) -> Tensor:
    """All tuples of one element from each vector, as rows."""
def cat(tensors: Sequence[Tensor], dim: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Tensors joined along dim."""
def cdist(x1: Tensor, x2: Tensor, p: builtins.float = 2.0, compute_mode: str = 'use_mm_for_euclid_dist_if_necessary', *, out: Any = None) -> Tensor:
    """p-norms of the differences of all pairs of rows, never through a matrix product: (*, P, M), (*, R, M) -> (*, P, R)."""
def ceil(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Smallest integer >= input."""
def celu(input: Tensor, alpha: Number = 1, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input where positive, else alpha * (exp(input / alpha) - 1)."""
def chain_matmul(*matrices: Any, out: Any = None) -> Tensor:
    """Product of matrices in the order of least work."""
def channel_shuffle(input: Tensor, groups: builtins.int, *, out: Any = None) -> Tensor:
    """Channels of (N, C, *) dealt out between groups: (N, C, *) -> (N, C, *)."""
def chunk(input: Tensor, chunks: builtins.int, dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of at most chunks equal pieces along dim."""
def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None, *, out: Any = None) -> Tensor:
    """input limited to min and max (numbers or tensors; one may be left out)."""
def clamp_max(input: Tensor | Number, max: Tensor | Number, *, out: Any = None) -> Tensor:
    """min(input, max); the gradient is input's at a tie."""
def clamp_min(input: Tensor | Number, min: Tensor | Number, *, out: Any = None) -> Tensor:
    """max(input, min); the gradient is input's at a tie."""
def clone(input: Tensor, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """A copy with its own memory, same memory order unless memory_format says otherwise: (*) -> (*)."""
def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined along dim 1, 1-D tensors as columns."""
def combinations(input: Tensor, r: builtins.int = 2, with_replacement: builtins.bool = False, *, out: Any = None) -> Tensor:
    """All choices of r elements of a vector, as rows."""
def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] | str = 0, dilation: builtins.int | Sequence[builtins.int] = 1, groups: builtins.int = 1, *, out: Any = None) -> Tensor:
    """1-D convolution of (N, C, L) or (C, L) with weight (OC, C / groups, K) and bias (OC,); padding may be 'same' or 'valid'."""
def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] | str = 0, dilation: builtins.int | Sequence[builtins.int] = 1, groups: builtins.int = 1, *, out: Any = None) -> Tensor:
    """2-D convolution of (N, C, H, W) or (C, H, W) with weight (OC, C / groups, KH, KW) and bias (OC,); padding may be 'same' or 'valid'."""
def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] | str = 0, dilation: builtins.int | Sequence[builtins.int] = 1, groups: builtins.int = 1, *, out: Any = None) -> Tensor:
    """3-D convolution of (N, C, D, H, W) or (C, D, H, W) with weight (OC, C / groups, KD, KH, KW) and bias (OC,); padding may be 'same' or 'valid'."""
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, output_padding: builtins.int | Sequence[builtins.int] = 0, groups: builtins.int = 1, dilation: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
    """Transposed 1-D convolution of (N, C, L) or (C, L) with weight (C, OC / groups, K) and bias (OC,): the gradient of conv1d for its input. output_padding adds to one side of the output."""
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, output_padding: builtins.int | Sequence[builtins.int] = 0, groups: builtins.int = 1, dilation: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
    """Transposed 2-D convolution of (N, C, H, W) or (C, H, W) with weight (C, OC / groups, KH, KW) and bias (OC,): the gradient of conv2d for its input. output_padding adds to one side of the output."""
def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, output_padding: builtins.int | Sequence[builtins.int] = 0, groups: builtins.int = 1, dilation: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
    """Transposed 3-D convolution of (N, C, D, H, W) or (C, D, H, W) with weight (C, OC / groups, KD, KH, KW) and bias (OC,): the gradient of conv3d for its input. output_padding adds to one side of the output."""
def copysign(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """|input| with the sign of other; the gradient at 0 is 0."""
def cos(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Cosine."""
def cosh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Hyperbolic cosine."""
def cosine_similarity(x1: Tensor, x2: Tensor, dim: builtins.int = 1, eps: builtins.float = 1e-8, *, out: Any = None) -> Tensor:
    """Cosine of the angle between x1 and x2 over dim, norms at least eps: (*, N), (*, N) -> (*)."""
def count_nonzero(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, *, out: Any = None) -> Tensor:
    """Number of elements over dim that are not zero: (*, N) -> (*)."""
def cross(input: Tensor, other: Tensor, dim: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """Vector products along a dim of size 3 (the first one unless given)."""
def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: builtins.int = -100, reduction: str = 'mean', label_smoothing: builtins.float = 0, *, out: Any = None) -> Tensor:
    """-log softmax(input) at the target classes, or weighted by target probabilities of input's shape: (N, C, *), (N, *) -> ()."""
def cummax(input: Tensor, dim: builtins.int, *, out: Any = None) -> ValuesIndices:
    """Running maxima along dim and the last place of each: (*, N) -> (*, N), (*, N)."""
def cummin(input: Tensor, dim: builtins.int, *, out: Any = None) -> ValuesIndices:
    """Running minima along dim and the last place of each: (*, N) -> (*, N), (*, N)."""
def cumprod(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Running products along dim: (*, N) -> (*, N)."""
def cumsum(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Running sums along dim: (*, N) -> (*, N)."""
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, dx: builtins.float | None = None, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
    """Running trapezoid along dim, one element shorter."""
def deg2rad(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Degrees to radians."""
def diag(input: Tensor, diagonal: builtins.int = 0, *, out: Any = None) -> Tensor:
    """A vector as a diagonal of a matrix, or a diagonal of a matrix as a vector."""
def diag_embed(input: Tensor, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1, *, out: Any = None) -> Tensor:
    """The last dim as a diagonal of two new dims."""
def diagflat(input: Tensor, offset: builtins.int = 0, *, out: Any = None) -> Tensor:
    """All elements as a diagonal of a matrix."""
def diagonal(input: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1, *, out: Any = None) -> Tensor:
    """View of a diagonal, as the last dim."""
def diagonal_scatter(input: Tensor, src: Tensor, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1, *, out: Any = None) -> Tensor:
    """input with src written on a diagonal."""
def diff(input: Tensor, n: builtins.int = 1, dim: builtins.int = -1, prepend: Tensor | None = None, append: Tensor | None = None, *, out: Any = None) -> Tensor:
    """Differences of neighbours along dim, n times, with prepend and append joined on before."""
def digamma(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Derivative of lgamma; NaN at negative integers."""
def div(input: Tensor, other: Tensor | Number, rounding_mode: str | None = None, *, out: Any = None) -> Tensor:
    """input / other; rounding_mode 'floor' or 'trunc' rounds the quotient."""
def dot(input: Tensor, tensor: Tensor, *, out: Any = None) -> Tensor:
    """Sum of products of two vectors: (K), (K) -> ()."""
def dropout(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = True, *, out: Any = None) -> Tensor:
    """Zero with probability p, else input / (1 - p); input itself unless training: (*) -> (*)."""
@overload
def dsplit(input: Tensor, indices_or_sections: builtins.int, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of equal pieces along dim 2."""
@overload
def dsplit(input: Tensor, indices_or_sections: builtins.int | Sequence[builtins.int], *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of the pieces along dim 2 between the given places."""
def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors of at least 3 dims joined along dim 2."""
def einsum(equation: str, *operands: Any, out: Any = None) -> Tensor:
    """Sum of products by an equation such as 'bij,bjk->bik': each letter is a dim, a letter missing after -> is summed over, '...' stands for broadcast dims."""
def elu(input: Tensor, alpha: Number = 1, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input where positive, else alpha * (exp(input) - 1)."""
def embedding(input: Tensor, weight: Tensor, padding_idx: builtins.int | None = None, max_norm: builtins.float | None = None, norm_type: builtins.float = 2.0, scale_grad_by_freq: builtins.bool = False, sparse: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Rows of weight at the indices of input; row padding_idx gets no gradient. max_norm first shortens the rows in place; scale_grad_by_freq divides gradients by how often a row occurs: (*), (V, D) -> (*, D)."""
def empty(*size: Any, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, out: Any = None) -> Tensor:
    """Uninitialised tensor of shape size."""
def empty_like(input: Tensor, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Uninitialised tensor like input: (*) -> (*)."""
def entr(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """-input * log(input): 0 at 0, minus infinity below."""
def eq(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input == other."""
def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """True if both have one shape and equal elements."""
def erf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Error function."""
def erfc(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """1 - erf(input), accurate in the tail."""
def erfcx(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """exp(input^2) erfc(input), without overflow."""
def erfinv(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse of erf: infinite at 1 and -1, NaN beyond."""
def exp(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """e to the power of input."""
def exp2(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """2 to the power of input."""
def expm1(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """exp(input) - 1, accurate near 0."""
def eye(n: builtins.int, m: builtins.int | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Ones on the diagonal of an n x m matrix (m = n unless given)."""
def flatten(input: Tensor, start_dim: builtins.int = 0, end_dim: builtins.int = -1, *, out: Any = None) -> Tensor:
    """Merges dims start_dim to end_dim."""
def flip(input: Tensor, *dims: Any, out: Any = None) -> Tensor:
    """Order of elements reversed along dims, as a copy."""
def fliplr(input: Tensor, *, out: Any = None) -> Tensor:
    """Order of elements reversed along dim 1."""
def flipud(input: Tensor, *, out: Any = None) -> Tensor:
    """Order of elements reversed along dim 0."""
def float_power(input: Tensor | Number, exponent: Tensor | Number, *, out: Any = None) -> Tensor:
    """input to the power of exponent, in float64."""
def floor(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Largest integer <= input."""
def floor_divide(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Quotient rounded down."""
def fmax(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """The larger of both; a NaN only where both are."""
def fmin(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """The smaller of both; a NaN only where both are."""
def fmod(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Remainder with the sign of input."""
def frac(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input without its integer part."""
def frexp(input: Tensor, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """Mantissas with 1/2 <= |m| < 1 and int32 exponents e such that input = m 2^e: (*) -> (*), (*)."""
def full(size: builtins.int | Sequence[builtins.int], fill_value: Number, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Tensor of shape size filled with fill_value; its dtype is that of the number unless given."""
def full_like(input: Tensor, fill_value: Number, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Like input, filled with fill_value: (*) -> (*)."""
def gather(input: Tensor, dim: builtins.int, index: Tensor, *, out: Any = None) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on: the shape of index."""
def gcd(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Greatest common divisor."""
def ge(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input >= other."""
def gelu_tanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """The tanh approximation of gelu."""
def group_norm(input: Tensor, num_groups: builtins.int, weight: Tensor | None = None, bias: Tensor | None = None, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
    """(input - mean) / sqrt(var + eps) over each group of channels of each sample, times weight plus bias per channel: (N, C, *) -> (N, C, *)."""
def gru(input: Tensor, hx: Tensor, params: Sequence[Tensor], has_biases: builtins.bool, num_layers: builtins.int, dropout: builtins.float, train: builtins.bool, bidirectional: builtins.bool, batch_first: builtins.bool, lengths: Tensor | None = None, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """Layers of gated recurrent units; arguments and results as lstm's, without c."""
def gru_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, out: Any = None) -> Tensor:
    """One step of a gated recurrent unit: input (N, I), hx (N, H), weights (3H, I) and (3H, H), the new state."""
def gt(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input > other."""
def hardshrink(input: Tensor, lambd: Number = 0.5, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input, but 0 within [-lambd, lambd]."""
def hardsigmoid(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """min(max(input + 3, 0), 6) / 6."""
def hardswish(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input * hardsigmoid(input)."""
def hardtanh(input: Tensor, min_val: Number = -1, max_val: Number = 1, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input clamped to [min_val, max_val]."""
def heaviside(input: Tensor | Number, values: Tensor | Number, *, out: Any = None) -> Tensor:
    """0 below 0, 1 above, values at 0."""
def histc(input: Tensor, bins: builtins.int = 100, min: Number = 0, max: Number = 0, *, out: Any = None) -> Tensor:
    """Counts of elements in bins of equal width from min to max (those of input if both are equal)."""
@overload
def histogram(input: Tensor, bins: builtins.int, range: builtins.float | Sequence[builtins.float] | None = None, weight: Tensor | None = None, density: builtins.bool = False, *, out: Any = None) -> Histogram:
    """Counts (or sums of weight) in bins of equal width over range, and the edges."""
@overload
def histogram(input: Tensor, bins: Tensor, weight: Tensor | None = None, density: builtins.bool = False, *, out: Any = None) -> Histogram:
    """Counts (or sums of weight) between the edges bins, and the edges."""
@overload
def hsplit(input: Tensor, indices_or_sections: builtins.int, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of equal pieces along dim 1 (dim 0 of a 1-D tensor)."""
@overload
def hsplit(input: Tensor, indices_or_sections: builtins.int | Sequence[builtins.int], *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of the pieces along dim 1 (dim 0 of a 1-D tensor) between the given places."""
def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined along dim 1 (dim 0 for 1-D tensors)."""
def hypot(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """sqrt(input^2 + other^2), without overflow on the way."""
def i0(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Modified Bessel function of the first kind, order 0."""
def i0e(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """exp(-|input|) i0(input)."""
def i1(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Modified Bessel function of the first kind, order 1."""
def i1e(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """exp(-|input|) i1(input)."""
def index_add(input: Tensor, dim: builtins.int, index: Tensor, source: Tensor, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """input with alpha * source added to the entries of dim that index names."""
def index_copy(input: Tensor, dim: builtins.int, index: Tensor, source: Tensor, *, out: Any = None) -> Tensor:
    """input with source written into the entries of dim that index names."""
def index_fill(input: Tensor, dim: builtins.int, index: Tensor, value: Tensor | Number, *, out: Any = None) -> Tensor:
    """input with value written into the entries of dim that index names."""
def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input with values written (or added) at index tensors."""
def index_put_(self: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Writes values (or adds them) at index tensors, in order, into self."""
def index_reduce(input: Tensor, dim: builtins.int, index: Tensor, source: Tensor, reduce: str, include_self: builtins.bool = True, *, out: Any = None) -> Tensor:
    """input with source combined into the entries of dim that index names; reduce: prod, mean, amax or amin."""
def index_select(input: Tensor, dim: builtins.int, index: Tensor, *, out: Any = None) -> Tensor:
    """The entries of dim that a 1-D index names, as a copy."""
def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """Sums of products over the last dim of both; a plain product where one is 0-d."""
def isclose(input: Tensor, other: Tensor, rtol: builtins.float = 1e-05, atol: builtins.float = 1e-08, equal_nan: builtins.bool = False, *, out: Any = None) -> Tensor:
    """True where |input - other| <= atol + rtol * |other|."""
def isfinite(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether input is neither infinite nor NaN."""
def isin(elements: Tensor | Number, test_elements: Tensor | Number, assume_unique: builtins.bool = False, invert: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether each of elements is among test_elements (is not, for invert)."""
def isinf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether input is plus or minus infinity."""
def isnan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether input is NaN."""
def isneginf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether input is minus infinity."""
def isposinf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether input is plus infinity."""
def isreal(input: Tensor, *, out: Any = None) -> Tensor:
    """True everywhere, since there are no complex dtypes: (*) -> (*)."""
def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """Kronecker product: every element of input times all of other, as blocks."""
def kthvalue(input: Tensor, k: builtins.int, dim: builtins.int = -1, keepdim: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """The k-th smallest element along dim and its place."""
def l1_loss(input: Tensor, target: Tensor, reduction: str = 'mean', *, out: Any = None) -> Tensor:
    """|input - target|: (*), (*) -> ()."""
def layer_norm(input: Tensor, normalized_shape: builtins.int | Sequence[builtins.int], weight: Tensor | None = None, bias: Tensor | None = None, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
    """(input - mean) / sqrt(var + eps) * weight + bias over the last dims, which have normalized_shape: (*, N), (N,), (N,) -> (*, N)."""
def lcm(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Least common multiple."""
def ldexp(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input * 2^other."""
def le(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input <= other."""
def leaky_relu(input: Tensor, negative_slope: Number = 0.01, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input where positive, else negative_slope * input."""
def lerp(input: Tensor | Number, end: Tensor | Number, weight: Tensor | Number, *, out: Any = None) -> Tensor:
    """input + weight * (end - input)."""
def lgamma(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """log |gamma(input)|: log((input - 1)!)."""
def linspace(start: builtins.float, end: builtins.float, steps: builtins.int, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """steps evenly spaced numbers from start to end, both included."""
def log(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Natural logarithm."""
def log10(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Logarithm to base 10."""
def log1p(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """log(1 + input), accurate near 0."""
def log2(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Logarithm to base 2."""
def log_ndtr(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """log(ndtr(input)), accurate in the tail."""
def log_softmax(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """log(softmax(input, dim)), without the loss of digits: (*, N) -> (*, N)."""
def logaddexp(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """log(exp(input) + exp(other)), without overflow."""
def logaddexp2(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """log2(2^input + 2^other), without overflow."""
def logcumsumexp(input: Tensor, dim: builtins.int, *, out: Any = None) -> Tensor:
    """log of the running sums of exp(input) along dim, without overflow: (*, N) -> (*, N)."""
def logical_and(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """True where both are nonzero."""
def logical_not(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """True where input is zero."""
def logical_or(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """True where either is nonzero."""
def logical_xor(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """True where exactly one is nonzero."""
def logit(input: Tensor, eps: builtins.float | None = None, *, out: Any = None) -> Tensor:
    """log(input / (1 - input)), input clamped to [eps, 1 - eps] where eps is given: (*) -> (*)."""
def logsigmoid(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """log(sigmoid(input)), without overflow."""
def logspace(start: builtins.float, end: builtins.float, steps: builtins.int, base: builtins.float = 10.0, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Powers of base with steps evenly spaced exponents from start to end."""
def logsumexp(input: Tensor, dim: builtins.int | Sequence[builtins.int], keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """log(sum(exp(input))) over dim, without overflow: (*, N) -> (*)."""
def lstm(input: Tensor, hx: Sequence[Tensor], params: Sequence[Tensor], has_biases: builtins.bool, num_layers: builtins.int, dropout: builtins.float, train: builtins.bool, bidirectional: builtins.bool, batch_first: builtins.bool, lengths: Tensor | None = None, *, out: Any = None) -> Any:
    """Layers of long short-term memory over (T, N, I) (batch_first: (N, T, I)), from the state hx = [h_0, c_0]: the outputs of the last layer and the last states. params: per layer and direction w_ih, w_hh, the two biases and w_hr where they exist. lengths: steps of each row; what follows is left out and gives 0."""
def lstm_cell(input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """One step of long short-term memory: input (N, I), hx = [h, c] of (N, H), weights (4H, I) and (4H, H), the new h and c."""
def lt(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input < other."""
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number, *, out: Any = None) -> Tensor:
    """input with value where mask holds: (*), (*) -> (*)."""
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor, *, out: Any = None) -> Tensor:
    """input with the elements of source, in order, where mask holds."""
def masked_select(input: Tensor, mask: Tensor, *, out: Any = None) -> Tensor:
    """The elements where mask holds, as a 1-D tensor."""
def matmul(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """Matrix product with broadcast batch dims; a 1-D operand is a row (left) or a column (right): (*, M, K), (*, K, N) -> (*, M, N)."""
@overload
def max(input: Tensor, *, out: Any = None) -> Tensor:
    """Largest of all elements; NaN where there is one: (*) -> ()."""
@overload
def max(input: Tensor, dim: builtins.int, keepdim: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """Largest elements over dim and the first place of each: (*, N) -> (*), (*)."""
@overload
def max(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The larger of two elements, as maximum: (*), (*) -> (*)."""
def max_pool1d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
    """Largest value of each window of (N, C, L) or (C, L); stride is kernel_size unless given. With return_indices, also where each maximum lies."""
def max_pool1d_with_indices(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """max_pool1d and where each maximum lies, whatever return_indices says."""
def max_pool2d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
    """Largest value of each window of (N, C, H, W) or (C, H, W); stride is kernel_size unless given. With return_indices, also where in its plane each maximum lies."""
def max_pool2d_with_indices(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """max_pool2d and where each maximum lies, whatever return_indices says."""
def max_pool3d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
    """Largest value of each window of (N, C, D, H, W) or (C, D, H, W); stride is kernel_size unless given. With return_indices, also where each maximum lies."""
def max_pool3d_with_indices(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """max_pool3d and where each maximum lies, whatever return_indices says."""
def maximum(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """The larger of both; NaN if either is."""
def mean(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Mean over dim (all dims unless given): (*, N) -> (*)."""
@overload
def median(input: Tensor, *, out: Any = None) -> Tensor:
    """The lower of the middle elements; NaN where there is one: (*) -> ()."""
@overload
def median(input: Tensor, dim: builtins.int, keepdim: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """The lower of the middle elements along dim and its place: (*, N) -> (*), (*)."""
def meshgrid(*tensors: Any, indexing: str = 'ij', out: Any = None) -> tuple[Tensor, ...]:
    """Coordinates of the grid that 1-D tensors span; indexing 'xy' swaps the first two dims."""
@overload
def min(input: Tensor, *, out: Any = None) -> Tensor:
    """Smallest of all elements; NaN where there is one: (*) -> ()."""
@overload
def min(input: Tensor, dim: builtins.int, keepdim: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """Smallest elements over dim and the first place of each: (*, N) -> (*), (*)."""
@overload
def min(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The smaller of two elements, as minimum: (*), (*) -> (*)."""
def minimum(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """The smaller of both; NaN if either is."""
def mish(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input * tanh(softplus(input))."""
def mm(input: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """Product of two matrices: (M, K), (K, N) -> (M, N)."""
def mode(input: Tensor, dim: builtins.int = -1, keepdim: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """The most frequent (of these, the smallest) element along dim and its last place: (*, N) -> (*), (*)."""
def movedim(input: Tensor, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int], *, out: Any = None) -> Tensor:
    """View with dims moved to other places."""
def mse_loss(input: Tensor, target: Tensor, reduction: str = 'mean', *, out: Any = None) -> Tensor:
    """(input - target)^2: (*), (*) -> ()."""
def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """Elements sorted along the first dim: (N, *) -> (N, *)."""
def mul(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input * other."""
def multinomial(input: Tensor, num_samples: builtins.int, replacement: builtins.bool = False, generator: Generator | None = None, *, out: Any = None) -> Tensor:
    """Places drawn from each row with the probabilities of its elements: (*, N) -> (*, K)."""
def mv(input: Tensor, vec: Tensor, *, out: Any = None) -> Tensor:
    """Matrix times vector: (M, K), (K) -> (M)."""
def mvlgamma(input: Tensor, p: builtins.int, *, out: Any = None) -> Tensor:
    """Logarithm of the p-dimensional gamma function: (*) -> (*)."""
def nan_to_num(input: Tensor, nan: builtins.float | None = None, posinf: builtins.float | None = None, neginf: builtins.float | None = None, *, out: Any = None) -> Tensor:
    """NaN and the infinities replaced, by 0 and the largest and smallest finite number unless given: (*) -> (*)."""
def nanmean(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Mean over dim of what is not NaN: (*, N) -> (*)."""
@overload
def nanmedian(input: Tensor, *, out: Any = None) -> Tensor:
    """median of what is not NaN: (*) -> ()."""
@overload
def nanmedian(input: Tensor, dim: builtins.int, keepdim: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """median along dim of what is not NaN: (*, N) -> (*), (*)."""
def nanquantile(input: Tensor, q: Tensor | Number, dim: builtins.int | None = None, keepdim: builtins.bool = False, interpolation: str = 'linear', *, out: Any = None) -> Tensor:
    """quantile of what is not NaN."""
def nansum(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """sum with NaN as zero: (*, N) -> (*)."""
@overload
def narrow(input: Tensor, dim: builtins.int, start: builtins.int, length: builtins.int, *, out: Any = None) -> Tensor:
    """View of length elements of dim from start on."""
@overload
def narrow(input: Tensor, dim: builtins.int, start: Tensor, length: builtins.int, *, out: Any = None) -> Tensor:
    """narrow with start as a 0-d integer tensor."""
def narrow_copy(input: Tensor, dim: builtins.int, start: builtins.int, length: builtins.int, *, out: Any = None) -> Tensor:
    """narrow, as a copy."""
def ndtr(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Distribution function of the standard normal law."""
def ndtri(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """The x whose normal distribution function ndtr(x) is input."""
def ne(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input != other."""
def neg(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """-input."""
def nextafter(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The next number from input towards other."""
def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: builtins.int = -100, reduction: str = 'mean', *, out: Any = None) -> Tensor:
    """-input at the target classes; input holds log probabilities: (N, C, *), (N, *) -> ()."""
def norm(input: Tensor, p: builtins.float = 2, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """(sum |input|^p)^(1/p) over dim; p may be 0, inf and -inf: (*, N) -> (*)."""
@overload
def normal(mean: builtins.float, std: builtins.float, size: builtins.int | Sequence[builtins.int], generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Numbers of a normal distribution."""
@overload
def normal(mean: Tensor, std: Tensor | Number | None = None, generator: Generator | None = None, *, out: Any = None) -> Tensor:
    """Normal numbers, each with its own mean (and std, which is 1 unless given): (*), (*) -> (*)."""
@overload
def normal(mean: builtins.float, std: Tensor, generator: Generator | None = None, *, out: Any = None) -> Tensor:
    """Normal numbers, each with its own standard deviation."""
def ones(*size: Any, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, out: Any = None) -> Tensor:
    """Tensor of ones of shape size."""
def ones_like(input: Tensor, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Ones like input: (*) -> (*)."""
def outer(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """Products of every pair of elements: (M), (N) -> (M, N)."""
def pairwise_distance(x1: Tensor, x2: Tensor, p: builtins.float = 2, eps: builtins.float = 1e-6, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Norm of x1 - x2 + eps over the last dim: (*, D), (*, D) -> (*)."""
def pdist(input: Tensor, p: builtins.float = 2, *, out: Any = None) -> Tensor:
    """Distances of all pairs of rows of (N, D): N (N - 1) / 2 numbers."""
def permute(input: Tensor, *dims: Any, out: Any = None) -> Tensor:
    """View with dims in the given order."""
def pixel_shuffle(input: Tensor, upscale_factor: builtins.int, *, out: Any = None) -> Tensor:
    """Channels moved into pixels: (*, C r^2, H, W) becomes (*, C, H r, W r)."""
def pixel_unshuffle(input: Tensor, downscale_factor: builtins.int, *, out: Any = None) -> Tensor:
    """Pixels moved into channels: (*, C, H r, W r) becomes (*, C r^2, H, W)."""
def poisson(input: Tensor, generator: Generator | None = None, *, out: Any = None) -> Tensor:
    """Poisson numbers with the rates of input: (*) -> (*)."""
def polygamma(n: builtins.int, input: Tensor, *, out: Any = None) -> Tensor:
    """The n-th derivative of digamma, n >= 0."""
def positive(input: Tensor, *, out: Any = None) -> Tensor:
    """input itself; refuses bool: (*) -> (*)."""
def pow(input: Tensor | Number, exponent: Tensor | Number, *, out: Any = None) -> Tensor:
    """input to the power of exponent."""
def prelu(input: Tensor, weight: Tensor, *, out: Any = None) -> Tensor:
    """input where positive, else weight * input; weight has one element, or one per channel (dim 1)."""
@overload
def prod(input: Tensor, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Product of all elements: (*) -> ()."""
@overload
def prod(input: Tensor, dim: builtins.int, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Product over dim: (*, N) -> (*)."""
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input with source written (or added) at places of the flattened tensor."""
def quantile(input: Tensor, q: Tensor | Number, dim: builtins.int | None = None, keepdim: builtins.bool = False, interpolation: str = 'linear', *, out: Any = None) -> Tensor:
    """q-quantiles along dim (of all elements without dim); q is a number or a 1-D tensor, which leads the result. interpolation: linear, lower, higher, midpoint or nearest."""
def rad2deg(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Radians to degrees."""
def rand(*size: Any, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, out: Any = None) -> Tensor:
    """Uniform numbers in [0, 1)."""
def rand_like(input: Tensor, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Uniform numbers in [0, 1) like input: (*) -> (*)."""
@overload
def randint(high: builtins.int, size: builtins.int | Sequence[builtins.int], generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Integers in [0, high)."""
@overload
def randint(low: builtins.int, high: builtins.int, size: builtins.int | Sequence[builtins.int], generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Integers in [low, high)."""
@overload
def randint_like(input: Tensor, high: builtins.int, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Integers in [0, high) like input: (*) -> (*)."""
@overload
def randint_like(input: Tensor, low: builtins.int, high: builtins.int, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Integers in [low, high) like input: (*) -> (*)."""
def randn(*size: Any, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, out: Any = None) -> Tensor:
    """Numbers of the standard normal distribution."""
def randn_like(input: Tensor, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Standard normal numbers like input: (*) -> (*)."""
def randperm(n: builtins.int, generator: Generator | None = None, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, *, out: Any = None) -> Tensor:
    """0 to n - 1 in random order."""
def ravel(input: Tensor, *, out: Any = None) -> Tensor:
    """input as one row: (*) -> (N)."""
def reciprocal(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """1 / input."""
def relu(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """max(input, 0)."""
def relu6(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """min(max(input, 0), 6)."""
def remainder(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Remainder with the sign of other, as Python's %."""
def renorm(input: Tensor, p: builtins.float, dim: builtins.int, maxnorm: builtins.float, *, out: Any = None) -> Tensor:
    """input with each slice along dim whose p-norm is above maxnorm shortened to it: (*) -> (*)."""
@overload
def repeat_interleave(input: Tensor, repeats: builtins.int, dim: builtins.int | None = None, output_size: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """Every element (of the flattened input without dim) repeated."""
@overload
def repeat_interleave(input: Tensor, repeats: Tensor, dim: builtins.int | None = None, output_size: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """Element i along dim repeated repeats[i] times."""
@overload
def repeat_interleave(repeats: Tensor, output_size: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """i, repeats[i] times."""
def reshape(input: Tensor, *shape: Any, out: Any = None) -> Tensor:
    """Same elements in another shape (one size may be -1); a view where strides allow."""
def rms_norm(input: Tensor, normalized_shape: builtins.int | Sequence[builtins.int], weight: Tensor | None = None, eps: builtins.float | None = None, *, out: Any = None) -> Tensor:
    """input / sqrt(mean(input^2) + eps) * weight over the last dims, which have normalized_shape; eps is the dtype's own unless given: (*, N), (N,), (N,) -> (*, N)."""
def rnn_relu(input: Tensor, hx: Tensor, params: Sequence[Tensor], has_biases: builtins.bool, num_layers: builtins.int, dropout: builtins.float, train: builtins.bool, bidirectional: builtins.bool, batch_first: builtins.bool, lengths: Tensor | None = None, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """Recurrent layers with relu; arguments and results as gru's."""
def rnn_relu_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, out: Any = None) -> Tensor:
    """relu(w_ih input + b_ih + w_hh hx + b_hh) for rows (N, I) and (N, H)."""
def rnn_tanh(input: Tensor, hx: Tensor, params: Sequence[Tensor], has_biases: builtins.bool, num_layers: builtins.int, dropout: builtins.float, train: builtins.bool, bidirectional: builtins.bool, batch_first: builtins.bool, lengths: Tensor | None = None, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """Recurrent layers with tanh; arguments and results as gru's."""
def rnn_tanh_cell(input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, out: Any = None) -> Tensor:
    """tanh(w_ih input + b_ih + w_hh hx + b_hh) for rows (N, I) and (N, H)."""
def roll(input: Tensor, shifts: builtins.int | Sequence[builtins.int], dims: builtins.int | Sequence[builtins.int] | None = None, *, out: Any = None) -> Tensor:
    """Elements moved by shifts along dims, those beyond the end back to the start."""
def rot90(input: Tensor, k: builtins.int = 1, dims: builtins.int | Sequence[builtins.int] = (0, 1), *, out: Any = None) -> Tensor:
    """input turned k times by 90 degrees in the plane of dims."""
def round(input: Tensor, decimals: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Nearest integer, halves to even; decimals keeps that many places."""
def rrelu(input: Tensor, lower: builtins.float = 0.125, upper: builtins.float = 0.3333333333333333, training: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input where positive, else a times input: a is drawn from [lower, upper] for each element, their mean unless training: (*) -> (*)."""
def rsqrt(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """1 / sqrt(input)."""
def rsub(input: Tensor, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """other - alpha * input."""
@overload
def scatter(input: Tensor, dim: builtins.int, index: Tensor, src: Tensor, reduce: str | None = None, *, out: Any = None) -> Tensor:
    """input with src written at the indices along dim."""
@overload
def scatter(input: Tensor, dim: builtins.int, index: Tensor, value: Number, reduce: str | None = None, *, out: Any = None) -> Tensor:
    """input with value written at the indices along dim."""
def scatter_add(input: Tensor, dim: builtins.int, index: Tensor, src: Tensor, *, out: Any = None) -> Tensor:
    """input with src added at the indices along dim."""
def scatter_reduce(input: Tensor, dim: builtins.int, index: Tensor, src: Tensor, reduce: str, include_self: builtins.bool = True, *, out: Any = None) -> Tensor:
    """input with src combined into the places that index names along dim; reduce: sum, prod, mean, amax or amin; include_self false leaves out what stood there."""
def searchsorted(sorted_sequence: Tensor, input: Tensor | Number, out_int32: builtins.bool = False, right: builtins.bool = False, side: str | None = None, sorter: Tensor | None = None, *, out: Any = None) -> Tensor:
    """Places in the sorted last dim of sorted_sequence before which input keeps the order; right: behind equal elements."""
def select(input: Tensor, dim: builtins.int, index: builtins.int, *, out: Any = None) -> Tensor:
    """View of one index of dim; the dim is gone."""
def select_scatter(input: Tensor, src: Tensor, dim: builtins.int, index: builtins.int, *, out: Any = None) -> Tensor:
    """input with src written at one index of dim."""
def selu(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """scale * elu(input, alpha) with the constants of self-normalizing networks."""
def sgd_step(params: Sequence[Tensor], grads: Sequence[Tensor], momentum_buffers: Sequence[Tensor], fresh: builtins.int | Sequence[builtins.int], lr: builtins.float, momentum: builtins.float, dampening: builtins.float, weight_decay: builtins.float, nesterov: builtins.bool, maximize: builtins.bool) -> None:
    """One step of SGD over all params; fresh[i] is 1 where momentum buffer i has no value yet."""
def sigmoid(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """1 / (1 + exp(-input))."""
def sign(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """-1, 0 or 1 by the sign of input."""
def signbit(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Whether the sign bit is set: negative numbers and -0."""
def silu(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input * sigmoid(input)."""
def sin(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Sine."""
def sinc(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """sin(pi input) / (pi input), 1 at 0."""
def sinh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Hyperbolic sine."""
def slice_scatter(input: Tensor, src: Tensor, dim: builtins.int = 0, start: builtins.int | None = None, end: builtins.int | None = None, step: builtins.int = 1, *, out: Any = None) -> Tensor:
    """input with src written at start:end:step of dim."""
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = 'mean', beta: builtins.float = 1.0, *, out: Any = None) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| is below beta, else d - beta / 2: (*), (*) -> ()."""
def softmax(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """exp(input) divided by its sum over dim: (*, N) -> (*, N)."""
def softplus(input: Tensor, beta: Number = 1, threshold: Number = 20, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold."""
def softshrink(input: Tensor, lambd: Number = 0.5, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input moved towards 0 by lambd, 0 within."""
def softsign(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input / (1 + |input|)."""
def sort(input: Tensor, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = False, *, out: Any = None) -> ValuesIndices:
    """Elements of each line in order (always stable, NaN the largest) and where they stood: (*, N) -> (*, N), (*, N)."""
@overload
def split(tensor: Tensor, split_size_or_sections: builtins.int, dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of pieces of one size along dim; the last may be smaller."""
@overload
def split(tensor: Tensor, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of pieces of the given sizes along dim."""
def split_with_sizes(input: Tensor, split_sizes: builtins.int | Sequence[builtins.int], dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of pieces of the given sizes along dim."""
def sqrt(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Square root."""
def square(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input * input."""
def squeeze(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, *, out: Any = None) -> Tensor:
    """View without the dims of size 1 (all of them, or those given)."""
def stack(tensors: Sequence[Tensor], dim: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Tensors of one shape joined along a new dim."""
@overload
def std(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool | None = None, keepdim: builtins.bool = False, correction: builtins.float | None = None, *, out: Any = None) -> Tensor:
    """Standard deviation over dim, the root of var: (*, N) -> (*)."""
@overload
def std(input: Tensor, unbiased: builtins.bool, *, out: Any = None) -> Tensor:
    """std of all elements with unbiased by position: (*) -> ()."""
@overload
def std_mean(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool | None = None, keepdim: builtins.bool = False, correction: builtins.float | None = None, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean over dim: (*, N) -> (*), (*)."""
@overload
def std_mean(input: Tensor, unbiased: builtins.bool, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """std and mean of all elements with unbiased by position: (*) -> (), ()."""
def sub(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """input - alpha * other."""
def sum(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
    """Sum over dim (all dims unless given): (*, N) -> (*)."""
def t(input: Tensor, *, out: Any = None) -> Tensor:
    """Transpose of a tensor of at most 2 dims: (M, N) -> (N, M)."""
def take(input: Tensor, index: Tensor, *, out: Any = None) -> Tensor:
    """Elements of the flattened input, in the shape of index."""
def take_along_dim(input: Tensor, indices: Tensor, dim: builtins.int | None = None, *, out: Any = None) -> Tensor:
    """gather with broadcasting; of the flattened input without dim."""
def tan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Tangent."""
def tanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Hyperbolic tangent."""
def tanhshrink(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input - tanh(input), accurate near 0."""
@overload
def tensor_split(input: Tensor, indices_or_sections: builtins.int, dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of nearly equal pieces along dim."""
@overload
def tensor_split(input: Tensor, indices_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of the pieces of dim between the given places."""
@overload
def tensor_split(input: Tensor, tensor_indices_or_sections: Tensor, dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """tensor_split with the number of pieces or the places as a tensor."""
def tensordot(a: Tensor, b: Tensor, dims: builtins.int | Sequence[builtins.int | Sequence[builtins.int]] = 2, *, out: Any = None) -> Tensor:
    """Sums of products over the last dims of a and the first of b, or over the listed dims of each."""
def threshold(input: Tensor, threshold: Number = 0, value: Number = 0, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """input where above threshold, else value."""
def tile(input: Tensor, *dims: Any, out: Any = None) -> Tensor:
    """repeat, with ones put before too short a list."""
def topk(input: Tensor, k: builtins.int, dim: builtins.int = -1, largest: builtins.bool = True, sorted: builtins.bool = True, *, out: Any = None) -> ValuesIndices:
    """The k largest (or smallest) elements along dim, in order, and their places; equal ones in order of place."""
def trace(input: Tensor, *, out: Any = None) -> Tensor:
    """Sum of the diagonal of a matrix: (M, N) -> ()."""
def transpose(input: Tensor, dim0: builtins.int, dim1: builtins.int, *, out: Any = None) -> Tensor:
    """View with two dims swapped."""
def trapezoid(y: Tensor, x: Tensor | None = None, dx: builtins.float | None = None, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
    """Integral of y along dim by trapezoids, at places x or dx (1) apart: (*, N) -> (*)."""
def tril(input: Tensor, diagonal: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Zero above a diagonal: (*, M, N) -> (*, M, N)."""
def tril_indices(row: builtins.int, col: builtins.int, offset: builtins.int = 0, dtype: dtype | None = None, device: device | str | None = None, *, out: Any = None) -> Tensor:
    """Coordinates of the elements on and below a diagonal: (2, N)."""
def triu(input: Tensor, diagonal: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Zero below a diagonal: (*, M, N) -> (*, M, N)."""
def triu_indices(row: builtins.int, col: builtins.int, offset: builtins.int = 0, dtype: dtype | None = None, device: device | str | None = None, *, out: Any = None) -> Tensor:
    """Coordinates of the elements on and above a diagonal: (2, N)."""
def trunc(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Integer part, towards zero."""
def trunc_divide(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Quotient rounded towards zero."""
def unbind(input: Tensor, dim: builtins.int = 0, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of every index of dim."""
def unflatten(input: Tensor, dim: builtins.int, sizes: builtins.int | Sequence[builtins.int], *, out: Any = None) -> Tensor:
    """View of dim as several dims of sizes (one may be -1)."""
def unique(input: Tensor, sorted: builtins.bool = True, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None, *, out: Any = None) -> Any:
    """The different elements (or slices along dim), sorted; with return_inverse where each element went, with return_counts how often each occurs."""
def unique_consecutive(input: Tensor, return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: builtins.int | None = None, *, out: Any = None) -> Any:
    """input without repetitions of the element (or slice along dim) before."""
def unsqueeze(input: Tensor, dim: builtins.int, *, out: Any = None) -> Tensor:
    """View with a new dim of size 1 at dim."""
def vander(x: Tensor, N: builtins.int | None = None, increasing: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Powers of a vector as columns: (M) -> (M, N)."""
@overload
def var(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool | None = None, keepdim: builtins.bool = False, correction: builtins.float | None = None, *, out: Any = None) -> Tensor:
    """Variance over dim, squares divided by n - correction (1 unless given): (*, N) -> (*)."""
@overload
def var(input: Tensor, unbiased: builtins.bool, *, out: Any = None) -> Tensor:
    """var of all elements with unbiased by position: (*) -> ()."""
@overload
def var_mean(input: Tensor, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool | None = None, keepdim: builtins.bool = False, correction: builtins.float | None = None, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """Variance and mean over dim in one pass: (*, N) -> (*), (*)."""
@overload
def var_mean(input: Tensor, unbiased: builtins.bool, *, out: Any = None) -> tuple[Tensor, Tensor]:
    """var and mean of all elements with unbiased by position: (*) -> (), ()."""
@overload
def vsplit(input: Tensor, indices_or_sections: builtins.int, *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of equal pieces along dim 0."""
@overload
def vsplit(input: Tensor, indices_or_sections: builtins.int | Sequence[builtins.int], *, out: Any = None) -> tuple[Tensor, ...]:
    """Views of the pieces along dim 0 between the given places."""
def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined along dim 0, 1-D tensors as rows."""
@overload
def where(condition: Tensor, input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input where condition holds, else other."""
@overload
def where(condition: Tensor, *, out: Any = None) -> tuple[Tensor, ...]:
    """Coordinates where condition holds: one index tensor per dim."""
def xlog1py(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input * log(1 + other), 0 where input is 0 (and other not NaN)."""
def xlogy(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input * log(other), 0 where input is 0 (and other not NaN)."""
def zeros(*size: Any, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, out: Any = None) -> Tensor:
    """Tensor of zeros of shape size."""
def zeros_like(input: Tensor, dtype: dtype | None = None, device: device | str | None = None, requires_grad: builtins.bool = False, memory_format: str | None = None, *, out: Any = None) -> Tensor:
    """Zeros like input: (*) -> (*)."""
class DeviceError(Error, RuntimeError): ...
class DtypeError(Error, TypeError, RuntimeError): ...
class Error(Exception): ...
class FileError(Error, OSError, ValueError): ...
class Generator:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def get_state(self) -> Any: ...
    def initial_seed(self) -> builtins.int: ...
    def manual_seed(self, seed: Any) -> Any: ...
    def seed(self) -> builtins.int: ...
    def set_state(self, new_state: Any) -> Any: ...
class GradError(Error, RuntimeError): ...
class IndexOutOfRange(Error, IndexError): ...
class InvalidType(Error, TypeError): ...
class InvalidValue(Error, ValueError, RuntimeError): ...
class Node:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def name(self) -> str: ...
    @property
    def next_functions(self) -> Any: ...
class OutOfMemoryError(Error, MemoryError): ...
class RemovableHandle:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *args: Any) -> None: ...
    def remove(self) -> None: ...
class ShapeError(Error, ValueError, RuntimeError): ...
class UntypedStorage:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __len__(self) -> builtins.int: ...
    def data_ptr(self) -> builtins.int: ...
    @property
    def device(self) -> Any: ...
    def nbytes(self) -> builtins.int: ...
    def size(self) -> builtins.int: ...
class _FunctionContext:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def mark_dirty(self, *args: Any) -> None: ...
    def mark_non_differentiable(self, *args: Any) -> None: ...
    @property
    def needs_input_grad(self) -> Any: ...
    def save_for_backward(self, *args: Any) -> None: ...
    @property
    def saved_tensors(self) -> Any: ...
    def set_materialize_grads(self, value: Any) -> None: ...
__version__: str
def _apply_function(arg0: Any, *args: Any) -> Any:
    """_apply_function"""
def _child_seed(seed: Any, number: Any) -> builtins.int:
    """A seed for the number-th part of the work that belongs to a seed."""
def _cuda_device_count() -> builtins.int:
    """_cuda_device_count"""
def _cuda_status() -> str:
    """_cuda_status"""
def _cuda_synchronize(device: Any = ...) -> None:
    """_cuda_synchronize"""
def _fail_allocation(k: Any) -> None:
    """Test hook: the k-th allocation from now on fails, once; 0 takes it back."""
def _from_bytes(arg0: Any, arg1: Any, arg2: Any) -> Tensor:
    """_from_bytes"""
def _generator_in(state: Any) -> Any:
    """A generator in the state that get_state gave."""
def _redirect(pairs: Any) -> Any:
    """This thread draws from the second of each pair where the first is asked for; returns the earlier pairs."""
def _registry() -> Any:
    """_registry"""
def _set_anomaly_enabled(arg0: Any) -> None:
    """_set_anomaly_enabled"""
def _set_autocast(enabled: Any, dtype: Any) -> None:
    """_set_autocast"""
def _set_grad_enabled(arg0: Any) -> None:
    """_set_grad_enabled"""
def _set_inference_enabled(arg0: Any) -> None:
    """_set_inference_enabled"""
def _spawn(generator: Any) -> builtins.int:
    """The seed of a stream beside this generator's own; its draws do not notice."""
def _to_bytes(arg0: Any) -> Any:
    """_to_bytes"""
def _to_dlpack(tensor: Any) -> Any:
    """_to_dlpack"""
def _write_out(op: Any, out: Any, result: Any) -> Any:
    """_write_out"""
def absolute(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Absolute value; its gradient at 0 is 0."""
def arccos(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Arc cosine."""
def arccosh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse hyperbolic cosine."""
def arcsin(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Arc sine."""
def arcsinh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse hyperbolic sine."""
def arctan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Arc tangent."""
def arctan2(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """Angle of the point (other, input)."""
def arctanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Inverse hyperbolic tangent."""
def as_tensor(data: Any, dtype: Any = ..., device: Any = ...) -> Tensor:
    """data as a tensor, sharing memory where possible."""
def asarray(data: Any, dtype: Any = ..., device: Any = ...) -> Tensor:
    """data as a tensor, sharing memory where possible."""
bfloat16: dtype
bool: dtype
def broadcast_shapes(*args: Any) -> Any:
    """The shape that tensors of these shapes broadcast to."""
def can_cast(from_: Any, to: Any) -> builtins.bool:
    """True where promotion allows a result of dtype from_ in dtype to."""
def clip(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None, *, out: Any = None) -> Tensor:
    """input limited to min and max (numbers or tensors; one may be left out)."""
def concat(tensors: Sequence[Tensor], dim: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Tensors joined along dim."""
def concatenate(tensors: Sequence[Tensor], dim: builtins.int = 0, *, out: Any = None) -> Tensor:
    """Tensors joined along dim."""
default_generator: Generator
def divide(input: Tensor, other: Tensor | Number, rounding_mode: str | None = None, *, out: Any = None) -> Tensor:
    """input / other; rounding_mode 'floor' or 'trunc' rounds the quotient."""
double: dtype
def empty_cache() -> builtins.int:
    """Returns unused memory to the system; the number of bytes returned."""
def expit(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """1 / (1 + exp(-input))."""
def fix(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """Integer part, towards zero."""
float: dtype
float16: dtype
float32: dtype
float64: dtype
def from_dlpack(ext_tensor: Any, *, device: Any = ..., copy: Any = ...) -> Tensor:
    """The tensor that shares memory with an object of another library (or with a DLPack capsule, which is used up)."""
def from_numpy(ndarray: Any) -> Tensor:
    """The tensor that shares memory with a NumPy array (any strides; a read-only array gives a read-only tensor)."""
def ger(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """Products of every pair of elements: (M), (N) -> (M, N)."""
def get_autocast_dtype() -> Any:
    """The short dtype of autocast in this thread."""
def get_default_dtype() -> Any:
    """dtype of new float tensors."""
def get_num_threads() -> builtins.int:
    """Number of threads kernels use."""
def get_rng_state() -> Any:
    """State of the default generator, as a uint8 tensor."""
def greater(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input > other."""
def greater_equal(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input >= other."""
half: dtype
def initial_seed() -> builtins.int:
    """The seed of the default generator."""
int: dtype
int16: dtype
int32: dtype
int64: dtype
int8: dtype
def is_anomaly_enabled() -> builtins.bool:
    """is_anomaly_enabled"""
def is_autocast_enabled() -> builtins.bool:
    """True while autocast casts in this thread."""
def is_complex(input: Any) -> builtins.bool:
    """False: there are no complex tensors."""
def is_floating_point(input: Any) -> builtins.bool:
    """True where input holds floats."""
def is_grad_enabled() -> builtins.bool:
    """True while operations are recorded."""
def is_inference_mode_enabled() -> builtins.bool:
    """is_inference_mode_enabled"""
def is_tensor(obj: Any) -> builtins.bool:
    """True for a Tensor."""
def less(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input < other."""
def less_equal(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input <= other."""
def load_tensors(path: Any, verify: Any = ...) -> Any:
    """({name: Tensor}, {key: text}) of a safetensors file."""
long: dtype
def manual_seed(seed: Any) -> Any:
    """Seeds the default generator."""
def memory_stats() -> Any:
    """Host memory of tensors as a dict: bytes in use and held from the system now and at most, and counts of calls."""
def moveaxis(input: Tensor, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int], *, out: Any = None) -> Tensor:
    """View with dims moved to other places."""
def multiply(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input * other."""
def negative(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """-input."""
def nonzero(input: Any, *, as_tuple: Any = ...) -> Any:
    """Coordinates of the elements that are not zero: one row each, or one index tensor per dim."""
def not_equal(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
    """input != other."""
def numel(input: Any) -> builtins.int:
    """Number of elements."""
def parse_tensors(data: Any, name: Any, verify: Any = ...) -> Any:
    """({name: Tensor}, {key: text}) of the bytes of a safetensors file; its name is for messages."""
def promote_types(type1: Any, type2: Any) -> Any:
    """Smallest dtype that both convert to."""
def reset_peak_memory_stats() -> None:
    """Starts the peaks of memory_stats() again from the present values."""
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """dtype of an arithmetic result of the two."""
def row_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined along dim 0, 1-D tensors as rows."""
def save_tensors(tensors: Any, path: Any, metadata: Any = ...) -> None:
    """Writes a safetensors file, all or nothing: {name: Tensor}, and text metadata."""
def seed() -> builtins.int:
    """Seeds the default generator from the system; returns the seed."""
def set_default_dtype(d: Any) -> None:
    """Sets the dtype of new float tensors."""
def set_flush_denormal(mode: Any) -> builtins.bool:
    """True flushes subnormal floats to zero."""
def set_num_threads(n: Any) -> None:
    """Sets the number of threads kernels use; results do not depend on it."""
def set_rng_state(new_state: Any) -> None:
    """Restores the default generator."""
def sgn(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
    """-1, 0 or 1 by the sign of input."""
short: dtype
def simd_level() -> str:
    """SIMD level in use: 'base', 'avx2' or 'avx512'."""
def subtract(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
    """input - alpha * other."""
def swapaxes(input: Tensor, dim0: builtins.int, dim1: builtins.int, *, out: Any = None) -> Tensor:
    """View with two dims swapped."""
def swapdims(input: Tensor, dim0: builtins.int, dim1: builtins.int, *, out: Any = None) -> Tensor:
    """View with two dims swapped."""
def tensor(data: Any, dtype: Any = ..., device: Any = ..., requires_grad: Any = ...) -> Tensor:
    """A new tensor with a copy of data: a number, nested lists, an array or a tensor."""
def trapz(y: Tensor, x: Tensor | None = None, dx: builtins.float | None = None, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
    """Integral of y along dim by trapezoids, at places x or dx (1) apart: (*, N) -> (*)."""
def true_divide(input: Tensor, other: Tensor | Number, rounding_mode: str | None = None, *, out: Any = None) -> Tensor:
    """input / other; rounding_mode 'floor' or 'trunc' rounds the quotient."""
uint8: dtype
def vdot(input: Tensor, tensor: Tensor, *, out: Any = None) -> Tensor:
    """Sum of products of two vectors: (K), (K) -> ()."""
def write_tensors(tensors: Any, write: Any, metadata: Any = ...) -> None:
    """Hands the bytes of a safetensors file to a function, piece by piece."""

class functional:
    """Operations of lamina.nn.functional."""
    @staticmethod
    def abs(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Absolute value; its gradient at 0 is 0."""

    @staticmethod
    def absolute(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Absolute value; its gradient at 0 is 0."""

    @staticmethod
    def acos(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Arc cosine."""

    @staticmethod
    def acosh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse hyperbolic cosine."""

    @staticmethod
    def adaptive_avg_pool1d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, *, out: Any = None) -> Tensor:
        """Means over windows chosen so that the output has output_size (None: as the input): (N, C, L) or (C, L)."""

    @staticmethod
    def adaptive_avg_pool2d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, *, out: Any = None) -> Tensor:
        """Means over windows chosen so that the output has output_size (None: as the input): (N, C, H, W) or (C, H, W)."""

    @staticmethod
    def adaptive_avg_pool3d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, *, out: Any = None) -> Tensor:
        """Means over windows chosen so that the output has output_size (None: as the input): (N, C, D, H, W) or (C, D, H, W)."""

    @staticmethod
    def adaptive_max_pool1d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
        """Largest values of windows chosen so that the output has output_size (None: as the input): (N, C, L) or (C, L)."""

    @staticmethod
    def adaptive_max_pool1d_with_indices(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
        """adaptive_max_pool1d and where each maximum lies, whatever return_indices says."""

    @staticmethod
    def adaptive_max_pool2d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
        """Largest values of windows chosen so that the output has output_size (None: as the input): (N, C, H, W) or (C, H, W)."""

    @staticmethod
    def adaptive_max_pool2d_with_indices(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
        """adaptive_max_pool2d and where each maximum lies, whatever return_indices says."""

    @staticmethod
    def adaptive_max_pool3d(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
        """Largest values of windows chosen so that the output has output_size (None: as the input): (N, C, D, H, W) or (C, D, H, W)."""

    @staticmethod
    def adaptive_max_pool3d_with_indices(input: Tensor, output_size: builtins.int | Sequence[builtins.int | None] | None, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
        """adaptive_max_pool3d and where each maximum lies, whatever return_indices says."""

    @staticmethod
    def add(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
        """input + alpha * other."""

    @staticmethod
    def addcdiv(input: Tensor | Number, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1, *, out: Any = None) -> Tensor:
        """input + value * tensor1 / tensor2."""

    @staticmethod
    def addcmul(input: Tensor | Number, tensor1: Tensor | Number, tensor2: Tensor | Number, value: Number = 1, *, out: Any = None) -> Tensor:
        """input + value * tensor1 * tensor2."""

    @staticmethod
    def affine_grid(theta: Tensor, size: builtins.int | Sequence[builtins.int], align_corners: builtins.bool | None = None, *, out: Any = None) -> Tensor:
        """The grid for grid_sample that maps with theta (N, 2, 3) or (N, 3, 4) to an output of size."""

    @staticmethod
    def alpha_dropout(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = False, *, out: Any = None) -> Tensor:
        """dropout to the negative saturation of selu, which keeps mean and variance: (*) -> (*)."""

    @staticmethod
    def arccos(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Arc cosine."""

    @staticmethod
    def arccosh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse hyperbolic cosine."""

    @staticmethod
    def arcsin(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Arc sine."""

    @staticmethod
    def arcsinh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse hyperbolic sine."""

    @staticmethod
    def arctan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Arc tangent."""

    @staticmethod
    def arctan2(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Angle of the point (other, input)."""

    @staticmethod
    def arctanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse hyperbolic tangent."""

    @staticmethod
    def asin(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Arc sine."""

    @staticmethod
    def asinh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse hyperbolic sine."""

    @staticmethod
    def atan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Arc tangent."""

    @staticmethod
    def atan2(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Angle of the point (other, input)."""

    @staticmethod
    def atanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse hyperbolic tangent."""

    @staticmethod
    def avg_pool1d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, *, out: Any = None) -> Tensor:
        """Mean of each window of (N, C, L) or (C, L); stride is kernel_size unless given."""

    @staticmethod
    def avg_pool2d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, divisor_override: builtins.int | None = None, *, out: Any = None) -> Tensor:
        """Mean of each window of (N, C, H, W) or (C, H, W); stride is kernel_size unless given."""

    @staticmethod
    def avg_pool3d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, ceil_mode: builtins.bool = False, count_include_pad: builtins.bool = True, divisor_override: builtins.int | None = None, *, out: Any = None) -> Tensor:
        """Mean of each window of (N, C, D, H, W) or (C, D, H, W); stride is kernel_size unless given."""

    @staticmethod
    def batch_norm(input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None, bias: Tensor | None = None, training: builtins.bool = False, momentum: builtins.float = 0.1, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
        """As layer_norm over all dims but the second; training uses statistics of the batch and moves running_mean and running_var by momentum: (N, C, *) -> (N, C, *)."""

    @staticmethod
    def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Any = None) -> Tensor:
        """input1 weight[o] input2 + bias[o] for every o: (*, I), (*, J), (O, I, J), (O) -> (*, O)."""

    @staticmethod
    def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """-(target log(input) + (1 - target) log(1 - input)), logarithms not below -100: (*), (*) -> ()."""

    @staticmethod
    def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = 'mean', pos_weight: Tensor | None = None, *, out: Any = None) -> Tensor:
        """binary_cross_entropy of sigmoid(input), exact for large input; pos_weight weighs the positive term: (*), (*) -> ()."""

    @staticmethod
    def bitwise_and(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Bitwise and."""

    @staticmethod
    def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input * 2^other in the integers; 0 where other is negative or above the width."""

    @staticmethod
    def bitwise_not(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Every bit flipped; logical not for bool."""

    @staticmethod
    def bitwise_or(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Bitwise or."""

    @staticmethod
    def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input / 2^other rounded down; only the sign is left where other is negative or above the width."""

    @staticmethod
    def bitwise_xor(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Bitwise exclusive or."""

    @staticmethod
    def ceil(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Smallest integer >= input."""

    @staticmethod
    def celu(input: Tensor, alpha: Number = 1, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input where positive, else alpha * (exp(input / alpha) - 1)."""

    @staticmethod
    def channel_shuffle(input: Tensor, groups: builtins.int, *, out: Any = None) -> Tensor:
        """Channels of (N, C, *) dealt out between groups: (N, C, *) -> (N, C, *)."""

    @staticmethod
    def clamp_max(input: Tensor | Number, max: Tensor | Number, *, out: Any = None) -> Tensor:
        """min(input, max); the gradient is input's at a tie."""

    @staticmethod
    def clamp_min(input: Tensor | Number, min: Tensor | Number, *, out: Any = None) -> Tensor:
        """max(input, min); the gradient is input's at a tie."""

    @staticmethod
    def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] | str = 0, dilation: builtins.int | Sequence[builtins.int] = 1, groups: builtins.int = 1, *, out: Any = None) -> Tensor:
        """1-D convolution of (N, C, L) or (C, L) with weight (OC, C / groups, K) and bias (OC,); padding may be 'same' or 'valid'."""

    @staticmethod
    def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] | str = 0, dilation: builtins.int | Sequence[builtins.int] = 1, groups: builtins.int = 1, *, out: Any = None) -> Tensor:
        """2-D convolution of (N, C, H, W) or (C, H, W) with weight (OC, C / groups, KH, KW) and bias (OC,); padding may be 'same' or 'valid'."""

    @staticmethod
    def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] | str = 0, dilation: builtins.int | Sequence[builtins.int] = 1, groups: builtins.int = 1, *, out: Any = None) -> Tensor:
        """3-D convolution of (N, C, D, H, W) or (C, D, H, W) with weight (OC, C / groups, KD, KH, KW) and bias (OC,); padding may be 'same' or 'valid'."""

    @staticmethod
    def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, output_padding: builtins.int | Sequence[builtins.int] = 0, groups: builtins.int = 1, dilation: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
        """Transposed 1-D convolution of (N, C, L) or (C, L) with weight (C, OC / groups, K) and bias (OC,): the gradient of conv1d for its input. output_padding adds to one side of the output."""

    @staticmethod
    def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, output_padding: builtins.int | Sequence[builtins.int] = 0, groups: builtins.int = 1, dilation: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
        """Transposed 2-D convolution of (N, C, H, W) or (C, H, W) with weight (C, OC / groups, KH, KW) and bias (OC,): the gradient of conv2d for its input. output_padding adds to one side of the output."""

    @staticmethod
    def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, output_padding: builtins.int | Sequence[builtins.int] = 0, groups: builtins.int = 1, dilation: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
        """Transposed 3-D convolution of (N, C, D, H, W) or (C, D, H, W) with weight (C, OC / groups, KD, KH, KW) and bias (OC,): the gradient of conv3d for its input. output_padding adds to one side of the output."""

    @staticmethod
    def copysign(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """|input| with the sign of other; the gradient at 0 is 0."""

    @staticmethod
    def cos(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Cosine."""

    @staticmethod
    def cosh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Hyperbolic cosine."""

    @staticmethod
    def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: builtins.float = 0, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """1 - cos where target is 1, max(0, cos - margin) where it is -1: (N, D), (N, D), (N) -> ()."""

    @staticmethod
    def cosine_similarity(x1: Tensor, x2: Tensor, dim: builtins.int = 1, eps: builtins.float = 1e-8, *, out: Any = None) -> Tensor:
        """Cosine of the angle between x1 and x2 over dim, norms at least eps: (*, N), (*, N) -> (*)."""

    @staticmethod
    def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: builtins.int = -100, reduction: str = 'mean', label_smoothing: builtins.float = 0, *, out: Any = None) -> Tensor:
        """-log softmax(input) at the target classes, or weighted by target probabilities of input's shape: (N, C, *), (N, *) -> ()."""

    @overload
    @staticmethod
    def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: builtins.int | Sequence[builtins.int], target_lengths: builtins.int | Sequence[builtins.int], blank: builtins.int = 0, reduction: str = 'mean', zero_infinity: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Minus the log probability of targets over all alignments with log_probs (T, N, C) or (T, C)."""
    @overload
    @staticmethod
    def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: builtins.int = 0, reduction: str = 'mean', zero_infinity: builtins.bool = False, *, out: Any = None) -> Tensor:
        """As ctc_loss with lengths as tensors."""

    @staticmethod
    def deg2rad(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Degrees to radians."""

    @staticmethod
    def digamma(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Derivative of lgamma; NaN at negative integers."""

    @staticmethod
    def dropout(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = True, *, out: Any = None) -> Tensor:
        """Zero with probability p, else input / (1 - p); input itself unless training: (*) -> (*)."""

    @staticmethod
    def dropout1d(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = True, *, out: Any = None) -> Tensor:
        """dropout of whole channels of (N, C, L) or (C, L)."""

    @staticmethod
    def dropout2d(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = True, *, out: Any = None) -> Tensor:
        """dropout of whole channels of (N, C, H, W) or (C, H, W)."""

    @staticmethod
    def dropout3d(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = True, *, out: Any = None) -> Tensor:
        """dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    @staticmethod
    def elu(input: Tensor, alpha: Number = 1, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input where positive, else alpha * (exp(input) - 1)."""

    @staticmethod
    def embedding(input: Tensor, weight: Tensor, padding_idx: builtins.int | None = None, max_norm: builtins.float | None = None, norm_type: builtins.float = 2.0, scale_grad_by_freq: builtins.bool = False, sparse: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Rows of weight at the indices of input; row padding_idx gets no gradient. max_norm first shortens the rows in place; scale_grad_by_freq divides gradients by how often a row occurs: (*), (V, D) -> (*, D)."""

    @staticmethod
    def embedding_bag(input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: builtins.float | None = None, norm_type: builtins.float = 2.0, scale_grad_by_freq: builtins.bool = False, mode: str = 'mean', sparse: builtins.bool = False, per_sample_weights: Tensor | None = None, include_last_offset: builtins.bool = False, padding_idx: builtins.int | None = None, *, out: Any = None) -> Tensor:
        """Sum, mean or max of the rows of weight in each bag: a row of input (B, L), or the pieces of a 1-D input that begin at offsets."""

    @staticmethod
    def entr(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """-input * log(input): 0 at 0, minus infinity below."""

    @staticmethod
    def eq(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input == other."""

    @staticmethod
    def erf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Error function."""

    @staticmethod
    def erfc(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """1 - erf(input), accurate in the tail."""

    @staticmethod
    def erfcx(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """exp(input^2) erfc(input), without overflow."""

    @staticmethod
    def erfinv(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Inverse of erf: infinite at 1 and -1, NaN beyond."""

    @staticmethod
    def exp(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """e to the power of input."""

    @staticmethod
    def exp2(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """2 to the power of input."""

    @staticmethod
    def expit(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """1 / (1 + exp(-input))."""

    @staticmethod
    def expm1(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """exp(input) - 1, accurate near 0."""

    @staticmethod
    def feature_alpha_dropout(input: Tensor, p: builtins.float = 0.5, training: builtins.bool = False, *, out: Any = None) -> Tensor:
        """alpha_dropout of whole channels: (N, C, *) -> (N, C, *)."""

    @staticmethod
    def fix(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Integer part, towards zero."""

    @staticmethod
    def floor(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Largest integer <= input."""

    @staticmethod
    def floor_divide(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Quotient rounded down."""

    @staticmethod
    def fmax(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """The larger of both; a NaN only where both are."""

    @staticmethod
    def fmin(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """The smaller of both; a NaN only where both are."""

    @staticmethod
    def fmod(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Remainder with the sign of input."""

    @staticmethod
    def fold(input: Tensor, output_size: builtins.int | Sequence[builtins.int], kernel_size: builtins.int | Sequence[builtins.int], dilation: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, stride: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
        """Columns (N, C KH KW, L) added into images (N, C, *output_size): the transpose of unfold."""

    @staticmethod
    def frac(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input without its integer part."""

    @staticmethod
    def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor | Number, full: builtins.bool = False, eps: builtins.float = 1e-6, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """(log var + (input - target)^2 / var) / 2, var at least eps: (*), (*), (*) -> ()."""

    @staticmethod
    def gcd(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Greatest common divisor."""

    @staticmethod
    def ge(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input >= other."""

    @staticmethod
    def gelu(input: Tensor, approximate: str = 'none', *, out: Any = None) -> Tensor:
        """input times the normal distribution function; approximate 'tanh' is the usual approximation."""

    @staticmethod
    def gelu_tanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """The tanh approximation of gelu."""

    @staticmethod
    def glu(input: Tensor, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
        """The first half of dim times the sigmoid of the second."""

    @staticmethod
    def greater(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input > other."""

    @staticmethod
    def greater_equal(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input >= other."""

    @staticmethod
    def grid_sample(input: Tensor, grid: Tensor, mode: str = 'bilinear', padding_mode: str = 'zeros', align_corners: builtins.bool | None = None, *, out: Any = None) -> Tensor:
        """(N, C, H, W) or (N, C, D, H, W) at the places of grid (N, ..., 2 or 3), which are (x, y) or (x, y, z) in [-1, 1]; mode is bilinear, nearest or bicubic, padding_mode zeros, border or reflection."""

    @staticmethod
    def group_norm(input: Tensor, num_groups: builtins.int, weight: Tensor | None = None, bias: Tensor | None = None, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
        """(input - mean) / sqrt(var + eps) over each group of channels of each sample, times weight plus bias per channel: (N, C, *) -> (N, C, *)."""

    @staticmethod
    def gt(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input > other."""

    @staticmethod
    def gumbel_softmax(logits: Tensor, tau: builtins.float = 1, hard: builtins.bool = False, eps: builtins.float = 1e-10, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
        """softmax((logits + Gumbel noise) / tau): samples of classes with a gradient; hard gives one-hot rows: (*, N) -> (*, N)."""

    @staticmethod
    def hardshrink(input: Tensor, lambd: Number = 0.5, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input, but 0 within [-lambd, lambd]."""

    @staticmethod
    def hardsigmoid(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """min(max(input + 3, 0), 6) / 6."""

    @staticmethod
    def hardswish(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input * hardsigmoid(input)."""

    @staticmethod
    def hardtanh(input: Tensor, min_val: Number = -1, max_val: Number = 1, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input clamped to [min_val, max_val]."""

    @staticmethod
    def heaviside(input: Tensor | Number, values: Tensor | Number, *, out: Any = None) -> Tensor:
        """0 below 0, 1 above, values at 0."""

    @staticmethod
    def hinge_embedding_loss(input: Tensor, target: Tensor, margin: builtins.float = 1.0, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """input where target is 1, max(0, margin - input) where it is -1: (*), (*) -> ()."""

    @staticmethod
    def huber_loss(input: Tensor, target: Tensor, reduction: str = 'mean', delta: builtins.float = 1.0, weight: Tensor | None = None, *, out: Any = None) -> Tensor:
        """d^2 / 2 where d = |input - target| is below delta, else delta (d - delta / 2): (*), (*) -> ()."""

    @staticmethod
    def hypot(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """sqrt(input^2 + other^2), without overflow on the way."""

    @staticmethod
    def i0(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Modified Bessel function of the first kind, order 0."""

    @staticmethod
    def i0e(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """exp(-|input|) i0(input)."""

    @staticmethod
    def i1(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Modified Bessel function of the first kind, order 1."""

    @staticmethod
    def i1e(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """exp(-|input|) i1(input)."""

    @staticmethod
    def im2col(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], dilation: builtins.int | Sequence[builtins.int] = 1, padding: builtins.int | Sequence[builtins.int] = 0, stride: builtins.int | Sequence[builtins.int] = 1, *, out: Any = None) -> Tensor:
        """Windows of (N, C, H, W) or (C, H, W) as columns: (N, C KH KW, L)."""

    @staticmethod
    def instance_norm(input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: builtins.bool = True, momentum: builtins.float = 0.1, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
        """As batch_norm with the statistics of every channel of every sample on its own: (N, C, *) -> (N, C, *)."""

    @staticmethod
    def interpolate(input: Tensor, size: builtins.int | Sequence[builtins.int] | None = None, scale_factor: builtins.float | Sequence[builtins.float] | None = None, mode: str = 'nearest', align_corners: builtins.bool | None = None, recompute_scale_factor: builtins.bool | None = None, antialias: builtins.bool = False, *, out: Any = None) -> Tensor:
        """(N, C, L), (N, C, H, W) or (N, C, D, H, W) resampled to size or by scale_factor; mode is nearest, nearest-exact, linear, bilinear, bicubic, trilinear or area."""

    @staticmethod
    def isfinite(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Whether input is neither infinite nor NaN."""

    @staticmethod
    def isinf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Whether input is plus or minus infinity."""

    @staticmethod
    def isnan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Whether input is NaN."""

    @staticmethod
    def isneginf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Whether input is minus infinity."""

    @staticmethod
    def isposinf(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Whether input is plus infinity."""

    @staticmethod
    def kl_div(input: Tensor, target: Tensor, reduction: str = 'mean', log_target: builtins.bool = False, *, out: Any = None) -> Tensor:
        """target (log target - input), input holding log probabilities; reduction may be 'batchmean': (*), (*) -> ()."""

    @staticmethod
    def l1_loss(input: Tensor, target: Tensor, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """|input - target|: (*), (*) -> ()."""

    @staticmethod
    def layer_norm(input: Tensor, normalized_shape: builtins.int | Sequence[builtins.int], weight: Tensor | None = None, bias: Tensor | None = None, eps: builtins.float = 1e-5, *, out: Any = None) -> Tensor:
        """(input - mean) / sqrt(var + eps) * weight + bias over the last dims, which have normalized_shape: (*, N), (N,), (N,) -> (*, N)."""

    @staticmethod
    def lcm(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Least common multiple."""

    @staticmethod
    def ldexp(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input * 2^other."""

    @staticmethod
    def le(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input <= other."""

    @staticmethod
    def leaky_relu(input: Tensor, negative_slope: Number = 0.01, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input where positive, else negative_slope * input."""

    @staticmethod
    def lerp(input: Tensor | Number, end: Tensor | Number, weight: Tensor | Number, *, out: Any = None) -> Tensor:
        """input + weight * (end - input)."""

    @staticmethod
    def less(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input < other."""

    @staticmethod
    def less_equal(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input <= other."""

    @staticmethod
    def lgamma(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """log |gamma(input)|: log((input - 1)!)."""

    @staticmethod
    def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Any = None) -> Tensor:
        """input weight^T + bias: (*, K), (N, K), (N) -> (*, N)."""

    @staticmethod
    def local_response_norm(input: Tensor, size: builtins.int, alpha: builtins.float = 1e-4, beta: builtins.float = 0.75, k: builtins.float = 1.0, *, out: Any = None) -> Tensor:
        """input / (k + alpha * mean of squares over size neighbouring channels)^beta: (N, C, *) -> (N, C, *)."""

    @staticmethod
    def log(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Natural logarithm."""

    @staticmethod
    def log10(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Logarithm to base 10."""

    @staticmethod
    def log1p(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """log(1 + input), accurate near 0."""

    @staticmethod
    def log2(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Logarithm to base 2."""

    @staticmethod
    def log_ndtr(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """log(ndtr(input)), accurate in the tail."""

    @staticmethod
    def log_softmax(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
        """log(softmax(input, dim)), without the loss of digits: (*, N) -> (*, N)."""

    @staticmethod
    def logaddexp(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """log(exp(input) + exp(other)), without overflow."""

    @staticmethod
    def logaddexp2(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """log2(2^input + 2^other), without overflow."""

    @staticmethod
    def logical_and(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """True where both are nonzero."""

    @staticmethod
    def logical_not(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """True where input is zero."""

    @staticmethod
    def logical_or(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """True where either is nonzero."""

    @staticmethod
    def logical_xor(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """True where exactly one is nonzero."""

    @staticmethod
    def logsigmoid(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """log(sigmoid(input)), without overflow."""

    @staticmethod
    def lp_pool1d(input: Tensor, norm_type: builtins.float, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, ceil_mode: builtins.bool = False, *, out: Any = None) -> Tensor:
        """(sum of x^norm_type)^(1 / norm_type) of each window of (N, C, L) or (C, L); stride is kernel_size unless given."""

    @staticmethod
    def lp_pool2d(input: Tensor, norm_type: builtins.float, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, ceil_mode: builtins.bool = False, *, out: Any = None) -> Tensor:
        """(sum of x^norm_type)^(1 / norm_type) of each window of (N, C, H, W) or (C, H, W); stride is kernel_size unless given."""

    @staticmethod
    def lp_pool3d(input: Tensor, norm_type: builtins.float, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, ceil_mode: builtins.bool = False, *, out: Any = None) -> Tensor:
        """(sum of x^norm_type)^(1 / norm_type) of each window of (N, C, D, H, W) or (C, D, H, W); stride is kernel_size unless given."""

    @staticmethod
    def lt(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input < other."""

    @staticmethod
    def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: builtins.float = 0, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """max(0, margin - target (input1 - input2)): (*), (*), (*) -> ()."""

    @staticmethod
    def max_pool1d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
        """Largest value of each window of (N, C, L) or (C, L); stride is kernel_size unless given. With return_indices, also where each maximum lies."""

    @staticmethod
    def max_pool1d_with_indices(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
        """max_pool1d and where each maximum lies, whatever return_indices says."""

    @staticmethod
    def max_pool2d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
        """Largest value of each window of (N, C, H, W) or (C, H, W); stride is kernel_size unless given. With return_indices, also where in its plane each maximum lies."""

    @staticmethod
    def max_pool2d_with_indices(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
        """max_pool2d and where each maximum lies, whatever return_indices says."""

    @staticmethod
    def max_pool3d(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = False, *, out: Any = None) -> Any:
        """Largest value of each window of (N, C, D, H, W) or (C, D, H, W); stride is kernel_size unless given. With return_indices, also where each maximum lies."""

    @staticmethod
    def max_pool3d_with_indices(input: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, dilation: builtins.int | Sequence[builtins.int] = 1, ceil_mode: builtins.bool = False, return_indices: builtins.bool = True, *, out: Any = None) -> tuple[Tensor, Tensor]:
        """max_pool3d and where each maximum lies, whatever return_indices says."""

    @staticmethod
    def max_unpool1d(input: Tensor, indices: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, output_size: builtins.int | Sequence[builtins.int] | None = None, *, out: Any = None) -> Tensor:
        """Zeros with input at the places that max_pool1d returned: (N, C, L) or (C, L)."""

    @staticmethod
    def max_unpool2d(input: Tensor, indices: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, output_size: builtins.int | Sequence[builtins.int] | None = None, *, out: Any = None) -> Tensor:
        """Zeros with input at the places that max_pool2d returned: (N, C, H, W) or (C, H, W)."""

    @staticmethod
    def max_unpool3d(input: Tensor, indices: Tensor, kernel_size: builtins.int | Sequence[builtins.int], stride: builtins.int | Sequence[builtins.int] | None = None, padding: builtins.int | Sequence[builtins.int] = 0, output_size: builtins.int | Sequence[builtins.int] | None = None, *, out: Any = None) -> Tensor:
        """Zeros with input at the places that max_pool3d returned: (N, C, D, H, W) or (C, D, H, W)."""

    @staticmethod
    def maximum(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """The larger of both; NaN if either is."""

    @staticmethod
    def minimum(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """The smaller of both; NaN if either is."""

    @staticmethod
    def mish(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input * tanh(softplus(input))."""

    @staticmethod
    def mse_loss(input: Tensor, target: Tensor, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """(input - target)^2: (*), (*) -> ()."""

    @staticmethod
    def mul(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input * other."""

    @staticmethod
    def multi_margin_loss(input: Tensor, target: Tensor, p: builtins.int = 1, margin: builtins.float = 1.0, weight: Tensor | None = None, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """Mean over classes of max(0, margin - input at target + input)^p: (N, C), (N) -> ()."""

    @staticmethod
    def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """Hinges between every target class (a list that -1 ends) and every other class: (N, C), (N, C) -> ()."""

    @staticmethod
    def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """Mean over classes of the binary cross entropy of sigmoid(input): (N, C), (N, C) -> ()."""

    @staticmethod
    def multiply(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input * other."""

    @staticmethod
    def ndtr(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Distribution function of the standard normal law."""

    @staticmethod
    def ndtri(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """The x whose normal distribution function ndtr(x) is input."""

    @staticmethod
    def ne(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input != other."""

    @staticmethod
    def neg(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """-input."""

    @staticmethod
    def negative(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """-input."""

    @staticmethod
    def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: builtins.int = -100, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """-input at the target classes; input holds log probabilities: (N, C, *), (N, *) -> ()."""

    @staticmethod
    def normalize(input: Tensor, p: builtins.float = 2.0, dim: builtins.int = 1, eps: builtins.float = 1e-12, *, out: Any = None) -> Tensor:
        """input divided by its norm over dim, at least eps: (*, N) -> (*, N)."""

    @staticmethod
    def not_equal(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input != other."""

    @staticmethod
    def one_hot(input: Tensor, num_classes: builtins.int = -1, *, out: Any = None) -> Tensor:
        """Rows of zeros with a one at each class number: (*) -> (*, num_classes)."""

    @staticmethod
    def pad(input: Tensor, pad: builtins.int | Sequence[builtins.int], mode: str = 'constant', value: builtins.float | None = None, *, out: Any = None) -> Tensor:
        """Elements added before and after the last dims: constant, reflect, replicate or circular."""

    @staticmethod
    def pairwise_distance(x1: Tensor, x2: Tensor, p: builtins.float = 2, eps: builtins.float = 1e-6, keepdim: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Norm of x1 - x2 + eps over the last dim: (*, D), (*, D) -> (*)."""

    @staticmethod
    def pdist(input: Tensor, p: builtins.float = 2, *, out: Any = None) -> Tensor:
        """Distances of all pairs of rows of (N, D): N (N - 1) / 2 numbers."""

    @staticmethod
    def pixel_shuffle(input: Tensor, upscale_factor: builtins.int, *, out: Any = None) -> Tensor:
        """Channels moved into pixels: (*, C r^2, H, W) becomes (*, C, H r, W r)."""

    @staticmethod
    def pixel_unshuffle(input: Tensor, downscale_factor: builtins.int, *, out: Any = None) -> Tensor:
        """Pixels moved into channels: (*, C, H r, W r) becomes (*, C r^2, H, W)."""

    @staticmethod
    def poisson_nll_loss(input: Tensor, target: Tensor, log_input: builtins.bool = True, full: builtins.bool = False, reduction: str = 'mean', eps: builtins.float = 1e-8, *, out: Any = None) -> Tensor:
        """exp(input) - target input, or input - target log(input + eps): (*), (*) -> ()."""

    @staticmethod
    def pow(input: Tensor | Number, exponent: Tensor | Number, *, out: Any = None) -> Tensor:
        """input to the power of exponent."""

    @staticmethod
    def prelu(input: Tensor, weight: Tensor, *, out: Any = None) -> Tensor:
        """input where positive, else weight * input; weight has one element, or one per channel (dim 1)."""

    @staticmethod
    def rad2deg(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Radians to degrees."""

    @staticmethod
    def reciprocal(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """1 / input."""

    @staticmethod
    def relu(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """max(input, 0)."""

    @staticmethod
    def relu6(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """min(max(input, 0), 6)."""

    @staticmethod
    def remainder(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Remainder with the sign of other, as Python's %."""

    @staticmethod
    def rms_norm(input: Tensor, normalized_shape: builtins.int | Sequence[builtins.int], weight: Tensor | None = None, eps: builtins.float | None = None, *, out: Any = None) -> Tensor:
        """input / sqrt(mean(input^2) + eps) * weight over the last dims, which have normalized_shape; eps is the dtype's own unless given: (*, N), (N,), (N,) -> (*, N)."""

    @staticmethod
    def rrelu(input: Tensor, lower: builtins.float = 0.125, upper: builtins.float = 0.3333333333333333, training: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input where positive, else a times input: a is drawn from [lower, upper] for each element, their mean unless training: (*) -> (*)."""

    @staticmethod
    def rsqrt(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """1 / sqrt(input)."""

    @staticmethod
    def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: builtins.float = 0.0, is_causal: builtins.bool = False, scale: builtins.float | None = None, enable_gqa: builtins.bool = False, *, out: Any = None) -> Tensor:
        """softmax(scale query key^T + attn_mask) value for query (..., L, E), key (..., S, E), value (..., S, V): (..., L, V), in memory O(L + S). attn_mask is bool (True takes part) or added; scale is 1 / sqrt(E) unless given; enable_gqa: heads (dim -3) of key and value serve groups of query's."""

    @staticmethod
    def selu(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """scale * elu(input, alpha) with the constants of self-normalizing networks."""

    @staticmethod
    def sgn(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """-1, 0 or 1 by the sign of input."""

    @staticmethod
    def sigmoid(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """1 / (1 + exp(-input))."""

    @staticmethod
    def sign(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """-1, 0 or 1 by the sign of input."""

    @staticmethod
    def signbit(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Whether the sign bit is set: negative numbers and -0."""

    @staticmethod
    def silu(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input * sigmoid(input)."""

    @staticmethod
    def sin(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Sine."""

    @staticmethod
    def sinc(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """sin(pi input) / (pi input), 1 at 0."""

    @staticmethod
    def sinh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Hyperbolic sine."""

    @staticmethod
    def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = 'mean', beta: builtins.float = 1.0, *, out: Any = None) -> Tensor:
        """d^2 / (2 beta) where d = |input - target| is below beta, else d - beta / 2: (*), (*) -> ()."""

    @staticmethod
    def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """log(1 + exp(-target input)): (*), (*) -> ()."""

    @staticmethod
    def softmax(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
        """exp(input) divided by its sum over dim: (*, N) -> (*, N)."""

    @staticmethod
    def softmin(input: Tensor, dim: builtins.int, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
        """softmax(-input, dim): (*, N) -> (*, N)."""

    @staticmethod
    def softplus(input: Tensor, beta: Number = 1, threshold: Number = 20, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold."""

    @staticmethod
    def softshrink(input: Tensor, lambd: Number = 0.5, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input moved towards 0 by lambd, 0 within."""

    @staticmethod
    def softsign(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input / (1 + |input|)."""

    @staticmethod
    def sqrt(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Square root."""

    @staticmethod
    def square(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input * input."""

    @staticmethod
    def sub(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
        """input - alpha * other."""

    @staticmethod
    def subtract(input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Any = None) -> Tensor:
        """input - alpha * other."""

    @staticmethod
    def tan(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Tangent."""

    @staticmethod
    def tanh(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Hyperbolic tangent."""

    @staticmethod
    def tanhshrink(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input - tanh(input), accurate near 0."""

    @staticmethod
    def threshold(input: Tensor, threshold: Number = 0, value: Number = 0, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """input where above threshold, else value."""

    @staticmethod
    def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: builtins.float = 1.0, p: builtins.float = 2, eps: builtins.float = 1e-6, swap: builtins.bool = False, reduction: str = 'mean', *, out: Any = None) -> Tensor:
        """max(0, |anchor - positive| - |anchor - negative| + margin) in the norm p: (*, D), (*, D), (*, D) -> ()."""

    @staticmethod
    def trunc(input: Tensor, inplace: builtins.bool = False, *, out: Any = None) -> Tensor:
        """Integer part, towards zero."""

    @staticmethod
    def trunc_divide(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """Quotient rounded towards zero."""

    @staticmethod
    def upsample(input: Tensor, size: builtins.int | Sequence[builtins.int] | None = None, scale_factor: builtins.float | Sequence[builtins.float] | None = None, mode: str = 'nearest', align_corners: builtins.bool | None = None, *, out: Any = None) -> Tensor:
        """interpolate under its older name."""

    @staticmethod
    def xlog1py(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input * log(1 + other), 0 where input is 0 (and other not NaN)."""

    @staticmethod
    def xlogy(input: Tensor | Number, other: Tensor | Number, *, out: Any = None) -> Tensor:
        """input * log(other), 0 where input is 0 (and other not NaN)."""

class _linalg:
    """Operations of lamina.linalg."""
    @staticmethod
    def cross(input: Tensor, other: Tensor, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
        """Vector products along a dim of size 3, the others broadcast."""

    @staticmethod
    def multi_dot(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
        """Product of matrices in the order of least work; the first and the last may be vectors."""

    @staticmethod
    def vecdot(x: Tensor, y: Tensor, dim: builtins.int = -1, *, out: Any = None) -> Tensor:
        """Sums of products of vectors along dim, broadcast: (*, K), (*, K) -> (*)."""

    @staticmethod
    def vector_norm(x: Tensor, ord: builtins.float = 2, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: dtype | None = None, *, out: Any = None) -> Tensor:
        """(sum |x|^ord)^(1/ord) over dim (all dims unless given); ord may be 0, inf and -inf: (*, N) -> (*)."""

class _autograd:
    @staticmethod
    def backward(tensors: Any, grad_tensors: Any = ..., retain_graph: Any = ..., create_graph: Any = ..., inputs: Any = ...) -> None: ...
    @staticmethod
    def grad(outputs: Any, inputs: Any, grad_outputs: Any = ..., retain_graph: Any = ..., create_graph: Any = ..., allow_unused: Any = ...) -> Any: ...
    @staticmethod
    def pop_save_hook() -> None: ...
    @staticmethod
    def push_save_hook(pack: Any, unpack: Any) -> None: ...
    @staticmethod
    def reaches_others(outputs: Any, leaves: Any) -> builtins.bool: ...
