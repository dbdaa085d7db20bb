"""Probability distributions with PyTorch's names: samples, densities, moments, entropies and divergences."""

from . import constraints as constraints
from . import kl_pairs as kl_pairs
from . import transforms as transforms
from .bounded import ContinuousBernoulli, LogisticNormal, VonMises
from .cauchy import Cauchy, HalfCauchy, HalfNormal
from .constraint_registry import biject_to, transform_to
from .continuous import MultivariateNormal, Normal, Uniform
from .counts import Binomial, Geometric, Multinomial, NegativeBinomial
from .discrete import Bernoulli, Categorical, Poisson
from .distribution import Distribution
from .exponential_family import ExponentialFamily
from .extremes import GeneralizedPareto, Gumbel, Kumaraswamy, Pareto, Weibull
from .gamma import Beta, Dirichlet, Gamma
from .gamma_kin import Chi2, FisherSnedecor, InverseGamma, StudentT
from .independent import Independent
from .kl import kl_divergence, register_kl
from .matrices import LKJCholesky, LowRankMultivariateNormal, Wishart
from .mixture import MixtureSameFamily
from .one_hot import (
    ExpRelaxedCategorical,
    LogitRelaxedBernoulli,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from .scale import Exponential, Laplace, LogNormal
from .transformed_distribution import TransformedDistribution
from .transforms import *  # noqa: F403

__all__ = [
    *transforms.__all__,
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "Dirichlet",
    "Distribution",
    "ExpRelaxedCategorical",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LogitRelaxedBernoulli",
    "LowRankMultivariateNormal",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "StudentT",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "constraints",
    "kl_divergence",
    "register_kl",
    "transform_to",
    "transforms",
]
