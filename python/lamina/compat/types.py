"""torch.types: names for annotations."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, Any

from .. import _C
from .._C import Tensor as Tensor

_TensorOrTensors = Tensor | Sequence[Tensor]
_dtype, _device = type(_C.float32), _C.device
_int, _float, _bool = builtins.int, builtins.float, builtins.bool
_size = Sequence[int]
_layout = str
_complex = builtins.complex
Number = int | float | bool
Device = _device | str | int | None
FileLike = str | os.PathLike[str] | IO[bytes]
py_sym_types: tuple[Any, ...] = ()
PySymType = int
IntLikeType, FloatLikeType, BoolLikeType = int, float, bool
