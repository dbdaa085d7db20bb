"""nn.functional.bilinear."""

from __future__ import annotations

from .. import _C
from .._C import Tensor
from .._operands import need_tensors


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input1^T weight input2 + bias: (*, I), (*, J), (O, I, J), (O) -> (*, O)."""
    need_tensors("bilinear", input1=input1, input2=input2, weight=weight)
    lead, shape = tuple(input1.shape[:-1]), tuple(weight.shape)
    fits = len(shape) == 3 and (input1.shape[-1], input2.shape[-1]) == shape[1:] and tuple(input2.shape[:-1]) == lead
    if not fits:
        raise _C.ShapeError(
            f"bilinear: input1 {tuple(input1.shape)} and input2 {tuple(input2.shape)} must be (*, I) and (*, J) "
            f"for weight (O, I, J), got {shape}"
        )
    o, i, j = shape
    half = (input1.reshape(-1, i) @ weight.permute(1, 0, 2).reshape(i, o * j)).reshape(-1, o, j)
    out = (half * input2.reshape(-1, 1, j)).sum(-1).reshape(*lead, o)
    return out if bias is None else out + bias
