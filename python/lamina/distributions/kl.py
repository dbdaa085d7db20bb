"""kl_divergence and the table of its formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import lamina

from .._C import Tensor
from .continuous import MultivariateNormal, Normal, Uniform, solve_lower
from .discrete import Bernoulli, Categorical, Poisson
from .distribution import Distribution
from .gamma import Beta, Dirichlet, Gamma
from .independent import Independent
from .scale import Exponential, Laplace, LogNormal
from .transformed_distribution import TransformedDistribution

F = TypeVar("F", bound=Callable[..., Any])
_TABLE: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type[Distribution], type_q: type[Distribution]) -> Callable[[F], F]:
    """Decorator: the function gives kl_divergence(p, q) for these types and their subclasses.

    Libraries have base classes of their own that are no Distribution: any class may be one of the two.
    """
    for which in (type_p, type_q):
        if not isinstance(which, type):
            raise TypeError(f"register_kl: expected a class of distributions, got {which!r}")

    def decorator(function: F) -> F:
        _TABLE[type_p, type_q] = function
        return function

    return decorator


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The mean of log p(x) - log q(x) over x from p: the Kullback-Leibler divergence.

    >>> import lamina
    >>> from lamina.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0)).item()
    0.5
    """
    for left in type(p).__mro__:
        for right in type(q).__mro__:
            if (left, right) in _TABLE:
                return _TABLE[left, right](p, q)
    raise NotImplementedError(
        f"kl_divergence: no formula for {type(p).__name__} and {type(q).__name__}; "
        "hint: add one with register_kl, or average p.log_prob(x) - q.log_prob(x) over samples x of p"
    )


def _times_log(t: Tensor, ratio_log: Tensor) -> Tensor:
    """t * log, and 0 where t is 0."""
    return lamina.where(t == 0, 0.0, t * ratio_log)


@register_kl(Bernoulli, Bernoulli)
def _(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = _times_log(p.probs, _soft(-q.logits) - _soft(-p.logits))
    zero = _times_log(1 - p.probs, _soft(q.logits) - _soft(p.logits))
    one = one.masked_fill((q.probs == 0) & (p.probs > 0), math.inf)
    return one + zero.masked_fill((q.probs == 1) & (p.probs < 1), math.inf)


def _soft(x: Tensor) -> Tensor:
    return lamina.nn.functional.softplus(x)


@register_kl(Categorical, Categorical)
def _(p: Categorical, q: Categorical) -> Tensor:
    t = p.probs * (p.logits - q.logits)
    t = lamina.where((q.probs == 0).expand(tuple(t.shape)), math.inf, t)
    return lamina.where((p.probs == 0).expand(tuple(t.shape)), 0.0, t).sum(-1)


@register_kl(Normal, Normal)
def _(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).square() - 1 - ratio.log())


@register_kl(Uniform, Uniform)
def _(p: Uniform, q: Uniform) -> Tensor:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return found.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(Gamma, Gamma)
def _(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    rates = b * (p.rate / q.rate).log() + a * (q.rate / p.rate - 1)
    return rates + lamina.lgamma(b) - lamina.lgamma(a) + (a - b) * lamina.digamma(a)


@register_kl(Dirichlet, Dirichlet)
def _(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    sums = lamina.lgamma(total) - lamina.lgamma(b.sum(-1)) - (lamina.lgamma(a) - lamina.lgamma(b)).sum(-1)
    return sums + ((a - b) * (lamina.digamma(a) - lamina.digamma(total).unsqueeze(-1))).sum(-1)


@register_kl(Beta, Beta)
def _(p: Beta, q: Beta) -> Tensor:
    return kl_divergence(p._dirichlet, q._dirichlet)


@register_kl(MultivariateNormal, MultivariateNormal)
def _(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise lamina.ShapeError(
            f"kl_divergence: the event shapes {p.event_shape} and {q.event_shape} of the normals differ"
        )
    size = p.event_shape[0]
    both = [p._lower, (p.loc - q.loc).unsqueeze(-1)]
    batch = tuple((p.loc + q.loc).shape[:-1])
    wide = lamina.cat([m.expand((*batch, *m.shape[-2:])) for m in both], -1)
    white = solve_lower(q._lower, wide)  # the squares of both parts sum to the trace and the Mahalanobis distance
    return q._half_log_det() - p._half_log_det() + 0.5 * (white.square().sum((-2, -1)) - size)


def _to_normal(p: Any, q: Normal) -> Tensor:
    """-entropy(p) - mean of log q, which needs the first two moments alone."""
    spread = (p.variance + (p.mean - q.loc).square()) / q.variance
    found: Tensor = q.scale.log() + 0.5 * math.log(2 * math.pi) + 0.5 * spread - p.entropy()
    return found


for _type in (Uniform, Beta, Gamma):
    register_kl(_type, Normal)(_to_normal)


@register_kl(Beta, Uniform)
def _(p: Beta, q: Uniform) -> Tensor:
    found = -p.entropy() + (q.high - q.low).log()
    return found.masked_fill((q.low > 0) | (q.high < 1), math.inf)


@register_kl(Beta, Gamma)
def _(p: Beta, q: Gamma) -> Tensor:
    a, total, c = p.concentration1, p.concentration1 + p.concentration0, q.concentration
    logs = (c - 1) * (lamina.digamma(a) - lamina.digamma(total))
    return -p.entropy() - c * q.rate.log() + lamina.lgamma(c) - logs + q.rate * a / total


def _infinite(p: Distribution, q: Distribution) -> Tensor:
    """p puts weight where q has none."""
    return (p.mean + q.mean) * 0 + math.inf


for _type_p, _type_q in ((Normal, Uniform), (Normal, Beta), (Normal, Gamma), (Gamma, Uniform), (Gamma, Beta)):
    register_kl(_type_p, _type_q)(_infinite)


@register_kl(Exponential, Exponential)
def _(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Laplace, Laplace)
def _(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(LogNormal, LogNormal)
def _(p: LogNormal, q: LogNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Poisson, Poisson)
def _(p: Poisson, q: Poisson) -> Tensor:
    return _times_log(p.rate, p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            "kl_divergence: two TransformedDistributions need equal transforms and event shapes, got "
            f"{p.transforms!r} and {q.transforms!r}"
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "kl_divergence: two Independent distributions need the same reinterpreted_batch_ndims, got "
            f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}"
        )
    return p.added(kl_divergence(p.base_dist, q.base_dist))
