"""Training: fit, Trainer, callbacks, checkpoints, and checks that say what is wrong with a run."""

from __future__ import annotations

from .._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from .callbacks import Callback as Callback
    from .callbacks import EarlyStopping as EarlyStopping
    from .checkpoint import Checkpoint as Checkpoint
    from .energy import EnergyMeter as EnergyMeter
    from .evaluation import evaluate as evaluate
    from .evaluation import predict as predict
    from .history import History as History
    from .trainer import Trainer as Trainer
    from .trainer import fit as fit
    from .warnings import NaNLossError as NaNLossError
    from .warnings import TrainingWarning as TrainingWarning
    from .watching import Watch as Watch
    from .watching import watch as watch

_FILES = {
    "callbacks": "Callback EarlyStopping",
    "checkpoint": "Checkpoint",
    "energy": "EnergyMeter",
    "evaluation": "evaluate predict",
    "history": "History",
    "trainer": "Trainer fit",
    "warnings": "NaNLossError TrainingWarning",
    "watching": "Watch watch",
}

__getattr__, __dir__, __all__ = lazy(__name__, _FILES)
