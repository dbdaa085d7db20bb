"""Divergences of the further distributions, and between distributions of different kinds.

KL(p, q) = -entropy(p) - mean of log q(x) over x from p: most formulas below are that mean.
"""

from __future__ import annotations

import math
from typing import Any

import lamina

from .._C import Tensor
from .bounded import ContinuousBernoulli
from .cauchy import Cauchy, HalfNormal
from .continuous import MultivariateNormal, Normal, Uniform
from .counts import Binomial, Geometric
from .discrete import Bernoulli, Poisson
from .distribution import Distribution
from .exponential_family import ExponentialFamily, sum_event
from .extremes import EULER, Gumbel, Pareto
from .gamma import Beta, Gamma
from .kl import _infinite, _to_normal, kl_divergence, register_kl
from .matrices import LowRankMultivariateNormal
from .one_hot import OneHotCategorical
from .scale import Exponential, Laplace

_OUTSIDE: dict[type[Distribution], tuple[type[Distribution], ...]] = {  # weight where the others have none
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (ContinuousBernoulli, Pareto),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (ContinuousBernoulli, Exponential, Pareto),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}
for _p, _others in _OUTSIDE.items():
    for _q in _others:
        register_kl(_p, _q)(_infinite)
for _p in (ContinuousBernoulli, Exponential, Gumbel, Laplace, Pareto):
    register_kl(_p, Normal)(_to_normal)


def _to_exponential(p: Any, q: Exponential) -> Tensor:
    found: Tensor = q.rate * p.mean - q.rate.log() - p.entropy()
    return found


for _p in (Beta, ContinuousBernoulli, Gamma, Pareto):
    register_kl(_p, Exponential)(_to_exponential)


def _to_gamma(p: Any, q: Gamma, mean_log: Tensor) -> Tensor:
    c, rate = q.concentration, q.rate
    found: Tensor = rate * p.mean - (c - 1) * mean_log - c * rate.log() + lamina.lgamma(c) - p.entropy()
    return found


def _to_gumbel(p: Any, q: Gumbel, mean: Tensor, mean_exp: Tensor) -> Tensor:
    """mean and mean_exp: of z and of exp(-z), z = (x - loc) / scale."""
    found: Tensor = q.scale.log() + mean + mean_exp - p.entropy()
    return found


def _to_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Tensor:
    found: Tensor = -p.mean * q.logits - (-q.probs).log1p() - q._log_norm() - p.entropy()
    return found


register_kl(Beta, ContinuousBernoulli)(_to_continuous_bernoulli)
register_kl(ContinuousBernoulli, ContinuousBernoulli)(_to_continuous_bernoulli)


def _mean_log(p: Uniform) -> Tensor:
    """The mean of log x, x in [low, high)."""
    return (lamina.xlogy(p.high, p.high) - lamina.xlogy(p.low, p.low)) / (p.high - p.low) - 1


@register_kl(Binomial, Binomial)
def _(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("kl_divergence: two Binomials with more trials in q than in p have no closed form")
    rates = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return (p.total_count * rates).masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Cauchy, Cauchy)
def _(p: Cauchy, q: Cauchy) -> Tensor:
    return ((p.scale + q.scale).square() + (p.loc - q.loc).square()).log() - (4 * p.scale * q.scale).log()


