"""torch.functional: functions of lamina by their older address."""

from __future__ import annotations

_NAMES = (
    "atleast_1d atleast_2d atleast_3d block_diag broadcast_shapes broadcast_tensors cartesian_prod cdist chain_matmul "
    "einsum istft meshgrid norm split stft tensordot unique unique_consecutive unravel_index"
).split()


def __getattr__(name: str) -> object:
    import lamina

    if name in _NAMES:
        return getattr(lamina, name)
    if name == "F":
        return lamina.nn.functional
    raise AttributeError(f"module 'lamina.functional' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
