"""autoencoder: makes its input again through a narrow code; what it cannot make again is an anomaly."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import lamina

from .. import datasets, models, plot
from .._C import Generator, Tensor
from ..metrics import AUC
from ..models import AnomalyDetector, Model
from . import data, show
from .files import Recipe, recipe_of
from .run import finish
from .run import train as run

NOISE, QUANTILE = 0.2, 0.95


class Coder(Model):
    """An Autoencoder or VAE behind the standardisation of its inputs: (N, *shape) -> (N, *shape)."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.model.prediction((x - self.mean) / self.std) * self.std + self.mean
        return made

    prediction = forward

    def training_loss(self, *batch: Any) -> Tensor:
        """The model's own loss; labels are not read."""
        loss: Tensor = self.model.training_loss((batch[0] - self.mean) / self.std)
        return loss

    def reconstruction_error(self, x: Tensor) -> Tensor:
        """Mean error of each row, in units of the standardised values: (N, *shape) -> (N)."""
        errors: Tensor = self.model.reconstruction_error((x - self.mean) / self.std)
        return errors

    def metrics(self) -> dict[str, Any]:
        return {}


def train(arguments: Namespace) -> None:
    """`lamina train autoencoder`."""
    x, y = data.rows(arguments.data, arguments.target)
    if arguments.kind == "conv":
        x = data.as_images(x, "--kind conv", "--kind dense")
    anomaly = _anomaly(arguments.anomaly, y)
    normal = x if anomaly is None or y is None else x[(y != anomaly).nonzero().flatten()]
    if len(normal) < 10:
        raise ValueError(f"--data: {len(normal)} normal rows are too few; at least 10 are needed")
    (kept,), (held,) = datasets.split(normal)
    calibration, test = held[::2], held[1::2]  # the threshold comes from one half, the figures from the other
    odd = _shuffled(test, arguments.seed) if anomaly is None or y is None else x[(y == anomaly).nonzero().flatten()]
    lamina.manual_seed(arguments.seed)
    images = x.dim() == 4
    bare = _build(arguments, tuple(x.shape[1:]), images)
    one = lamina.ones(1)
    coder = Coder(bare, *((0 * one, one) if images else data.moments(kept)))
    extra = {"target": arguments.target, "anomaly": anomaly}
    recipe = recipe_of(arguments, bare, list(x.shape[1:]), extra=extra)
    what = "rows of shuffled values" if anomaly is None else f"label {anomaly}"
    show.say(
        arguments,
        f"autoencoder ({arguments.kind}, code of {bare.config.latent}) with "
        f"{sum(p.numel() for p in coder.parameters()):,} parameters; {len(kept):,} normal rows to train on, {len(held):,} "
        f"held out; anomalies: {len(odd):,} {'' if anomaly is None else 'rows of '}{what}, never trained on",
    )
    history = run(arguments, coder, recipe, (kept,), (test,), scheduler="warmup_cosine")
    detector = AnomalyDetector(coder)
    detector.fit_threshold(calibration, QUANTILE)
    detector.eval()
    made = coder.predict(test)
    title = f"autoencoder on {' '.join(recipe.data)}"
    scores, truth = _ranked(detector, test, odd)
    drawings = {"curves.png": lambda path: plot.curves(history, path=path, title=title)}
    if images:
        some = lamina.cat([test[:6], odd[:4]])
        shown = coder.predict(some)
        drawings["reconstructions.png"] = lambda path: plot.reconstructions(
            some, shown, path=path, title=f"held-out rows, and on the right four anomalies ({what})"
        )
    drawings["roc.png"] = lambda path: plot.roc(scores, truth, path=path, title=f"anomalies: {what}")
    finish(arguments, detector, recipe, drawings)
    error, spread = (made - test).square().mean().item(), (test - kept.mean(0)).square().mean().item()
    explained = f", {1 - error / spread:.1%} of the variance" if spread > 0 else ""
    caught, false = detector.predict(odd).float().mean().item(), detector.predict(test).float().mean().item()
    print(
        f"held-out reconstruction error {error:.5f} (mean square{explained} explained)"
        if explained
        else f"held-out reconstruction error {error:.5f} (mean square)"
    )
    print(
        f"at the threshold {float(detector.threshold.item()):.5f}: {caught:.1%} of the anomalies found, {false:.1%} false alarms"
    )
    print(
        f"anomaly detection ROC-AUC {_area(scores, truth):.4f} ({len(odd):,} anomalies: {what}; {len(test):,} normal rows)"
    )


