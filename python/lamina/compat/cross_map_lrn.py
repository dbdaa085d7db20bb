"""CrossMapLRN2d, the normalisation of Torch7's models."""

from __future__ import annotations

import lamina

from .._C import ShapeError, Tensor
from ..nn.module import Module


class CrossMapLRN2d(Module):
    """Divides each channel by a power of k + alpha / size times the sum of squares of near channels:
    (N, C, H, W) -> (N, C, H, W).

    The window is PyTorch's: an even size counts as the next smaller odd one, and once it has moved past channel 0 that
    channel stays in the sum. `LocalResponseNorm` has neither.

    >>> import lamina
    >>> lamina.nn.CrossMapLRN2d(3)(lamina.ones(1, 4, 2, 2)).shape
    (1, 4, 2, 2)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise ShapeError(f"CrossMapLRN2d: expected 4D input, got shape {tuple(input.shape)}")
        channel, reach = lamina.arange(input.shape[1]), (self.size - 1) // 2
        near = (channel - channel[:, None]).abs() <= reach
        near[reach + 1 :, :1] = True
        weight = near.to(input.dtype).to(input.device)[:, :, None, None]
        total = lamina.nn.functional.conv2d(input * input, weight)
        return input * (total * (self.alpha / self.size) + self.k).pow(-self.beta)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
