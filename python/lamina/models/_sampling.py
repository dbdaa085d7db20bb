"""What generative models share: noise from a seed, and eval mode without gradients while they draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .. import _C, nn
from .._C import Generator, Tensor
from .._grad_mode import no_grad
from . import _checks


@contextmanager
def sampling(model: nn.Module) -> Iterator[None]:
    """Eval mode of all modules without gradients; each module's own mode is given back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def noise(owner: str, n: int, width: int, like: Tensor, seed: int | None, generator: Generator | None) -> Tensor:
    """Standard normal (n, width) from a seed, a generator or the default generator, in dtype and device of `like`."""
    _checks.whole(f"{owner}.sample", 0, n=n)
    if seed is not None:
        if generator is not None:
            raise ValueError(f"{owner}.sample: give seed or generator, not both")
        _checks.whole(f"{owner}.sample", 0, seed=seed)
        generator = Generator().manual_seed(seed)
    return _C.randn(n, width, generator=generator, dtype=like.dtype, device=like.device)
