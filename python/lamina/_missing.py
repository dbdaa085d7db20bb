"""A name that a module does not define itself: PyTorch's past, from lamina.compat; else the error that says what it is."""

from __future__ import annotations

_DENSE = "lamina has dense tensors only; index_add, scatter_add and embedding cover the usual uses"
_COMPLEX = "lamina has no complex numbers; keep real and imaginary part in a last dim of size 2"
_GRAPHS = "lamina runs models as they are written and has no graphs, tracers or compilers"
_LINKED = "it is for code that is compiled against PyTorch's C++ library; lamina::Tensor has headers of its own"
_ONE = "lamina runs in one process; distributed.is_available() is False"
_INT8 = "lamina computes with floats; int8 and uint8 tensors hold data"

# What people look for under another roof, or will not find: (reason, names).
_REASONS: list[tuple[str, str]] = [
    (_DENSE, "sparse sparse_coo_tensor sparse_csr_tensor sparse_compressed_tensor sparse_csc_tensor"),
    ("lamina has dense tensors of one shape; pad and mask, or nn.utils.rnn.pack_sequence", "nested"),
    ("a mask is a tensor of bools of its own: where, masked_fill", "masked"),
    (
        _COMPLEX,
        "complex complex32 complex64 complex128 view_as_complex view_as_real polar cfloat cdouble chalf "
        "ComplexFloatTensor ComplexDoubleTensor ComplexHalfTensor",
    ),
    ("eigenvalues of general matrices are complex, which lamina lacks; eigh and eigvalsh are there", "eig eigvals"),
    ("models are exchanged as safetensors: lamina.save(model.state_dict(), path)", "onnx"),
    ("a tensor's memory is reached through Tensor.numpy() or DLPack", "Storage storage TypedStorage UntypedStorage"),
    ("lamina runs on 'cpu' and 'cuda'", "hpu xla mtia privateuseone vulkan"),
    (_GRAPHS, "export _dynamo _inductor _functorch _higher_order_ops _export _guards _ops _prims _subclasses _refs package"),
    (_LINKED, "cpp_extension library classes _custom_ops"),
    (_ONE, "DistributedDataParallel FullyShardedDataParallel fsdp rpc elastic tensor_parallel"),
    (_INT8, "ao quantization quantized qint8 quint8 qint32 quantize_per_tensor quantize_per_channel intrinsic qat"),
    ("derivatives along a direction: func.jvp", "forward_ad"),
]  # fmt: skip
_ELSEWHERE = {name: reason for reason, names in _REASONS for name in names.split()}


def later(home: str, name: str) -> object:
    """What lamina.compat has of the module `home` under that name; AttributeError as `missing` words it.

    For the last line of a module's `__getattr__`.
    """
    import importlib
    import sys

    from . import _paths
    from .compat import names

    full = f"{home}.{name}"
    if _paths.leads_somewhere(full):
        return importlib.import_module(full)
    file = names.home_of(home.removeprefix("lamina").removeprefix("."), name)
    if file:
        return getattr(importlib.import_module(f"lamina.compat.{file}"), name)
    raise missing(sys.modules[home], name)


def missing(module: object, name: str) -> AttributeError:
    """For a module's __getattr__ to raise."""
    import difflib

    home = getattr(module, "__name__", str(module))
    text = f"module {home!r} has no attribute {name!r}"
    if name in _ELSEWHERE:
        return AttributeError(f"{text}: {_ELSEWHERE[name]}", name=name, obj=module)
    if name.startswith("_"):
        return AttributeError(text, name=name, obj=module)
    names = [n for n in dir(module) if not n.startswith("_")]
    folded = {n.lower().replace("_", ""): n for n in names}
    same = folded.get(name.lower().replace("_", ""))  # AdamW for adamw
    near = [same] if same else difflib.get_close_matches(name, names, 1, 0.75)
    return AttributeError(f"{text}; the nearest is {home}.{near[0]}" if near else text, name=name, obj=module)
