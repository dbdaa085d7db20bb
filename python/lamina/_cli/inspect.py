"""summary and info: what a model, and this installation, consists of."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import Any

import lamina

_FAMILIES = {"lstm": "LSTMLM", "transformer": "GPT"}
_EXTRAS = {"matplotlib": "pictures", "tqdm": "progress bars", "tensorboardX": "logs for TensorBoard"}


def info() -> None:
    """`lamina info`."""
    from importlib.util import find_spec
    from platform import python_version

    print(f"lamina {lamina.__version__} (Python {python_version()}, {sys.platform})")
    print(f"SIMD level  {lamina.simd_level()}")
    print(f"threads     {lamina.get_num_threads()} of {os.cpu_count()} CPUs")
    print("devices     cpu")
    if lamina.cuda.is_available():
        print("            cuda")
    else:
        print(f"            no cuda: {lamina.cuda.status()}")
    print(f"as torch    {lamina.as_torch.describe()}")
    for i, (name, use) in enumerate(_EXTRAS.items()):
        there = "" if find_spec(name) is not None else "not installed: no "
        print(f"{'' if i else 'extras':12}{name} ({there}{use})")


def summary(arguments: Namespace) -> None:
    """`lamina summary`."""
    model: Any
    if os.path.exists(arguments.model) or arguments.model.endswith(".safetensors"):
        from . import files

        model, recipe = files.read(arguments.model)
        shape: Any = _usual_shape(model) if recipe.model == "gan" else (1, *recipe.shape)
        print(
            f"{recipe.model} of lamina {recipe.version}, trained on {' '.join(recipe.data) or 'the standard library'}"
        )
    else:
        model = _named(arguments.model)
        shape = _usual_shape(model)
    if arguments.input is not None:
        shape = arguments.input
    if shape is None:
        raise ValueError(f"summary: say the shape of the input of {type(model).__name__}, such as --input 1,3,64,64")
    ids = getattr(getattr(model, "config", None), "vocab", None) is not None
    try:
        print(lamina.summary(model, shape, dtype=lamina.int64 if ids else None, depth=arguments.depth))
    except (lamina.Error, ValueError, TypeError) as error:  # what follows its first line is the table
        raise ValueError(str(error).splitlines()[0]) from None


def _named(name: str) -> Any:
    """The model of that name with its default sizes, whatever the case of its letters."""
    from difflib import get_close_matches

    from .. import models

    table = {n.lower(): n for n in models.__all__ if not n.endswith("Config")}
    del table["model"], table["anomalydetector"]
    table.update(_FAMILIES)
    if name.lower() not in table:
        near = get_close_matches(name.lower(), table, 3, 0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(table))}"
        raise ValueError(f"summary: {name!r} is neither a file nor a model; {hint}")
    kind: Any = getattr(models, table[name.lower()])
    return kind()


def _usual_shape(model: Any) -> tuple[int, ...] | None:
    """The shape of one input, where the config tells."""
    config = model.config
    if getattr(config, "vocab", None) is not None:
        return (1, min(getattr(config, "context", 64), 64))
    if hasattr(config, "generator") or hasattr(model, "discriminator"):
        return (1, config.latent)
    if hasattr(config, "shape"):
        return (1, *config.shape)
    if type(model).__name__ == "MLP":
        return (1, config.inputs)
    if type(model).__name__ == "CNN":
        return (1, config.channels, 28, 28)
    if hasattr(config, "channels"):
        size = getattr(config, "size", None) or 224
        return (1, config.channels, size, size)
    width = getattr(config, "inputs", None) or getattr(config, "features", None)
    return None if width is None else (1, 64, width)
