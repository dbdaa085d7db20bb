"""Samples of the standard gamma distribution, their derivative in its parameter, and its distribution function.

Everything is computed in float64 and in the logarithm of the sample, which neither underflows for small parameters.
"""

from __future__ import annotations

import math
from typing import Any

import lamina

from .._C import Tensor
from ..autograd.function import Function, once_differentiable

_STEP = 0.125
_NODES = [-4.0 + _STEP * i for i in range(85)]  # of the double-exponential rule, w = c exp(u - exp(-u))


def _sample_log(a: Tensor) -> Tensor:
    """log of one sample for each parameter: Marsaglia and Tsang's rejection (2000); below 1, a + 1 and a power of U.

    Each round draws for all elements, so that a sample depends on the seed and its own place and parameter alone.
    """
    size, kind = tuple(a.shape), {"dtype": lamina.float64, "device": a.device}
    small = a < 1
    d = lamina.where(small, a + 1, a) - 1.0 / 3
    c = 1 / (9 * d).sqrt()
    found, waiting = lamina.zeros_like(d), lamina.ones_like(d) > 0
    boost = (1 - lamina.rand(size, **kind)).log() / a
    while waiting.any().item():
        x, u = lamina.randn(size, **kind), lamina.rand(size, **kind)
        root = 1 + c * x
        log_v = 3 * root.clamp(min=1e-300).log()
        good = (root > 0) & (u.log() < 0.5 * x * x + d * (1 - root * root * root + log_v)) & waiting
        found = lamina.where(good, d.log() + log_v, found)
        waiting = waiting & ~good
    return lamina.where(small, found + boost, found)


def _scale(a: Tensor, z: Tensor, lower: Tensor) -> Tensor:
    """About the width in w on which the integrands below live."""
    inner = 1 / ((a - z).clamp(min=0) + z.sqrt())
    return lamina.where(lower, lamina.where((z <= 1) | (a < 1), 1 / a, inner), 1 / (z - a + z.sqrt()))


def _integrals(a: Tensor, log_z: Tensor, level: Tensor | None) -> tuple[Tensor, Tensor]:
    """With f the density of Gamma(a, 1) and t = z exp(-+w): (integral of weight(t) f(t) dt / (z f(z)), lower).

    Where `lower` (z <= a + 1) the integral runs over t < z, elsewhere over t > z: always the side without
    cancellation. The weight is 1, or log t - level.
    """
    z = log_z.exp()
    lower = z <= a + 1
    c, sign = _scale(a, z, lower), lamina.where(lower, -1.0, 1.0).to(lamina.float64)
    total = lamina.zeros_like(a)
    for u in _NODES:
        w = c * math.exp(u - math.exp(-u))
        part = w * (1 + math.exp(-u)) * (sign * a * w - z * (sign * w).clamp(max=700).expm1()).exp()
        if level is not None:
            part = part * (log_z - level + sign * w)
        total = total + part
    return total * _STEP, lower


def log_gradient(a: Tensor, log_z: Tensor) -> Tensor:
    """d log z / d a at a fixed value of the distribution function F(z; a), from -(dF / da) / (z dF / dz).

    dF / da is the integral of (log t - digamma(a)) f(t) dt up to z (Figurnov, Mohamed and Mnih 2018: implicit
    reparameterization gradients). About 10 correct digits.
    """
    found, lower = _integrals(a, log_z, lamina.digamma(a))
    return lamina.where(lower, -found, found)


def distribution_function(a: Tensor, x: Tensor) -> Tensor:
    """P(X <= x) of Gamma(a, 1), the regularized lower incomplete gamma function."""
    dtype = x.dtype
    a, x = a.to(lamina.float64), x.to(lamina.float64)
    log_z = x.clamp(min=1e-300).log()
    found, lower = _integrals(a, log_z, None)
    found = found * (a * log_z - log_z.exp() - lamina.lgamma(a)).exp()
    found = lamina.where(lower, found, 1 - found)
    return lamina.where(x > 0, found, 0.0).clamp(0, 1).to(dtype)


class _LogGamma(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        wide = a.detach().to(lamina.float64)
        log_z = _sample_log(wide)
        ctx.save_for_backward(a, log_z.detach())
        return log_z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        a, log_z = ctx.saved_tensors
        wide = a.detach().to(lamina.float64)
        return (grad * log_gradient(wide, log_z.detach())).to(a.dtype)


def log_standard_gamma(concentration: Tensor) -> Tensor:
    """log of samples of Gamma(concentration, 1) in float64, differentiable in the concentration."""
    found: Tensor = _LogGamma.apply(concentration)
    return found


class _Cdf(Function):
    """The distribution function, with its derivatives in both arguments."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(a, x)
        return distribution_function(a.detach(), x.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, x = ctx.saved_tensors
        wide, log_x = a.detach().to(lamina.float64), x.detach().to(lamina.float64).clamp(min=1e-300).log()
        by_log = (wide * log_x - log_x.exp() - lamina.lgamma(wide)).exp()  # x f(x)
        in_a = -by_log * log_gradient(wide, log_x)
        return (grad * in_a).to(a.dtype), (grad * by_log / log_x.exp()).to(x.dtype)


def gamma_cdf(a: Tensor, x: Tensor) -> Tensor:
    found: Tensor = _Cdf.apply(a, x)
    return found
