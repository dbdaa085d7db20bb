"""Probability distributions with PyTorch's names: samples, densities, moments, entropies and divergences."""

from . import constraints as constraints
from . import transforms as transforms
from .continuous import MultivariateNormal, Normal, Uniform
from .discrete import Bernoulli, Categorical, Poisson
from .distribution import Distribution
from .gamma import Beta, Dirichlet, Gamma
from .independent import Independent
from .kl import kl_divergence, register_kl
from .scale import Exponential, Laplace, LogNormal
from .transformed_distribution import TransformedDistribution
from .transforms import *  # noqa: F403

__all__ = [
    *transforms.__all__,
    "Bernoulli",
    "Beta",
    "Categorical",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "Gamma",
    "Independent",
    "Laplace",
    "LogNormal",
    "MultivariateNormal",
    "Normal",
    "Poisson",
    "TransformedDistribution",
    "Uniform",
    "constraints",
    "kl_divergence",
    "register_kl",
    "transforms",
]
