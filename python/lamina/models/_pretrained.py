"""Weights that other programs saved: reading them, and fitting their names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import lamina

from .._C import Tensor
from ..serialization import load_state

Weights = dict[str, Tensor]


def read_weights(owner: str, source: Any) -> tuple[Weights, dict[str, Any]]:
    """(tensors by name, settings) of a dict, a file, or a directory with config.json and model.safetensors.

    A checkpoint that holds the weights under "model" or "state_dict" is opened; settings are those of config.json, or
    what stands beside the weights under "model_args" or "config".
    """
    settings: dict[str, Any] = {}
    if not isinstance(source, Mapping):
        path = os.fspath(source)
        if os.path.isdir(path):
            settings = _config(path)
            names = [n for n in ("model.safetensors", "pytorch_model.bin") if os.path.isfile(os.path.join(path, n))]
            if not names:
                raise lamina.FileError(f"{owner}: {path} has neither model.safetensors nor pytorch_model.bin")
            path = os.path.join(path, names[0])
        source = load_state(path)
        if not isinstance(source, Mapping):
            raise TypeError(f"{owner}: {path} holds a {type(source).__name__}, expected weights by name")
    for key in ("model_args", "config"):
        if isinstance(source.get(key), Mapping):
            settings = {**source[key], **settings}
    for key in ("model", "state_dict"):
        if isinstance(source.get(key), Mapping):
            source = source[key]
    weights = {}
    for name, value in source.items():
        if not isinstance(value, Tensor) and not hasattr(value, "__array__"):
            raise TypeError(f"{owner}: expected tensors by name, found a {type(value).__name__} at {name!r}")
        weights[strip(name, ("_orig_mod.", "module."))] = lamina.as_tensor(value)
    if not weights:
        raise ValueError(f"{owner}: there are no weights")
    return weights, settings


def _config(folder: str) -> dict[str, Any]:
    path = os.path.join(folder, "config.json")
    if not os.path.isfile(path):
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return dict(found)
    except (OSError, ValueError, TypeError) as error:
        raise lamina.FileError(f"{path}: not a JSON object ({error})") from None


def strip(name: str, prefixes: Iterable[str]) -> str:
    """The name without the prefixes it begins with."""
    for prefix in prefixes:
        name = name.removeprefix(prefix)
    return name


def need(owner: str, weights: Weights, name: str) -> Tensor:
    """The matrix of that name, which this kind of model always has."""
    if name not in weights:
        have = ", ".join(list(weights)[:3])
        raise ValueError(
            f"{owner}: there is no weight {name!r}, so these are of another kind of model (they are {have}, ...)"
        )
    if weights[name].dim() != 2:
        raise lamina.ShapeError(f"{owner}: {name} should be a matrix, got shape {tuple(weights[name].shape)}")
    return weights[name]


def layers_in(owner: str, weights: Weights, prefix: str) -> int:
    """How many numbered parts `prefix` has: names are prefix + number + "." + ...; none may be missing."""
    numbers = {n.removeprefix(prefix).split(".", 1)[0] for n in weights if n.startswith(prefix)}
    for i in range(len(numbers)):
        if str(i) not in numbers:
            raise ValueError(f"{owner}: there are {len(numbers)} parts called {prefix}..., but no {prefix}{i}")
    return len(numbers)


def setting(owner: str, settings: Mapping[str, Any], names: tuple[str, ...], field: str) -> Any:
    """A setting that no shape tells, under one of its names; the error says how to give it."""
    for name in names:
        if settings.get(name) is not None:
            return settings[name]
    raise ValueError(
        f"{owner}: the weights do not say {field}; hint: give {field}=..., or a directory with its config.json"
    )


def load_into(model: Any, weights: Weights, drop: Callable[[str], bool], ties: Mapping[str, str]) -> None:
    """Loads strictly, after leaving out what `drop` says, and filling in tied names that the file has once."""
    kept = {name: value for name, value in weights.items() if not drop(name)}
    for name, origin in ties.items():
        if name not in kept and origin in kept:
            kept[name] = kept[origin]
    model.load_state_dict(kept)
