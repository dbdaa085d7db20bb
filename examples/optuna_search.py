"""Optuna looks for the width, dropout and learning rate of an MLP, and gives up early on what begins badly.

Needs Optuna: pip install "lamina[tune]".

python examples/optuna_search.py
"""

import lamina
import optuna
from lamina.models import MLP
from lamina.training import Callback

(x, y), test = lamina.datasets.split(*lamina.datasets.digits())
train, validation = lamina.datasets.split(x, y, seed=1)  # the test rows have no part in the search


class Pruning(Callback):
    """Tells the trial each epoch's validation accuracy, and stops a run that others have left behind."""

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, trainer, record):
        self.trial.report(record["val_accuracy"], record["epoch"])
        if self.trial.should_prune():
            raise optuna.TrialPruned


def fitted(params, **options):
    lamina.manual_seed(0)
    model = MLP(hidden=(params["width"],), dropout=params["dropout"])
    history = model.fit(train, epochs=8, batch_size=64, lr=params["lr"], progress=False, **options)
    return model, history


def objective(trial):
    params = {
        "width": trial.suggest_int("width", 8, 256, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.6),
        "lr": trial.suggest_float("lr", 1e-5, 1e-1, log=True),
    }
    return fitted(params, validation=validation, callbacks=[Pruning(trial)])[1][-1]["val_accuracy"]


optuna.logging.set_verbosity(optuna.logging.WARNING)
sampler = optuna.samplers.TPESampler(seed=0)
study = optuna.create_study(direction="maximize", sampler=sampler, pruner=optuna.pruners.MedianPruner(5, 2))
study.optimize(objective, n_trials=25)

pruned = len(study.get_trials(states=[optuna.trial.TrialState.PRUNED]))
accuracy = fitted(study.best_params)[0].evaluate(test)["accuracy"]
print(f"{len(study.trials)} trials, {pruned} given up early; best: {study.best_params}")
print(f"held-out accuracy of the best {accuracy:.1%} (at least 95%)")
assert accuracy >= 0.95
