"""The words of the `lamina` command: its subcommands, their options, defaults and examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lamina

DESCRIPTION = "Trains networks, each in under two minutes with no data of your own, and uses the models it saves."
DATA = "digits (built in, the default); an IDX pair: images and labels, .gz or not; or one CSV of numbers"
TEXT = "UTF-8 text files, one after another (default: the sources of Python's standard library on this machine)"


@dataclass(frozen=True)
class Family:
    """What `lamina train NAME` is by default."""

    help: str
    example: str
    batch: int
    lr: float
    epochs: int | None = None
    steps: int | None = None


FAMILIES = {
    "mlp": Family(
        "classifier of fully connected layers: accuracy and confusion matrix",
        "lamina train mlp --data table.csv --target kind --epochs 40",
        32,
        3e-3,
        epochs=60,
    ),
    "cnn": Family(
        "classifier of convolutions, for images: accuracy and confusion matrix",
        "lamina train cnn --data digits --out runs/cnn",
        32,
        5e-3,
        epochs=20,
    ),
    "lstm": Family(
        "recurrent language model of characters: perplexity and a sample of text",
        "lamina train lstm --data book.txt --cell gru --steps 2000 --out runs/book",
        16,
        4e-3,
        steps=1500,
    ),
    "transformer": Family(
        "GPT of characters: perplexity and a sample of text",
        "lamina train transformer --width 192 --layers 4 --steps 5000 --checkpoint-every 500",
        16,
        4e-3,
        steps=1000,
    ),
    "autoencoder": Family(
        "reconstructs its input and finds anomalies: reconstruction error and ROC-AUC",
        "lamina train autoencoder --data digits --anomaly 3 --out runs/ae",
        32,
        2e-3,
        epochs=150,
    ),
    "gan": Family(
        "makes images: a grid of samples and what a classifier says of them",
        "lamina train gan --data train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz --epochs 20",
        64,
        2e-4,
        epochs=400,
    ),
}


def number(kind: type[int] | type[float], zero: bool = False, most: float = float("inf")) -> Callable[[str], Any]:
    """A parser of positive numbers; `zero` allows 0, `most` is the largest."""

    def parse(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            value = -1
        if not (0 <= value < float("inf")) or (value == 0 and not zero) or value > most:
            noun = "whole number" if kind is int else "number"
            end = "" if most == float("inf") else f" up to {most:g}"
            raise argparse.ArgumentTypeError(
                f"expected a {'non-negative' if zero else 'positive'} {noun}{end}, got {text!r}"
            )
        return value

    return parse


def whole_numbers(text: str) -> tuple[int, ...]:
    """256,128 as (256, 128)."""
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"expected whole numbers such as 256,128, got {text!r}")
    return tuple(int(part) for part in parts)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _make(argparse.ArgumentParser, DESCRIPTION, FAMILIES["cnn"].example, prog="lamina")
    top.add_argument("--version", action="version", version=f"lamina {lamina.__version__}")
    commands = top.add_subparsers(dest="command", metavar="{train,predict,generate,summary,info}", required=True)
    _train(commands)
    _predict(commands)
    _generate(commands)
    _summary(commands)
    _make(commands.add_parser, "Prints version, SIMD level, threads, devices and extras.", "lamina info", "info")
    return top


def _make(maker: Callable[..., Any], text: str, example: str, *names: str, **options: Any) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = maker(
        *names,
        description=text,
        epilog=f"example: {example}",
        allow_abbrev=False,
        **({"help": options.pop("help", text[0].lower() + text[1:].rstrip("."))} if names else {}),
        **options,
    )
    return made


def _train(commands: Any) -> None:
    train = _make(
        commands.add_parser,
        "Trains a model, prints its figure on held-out data, and saves model.safetensors and pictures. "
        "`lamina train MODEL --help` lists the options: --data, --epochs, --out, --resume ...",
        FAMILIES["cnn"].example,
        "train",
        help="train a model and save it",
    )
    models = train.add_subparsers(dest="model", metavar="{" + ",".join(FAMILIES) + "}", required=True)
    for name, family in FAMILIES.items():
        text = f"{family.help[0].upper()}{family.help[1:]}."
        one = _make(models.add_parser, text, family.example, name, help=family.help)
        if name in ("lstm", "transformer"):
            one.add_argument("--data", nargs="+", metavar="FILE", help=TEXT)
        else:
            _data(one)
        _OPTIONS[name](one)
        _run(one, family)


def _classifier(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--test",
        nargs="+",
        metavar="FILE",
        help="held-out data in files of its own; else 20 %% of the rows are held out",
    )
    one.add_argument(
        "--augment",
        action=argparse.BooleanOptionalAction,
        help="turn, shift and scale images a little at random while training (default: for digits alone)",
    )
    one.add_argument("--dropout", type=number(float, True, 0.95), help="share of values that training sets to zero")


def _mlp(one: argparse.ArgumentParser) -> None:
    _classifier(one)
    one.add_argument("--hidden", type=whole_numbers, help="widths of the hidden layers (default: 256,128)")


def _cnn(one: argparse.ArgumentParser) -> None:
    _classifier(one)
    one.add_argument("--width", type=number(int), help="channels of the first stage (default: 32)")


def _language(one: argparse.ArgumentParser) -> None:
    one.add_argument("--layers", type=number(int), help="how many layers (default: 1 for lstm, 2 for transformer)")
    one.add_argument("--context", type=number(int), help="characters in a training window (default: 64)")
    one.add_argument("--dropout", type=number(float, True, 0.95), help="share of values set to zero (default: 0)")
    one.add_argument("--prompt", help="beginning of the sample (default: that of the held-out text)")


def _lstm(one: argparse.ArgumentParser) -> None:
    one.add_argument("--cell", choices=("lstm", "gru", "rnn"), default="lstm", help="kind of cell (default: lstm)")
    one.add_argument("--width", type=number(int), help="size of the state (default: 256)")
    _language(one)


def _transformer(one: argparse.ArgumentParser) -> None:
    one.add_argument("--width", type=number(int), help="size of the vectors (default: 128)")
    one.add_argument("--heads", type=number(int), help="heads of attention, which divide the width (default: 4)")
    _language(one)


def _autoencoder(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--kind", choices=("dense", "conv", "vae"), default="dense", help="layers; vae: variational (default: dense)"
    )
    one.add_argument("--latent", type=number(int), help="numbers in the code (default: 10)")
    one.add_argument(
        "--anomaly",
        metavar="LABEL",
        help="label whose rows are anomalies, never trained on; or shuffled: rows of mixed values (default: the last "
        "label; shuffled where there are no labels)",
    )


def _gan(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--kind",
        choices=("dense", "dcgan"),
        default="dense",
        help="linear layers, or convolutions, for square images of side 8, 16, 32 ... (default: dense)",
    )
    one.add_argument(
        "--loss",
        choices=("bce", "wasserstein_gp"),
        default="bce",
        help="the classic loss or WGAN-GP's (default: bce)",
    )
    one.add_argument("--latent", type=number(int), help="numbers of noise that an image is made from (default: 32)")


_OPTIONS = {
    "mlp": _mlp,
    "cnn": _cnn,
    "lstm": _lstm,
    "transformer": _transformer,
    "autoencoder": _autoencoder,
    "gan": _gan,
}


def _data(one: argparse.ArgumentParser) -> None:
    one.add_argument("--data", nargs="+", default=["digits"], metavar="DATA", help=DATA)
    one.add_argument(
        "--target", default="-1", help="label column of a CSV: its name or number, or none (default: the last)"
    )


def _threads(one: argparse.ArgumentParser) -> None:
    one.add_argument("--threads", type=number(int), help="CPU threads (default: all that may be used)")


def _run(one: argparse.ArgumentParser, family: Family) -> None:
    run = one.add_argument_group("the run")
    length = f" (default: {family.epochs})" if family.epochs else ""
    run.add_argument("--epochs", type=number(int), help=f"passes over the data{length}")
    length = f" (default: {family.steps})" if family.steps else ""
    run.add_argument("--steps", type=number(int), help=f"steps of the optimizer{length}")
    run.add_argument("--batch", type=number(int), default=family.batch, help=f"rows a step (default: {family.batch})")
    run.add_argument(
        "--lr", type=number(float), default=family.lr, help=f"highest learning rate (default: {family.lr:g})"
    )
    run.add_argument("--seed", type=number(int, True), default=0, help="the same seed gives the same bits (default: 0)")
    _threads(run)  # type: ignore[arg-type]
    run.add_argument(
        "--precision", choices=("float32", "bf16"), default="float32", help="of the products (default: float32)"
    )
    run.add_argument("--out", default=".", metavar="FOLDER", help="where the model and pictures go (default: here)")
    run.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        metavar="FILE",
        help="go on where a run with the same options was interrupted (default: checkpoint.safetensors in --out)",
    )
    run.add_argument(
        "--checkpoint-every",
        metavar="N",
        help='steps from one checkpoint to the next, or "N epochs"; it then stays when the run is done',
    )
    run.add_argument("--log", metavar="FILE", help="the course of the run: .csv, .jsonl, or a folder for TensorBoard")
    run.add_argument("--quiet", action="store_true", help="print the final figure alone")


def _file(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "file",
        nargs="?",
        default="model.safetensors",
        help="a file that `lamina train` saved (default: model.safetensors)",
    )


def _predict(commands: Any) -> None:
    one = _make(
        commands.add_parser,
        "Classifies rows with a saved classifier, or scores them with a saved autoencoder; with labels it prints how "
        "good that is.",
        "lamina predict runs/cnn/model.safetensors --data digits --csv predictions.csv",
        "predict",
        help="classify or score data with a saved model",
    )
    _file(one)
    _data(one)
    one.add_argument("--show", type=number(int, True), default=10, metavar="N", help="rows to print (default: 10)")
    one.add_argument("--csv", metavar="FILE", help="write all predictions here")
    _threads(one)


def _generate(commands: Any) -> None:
    one = _make(
        commands.add_parser,
        "Writes text with a saved language model, or draws a grid of images with a saved GAN or VAE.",
        'lamina generate runs/book/model.safetensors --prompt "Once upon" --length 400 --temperature 0.7',
        "generate",
        help="write text or draw images with a saved model",
    )
    _file(one)
    text = one.add_argument_group("text")
    text.add_argument("--prompt", help="beginning of the text (default: a line break)")
    text.add_argument("--length", type=number(int, True), default=500, help="characters to write (default: 500)")
    text.add_argument("--temperature", type=number(float, True), default=0.8, help="0: the most likely (default: 0.8)")
    text.add_argument("--top-k", type=number(int), help="draw from the K most likely characters alone")
    text.add_argument("--top-p", type=number(float, most=1), help="draw from the likeliest that sum to this share")
    images = one.add_argument_group("images")
    images.add_argument("--count", type=number(int), default=100, help="how many images (default: 100)")
    images.add_argument(
        "--out", default="samples.png", metavar="FILE", help="a .png, or a .safetensors (default: samples.png)"
    )
    one.add_argument("--seed", type=number(int, True), default=0, help="the same seed gives the same (default: 0)")
    _threads(one)


def _summary(commands: Any) -> None:
    one = _make(
        commands.add_parser,
        "Prints the layers of a saved model or of a named one, with shapes, parameters, operations and memory.",
        "lamina summary resnet18 --input 1,3,64,64",
        "summary",
        help="print the layers of a model",
    )
    one.add_argument("model", help="a file that `lamina train` saved, or a name in lamina.models such as resnet18")
    one.add_argument("--input", type=whole_numbers, metavar="SHAPE", help="shape of the input, such as 1,1,28,28")
    one.add_argument("--depth", type=number(int, True), help="hide layers that lie deeper")
