"""A name that lamina lacks is refused with the nearest one that it has, or with where the thing is."""

from __future__ import annotations

import lamina
import pytest


@pytest.mark.parametrize(
    ("home", "name", "hint"),
    [
        (lamina, "maximun", "lamina.maximum"),
        (lamina, "sparse", "index_add"),
        (lamina, "onnx", "safetensors"),
        (lamina.utils, "cpp_extension", "compiled against"),
        (lamina.linalg, "eigvals", "eigh"),
        (lamina, "complex64", "real and imaginary part"),
        (lamina.nn, "Linearr", "lamina.nn.Linear"),
        (lamina.nn.functional, "conv2dd", "lamina.nn.functional.conv2d"),
        (lamina.optim, "adamw", "lamina.optim.AdamW"),
    ],
)
def test_hint(home, name, hint):
    with pytest.raises(AttributeError, match=hint):
        getattr(home, name)
    assert not hasattr(home, name)


def test_names_of_protocols_get_no_hint():
    with pytest.raises(AttributeError, match=r"no attribute '__wrapped__'$"):
        getattr(lamina, "__wrapped__")  # noqa: B009
