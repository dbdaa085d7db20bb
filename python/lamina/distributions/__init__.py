"""Probability distributions with PyTorch's names: samples, densities, moments, entropies and divergences."""

from . import constraints as constraints
from .continuous import MultivariateNormal, Normal, Uniform
from .discrete import Bernoulli, Categorical
from .distribution import Distribution
from .gamma import Beta, Dirichlet, Gamma
from .kl import kl_divergence, register_kl

__all__ = [
    "Bernoulli",
    "Beta",
    "Categorical",
    "Dirichlet",
    "Distribution",
    "Gamma",
    "MultivariateNormal",
    "Normal",
    "Uniform",
    "constraints",
    "kl_divergence",
    "register_kl",
]
