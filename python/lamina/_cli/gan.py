"""gan: images out of noise, and what a classifier that never saw them says of them."""

from __future__ import annotations

import math
from argparse import Namespace
from typing import Any

import lamina

from .. import datasets, models, nn, plot, serialization
from .._C import Tensor
from ..training import Trainer
from . import data, show
from .files import Recipe, recipe_of
from .run import finish
from .run import train as run

AVERAGE = 0.998  # the samples come from a running mean of the weights
JUDGED, SURE = 1000, 0.9


def train(arguments: Namespace) -> None:
    """`lamina train gan`."""
    x, y = data.rows(arguments.data, arguments.target)
    x = data.as_images(x, "gan", "images")
    parts = (x,) if y is None else (x, y)
    kept, held = datasets.split(*parts)
    lamina.manual_seed(arguments.seed)
    model = _build(arguments, tuple(x.shape[1:]))
    recipe = recipe_of(arguments, model, list(x.shape[1:]), extra={"target": arguments.target})
    sizes = [sum(p.numel() for p in net.parameters()) for net in (model.generator, model.discriminator)]
    show.say(
        arguments,
        f"gan ({arguments.kind}, {arguments.loss}): a generator of {sizes[0]:,} parameters and a discriminator of {sizes[1]:,}; "
        f"{len(kept[0]):,} images to train on, {len(held[0]):,} held out",
    )
    history = run(arguments, model, recipe, kept[0], ema=AVERAGE)
    samples = model.sample(JUDGED, seed=arguments.seed)
    title = f"gan on {' '.join(recipe.data)}"
    drawings = {
        "samples.png": lambda path: plot.grid(samples[:100], columns=10, path=path),
        "curves.png": lambda path: plot.curves(history, names=("discriminator", "generator"), path=path, title=title),
    }
    finish(arguments, model, recipe, drawings)
    near = [_nearest(some[:JUDGED], kept[0]) for some in (samples, held[0])]
    print(f"distance to the nearest training image: {near[0]:.3f} for samples, {near[1]:.3f} for held-out images")
    if y is not None and len(set(y.tolist())) > 1:
        _judge(arguments, samples, kept, held)


def _build(arguments: Namespace, shape: tuple[int, ...]) -> Any:
    common = {"latent": arguments.latent or 32, "loss": arguments.loss, "value_range": (0.0, 1.0)}
    if arguments.kind == "dense":
        return models.GAN(shape=shape, hidden=(256, 512), **common)
    channels, height, width = shape
    if height != width or height < 8 or height & (height - 1):
        raise ValueError(
            f"--kind dcgan needs square images of side 8, 16, 32 ..., these are {height}x{width}; use --kind dense"
        )
    return models.DCGAN(channels=channels, size=height, width=64, **common)


def _nearest(some: Tensor, among: Tensor) -> float:
    """The mean distance (2-norm) of images to the nearest of others."""
    parts = [lamina.cdist(part.flatten(1), among.flatten(1)).amin(1) for part in some.split(256)]
    return float(lamina.cat(parts).mean().item())


def _judge(arguments: Namespace, samples: Tensor, kept: tuple[Tensor, ...], held: tuple[Tensor, ...]) -> None:
    """A CNN trained on the real images says how sure it is of the samples, and how many kinds it sees."""
    classes = sorted({*kept[1].tolist(), *held[1].tolist()})
    number = {label: i for i, label in enumerate(classes)}
    labels = [lamina.tensor([number[v] for v in part[1].tolist()], dtype=lamina.int64) for part in (kept, held)]
    with lamina.random.fork_rng():
        lamina.manual_seed(arguments.seed)
        judge = models.CNN(channels=int(samples.shape[1]), width=16, classes=len(classes))
        options: dict[str, Any] = {"lr": 5e-3, "scheduler": "onecycle", "progress": False, "checks": False}
        Trainer(judge, steps=500, seed=arguments.seed, **options).fit((kept[0], labels[0]))
    accuracy = judge.evaluate((held[0], labels[1]))["accuracy"]
    found = [_verdict(judge, some) for some in (samples, held[0])]
    print(
        f"a CNN trained on the real images ({accuracy:.1%} right on held-out ones) looks at {len(samples):,} samples:"
    )
    shares = " ".join(f"{label}:{share:.0%}" for label, share in zip(classes, found[0][2], strict=True))
    if len(classes) <= 20:
        print(f"it takes them for {shares}")
    print(f"it is sure (above {SURE:.0%}) of {found[0][1]:.1%} of the samples; of held-out images {found[1][1]:.1%}")
    print(
        f"classifier score {found[0][0]:.2f} (sure of each, and all kinds alike: {len(classes)}; held-out images: "
        f"{found[1][0]:.2f})"
    )


def _verdict(judge: nn.Module, images: Tensor) -> tuple[float, float, list[float]]:
    """(exp of the mean divergence of p(class | image) from p(class), share it is sure of, p(class)): Salimans et al. 2016."""
    judge.eval()
    with lamina.no_grad():
        p = lamina.cat([judge(part) for part in images.split(500)]).double().softmax(1)
    whole = p.mean(0)
    divergence = (p * ((p + 1e-300).log() - (whole + 1e-300).log())).sum(1).mean().item()
    return math.exp(divergence), (p.amax(1) > SURE).double().mean().item(), whole.tolist()


def restore(recipe: Recipe, tensors: dict[str, Tensor]) -> Any:
    """The model of a file, before its weights are loaded."""
    return recipe.build()


def generate(arguments: Namespace, model: Any, recipe: Recipe) -> None:
    """`lamina generate` of a GAN."""
    save_images(model.sample(arguments.count, seed=arguments.seed), arguments.out)


def save_images(images: Tensor, path: str) -> None:
    """A grid as .png, or the images themselves as .safetensors."""
    if path.lower().endswith(".safetensors"):
        serialization.save_file({"images": images.contiguous()}, path)
    elif path.lower().endswith(".png"):
        plot.grid(images, columns=max(1, min(10, len(images))), path=path)
    else:
        raise ValueError(f"--out: expected a name ending in .png or .safetensors, got {path!r}")
    print(f"saved {path} ({len(images):,} images)")
