"""torch.fft: frequencies and shifts, which are real. The transforms give complex numbers, which lamina lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import lamina

from .._C import DtypeError, Tensor

_TRANSFORMS = frozenset(
    "fft fft2 fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft rfft2 rfftn".split()
)


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of an n-point transform, first those from 0 up, then the negative ones: (n,)."""
    steps = [*range((n + 1) // 2), *range(-(n // 2), 0)]
    return lamina.tensor([float(i) for i in steps], dtype=dtype, device=device) * (1.0 / (n * d))


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of an n-point transform of real values: (n // 2 + 1,)."""
    return lamina.tensor([float(i) for i in range(n // 2 + 1)], dtype=dtype, device=device) * (1.0 / (n * d))


def _rolled(x: Tensor, dim: Any, move: Callable[[int], int]) -> Tensor:
    dims = range(x.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    return lamina.roll(x, [move(x.shape[d]) for d in dims], list(dims))


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Frequency 0 moved to the middle."""
    return _rolled(input, dim, lambda n: n // 2)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """fftshift taken back."""
    return _rolled(input, dim, lambda n: (n + 1) // 2)


def _transform(name: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise DtypeError(
            f"fft.{name}: the values of a Fourier transform are complex, and lamina has no complex numbers; hint: "
            "lamina.stft for sound, numpy.fft takes lamina tensors"
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = "Raises DtypeError."
    return refuse


def __getattr__(name: str) -> Any:
    if name in _TRANSFORMS:
        function = globals()[name] = _transform(name)
        return function
    raise AttributeError(f"module 'lamina.fft' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_TRANSFORMS})