def _anomaly(wanted: str | None, y: Tensor | None) -> int | None:
    """The label that stands for anomalies; None: shuffled rows."""
    if wanted == "shuffled" or (y is None and wanted is None):
        return None
    if y is None:
        raise ValueError(f"--anomaly {wanted}: the data has no labels; use --anomaly shuffled")
    labels = sorted(set(y.tolist()))
    if wanted is None:
        return labels[-1] if 1 < len(labels) <= 100 else None
    if wanted.lstrip("-").isdigit() and int(wanted) in labels and len(labels) > 1:
        return int(wanted)
    raise ValueError(
        f"--anomaly: expected shuffled or one of several labels ({', '.join(map(str, labels[:12]))}"
        f"{' ...' if len(labels) > 12 else ''}), got {wanted!r}"
    )


def _shuffled(x: Tensor, seed: int) -> Tensor:
    """Rows whose values come from other rows, each from its own: right one by one, wrong together."""
    generator = Generator().manual_seed(seed)
    flat = x.flatten(1)
    columns = [flat[:, i][lamina.randperm(len(x), generator=generator)] for i in range(flat.shape[1])]
    return lamina.stack(columns, 1).reshape(x.shape)


def _build(arguments: Namespace, shape: tuple[int, ...], images: bool) -> Any:
    latent = arguments.latent or 10
    if arguments.kind == "vae":
        return models.VAE(shape=shape, latent=latent, hidden=(256, 128), loss="bce" if images else "mse")
    hidden = (256, 128) if arguments.kind == "dense" else (32, 64)
    return models.Autoencoder(shape=shape, latent=latent, kind=arguments.kind, hidden=hidden, noise=NOISE)


def _ranked(detector: AnomalyDetector, normal: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
    """(scores, 1 for anomalies) of both kinds of rows."""
    scores = lamina.cat([detector.score(normal), detector.score(odd)])
    return scores, lamina.cat([lamina.zeros(len(normal)), lamina.ones(len(odd))]).long()


def _area(scores: Tensor, truth: Tensor) -> float:
    metric = AUC()
    metric.update(scores, truth)
    return float(metric.compute())


def restore(recipe: Recipe, tensors: dict[str, Tensor]) -> AnomalyDetector:
    """The model of a file, before its weights are loaded."""
    return AnomalyDetector(Coder(recipe.build(), tensors["model.mean"], tensors["model.std"]))


def predict(arguments: Namespace, model: AnomalyDetector, recipe: Recipe) -> None:
    """`lamina predict` of an autoencoder: scores and flags."""
    x, y = data.rows(arguments.data, arguments.target)
    if len(recipe.shape) == 3:
        x = data.as_images(x, "this autoencoder", "data like that it was trained on")
    data.check_shape(x, recipe.shape)
    scores, threshold = model.score(x), float(model.threshold.item())
    flags = model._above(scores).tolist()
    truth = None if y is None else y.tolist()
    for i, score in enumerate(scores[: arguments.show].tolist()):
        known = "" if truth is None else f"  label {truth[i]}"
        print(f"row {i}: score {score:.5f}{known}{'  <- anomaly' if flags[i] else ''}")
    print(f"{sum(flags):,} of {len(flags):,} rows above the threshold {threshold:.5f} are anomalies")
    anomaly = recipe.extra.get("anomaly")
    if truth is not None and anomaly is not None and 0 < truth.count(anomaly) < len(truth):
        area = _area(scores, lamina.tensor([int(t == anomaly) for t in truth]))
        note = "; most of the others were trained on" if recipe.data == arguments.data else ""
        print(f"ROC-AUC {area:.4f} for label {anomaly} ({truth.count(anomaly):,} rows{note})")
    if arguments.csv:
        with open(arguments.csv, "w", encoding="utf-8") as file:
            file.write("row,score,anomaly\n")
            file.writelines(
                f"{i},{s:.7g},{int(f)}\n" for i, (s, f) in enumerate(zip(scores.tolist(), flags, strict=True))
            )
        print(f"saved {arguments.csv}")


def generate(arguments: Namespace, model: AnomalyDetector, recipe: Recipe) -> None:
    """`lamina generate` of a VAE."""
    from .gan import save_images

    if recipe.kind != "VAE" or len(recipe.shape) != 3:
        raise ValueError(
            f"{arguments.file}: a plain autoencoder cannot draw; `lamina train autoencoder --kind vae` can"
        )
    coder: Any = model.model
    save_images(coder.model.sample(arguments.count, seed=arguments.seed), arguments.out)
