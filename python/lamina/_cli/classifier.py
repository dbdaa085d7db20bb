"""mlp and cnn: classifiers of rows and images."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import lamina

from .. import models, nn, plot, vision
from .._C import Tensor
from ..models import Model
from ..nn import functional as F
from ..training import Callback
from ..utils.data import TensorDataset
from . import data, show
from .files import Recipe, recipe_of
from .run import finish
from .run import train as run

if TYPE_CHECKING:
    from ..training import Trainer

SMOOTHING, WEIGHT_DECAY, MAX_CLASSES = 0.1, 0.01, 1000


class Classifier(Model):
    """A model behind the standardisation of its inputs: (N, ...) -> logits (N, classes)."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.model((x - self.mean) / self.std)
        return logits

    def training_loss(self, *batch: Any) -> Tensor:
        """The cross entropy, in training of smoothed labels."""
        return F.cross_entropy(self(batch[0]), batch[1], label_smoothing=SMOOTHING if self.training else 0.0)


class Course(Callback):
    """Loss and accuracy on the training rows as after each epoch, and fresh augmentations in each."""

    def __init__(self, train_set: tuple[Tensor, Tensor], augmented: vision.Augment | None) -> None:
        self.train_set, self.augmented = train_set, augmented

    def on_epoch_begin(self, trainer: Trainer) -> None:
        if self.augmented is not None:
            self.augmented.set_epoch(trainer.epoch)

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        model: Any = trainer.trained
        found = model.evaluate(self.train_set, batch_size=1000)
        rest = {name: record[name] for name in record if name not in found}
        values = {"epoch": rest.pop("epoch"), "step": rest.pop("step"), **found, **rest}
        record.clear()
        record.update(values)


def train(arguments: Namespace) -> None:
    """`lamina train mlp` and `lamina train cnn`."""
    train_set, test_set, classes = _sets(arguments)
    x, y = train_set
    lamina.manual_seed(arguments.seed)
    bare = _build(arguments, x, len(classes))
    model = Classifier(bare, *data.moments(x))
    augment = arguments.data == ["digits"] if arguments.augment is None else arguments.augment
    if augment and x.dim() != 4:
        raise ValueError("--augment turns and shifts images; these are rows of numbers")
    extra = {"target": arguments.target, "test": arguments.test, "augment": augment}
    recipe = recipe_of(arguments, bare, list(x.shape[1:]), classes, extra=extra)
    size = sum(p.numel() for p in model.parameters())
    show.say(
        arguments,
        f"{recipe.model} with {size:,} parameters; {len(x):,} rows to train on, {len(test_set[0]):,} held out",
    )
    changes = vision.RandomAffine(10, (0.1, 0.1), (0.9, 1.1))
    augmented = vision.Augment(TensorDataset(x, y), changes, seed=arguments.seed) if augment else None
    history = run(
        arguments,
        model,
        recipe,
        train_set if augmented is None else augmented,
        test_set,
        callbacks=[Course(train_set, augmented)],
        scheduler="onecycle",
        weight_decay=WEIGHT_DECAY,
    )
    _report(arguments, model, recipe, history, test_set)


def _sets(arguments: Namespace) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], list[int]]:
    """(rows to train on, held-out rows, classes); labels are numbers of classes."""
    x, y = data.labelled(arguments.data, arguments.target)
    if arguments.test:
        train_set, test_set = (x, y), data.labelled(arguments.test, arguments.target)
        if x.shape[1:] != test_set[0].shape[1:]:
            raise ValueError(f"--test: rows have shape {tuple(test_set[0].shape[1:])}, --data {tuple(x.shape[1:])}")
    else:
        train_set, test_set = lamina.datasets.split(x, y)  # type: ignore[assignment]
    classes = sorted({*y.tolist(), *test_set[1].tolist()})
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(
            f"--data: the labels have {len(classes)} different values; expected 2 to {MAX_CLASSES} classes"
        )
    number = {label: i for i, label in enumerate(classes)}

    def encoded(part: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        rows = data.as_images(part[0]) if arguments.model == "cnn" else part[0]
        return rows, lamina.tensor([number[v] for v in part[1].tolist()], dtype=lamina.int64)

    return encoded(train_set), encoded(test_set), classes


def _build(arguments: Namespace, x: Tensor, classes: int) -> Any:
    sizes: dict[str, Any] = {"classes": classes}
    sizes.update({"inputs": x[0].numel()} if arguments.model == "mlp" else {"channels": x.shape[1]})
    for name in ("hidden", "width", "dropout"):
        if getattr(arguments, name, None) is not None:
            sizes[name] = getattr(arguments, name)
    return models.MLP(**sizes) if arguments.model == "mlp" else models.CNN(**sizes)


def _report(arguments: Namespace, model: Model, recipe: Recipe, history: Any, test_set: tuple[Tensor, Tensor]) -> None:
    x, y = test_set
    found = model.predict(x, batch_size=1000)
    count = len(recipe.classes)
    matrix = lamina.zeros(count * count, dtype=lamina.int64)
    matrix = matrix.index_add(0, y * count + found, lamina.ones_like(y)).reshape(count, count)
    show.say(arguments, "\n" + show.confusion(y.tolist(), found.tolist(), recipe.classes) + "\n")
    title = f"{recipe.model} on {' '.join(recipe.data)}"
    drawings = {
        "curves.png": lambda path: plot.curves(history, path=path, title=title),
        "confusion.png": lambda path: plot.confusion(matrix, recipe.classes, path=path, title=f"{title}, held out"),
    }
    finish(arguments, model, recipe, drawings)
    right = int((found == y).sum().item())
    print(f"held-out accuracy {right / len(y):.2%} ({right:,} of {len(y):,})")


def restore(recipe: Recipe, tensors: dict[str, Tensor]) -> Classifier:
    """The model of a file, before its weights are loaded."""
    return Classifier(recipe.build(), tensors["mean"], tensors["std"])


def predict(arguments: Namespace, model: Classifier, recipe: Recipe) -> None:
    """`lamina predict` of a classifier."""
    x, y = data.rows(arguments.data, arguments.target)
    if recipe.model == "cnn":
        x = data.as_images(x)
    data.check_shape(x, recipe.shape)
    with lamina.no_grad():
        parts = [model(x[i : i + 1000]).softmax(1).max(1) for i in range(0, len(x), 1000)]
    sure = [v for part in parts for v in part[0].tolist()]
    found = [recipe.classes[i] for part in parts for i in part[1].tolist()]
    truth = None if y is None else y.tolist()
    for i in range(min(arguments.show, len(found))):
        known = "" if truth is None else f"  label {truth[i]}" + ("" if truth[i] == found[i] else "  <- wrong")
        print(f"row {i}: {found[i]} ({sure[i]:.1%}){known}")
    if truth is not None:
        right = sum(a == b for a, b in zip(truth, found, strict=True))
        labels = sorted({*recipe.classes, *truth})
        rank = {label: i for i, label in enumerate(labels)}
        print("\n" + show.confusion([rank[v] for v in truth], [rank[v] for v in found], labels))
        note = "; most of these rows were trained on" if recipe.data == arguments.data else ""
        print(f"accuracy {right / len(truth):.2%} ({right:,} of {len(truth):,}{note})")
    if arguments.csv:
        with open(arguments.csv, "w", encoding="utf-8") as file:
            file.write("row,predicted,probability\n")
            file.writelines(f"{i},{c},{p:.6f}\n" for i, (c, p) in enumerate(zip(found, sure, strict=True)))
        print(f"saved {arguments.csv}")
