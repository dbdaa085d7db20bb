"""The `lamina` command: train, predict, generate, summary, info.

Bad input ends in one line on stderr and a non-zero exit.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import lamina

from ._cli.arguments import parser

if TYPE_CHECKING:
    from argparse import Namespace


def _run(arguments: Namespace) -> None:
    if getattr(arguments, "threads", None) is not None:
        lamina.set_num_threads(arguments.threads)
    if arguments.command in ("info", "summary"):
        from ._cli import inspect

        inspect.info() if arguments.command == "info" else inspect.summary(arguments)
        return
    from ._cli import files

    if arguments.command == "train":
        files.family(arguments.model).train(arguments)
        return
    model, recipe = files.read(arguments.file)
    do = getattr(files.family(recipe.model), arguments.command, None)
    if do is None:
        other = "generate" if arguments.command == "predict" else "predict"
        raise ValueError(
            f"{arguments.file}: a model of `lamina train {recipe.model}` does not {arguments.command}; "
            f"use `lamina {other} {arguments.file}`"
        )
    do(arguments, model, recipe)


def _warn(message: Warning | str, *place: object, **more: object) -> None:
    print(f"lamina: warning: {' '.join(str(message).split())}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line `argv` and returns the exit status."""
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:  # --help, --version, or a usage line was printed
        return int(stop.code or 0)
    arguments.words = list(sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            _run(arguments)
        sys.stdout.flush()
        return 0
    except KeyboardInterrupt as error:
        print(f"\nlamina: {error or 'interrupted'}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `lamina ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (lamina.Error, ValueError, OSError, MemoryError, ImportError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        print(f"lamina: error: {text}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