@register_kl(Geometric, Geometric)
def _(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return _to_gumbel(p, q, apart + ratio * EULER, (lamina.lgamma(1 + ratio) - apart).exp())


@register_kl(HalfNormal, HalfNormal)
def _(p: HalfNormal, q: HalfNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


def _full(p: MultivariateNormal) -> MultivariateNormal:
    return MultivariateNormal(p.loc, scale_tril=p._lower, validate_args=False)


def _of_normals(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    return kl_divergence(_full(p), _full(q))


for _pair in (
    (LowRankMultivariateNormal, LowRankMultivariateNormal),
    (LowRankMultivariateNormal, MultivariateNormal),
    (MultivariateNormal, LowRankMultivariateNormal),
):
    register_kl(*_pair)(_of_normals)


@register_kl(OneHotCategorical, OneHotCategorical)
def _(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return kl_divergence(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return found.masked_fill(p.scale < q.scale, math.inf)


@register_kl(ExponentialFamily, ExponentialFamily)
def _(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """The Bregman divergence of the log-normalizer."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"kl_divergence: no formula for {type(p).__name__} and {type(q).__name__}, exponential families of "
            "different kinds; hint: add one with register_kl"
        )
    params, normal, slopes = p._at_natural_params()
    others = q._natural_params
    found = q._log_normalizer(*others) - normal
    for mine, its, slope in zip(params, others, slopes, strict=True):
        found = found - sum_event((its - mine) * slope, len(q.batch_shape))
    return found


@register_kl(Bernoulli, Poisson)
def _(p: Bernoulli, q: Poisson) -> Tensor:
    return q.rate - p.probs * q.rate.log() - p.entropy()


@register_kl(Exponential, Gamma)
def _(p: Exponential, q: Gamma) -> Tensor:
    return _to_gamma(p, q, -EULER - p.rate.log())


@register_kl(Pareto, Gamma)
def _(p: Pareto, q: Gamma) -> Tensor:
    return _to_gamma(p, q, p.scale.log() + 1 / p.alpha)


@register_kl(Uniform, Gamma)
def _(p: Uniform, q: Gamma) -> Tensor:
    return _to_gamma(p, q, _mean_log(p)).masked_fill(p.low < 0, math.inf)


@register_kl(Exponential, Gumbel)
def _(p: Exponential, q: Gumbel) -> Tensor:
    rate = p.rate * q.scale
    return _to_gumbel(p, q, 1 / rate - q.loc / q.scale, (q.loc / q.scale).exp() * rate / (rate + 1))


@register_kl(Gamma, Gumbel)
def _(p: Gamma, q: Gumbel) -> Tensor:
    rate, c = p.rate * q.scale, p.concentration
    return _to_gumbel(p, q, c / rate - q.loc / q.scale, (q.loc / q.scale - c * (1 / rate).log1p()).exp())


@register_kl(Normal, Gumbel)
def _(p: Normal, q: Gumbel) -> Tensor:
    apart = (p.loc - q.loc) / q.scale
    return _to_gumbel(p, q, apart, ((p.scale / q.scale).square() / 2 - apart).exp())


@register_kl(Uniform, Gumbel)
def _(p: Uniform, q: Gumbel) -> Tensor:
    low, high = (p.low - q.loc) / q.scale, (p.high - q.loc) / q.scale
    return _to_gumbel(p, q, (low + high) / 2, ((-low).exp() - (-high).exp()) / (high - low))


@register_kl(Normal, Laplace)
def _(p: Normal, q: Laplace) -> Tensor:
    z = (p.loc - q.loc) / p.scale
    distance = p.scale * (math.sqrt(2 / math.pi) * (-z.square() / 2).exp() + z * (z / math.sqrt(2)).erf())
    return (2 * q.scale).log() + distance / q.scale - p.entropy()


@register_kl(Uniform, Beta)
def _(p: Uniform, q: Beta) -> Tensor:
    a, b, size = q.concentration1, q.concentration0, p.high - p.low
    rest = Uniform(1 - p.high, 1 - p.low, validate_args=False)  # of 1 - x
    log_beta = lamina.lgamma(a) + lamina.lgamma(b) - lamina.lgamma(a + b)
    found = log_beta - (a - 1) * _mean_log(p) - (b - 1) * _mean_log(rest) - size.log()
    return found.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Uniform, ContinuousBernoulli)
def _(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    return _to_continuous_bernoulli(p, q).masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Uniform, Exponential)
def _(p: Uniform, q: Exponential) -> Tensor:
    return _to_exponential(p, q).masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Pareto)
def _(p: Uniform, q: Pareto) -> Tensor:
    found = (q.alpha + 1) * _mean_log(p) - q.alpha.log() - q.alpha * q.scale.log() - p.entropy()
    return found.masked_fill(p.low < q.scale, math.inf)


@register_kl(ContinuousBernoulli, Uniform)
def _(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    return ((q.high - q.low).log() - p.entropy()).masked_fill((q.low > 0) | (q.high < 1), math.inf)
