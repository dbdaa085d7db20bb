"""How well a recurrent network forecasts a real series: the sea temperatures that come with lamina, a year ahead."""

from __future__ import annotations

import math
import time
from argparse import Namespace
from typing import Any

import lamina
from lamina import datasets, models, timeseries

HISTORY, HORIZON, SEASON = 24, 12, 12  # months


def _windows(series: lamina.Tensor) -> list[Any]:
    """Windows of the training, validation and test part: nothing that is forecast is in two of them."""
    parts = timeseries.time_split(series, history=HISTORY)
    return [timeseries.windows(part, HISTORY, HORIZON, targets=[0]) for part in parts]


def _columns(dataset: Any) -> list[lamina.Tensor]:
    return [lamina.stack(list(column)) for column in zip(*dataset, strict=True)]


def forecast(options: Namespace) -> dict[str, Any]:
    """Every 12 months of the last 15 % from the 24 months before; the 15 % before these choose when to stop."""
    celsius = datasets.elnino().unsqueeze(1)
    known = timeseries.time_split(celsius)[0]
    scaler = timeseries.Standardizer().fit(known)
    month = lamina.arange(len(celsius)) % SEASON
    angle = month.float().unsqueeze(1) * (2 * math.pi / SEASON)
    train, validation, test = _windows(lamina.cat([scaler(celsius), angle.sin(), angle.cos()], 1))
    lamina.manual_seed(options.seed)
    model = models.Forecaster(features=3, targets=1, horizon=HORIZON, hidden=48, kind="gru", dropout=0.2)
    settings: dict[str, Any] = {"lr": 3e-3, "weight_decay": 0.01, "epochs": 60, "early_stopping": 12}
    trainer = lamina.Trainer(model, steps=options.steps, seed=options.seed, progress=False, **settings)
    clock, used = time.perf_counter(), time.process_time()
    history = trainer.fit(train, validation)
    spent = {"wall_seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - used}

    past, target = _columns(_windows(celsius)[2])
    means = lamina.cat([known[i::SEASON].mean(0) for i in range(SEASON)])[month].unsqueeze(1)
    guesses = {
        "forecaster": scaler.inverse(model.predict(_columns(test)[0])),
        "mean_of_month": _columns(_windows(means)[2])[1],
        "seasonal_naive": timeseries.seasonal_naive(past, HORIZON, SEASON),
        "naive": timeseries.naive(past, HORIZON),
    }
    errors = {
        name: {
            "mase": timeseries.mase(guess, target, known, SEASON).item(),
            "smape": timeseries.smape(guess, target).item(),
            "celsius": (guess - target).abs().mean().item(),
        }
        for name, guess in guesses.items()
    }
    return {"forecasts": len(target), "epochs": history[-1]["epoch"], **errors, **spent}
