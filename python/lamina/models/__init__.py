"""Complete models: each is one file, its config dataclass first."""

from .cnn import CNN, CNNConfig
from .mlp import MLP, MLPConfig

__all__ = ["CNN", "MLP", "CNNConfig", "MLPConfig"]
