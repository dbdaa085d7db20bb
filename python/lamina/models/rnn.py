"""Recurrent models: a classifier of sequences, a language model and a forecaster, each of LSTM, GRU or plain cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lamina

from .. import nn
from .._C import Tensor
from .._C import functional as F
from ..metrics._denominator import classes_counted
from . import _checks
from ._language import LanguageModel, check_ids, generating
from ._model import Model

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def _recurrent(config: Any, inputs: int, bidirectional: bool = False) -> Any:
    between = config.dropout if config.layers > 1 else 0.0
    options: dict[str, Any] = {"batch_first": True, "dropout": between, "bidirectional": bidirectional}
    return KINDS[config.kind](inputs, config.hidden, config.layers, **options)


def _check_common(owner: str, config: Any) -> None:
    _checks.whole(owner, hidden=config.hidden, layers=config.layers)
    _checks.number(owner, 0, 1, dropout=config.dropout)
    _checks.choice(owner, tuple(KINDS), kind=config.kind)


@dataclass
class RecurrentClassifierConfig:
    """Sizes of a RecurrentClassifier; with `vocab` its inputs are ids, embedded as `inputs` values."""

    inputs: int = 8  # values a step
    hidden: int = 64
    layers: int = 1
    classes: int = 2
    kind: str = "lstm"  # or "gru", "rnn"
    bidirectional: bool = True
    dropout: float = 0.1
    pool: str = "last"  # the state after the last step; or "mean" or "max" over the real steps
    vocab: int | None = None
    pad: int = 0  # the id that fills up short rows

    def __post_init__(self) -> None:
        _check_common("RecurrentClassifierConfig", self)
        _checks.whole("RecurrentClassifierConfig", inputs=self.inputs, classes=self.classes)
        _checks.choice("RecurrentClassifierConfig", ("last", "mean", "max"), pool=self.pool)
        if self.vocab is not None:
            _checks.whole("RecurrentClassifierConfig", vocab=self.vocab)
            if not 0 <= self.pad < self.vocab:
                raise ValueError(f"RecurrentClassifierConfig: pad {self.pad} is outside of the vocab of {self.vocab}")


class RecurrentClassifier(Model):
    """Classes of sequences: (N, T, inputs) floats, or ids (N, T) with `vocab`, -> logits (N, classes).

    lengths int (N): how many steps of each row are real; for ids without lengths, all up to the last that is not `pad`.
    What follows has no influence. Batches are (x, y) or (x, lengths, y).

    >>> import lamina
    >>> model = lamina.models.RecurrentClassifier(inputs=3, classes=5, kind="gru")
    >>> model(lamina.zeros(4, 7, 3), lengths=lamina.tensor([7, 3, 1, 5])).shape
    (4, 5)
    """

    def __init__(self, config: RecurrentClassifierConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(RecurrentClassifierConfig, config, overrides)
        self.embed = nn.Embedding(config.vocab, config.inputs, config.pad) if config.vocab else None
        self.rnn = _recurrent(config, config.inputs, config.bidirectional)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden * (2 if config.bidirectional else 1), config.classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        config = self.config
        lengths = None if lengths is None else lamina.as_tensor(lengths)
        if self.embed is not None:
            check_ids("RecurrentClassifier", x)
            lengths = _lengths(x, config.pad) if lengths is None else lengths
            x = self.embed(x)
        elif x.dim() != 3 or x.shape[2] != config.inputs or x.shape[1] == 0:
            raise lamina.ShapeError(
                f"RecurrentClassifier: expected (N, T, {config.inputs}) with T >= 1, got shape {tuple(x.shape)}"
            )
        else:
            _checks.check_floats("RecurrentClassifier", x)
        out, state = self.rnn(x, lengths=lengths)
        logits: Tensor = self.head(self.drop(self._pool(out, state, lengths)))
        return logits

    def _pool(self, out: Tensor, state: Any, lengths: Tensor | None) -> Tensor:
        if self.config.pool == "last":
            h = state[0] if self.config.kind == "lstm" else state
            return lamina.cat([h[-2], h[-1]], 1) if self.config.bidirectional else h[-1]
        if lengths is None:
            return out.mean(1) if self.config.pool == "mean" else out.amax(1)
        lengths = lengths.to(out.device)
        if self.config.pool == "mean":  # outputs behind the end are 0
            return out.sum(1) / lengths.clamp(min=1).unsqueeze(1).to(out.dtype)
        real = lamina.arange(out.shape[1], device=out.device) < lengths.clamp(min=1).unsqueeze(1)
        return out.masked_fill(~real.unsqueeze(2), float("-inf")).amax(1)

    def training_loss(self, *batch: Any) -> Tensor:
        """The cross entropy of logits: (x, y) or (x, lengths, y) -> ()."""
        logits, y = self.metric_inputs(*batch)
        return F.cross_entropy(logits, y)

    def loss_denominator(self, *batch: Any) -> float | None:
        """The targets that are not -100."""
        return classes_counted(batch[-1])

    def metric_inputs(self, *batch: Any) -> tuple[Any, ...]:
        if len(batch) not in (2, 3):
            raise ValueError(
                f"RecurrentClassifier: a batch should be (x, y) or (x, lengths, y), got {len(batch)} fields"
            )
        return self(*batch[:-1]), batch[-1]


def _lengths(ids: Tensor, pad: int) -> Tensor:
    """Steps up to the last one that is not padding, at least 1: (N, T) -> (N)."""
    numbers = lamina.arange(1, ids.shape[1] + 1, device=ids.device)
    return ((ids != pad).to(lamina.int64) * numbers).amax(1).clamp(min=1)


@dataclass
class RecurrentLMConfig:
    """Sizes of a RecurrentLM."""

    vocab: int = 256
    width: int = 128  # of the embedding
    hidden: int = 256
    layers: int = 1
    kind: str = "lstm"  # or "gru", "rnn"
    dropout: float = 0.1
    context: int = 64  # tokens a training window
    tie: bool = False  # the output layer is the embedding (arXiv 1608.05859); needs width == hidden

    def __post_init__(self) -> None:
        _check_common("RecurrentLMConfig", self)
        _checks.whole("RecurrentLMConfig", vocab=self.vocab, width=self.width, context=self.context)
        if self.tie and self.width != self.hidden:
            raise ValueError(f"RecurrentLMConfig: tie needs width == hidden, got {self.width} and {self.hidden}")


class RecurrentLM(LanguageModel):
    """A language model that carries a state: ids int64 (N, T) -> logits (N, T, vocab) of the token after each place.

    `run(ids, state)` also takes and gives the state, so that a text may be read in parts, with the same bits as at once.

    >>> import lamina
    >>> model = lamina.models.RecurrentLM(vocab=10, width=4, hidden=8)
    >>> model(lamina.tensor([[1, 2, 3]])).shape, model.generate([1, 2], 3, seed=0).shape
    ((1, 3, 10), (5,))
    """

    def __init__(self, config: RecurrentLMConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(RecurrentLMConfig, config, overrides)
        self.embed = nn.Embedding(config.vocab, config.width)
        self.rnn = _recurrent(config, config.width)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, config.vocab)
        if config.tie:
            self.head.weight = self.embed.weight
            nn.init.normal_(self.embed.weight, 0.0, config.width**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        return self.run(ids)[0]

    def run(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(logits (N, T, vocab), the state after the last token): (N, T) from a state, or from none."""
        hidden, state = self._hidden(ids, state)
        return self.head(hidden), state

    def _hidden(self, ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        check_ids("RecurrentLM", ids)
        out, state = self.rnn(self.drop(self.embed(ids)), state)
        return self.drop(out), state

    def _stepper(self, rows: int, length: int, cache: bool) -> Callable[[Tensor], Tensor]:
        seen, state = 0, None

        def step(ids: Tensor) -> Tensor:
            nonlocal seen, state
            hidden, after = self._hidden(ids[:, seen:], state)
            if cache:
                seen, state = int(ids.shape[1]), after
            logits: Tensor = self.head(hidden[:, -1])
            return logits

        return step


@dataclass
class ForecasterConfig:
    """Sizes of a Forecaster."""

    features: int = 1  # values of the series a step
    targets: int | None = None  # the first so many of them are forecast; None: all
    horizon: int = 1  # steps ahead
    hidden: int = 64
    layers: int = 1
    kind: str = "lstm"  # or "gru", "rnn"
    dropout: float = 0.0
    residual: bool = True  # forecasts are differences from the last value

    def __post_init__(self) -> None:
        _check_common("ForecasterConfig", self)
        _checks.whole("ForecasterConfig", features=self.features, horizon=self.horizon)
        if self.targets is not None:
            _checks.whole("ForecasterConfig", targets=self.targets)
            if self.targets > self.features:
                raise ValueError(f"ForecasterConfig: {self.targets} targets of only {self.features} features")


class Forecaster(Model):
    """Forecasts of a series: windows (N, T, features) -> the next steps (N, horizon, targets).

    The loss is the mean squared error; with `residual` the network says how far each step is from the last value, so an
    untrained one forecasts about that value. Scale series to about unit size.

    >>> import lamina
    >>> model = lamina.models.Forecaster(features=3, targets=1, horizon=4)
    >>> model(lamina.zeros(5, 20, 3)).shape
    (5, 4, 1)
    """

    def __init__(self, config: ForecasterConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        self.config = config = Model.configure(ForecasterConfig, config, overrides)
        self.rnn = _recurrent(config, config.features)
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, config.horizon * (config.targets or config.features))

    def forward(self, x: Tensor) -> Tensor:
        config = self.config
        if x.dim() != 3 or x.shape[2] != config.features or x.shape[1] == 0:
            hint = "; a plain series (N, T) becomes one by x.unsqueeze(2)" if x.dim() == 2 else ""
            raise lamina.ShapeError(
                f"Forecaster: expected windows (N, T, {config.features}) with T >= 1, got shape {tuple(x.shape)}{hint}"
            )
        _checks.check_floats("Forecaster", x)
        targets = config.targets or config.features
        out, _ = self.rnn(x)
        steps: Tensor = self.head(self.drop(out[:, -1])).reshape(-1, config.horizon, targets)
        return steps + x[:, -1:, :targets] if config.residual else steps

    def training_loss(self, *batch: Any) -> Tensor:
        """The mean squared error: windows (N, T, features), what followed (N, horizon, targets) -> ()."""
        if len(batch) != 2:
            raise ValueError(
                f"Forecaster.training_loss: a batch should be (window, what followed), got {len(batch)} fields"
            )
        out, y = self(batch[0]), batch[1]
        if tuple(y.shape) != tuple(out.shape):
            raise lamina.ShapeError(
                f"Forecaster.training_loss: what followed must be {tuple(out.shape)} (N, horizon, targets), got "
                f"{tuple(y.shape)}"
            )
        return F.mse_loss(out, y)

    def metrics(self) -> dict[str, Any]:
        return {}

    def prediction(self, x: Tensor) -> Tensor:
        """The forecast: (N, T, features) -> (N, horizon, targets)."""
        forecast: Tensor = self(x)
        return forecast

    def generate(self, x: Tensor, steps: int) -> Tensor:
        """A forecast of any length: (N, T, features) -> (N, steps, features), each `horizon` going on from the last.

        Needs a model that forecasts all features; the window keeps its length.
        """
        config = self.config
        _checks.whole("Forecaster.generate", steps=steps)
        if (config.targets or config.features) != config.features:
            raise ValueError(
                f"Forecaster.generate: only {config.targets} of {config.features} features are forecast, so there is "
                "nothing to go on with; hint: targets=None"
            )
        parts: list[Tensor] = []
        with generating(self):
            for _ in range(-(-steps // config.horizon)):
                parts.append(self(x))
                x = lamina.cat([x, parts[-1]], 1)[:, -x.shape[1] :]
        return lamina.cat(parts, 1)[:, :steps]


LSTMClassifier, LSTMLM, LSTMForecaster = RecurrentClassifier, RecurrentLM, Forecaster  # the default kind is LSTM
