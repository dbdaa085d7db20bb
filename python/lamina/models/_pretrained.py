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
_FILES, _INDEX = ("model.safetensors", "pytorch_model.bin"), ".index.json"


def read_weights(owner: str, source: Any) -> tuple[Weights, dict[str, Any]]:
    """(tensors by name, settings) of a dict, a file, or a directory with config.json and model.safetensors or its parts.

    A checkpoint that holds the weights under "model" or "state_dict" is opened; settings are those of config.json, or
    what stands beside the weights under "model_args" or "config".
    """
    settings: dict[str, Any] = {}
    if not isinstance(source, Mapping):
        path = os.fspath(source)
        folder = path if os.path.isdir(path) else os.path.dirname(path)
        if os.path.isdir(path):
            settings = _config(path)
            names = [n for base in _FILES for n in (base, base + _INDEX) if os.path.isfile(os.path.join(path, n))]
            if not names:
                raise lamina.FileError(f"{owner}: {path} has neither {_FILES[0]} nor {_FILES[1]}, nor an index of one")
            path = os.path.join(path, names[0])
        source = _sharded(owner, path, folder) if path.endswith(_INDEX) else load_state(path)
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


def _sharded(owner: str, index: str, folder: str) -> Weights:
    """The tensors that an index distributes over files beside it; each file is read once."""
    where = _json(index).get("weight_map")
    if not isinstance(where, dict) or not where:
        raise lamina.FileError(f"{owner}: {index} has no weight_map")
    weights: Weights = {}
    for name in dict.fromkeys(where.values()):
        if not isinstance(name, str) or os.path.basename(name) != name or name in ("", ".", ".."):
            raise lamina.FileError(f"{owner}: {index} names {str(name)[:80]!r}, which is no file beside it")
        shard = load_state(os.path.join(folder, name))
        if not isinstance(shard, Mapping):
            raise lamina.FileError(f"{owner}: {name} holds a {type(shard).__name__}, expected weights by name")
        weights.update((key, value) for key, value in shard.items() if where.get(key) == name)
    absent = [key for key in where if key not in weights]
    if absent:
        raise lamina.FileError(f"{owner}: {where[absent[0]]} lacks {absent[0]!r}, which {index} says is there")
    return weights


def _config(folder: str) -> dict[str, Any]:
    path = os.path.join(folder, "config.json")
    return _json(path) if os.path.isfile(path) else {}


def _json(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return dict(found)
    except (OSError, ValueError, TypeError) as error:
        raise lamina.FileError(f"{path}: not a JSON object ({error})") from None


def follow(
    owner: str,
    settings: Mapping[str, Any],
    kinds: tuple[str, ...],
    fields: Mapping[str, tuple[str, ...]],
    only: Mapping[str, tuple[Any, ...]],
) -> dict[str, Any]:
    """The fields of a config that settings give, after a check of those that no field follows.

    `kinds` are the model types that are known; `fields` maps a field to the settings that say it, which must agree;
    `only` maps a setting to the values that lamina computes. Settings that change no number are passed over.
    """
    kind = settings.get("model_type")
    if kind is not None and kind not in kinds:
        raise ValueError(f"{owner}: config.json is of a {kind!r}, expected {' or '.join(map(repr, kinds))}")
    for name, values in only.items():
        if name in settings and settings[name] not in values:
            known = " or ".join(map(repr, values))
            raise ValueError(f"{owner}: config.json says {name} {settings[name]!r}, only {known} is computed here")
    found = {}
    for field, names in fields.items():
        said = {name: settings[name] for name in names if settings.get(name) is not None}
        if len(set(map(repr, said.values()))) > 1:
            listed = ", ".join(f"{name} {value!r}" for name, value in said.items())
            raise ValueError(f"{owner}: config.json says {listed}, but {field} is one; hint: give {field}=...")
        if said:
            found[field] = next(iter(said.values()))
    return found


def either(weights: Weights, *names: str) -> None:
    """Tied tensors stand in a file under one of their names: the first name gets what another has."""
    for name in names[1:]:
        if names[0] not in weights and name in weights:
            weights[names[0]] = weights[name]


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
    """Loads strictly, after leaving out what `drop` says, and giving tied names what their origin has."""
    kept = {name: value for name, value in weights.items() if not drop(name)}
    for name, origin in ties.items():
        if origin in kept:
            kept[name] = kept[origin]
    model.load_state_dict(kept)
