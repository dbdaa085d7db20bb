"""Prints a hash of the weights of an LSTM and a GPT after 50 training steps, for each number of threads."""

from __future__ import annotations

import hashlib
import json
import sys

import lamina
from harness import to_numpy
from lamina import models, optim

MAKERS = {
    "lstm": lambda: models.RecurrentLM(vocab=61, width=48, hidden=80, layers=2, dropout=0.1),
    "gpt": lambda: models.GPT(vocab=61, context=33, width=64, layers=2, heads=4, dropout=0.1),
}


def weights_after(name: str, steps: int) -> str:
    lamina.manual_seed(3)
    model = MAKERS[name]()
    optimizer = optim.AdamW(model.parameters(), 3e-3)
    for _ in range(steps):
        ids = lamina.randint(0, 61, (12, 34))
        optimizer.zero_grad()
        model.training_loss(ids[:, :-1], ids[:, 1:]).backward()
        optimizer.step()
    h = hashlib.sha256()
    for p in model.parameters():
        h.update(to_numpy(p).tobytes())
    return h.hexdigest()[:16]


def main() -> None:
    out = {}
    for threads in [int(a) for a in sys.argv[1:]] or [1]:
        lamina.set_num_threads(threads)
        for name in MAKERS:
            out[f"{threads}/{name}"] = weights_after(name, 50)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
