"""The handwritten digits that come with lamina."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Literal, overload

import lamina

from .readers import idx

if TYPE_CHECKING:
    from .._C import Tensor
    from ..utils.data import TensorDataset

_FOLDER = os.path.join(os.path.dirname(__file__), "data")


@overload
def digits(split: Literal[False] = False) -> tuple[Tensor, Tensor]: ...
@overload
def digits(split: Literal[True]) -> tuple[TensorDataset, TensorDataset]: ...
def digits(split: bool = False) -> tuple[Tensor, Tensor] | tuple[TensorDataset, TensorDataset]:
    """1,797 handwritten digits: images float32 (1797, 1, 8, 8) in [0, 1], labels int64 (1797).

    With `split`, two TensorDatasets: 1,437 rows to train on and the 360 held-out ones of `datasets.split`.

    Source: the test set of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine Learning
    Repository 1998, https://doi.org/10.24432/C50P49, as scikit-learn carries it; licence CC BY 4.0.

    >>> import lamina
    >>> images, labels = lamina.datasets.digits()
    >>> images.shape, labels[:5].tolist()
    ((1797, 1, 8, 8), [0, 1, 2, 3, 4])
    """
    images = idx(os.path.join(_FOLDER, "digits-images-idx3-ubyte.gz"))
    labels = idx(os.path.join(_FOLDER, "digits-labels-idx1-ubyte.gz"))
    images, labels = images.to(lamina.float32).div_(16.0).unsqueeze(1), labels.to(lamina.int64)
    if not split:
        return images, labels
    from ..utils.data import TensorDataset

    train, test = split_rows(images, labels)
    return TensorDataset(*train), TensorDataset(*test)


def split_rows(*tensors: Tensor, test: float = 0.2, seed: int = 0) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(train tensors, test tensors): the same random rows of each tensor, the same ones for the same seed.

    >>> import lamina
    >>> (x, y), (x_test, y_test) = lamina.datasets.split(*lamina.datasets.digits())
    >>> len(x), len(x_test)
    (1437, 360)
    """
    if not tensors or any(len(t) != len(tensors[0]) for t in tensors):
        shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
        raise ValueError(f"split: expected tensors with equally many rows, got shapes {shapes or '()'}")
    if not 0 < test < 1:
        raise ValueError(f"split: test is the held-out share, between 0 and 1, got {test}")
    count = len(tensors[0])
    order = lamina.randperm(count, generator=lamina.Generator().manual_seed(seed))
    kept = count - max(1, math.ceil(count * test))
    if kept < 1:
        raise ValueError(f"split: {count} rows are too few to split")
    train, held = order[:kept], order[kept:]
    return tuple(t.index_select(0, train) for t in tensors), tuple(t.index_select(0, held) for t in tensors)
