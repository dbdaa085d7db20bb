"""How good what lamina trains is: figures of docs/results.md, each from one command and a seed.

usage: python bench/quality.py TOPIC [--seed 0] [--threads 1] [--steps N] [--json bench/results/quality.json]

topics: digits (MLP and CNN), fashion (a CNN; needs the four IDX files), language (character GPT and LSTM beside PyTorch),
forecast (a series against naive forecasts), exact (the bits of trained weights at other thread counts and SIMD levels).
`--json` puts the figures of the topic into a file that may hold those of others. Everything but the seconds is the same
each time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pathlib
import platform
from typing import Any

import lamina

TOPICS = {
    "digits": "quality_vision",
    "fashion": "quality_vision",
    "language": "quality_text",
    "forecast": "quality_series",
    "exact": "quality_text",
}


def rounded(value: Any) -> Any:
    """Four digits behind the point are enough for a table."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def keep(path: pathlib.Path, topic: str, figures: dict[str, Any]) -> None:
    """Writes the figures of one topic into the file, beside those of the others."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept[topic] = figures
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: kept[name] for name in TOPICS if name in kept}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topic", choices=TOPICS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, help="end after so many steps (to see that it runs)")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="folder of the IDX files")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    lamina.set_num_threads(options.threads)
    about = {
        "lamina": lamina.__version__,
        "simd": lamina.simd_level(),
        "python": platform.python_version(),
        "seed": options.seed,
        "threads": options.threads,
    }
    figures = getattr(importlib.import_module(TOPICS[options.topic]), options.topic)(options)
    figures = rounded({**about, **figures})
    print(json.dumps(figures, indent=1))
    if options.json:
        keep(options.json, options.topic, figures)


if __name__ == "__main__":
    main()
