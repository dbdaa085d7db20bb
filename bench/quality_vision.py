"""How well the image models learn: the digits that come with lamina, and Fashion-MNIST."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from typing import Any

import lamina
from lamina import datasets, models, nn, vision
from lamina.utils.data import TensorDataset

SMOOTHING = 0.1
VALIDATION = 5000  # training images of Fashion-MNIST that choose the model; the test images choose nothing


def _count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def _train(model: models.Model, data: Any, validation: Any, options: Namespace, **settings: Any) -> dict[str, float]:
    """Trains and gives the time it took, in seconds: by the clock, and of the processor."""
    trainer = lamina.Trainer(
        model, loss=nn.CrossEntropyLoss(label_smoothing=SMOOTHING), steps=options.steps, seed=options.seed, **settings
    )
    clock, used = time.perf_counter(), time.process_time()
    trainer.fit(data, validation)
    return {"wall_seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - used}


def _accuracy(model: models.Model, x: lamina.Tensor, y: lamina.Tensor) -> float:
    return round(100 * model.evaluate((x, y))["accuracy"], 2)


def digits(options: Namespace) -> dict[str, Any]:
    """MLP and CNN on 1,437 digits of 8 x 8 pixels; accuracy on the 360 that are held out."""
    (x, y), (x_test, y_test) = datasets.split(*datasets.digits())
    mean, std = x.mean(), x.std()
    x, x_test = (x - mean) / std, (x_test - mean) / std
    results = {}
    for name, epochs, lr in (("mlp", 30, 3e-3), ("cnn", 15, 5e-3)):
        lamina.manual_seed(options.seed)
        model = models.MLP() if name == "mlp" else models.CNN()
        train: Any = TensorDataset(x, y)
        if name == "cnn":
            train = vision.Augment(train, [vision.RandomCrop(8, padding=1, fill=-(mean / std).item())], options.seed)
        spent = _train(model, train, None, options, lr=lr, scheduler="onecycle", epochs=epochs, progress=False)
        results[name] = {"parameters": _count(model), "test_accuracy": _accuracy(model, x_test, y_test), **spent}
    return results


def _fashion_part(folder: str, part: str) -> tuple[lamina.Tensor, lamina.Tensor]:
    images = datasets.idx(os.path.join(folder, f"{part}-images-idx3-ubyte.gz"))
    labels = datasets.idx(os.path.join(folder, f"{part}-labels-idx1-ubyte.gz"))
    return images.float().div_(255).unsqueeze(1), labels.long()


def fashion(options: Namespace) -> dict[str, Any]:
    """A small VGG on Fashion-MNIST: 55,000 images to train on, 5,000 to choose by, and the 10,000 of the test."""
    x, y = _fashion_part(options.data, "train")
    mean, std = x.mean(), x.std()
    black = -(mean / std).item()
    (x, y), (x_val, y_val) = datasets.split((x - mean) / std, y, test=VALIDATION / len(y), seed=options.seed)
    lamina.manual_seed(options.seed)
    model = models.VGG(
        stages=(1, 1, 2), batch_norm=True, width=32, hidden=128, pool=3, dropout=0.2, channels=1, classes=10
    )
    changes = [vision.RandomHorizontalFlip(), vision.RandomCrop(28, padding=2, fill=black)]
    train = vision.Augment(TensorDataset(x, y), changes, options.seed)
    settings: dict[str, Any] = {"epochs": 8, "batch_size": 128, "lr": 3e-3, "weight_decay": 0.05}
    validation = (x_val, y_val) if options.steps is None else (x_val[:500], y_val[:500])
    spent = _train(model, train, validation, options, scheduler="onecycle", progress=options.steps is None, **settings)
    x_test, y_test = _fashion_part(options.data, "t10k")
    accuracies = {
        "validation_accuracy": _accuracy(model, *validation),
        "test_accuracy": _accuracy(model, (x_test - mean) / std, y_test),
    }
    return {"parameters": _count(model), "epochs": settings["epochs"], **accuracies, **spent}
