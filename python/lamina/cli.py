"""The `lamina` command: train, predict, info. Bad input ends in one line on stderr and a non-zero exit."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

import lamina


def _positive(kind: type[int] | type[float], zero: bool = False) -> Callable[[str], int | float]:
    def parse(text: str) -> int | float:
        try:
            value = kind(text)
        except ValueError:
            value = -1
        if not (0 <= value < float("inf")) or (value == 0 and not zero):
            noun = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(
                f"expected a {'non-negative' if zero else 'positive'} {noun}, got {text!r}"
            )
        return value

    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lamina",
        description="Train small networks on digits, IDX or CSV data, and use the saved models.",
        epilog="example: lamina train cnn --data digits --epochs 15 --out runs/cnn",
    )
    parser.add_argument("--version", action="version", version=f"lamina {lamina.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="{train,predict,info}", required=True)

    train = commands.add_parser(
        "train",
        help="train a model and save it",
        description="Trains a model, prints loss and accuracy per epoch and a confusion matrix, and saves "
        "model.safetensors and curves.png.",
    )
    train.add_argument("model", choices=("mlp", "cnn"), help="mlp: fully connected; cnn: convolutions, for images")
    _add_data(train, "digits")
    train.add_argument(
        "--test",
        nargs="+",
        metavar="FILE",
        help="held-out data in files of its own; else 20 %% of the rows are held out",
    )
    train.add_argument(
        "--epochs",
        type=_positive(int),
        default=argparse.SUPPRESS,
        help="passes over the data (default: mlp 30, cnn 15)",
    )
    train.add_argument("--batch", type=_positive(int), default=32, help="rows per step (default: 32)")
    train.add_argument(
        "--lr",
        type=_positive(float),
        default=argparse.SUPPRESS,
        help="highest learning rate (default: mlp 0.003, cnn 0.005)",
    )
    train.add_argument(
        "--seed", type=_positive(int, zero=True), default=0, help="the same seed gives the same bits (default: 0)"
    )
    _add_threads(train)
    train.add_argument(
        "--out", default=".", metavar="FOLDER", help="where model.safetensors and curves.png go (default: here)"
    )

    predict = commands.add_parser(
        "predict",
        help="classify data with a saved model",
        description="Classifies rows with a saved model; with labels it prints accuracy and a confusion matrix.",
    )
    predict.add_argument(
        "file",
        nargs="?",
        default="model.safetensors",
        help="a file that `lamina train` saved (default: model.safetensors)",
    )
    _add_data(predict, "digits")
    predict.add_argument(
        "--show", type=_positive(int, zero=True), default=10, metavar="N", help="rows to print (default: 10)"
    )
    predict.add_argument("--csv", default=None, metavar="FILE", help="write all predictions here")
    _add_threads(predict)

    commands.add_parser("info", help="print version, SIMD level, threads and devices")
    return parser


def _add_data(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--data",
        nargs="+",
        default=[default],
        metavar="DATA",
        help="digits (built in, the default); an IDX pair: images and labels, .gz or not; or one CSV of numbers",
    )
    parser.add_argument(
        "--target", default="-1", help="label column of a CSV: its name or number, or none (default: the last)"
    )


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=_positive(int),
        default=argparse.SUPPRESS,
        help="CPU threads (default: all that may be used)",
    )


def _info() -> None:
    from platform import python_version

    print(f"lamina {lamina.__version__} (Python {python_version()}, {sys.platform})")
    print(f"SIMD level  {lamina.simd_level()}")
    print(f"threads     {lamina.get_num_threads()} of {os.cpu_count()} CPUs")
    print("devices     cpu")
    if lamina.cuda.is_available():
        print("            cuda")
    else:
        print(f"            no cuda: {lamina.cuda.status()}")


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "info":
        _info()
        return
    if hasattr(arguments, "threads"):
        lamina.set_num_threads(arguments.threads)
    from lamina import _trainer

    if arguments.command == "train":
        _trainer.train(arguments)
    else:
        _trainer.predict(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv` and returns the exit status."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a usage line was printed
        return int(stop.code or 0)
    try:
        _run(arguments)
        sys.stdout.flush()
        return 0
    except KeyboardInterrupt:
        print("\nlamina: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `lamina ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (lamina.Error, ValueError, OSError, MemoryError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        print(f"lamina: error: {text}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
