"""torch.backends.cuda's switches: kept, without an effect."""

from types import SimpleNamespace

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=False)


def is_built() -> bool:
    """True where CUDA can be used."""
    from .. import cuda

    return cuda.is_available()
