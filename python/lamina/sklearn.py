"""Estimators for scikit-learn: `LaminaClassifier` and `LaminaRegressor`, for its pipelines, searches and scores.

Needs scikit-learn: pip install "lamina[sklearn]".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import lamina

from . import nn
from ._C import Tensor
from ._C import functional as F

try:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]
    from sklearn.utils import check_random_state, compute_sample_weight  # type: ignore[import-untyped]
    from sklearn.utils.multiclass import check_classification_targets  # type: ignore[import-untyped]
    from sklearn.utils.validation import (  # type: ignore[import-untyped]
        _check_sample_weight,
        check_is_fitted,
        validate_data,
    )
except ImportError as error:
    raise ImportError(
        f'lamina.sklearn needs scikit-learn 1.6 or later ({error}): pip install "lamina[sklearn]"'
    ) from error

if TYPE_CHECKING:
    from .training import History

__all__ = ["LaminaClassifier", "LaminaRegressor"]

Factory = Callable[[int, int], nn.Module]


class _Weighted(nn.Module):
    """A module whose rows count by weights of mean 1: batches (x, y, weight)."""

    def __init__(self, module: nn.Module, errors: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.module, self.errors = module, errors

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.module(x)
        return out

    def training_loss(self, x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
        """The mean over rows of weight * error: () float32."""
        return (weight * self.errors(self.module(x), y)).mean()


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """Settings, training and the forward pass that both estimators share."""

    _loss = ""
    n_features_in_: int
    module_: nn.Module
    history_: History
    mean_: Any  # of each feature, and its standard deviation; None unless standardize
    scale_: Any

    def __init__(
        self,
        module: Factory | None = None,
        *,
        hidden: tuple[int, ...] = (100,),
        dropout: float = 0.0,
        epochs: int = 100,
        batch_size: int = 32,
        lr: float = 3e-3,
        weight_decay: float = 1e-4,
        optimizer: Any = "adamw",
        scheduler: Any = "cosine",
        standardize: bool = True,
        early_stopping: int | None = None,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.module, self.hidden, self.dropout, self.epochs, self.batch_size = (
            module,
            hidden,
            dropout,
            epochs,
            batch_size,
        )
        self.lr, self.weight_decay, self.optimizer, self.scheduler = lr, weight_decay, optimizer, scheduler
        self.standardize, self.early_stopping, self.validation_fraction = (
            standardize,
            early_stopping,
            validation_fraction,
        )
        self.random_state, self.verbose = random_state, verbose

    def _errors(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of each row: (N, outputs), targets of N rows -> (N)."""
        raise NotImplementedError

    def _train(self, x: Any, y: Tensor, outputs: int, weight: Any) -> None:
        """Makes the module and trains it on rows x (N, n_features_in_) float64, targets y and weights (N) or None."""
        from .models import MLP
        from .training import Trainer

        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        rows = lamina.from_numpy(x)
        self.mean_, self.scale_ = _moments(rows, weight) if self.standardize else (None, None)
        with lamina.random.fork_rng():
            lamina.manual_seed(seed)
            if self.module is None:
                shape = {"inputs": self.n_features_in_, "hidden": tuple(self.hidden), "classes": outputs}
                self.module_ = MLP(None, **shape, dropout=self.dropout)
            else:
                self.module_ = self.module(self.n_features_in_, outputs)
        trainer = Trainer(
            self.module_ if weight is None else _Weighted(self.module_, self._errors),
            loss=self._loss if weight is None else None,
            optimizer=self.optimizer,
            lr=self.lr,
            weight_decay=None if callable(self.optimizer) else self.weight_decay,
            scheduler=self.scheduler,
            epochs=self.epochs,
            batch_size=self.batch_size,
            early_stopping=self.early_stopping,
            progress=self.verbose,
            checks=False,
            seed=seed,
        )
        held = None if self.early_stopping is None else float(self.validation_fraction)
        fields = (
            (self._scaled(rows), y) if weight is None else (self._scaled(rows), y, lamina.from_numpy(weight).float())
        )
        self.history_ = trainer.fit(fields, validation=held)
        self.n_iter_ = len(self.history_)

    def _scaled(self, rows: Tensor) -> Tensor:
        if self.mean_ is not None:
            rows = (rows - lamina.from_numpy(self.mean_)) / lamina.from_numpy(self.scale_)
        return rows.float()

    def _outputs(self, X: Any) -> Tensor:
        """The module's outputs for rows X, in float64."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        rows = self._scaled(lamina.from_numpy(x))
        self.module_.eval()
        with lamina.no_grad():
            parts: list[Tensor] = [self.module_(rows[i : i + 256]) for i in range(0, len(rows), 256)]
        return lamina.cat(parts).double()


def _counted(x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
    """(x, y, weights of mean 1) of the rows whose weight is not 0; None where all weigh the same."""
    kept = weight > 0
    if not kept.any():
        raise ValueError("sample_weight: all weights are zero; at least one row has to count")
    x, y, weight = x[kept], y[kept], weight[kept]
    return x, y, None if (weight == weight[0]).all() else weight / weight.max() / (weight / weight.max()).mean()


def _moments(rows: Tensor, weight: Any = None) -> tuple[Any, Any]:
    """(mean, standard deviation) of each column as arrays; 1 where a column is constant."""
    if weight is None:
        var, mean = lamina.var_mean(rows, 0, correction=0)
    else:
        share = lamina.from_numpy(weight / weight.sum()).unsqueeze(1)
        mean = (rows * share).sum(0)
        var = ((rows - mean).square() * share).sum(0)
    std = var.sqrt()
    return mean.numpy(), lamina.where(std > 0, std, lamina.ones_like(std)).numpy()


class LaminaClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A neural network as a scikit-learn classifier: rows (n_samples, n_features), one label a row.

    The network is an MLP with layers `hidden` and `dropout`, or what `module(n_features, n_classes)` makes: any module
    that gives logits. It is trained with cross entropy by lamina.Trainer, whose options `epochs`, `batch_size`, `lr`,
    `weight_decay`, `optimizer` and `scheduler` are; `standardize` brings features to mean 0 and deviation 1 before.
    `early_stopping` is a number of epochs without a better loss on the held-out `validation_fraction`.
    `class_weight` is {label: weight}, or "balanced": n_samples / (n_classes * rows of the class).
    `random_state` decides weights, order and dropout; an int makes every run the same to the bit. `verbose` shows the
    epochs. After fit: `classes_`, `n_features_in_`, `module_`, `history_`, `n_iter_`.

    >>> from lamina.sklearn import LaminaClassifier
    >>> model = LaminaClassifier(epochs=20, random_state=0).fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"])
    >>> model.predict([[0.1], [2.9]]).tolist()
    ['a', 'b']
    >>> model.predict_proba([[0.1]]).shape
    (1, 2)
    """

    _loss = "cross_entropy"

    def __init__(
        self,
        module: Factory | None = None,
        *,
        hidden: tuple[int, ...] = (100,),
        dropout: float = 0.0,
        epochs: int = 100,
        batch_size: int = 32,
        lr: float = 3e-3,
        weight_decay: float = 1e-4,
        optimizer: Any = "adamw",
        scheduler: Any = "cosine",
        standardize: bool = True,
        early_stopping: int | None = None,
        validation_fraction: float = 0.1,
        class_weight: Any = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        shared = {name: value for name, value in locals().items() if name not in ("self", "class_weight", "__class__")}
        super().__init__(**shared)
        self.class_weight = class_weight

    def _errors(self, output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target, reduction="none")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LaminaClassifier:
        """Trains anew; rows count by `sample_weight` (n_samples), not negative. ValueError for what scikit-learn refuses.

        Each batch's loss is the mean of weight * error, the weights having the mean 1 over all rows: a row of weight 2
        pulls twice as much, one of weight 0 is left out.
        """
        x, y = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        weight = None
        if sample_weight is not None or self.class_weight is not None:
            weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
            if self.class_weight is not None:
                weight = weight * compute_sample_weight(self.class_weight, y)
            x, numbers, weight = _counted(x, numbers, weight)
        self._train(x, lamina.from_numpy(numbers.astype(np.int64)), len(self.classes_), weight)
        return self

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n_samples, n_classes), in the order of `classes_`."""
        return self._outputs(X).softmax(1).numpy()

    def predict(self, X: Any) -> Any:
        """The most probable label of each row (n_samples)."""
        numbers = self._outputs(X).argmax(1).numpy()
        return self.classes_[numbers]


class LaminaRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A neural network as a scikit-learn regressor: rows (n_samples, n_features), targets (n_samples[, n_outputs]).

    As LaminaClassifier, but trained with the mean squared error; `standardize` scales the targets too. `module(
    n_features, n_outputs)` makes any module that gives (n_samples, n_outputs).

    >>> from lamina.sklearn import LaminaRegressor
    >>> X = [[i / 10] for i in range(20)]
    >>> model = LaminaRegressor(epochs=60, random_state=0).fit(X, [3 * row[0] + 1 for row in X])
    >>> model.score(X, [3 * row[0] + 1 for row in X]) > 0.99
    True
    """

    _loss = "mse"
    target_mean_: Any
    target_scale_: Any

    def _errors(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target, reduction="none").mean(1)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LaminaRegressor:
        """Trains anew; rows count by `sample_weight` as in LaminaClassifier.fit. ValueError for what scikit-learn refuses."""
        x, y = validate_data(self, X, y, dtype=np.float64, order="C", multi_output=True, y_numeric=True)
        self._flat, weight = y.ndim == 1, None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
            x, y, weight = _counted(x, y, weight)
        targets = lamina.from_numpy(np.ascontiguousarray(y, dtype=np.float64).reshape(len(y), -1))
        self.target_mean_, self.target_scale_ = _moments(targets, weight) if self.standardize else (None, None)
        if self.target_mean_ is not None:
            targets = (targets - lamina.from_numpy(self.target_mean_)) / lamina.from_numpy(self.target_scale_)
        self._train(x, targets.float(), int(targets.shape[1]), weight)
        return self

    def predict(self, X: Any) -> Any:
        """The targets of each row (n_samples[, n_outputs])."""
        out = self._outputs(X)
        if self.target_mean_ is not None:
            out = out * lamina.from_numpy(self.target_scale_) + lamina.from_numpy(self.target_mean_)
        return (out.reshape(-1) if self._flat else out).numpy()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
