"""Estimators for scikit-learn: `LaminaClassifier` and `LaminaRegressor`, for its pipelines, searches and scores.

Needs scikit-learn: pip install "lamina[sklearn]".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import lamina

from . import nn
from ._C import Tensor

try:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]
    from sklearn.utils import check_random_state  # type: ignore[import-untyped]
    from sklearn.utils.multiclass import check_classification_targets  # type: ignore[import-untyped]
    from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        f'lamina.sklearn needs scikit-learn 1.6 or later ({error}): pip install "lamina[sklearn]"'
    ) from error

if TYPE_CHECKING:
    from .training import History

__all__ = ["LaminaClassifier", "LaminaRegressor"]

Factory = Callable[[int, int], nn.Module]


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

    def _train(self, x: Any, y: Tensor, outputs: int) -> None:
        """Makes the module and trains it on rows x (N, n_features_in_) float64 and targets y."""
        from .models import MLP
        from .training import Trainer

        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        rows = lamina.from_numpy(x)
        self.mean_, self.scale_ = _moments(rows) if self.standardize else (None, None)
        with lamina.random.fork_rng():
            lamina.manual_seed(seed)
            if self.module is None:
                shape = {"inputs": self.n_features_in_, "hidden": tuple(self.hidden), "classes": outputs}
                self.module_ = MLP(None, **shape, dropout=self.dropout)
            else:
                self.module_ = self.module(self.n_features_in_, outputs)
        trainer = Trainer(
            self.module_,
            loss=self._loss,
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
        self.history_ = trainer.fit((self._scaled(rows), y), validation=held)
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


def _moments(rows: Tensor) -> tuple[Any, Any]:
    """(mean, standard deviation) of each column as arrays; 1 where a column is constant."""
    var, mean = lamina.var_mean(rows, 0, correction=0)
    std = var.sqrt()
    return mean.numpy(), lamina.where(std > 0, std, lamina.ones_like(std)).numpy()


class LaminaClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A neural network as a scikit-learn classifier: rows (n_samples, n_features), one label a row.

    The network is an MLP with layers `hidden` and `dropout`, or what `module(n_features, n_classes)` makes: any module
    that gives logits. It is trained with cross entropy by lamina.Trainer, whose options `epochs`, `batch_size`, `lr`,
    `weight_decay`, `optimizer` and `scheduler` are; `standardize` brings features to mean 0 and deviation 1 before.
    `early_stopping` is a number of epochs without a better loss on the held-out `validation_fraction`.
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

    def fit(self, X: Any, y: Any) -> LaminaClassifier:
        """Trains anew; raises ValueError for data that scikit-learn refuses."""
        x, y = validate_data(self, X, y, dtype=np.float64, order="C")
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self._train(x, lamina.from_numpy(numbers.astype(np.int64)), len(self.classes_))
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

    def fit(self, X: Any, y: Any) -> LaminaRegressor:
        """Trains anew; raises ValueError for data that scikit-learn refuses."""
        x, y = validate_data(self, X, y, dtype=np.float64, order="C", multi_output=True, y_numeric=True)
        targets = lamina.from_numpy(np.ascontiguousarray(y, dtype=np.float64).reshape(len(y), -1))
        self._flat = y.ndim == 1
        self.target_mean_, self.target_scale_ = _moments(targets) if self.standardize else (None, None)
        if self.target_mean_ is not None:
            targets = (targets - lamina.from_numpy(self.target_mean_)) / lamina.from_numpy(self.target_scale_)
        self._train(x, targets.float(), int(targets.shape[1]))
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
