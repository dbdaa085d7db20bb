"""What `lamina train` and `lamina predict` do: load data, train, evaluate, save, read back."""

from __future__ import annotations

import json
import os
import time
from argparse import Namespace
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import lamina
from lamina import _report, datasets, models, nn, optim
from lamina.serialization import load_with_metadata, save_file
from lamina.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from ._C import Tensor

RECIPES = {"mlp": {"epochs": 30, "lr": 3e-3}, "cnn": {"epochs": 15, "lr": 5e-3}}
WEIGHT_DECAY, SMOOTHING, MAX_CLASSES = 0.01, 0.1, 1000


@dataclass
class Recipe:
    """Everything needed to read a saved model back; kept as JSON in the file's metadata."""

    model: str
    config: dict[str, Any]
    classes: list[int]  # output i means label classes[i]
    shape: list[int]  # of one input
    data: list[str]
    epochs: int
    batch: int
    lr: float
    seed: int
    version: str


def load_data(sources: list[str], target: str) -> tuple[Tensor, Tensor | None]:
    """(float32 images (N, 1, H, W) or rows (N, F), labels int64 (N) or None) of --data."""
    if sources == ["digits"]:
        return datasets.digits()
    if len(sources) == 1 and sources[0].lower().endswith((".csv", ".csv.gz", ".tsv", ".txt")):
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


def _labelled(sources: list[str], target: str) -> tuple[Tensor, Tensor]:
    x, y = load_data(sources, target)
    if y is None:
        raise ValueError("--data: training needs labels: the labels file of the IDX pair, or a CSV with --target")
    if len(x) == 0 or x.numel() == 0:
        raise ValueError("--data: there are no rows")
    return x, y


def _as_images(x: Tensor) -> Tensor:
    """Rows of a square number of values are square pictures."""
    if len(x.shape) == 4:
        return x
    side = round(x.shape[1] ** 0.5)
    if side * side != x.shape[1]:
        raise ValueError(f"cnn needs images: {x.shape[1]} values a row are no square picture; use mlp")
    return x.reshape(-1, 1, side, side)


def _build(name: str, config: dict[str, Any]) -> nn.Module:
    if name == "mlp":
        return models.MLP(models.MLPConfig(**{**config, "hidden": tuple(config["hidden"])}))
    return models.CNN(models.CNNConfig(**config))


