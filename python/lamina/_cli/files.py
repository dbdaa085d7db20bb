"""model.safetensors: the weights, and in the metadata everything needed to use them."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict, dataclass, field
from typing import Any

import lamina

from .. import models, nn, serialization

# the class of a family, where a file of an older version does not name it
_CLASSES = {"mlp": "MLP", "cnn": "CNN"}


@dataclass
class Recipe:
    """How a model was made; kept as JSON in the file's metadata."""

    model: str  # the family: what `lamina train` was told
    config: dict[str, Any]  # of the class in lamina.models
    classes: list[int]  # output i means label classes[i]; empty where there are none
    shape: list[int]  # of one input
    data: list[str]
    epochs: int | None
    batch: int
    lr: float
    seed: int
    version: str
    kind: str = ""  # name of the class in lamina.models
    steps: int | None = None
    precision: str = "float32"
    tokenizer: dict[str, Any] | None = None  # of a language model
    extra: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """The bare model, untrained."""
        return getattr(models, self.kind or _CLASSES[self.model])(**self.config)


def recipe_of(
    arguments: Namespace, model: Any, shape: list[int], classes: list[int] | None = None, **more: Any
) -> Recipe:
    """The recipe of a run with these arguments."""
    from .run import length

    epochs, steps = length(arguments)
    return Recipe(
        model=arguments.model,
        config=asdict(model.config),
        classes=classes or [],
        shape=shape,
        data=list(arguments.data or []),
        epochs=epochs,
        batch=arguments.batch,
        lr=arguments.lr,
        seed=arguments.seed,
        version=lamina.__version__,
        kind=type(model).__name__,
        steps=steps,
        precision=arguments.precision,
        **more,
    )


def save(path: str, module: nn.Module, recipe: Recipe) -> None:
    """Writes the model and its recipe, whole or not at all."""
    serialization.save(module, path, metadata={"lamina.recipe": json.dumps(asdict(recipe))})


def read(path: str) -> tuple[nn.Module, Recipe]:
    """The model as its family wraps it, in eval mode, and its recipe."""
    tensors, metadata = serialization.load_with_metadata(path)
    tensors = serialization.weights_of(tensors, metadata)
    try:
        recipe = Recipe(**json.loads(metadata["lamina.recipe"]))
        module: nn.Module = family(recipe.model).restore(recipe, tensors)
        module.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
        raise ValueError(f"{path}: not a model that `lamina train` saved") from None
    return module.eval(), recipe


def family(name: str) -> Any:
    """The file with train, restore, and predict or generate of a family."""
    from importlib import import_module

    home = {"mlp": "classifier", "cnn": "classifier", "lstm": "language", "transformer": "language"}.get(name, name)
    if home not in ("classifier", "language", "autoencoder", "gan"):
        raise ValueError(f"unknown family {name!r}")
    return import_module("." + home, __package__)
