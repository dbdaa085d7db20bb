"""From --data to tensors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import lamina

from .. import datasets

if TYPE_CHECKING:
    from .._C import Tensor

_TABLES = (".csv", ".csv.gz", ".tsv", ".txt")


def load(sources: list[str], target: str) -> tuple[Tensor, Tensor | None]:
    """(float32 images (N, C, H, W) or rows (N, F), labels int64 (N) or None) of --data."""
    if sources == ["digits"]:
        return datasets.digits()
    if len(sources) == 1 and sources[0].lower().endswith(_TABLES):
        column = None if target == "none" else int(target) if target.lstrip("-").isdigit() else target
        return datasets.csv(sources[0], column)
    if len(sources) > 2:
        raise ValueError(f"--data: expected digits, an IDX pair or one CSV file, got {len(sources)} names")
    for name in sources:
        if not os.path.exists(name):
            raise ValueError(f"--data: {name!r} is neither 'digits' nor a file")
    images, labels = None, None
    for name in sources:
        tensor = datasets.idx(name)
        if len(tensor.shape) == 1 and labels is None:
            labels = tensor.to(lamina.int64)
        elif len(tensor.shape) == 3 and images is None:
            images = tensor
        else:
            raise ValueError(f"{name}: shape {tuple(tensor.shape)}; expected images (N, H, W) and labels (N)")
    if images is None:
        raise ValueError(f"--data: no images among {', '.join(sources)}; give the images file and the labels file")
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"--data: {len(images)} images but {len(labels)} labels")
    scale = 255.0 if images.dtype == lamina.uint8 else 1.0
    return images.to(lamina.float32).div_(scale).unsqueeze(1), labels


def rows(sources: list[str], target: str) -> tuple[Tensor, Tensor | None]:
    """As `load`, with at least one row."""
    x, y = load(sources, target)
    if len(x) == 0 or x.numel() == 0:
        raise ValueError("--data: there are no rows")
    return x, y


def labelled(sources: list[str], target: str) -> tuple[Tensor, Tensor]:
    """As `rows`, with labels."""
    x, y = rows(sources, target)
    if y is None:
        raise ValueError("--data: training needs labels: the labels file of the IDX pair, or a CSV with --target")
    return x, y


def as_images(x: Tensor, owner: str = "cnn", other: str = "mlp") -> Tensor:
    """Rows of a square number of values are square pictures: (N, F) -> (N, 1, H, W)."""
    if len(x.shape) == 4:
        return x
    side = round(x.shape[1] ** 0.5)
    if side * side != x.shape[1]:
        raise ValueError(f"{owner} needs images: {x.shape[1]} values a row are no square picture; use {other}")
    return x.reshape(-1, 1, side, side)


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, per feature for rows, over all pixels for images; constant features get 1."""
    dims = (0,) if len(x.shape) == 2 else (0, 1, 2, 3)
    var, mean = lamina.var_mean(x, dims, correction=0, keepdim=True)
    std = var.sqrt()
    return mean, lamina.where(std > 0, std, lamina.ones_like(std))


def check_shape(x: Tensor, shape: list[int]) -> None:
    """--data has rows as the model was trained on."""
    if list(x.shape[1:]) != shape:
        raise ValueError(f"--data: rows have shape {tuple(x.shape[1:])}, the model expects {tuple(shape)}")
