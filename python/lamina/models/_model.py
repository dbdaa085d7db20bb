"""Model: an nn.Module with a task, so that every model class is trained, evaluated and used in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .. import nn
from .._C import Tensor
from .._C import functional as F

if TYPE_CHECKING:
    from ..metrics import Metric
    from ..training import History

C = TypeVar("C")
M = TypeVar("M", bound="Model")


class Model(nn.Module):
    """nn.Module with a task: what fit, evaluate and predict of every model class share.

    A subclass writes `forward`; one that is not a classifier also says its `training_loss`, `metrics` and `prediction`.
    Where that loss is no mean over rows, `loss_denominator(*batch)` gives the number that it divides by.
    A model with several optimizers (a GAN) adds `configure_optimizers(lr) -> {name: Optimizer}` and
    `training_step(batch, optimizers) -> {name: loss}`, which does its own zero_grad, backward and step.

    >>> import lamina
    >>> class Line(lamina.models.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.head = lamina.nn.Linear(2, 3)
    ...     def forward(self, x):
    ...         return self.head(x)
    >>> model = Line()
    >>> history = model.fit((lamina.eye(2), lamina.tensor([0, 2])), epochs=2, progress=False)
    >>> len(history), sorted(model.evaluate((lamina.eye(2), lamina.tensor([0, 2]))))
    (2, ['accuracy', 'loss'])
    >>> model.predict(lamina.eye(2)).shape
    (2,)
    """

    def training_loss(self, *batch: Any) -> Tensor:
        """The scalar loss of one batch, differentiable; here the cross entropy of logits: (x, y) -> ()."""
        x, y = _pair(self, "training_loss", batch)
        return F.cross_entropy(self(x), y)

    def metrics(self) -> dict[str, Metric]:
        """Fresh streaming metrics by name, for evaluate and validation; {} where none has a meaning."""
        from ..metrics import Accuracy

        return {"accuracy": Accuracy()}

    def metric_inputs(self, *batch: Any) -> tuple[Any, ...]:
        """What `update` of the metrics receives for one batch; here (output, y)."""
        x, y = _pair(self, "metric_inputs", batch)
        return self(x), y

    def prediction(self, x: Any) -> Any:
        """What predict gives for one batch; here the classes: (N, ...) -> (N)."""
        return self(x).argmax(1)

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        epochs: int | None = None,
        batch_size: int = 32,
        lr: float = 1e-3,
        optimizer: Any = "adamw",
        seed: int | None = 0,
        **options: Any,
    ) -> History:
        """Trains on `data` (a tensor or array, a tuple of them, a Dataset or a DataLoader) and returns the History.

        `options` are those of lamina.training.Trainer: scheduler, clip_norm, early_stopping, checkpoint, ... Without
        `epochs` and `steps` it takes 10 epochs. `seed` governs the order of the data and dropout, not the weights:
        those have their values already.
        """
        from ..training import fit

        own = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "optimizer": optimizer, "seed": seed}
        return fit(self, data, validation, **own, **options)

    def evaluate(self, data: Any, *, batch_size: int = 256) -> dict[str, float]:
        """{"loss": mean over all rows, metric: value, ...} in eval mode, without gradients; the mode is given back.

        Where the loss draws random numbers they are the same in every call.
        """
        from ..training import evaluate

        return evaluate(self, data, batch_size=batch_size)

    def predict(self, x: Any, *, batch_size: int = 256) -> Any:
        """`prediction` of all rows, in eval mode, without gradients, batch by batch: (N, ...) -> (N, ...).

        `x` is a tensor or array, a Dataset or a DataLoader; of a batch with several fields the first is used.
        """
        from ..training import predict

        return predict(self, x, batch_size=batch_size)

    def save(self, path: Any) -> None:
        """Writes the whole model to a path or an open binary file, as lamina.save does."""
        from ..serialization import save

        save(self, path)

    @classmethod
    def load(cls: type[M], path: Any, map_location: Any = None) -> M:
        """The model that `save` or lamina.save wrote, with its config; TypeError when it is of another class.

        >>> import io, lamina
        >>> file = io.BytesIO()
        >>> lamina.models.MLP(inputs=4).save(file)
        >>> _ = file.seek(0)
        >>> lamina.models.MLP.load(file).config.inputs
        4
        """
        from ..serialization import load

        found = load(path, map_location)
        if not isinstance(found, cls):
            raise TypeError(f"{cls.__name__}.load: the file holds a {type(found).__name__}")
        return found

    @staticmethod
    def configure(config_class: type[C], config: C | None, overrides: dict[str, Any]) -> C:
        """The config with its fields overridden by keyword, for `__init__(self, config=None, **overrides)`.

        Raises TypeError for a name that is no field (and says the nearest) or a config of another class.

        >>> import lamina
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Config:
        ...     width: int = 8
        >>> lamina.models.Model.configure(Config, None, {"width": 16})
        Config(width=16)
        """
        from dataclasses import fields, replace
        from difflib import get_close_matches

        if config is None:
            config = config_class()
        elif not isinstance(config, config_class):
            raise TypeError(
                f"config must be a {config_class.__name__}, got {type(config).__name__}; "
                "hint: single fields are given by keyword"
            )
        names = [field.name for field in fields(config) if field.init]  # type: ignore[arg-type]
        for name in overrides:
            if name not in names:
                near = get_close_matches(name, names, 1, 0.5)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{config_class.__name__} has no field {name!r} (it has {', '.join(names)}){hint}")
        return replace(config, **overrides)  # type: ignore[type-var]


def _pair(model: nn.Module, method: str, batch: tuple[Any, ...]) -> tuple[Any, Any]:
    if len(batch) != 2:
        raise ValueError(
            f"{type(model).__name__}.{method}: a batch should be (x, y), got {len(batch)} "
            f"field{'s' if len(batch) != 1 else ''}; hint: give data as a tuple (x, y), or override {method}"
        )
    return batch[0], batch[1]
