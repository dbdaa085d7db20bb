"""What a run shows: a progress bar, and lines between."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """A tqdm bar where tqdm is installed and stderr is a terminal; lines said in between always appear."""

    def __init__(self, steps: int | None, done: int = 0) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm  # type: ignore[import-untyped]
            except ImportError:
                return
            self._bar = tqdm(total=steps, initial=done, unit="step", leave=False, dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, note: str = "") -> None:
        """One step more; the note appears behind the bar's rate and time left."""
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()

    def say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.write(line)
        else:
            print(line, flush=True)