class Classifier(nn.Module):
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


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Per feature for rows, over all pixels for images; constant features get std 1."""
    dims = (0,) if len(x.shape) == 2 else (0, 1, 2, 3)
    var, mean = lamina.var_mean(x, dims, correction=0, keepdim=True)
    std = var.sqrt()
    return mean, lamina.where(std > 0, std, lamina.ones_like(std))


def evaluate(model: nn.Module, x: Tensor, y: Tensor, batch: int = 1000) -> tuple[float, float, Tensor]:
    """(mean loss, accuracy, predicted class (N))."""
    model.eval()
    loss, found = 0.0, []
    with lamina.no_grad():
        for start in range(0, len(x), batch):
            logits = model(x[start : start + batch])
            loss += nn.functional.cross_entropy(logits, y[start : start + batch], reduction="sum").item()
            found.append(logits.argmax(1))
    predicted = lamina.cat(found)
    return loss / len(x), (predicted == y).sum().item() / len(x), predicted


def train(arguments: Namespace) -> None:
    """`lamina train`."""
    name = arguments.model
    epochs = int(getattr(arguments, "epochs", RECIPES[name]["epochs"]))
    lr = float(getattr(arguments, "lr", RECIPES[name]["lr"]))
    x, y = _labelled(arguments.data, arguments.target)
    if arguments.test:
        train_set, test_set = (x, y), _labelled(arguments.test, arguments.target)
        if x.shape[1:] != test_set[0].shape[1:]:
            raise ValueError(f"--test: rows have shape {tuple(test_set[0].shape[1:])}, --data {tuple(x.shape[1:])}")
    else:
        train_set, test_set = datasets.split(x, y)  # type: ignore[assignment]
    classes = sorted({*y.tolist(), *test_set[1].tolist()})
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(
            f"--data: the labels have {len(classes)} different values; expected 2 to {MAX_CLASSES} classes"
        )
    (x, y), (x_test, y_test) = (_encode(name, part, classes) for part in (train_set, test_set))
    os.makedirs(arguments.out, exist_ok=True)

    lamina.manual_seed(arguments.seed)
    shape = list(x.shape[1:])
    config: dict[str, Any] = {"classes": len(classes)}
    config.update({"inputs": x[0].numel()} if name == "mlp" else {"channels": shape[0]})
    config = asdict((models.MLPConfig if name == "mlp" else models.CNNConfig)(**config))
    model = Classifier(_build(name, config), *_moments(x))
    recipe = Recipe(
        name, config, classes, shape, arguments.data, epochs, arguments.batch, lr, arguments.seed, lamina.__version__
    )
    size = sum(p.numel() for p in model.parameters())
    print(f"{name} with {size:,} parameters; {len(x):,} rows to train on, {len(x_test):,} held out", flush=True)
    history = _fit(model, (x, y), (x_test, y_test), recipe)

    _, accuracy, predicted = evaluate(model, x_test, y_test)
    print("\n" + _report.confusion(y_test.tolist(), predicted.tolist(), classes))
    print(f"held-out accuracy {accuracy:.2%}")
    path = os.path.join(arguments.out, "model.safetensors")
    save_file(model.state_dict(), path, {"lamina.recipe": json.dumps(asdict(recipe))})
    print(f"saved {path}")
    print(_report.curves(history, os.path.join(arguments.out, "curves.png"), f"{name} on {' '.join(arguments.data)}"))


def _encode(name: str, part: tuple[Tensor, ...], classes: list[int]) -> tuple[Tensor, Tensor]:
    number = {label: i for i, label in enumerate(classes)}
    x, y = part
    return _as_images(x) if name == "cnn" else x, lamina.tensor([number[v] for v in y.tolist()], dtype=lamina.int64)


def _fit(
    model: nn.Module, train_set: tuple[Tensor, Tensor], test_set: tuple[Tensor, Tensor], recipe: Recipe
) -> list[dict[str, float]]:
    generator = lamina.Generator().manual_seed(recipe.seed)
    loader = DataLoader(TensorDataset(*train_set), recipe.batch, shuffle=True, generator=generator)
    optimizer = optim.AdamW(model.parameters(), recipe.lr, weight_decay=WEIGHT_DECAY)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, recipe.epochs * len(loader))
    criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    history: list[dict[str, float]] = []
    begin = time.perf_counter()
    with _report.Progress(recipe.epochs * len(loader)) as progress:
        for epoch in range(1, recipe.epochs + 1):
            model.train()
            for x, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(x), y)
                loss.backward()
                optimizer.step()
                schedule.step()
                progress.advance()
            train_loss, train_accuracy, _ = evaluate(model, *train_set)
            test_loss, test_accuracy, _ = evaluate(model, *test_set)
            history.append(
                {
                    "train loss": train_loss,
                    "train accuracy": train_accuracy,
                    "test loss": test_loss,
                    "test accuracy": test_accuracy,
                }
            )
            width = len(str(recipe.epochs))
            progress.say(
                f"epoch {epoch:{width}d}/{recipe.epochs}  train loss {train_loss:.4f} accuracy {train_accuracy:7.2%}  "
                f"test loss {test_loss:.4f} accuracy {test_accuracy:7.2%}  {time.perf_counter() - begin:.1f} s"
            )
            if train_loss != train_loss:
                raise ValueError(f"the loss became NaN in epoch {epoch}: try a smaller --lr than {recipe.lr}")
    return history


def _read_model(path: str) -> tuple[Classifier, Recipe]:
    tensors, metadata = load_with_metadata(path)
    try:
        recipe = Recipe(**json.loads(metadata["lamina.recipe"]))
        model = Classifier(_build(recipe.model, recipe.config), tensors["mean"], tensors["std"])
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
        raise ValueError(f"{path}: not a model that `lamina train` saved") from None
    model.eval()
    return model, recipe


def predict(arguments: Namespace) -> None:
    """`lamina predict`."""
    model, recipe = _read_model(arguments.file)
    x, y = load_data(arguments.data, arguments.target)
    if recipe.model == "cnn":
        x = _as_images(x)
    if list(x.shape[1:]) != recipe.shape:
        raise ValueError(f"--data: rows have shape {tuple(x.shape[1:])}, the model expects {tuple(recipe.shape)}")
    with lamina.no_grad():
        parts = [model(x[i : i + 1000]).softmax(1).max(1) for i in range(0, len(x), 1000)]
    sure = [v for part in parts for v in part[0].tolist()]
    found = [recipe.classes[i] for part in parts for i in part[1].tolist()]
    truth = None if y is None else y.tolist()
    for i in range(min(arguments.show, len(found))):
        known = "" if truth is None else f"  label {truth[i]}" + ("" if truth[i] == found[i] else "  <- wrong")
        print(f"row {i}: {found[i]} ({sure[i]:.1%}){known}")
    if truth is not None and truth:
        right = sum(a == b for a, b in zip(truth, found, strict=True))
        labels = sorted({*recipe.classes, *truth})
        rank = {label: i for i, label in enumerate(labels)}
        print("\n" + _report.confusion([rank[v] for v in truth], [rank[v] for v in found], labels))
        note = "; most of these rows were trained on" if recipe.data == arguments.data else ""
        print(f"accuracy {right / len(truth):.2%} ({right:,} of {len(truth):,}{note})")
    if arguments.csv:
        with open(arguments.csv, "w", encoding="utf-8") as file:
            file.write("row,predicted,probability\n")
            file.writelines(f"{i},{c},{p:.6f}\n" for i, (c, p) in enumerate(zip(found, sure, strict=True)))
        print(f"saved {arguments.csv}")
