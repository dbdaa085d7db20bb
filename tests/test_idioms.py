"""Expressions of public PyTorch programs, one a line in idioms.txt, mean on lamina what they mean on PyTorch."""

from __future__ import annotations

import math
import pathlib
import warnings

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

LINES = (pathlib.Path(__file__).parent / "idioms.txt").read_text().splitlines()


def plain(value):
    """Tensors as dtype and rounded numbers, shapes as tuples, objects as the names of their classes."""
    if isinstance(value, lamina.Tensor) or (torch is not None and isinstance(value, torch.Tensor)):
        numbers = value.detach().double().numpy().round(5).tolist() if value.numel() else []
        return str(value.dtype).split(".")[1], tuple(value.shape), numbers
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if type(value).__name__ == "dtype":
        return str(value).split(".")[-1]
    if type(value).__name__ in ("dict_keys", "odict_keys"):
        return list(value)
    if isinstance(value, str):
        return value.replace("lamina", "torch")
    if isinstance(value, (int, float, type(None), np.generic)):
        return round(value, 6) if isinstance(value, float) else value
    return type(value).__name__


@needs_torch
@pytest.mark.parametrize("line", LINES)
def test_means_the_same(line):
    found = []
    for library in (torch, lamina):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            library.manual_seed(0)
            found.append(plain(eval(line, {"torch": library, "np": np, "math": math})))
    np.testing.assert_equal(found[1], found[0])
