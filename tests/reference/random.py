"""Random numbers have no NumPy twin: test_random.py covers them by law and by statistics."""

from __future__ import annotations

from . import ELSEWHERE

for _name in (
    "rand",
    "randn",
    "randint",
    "randperm",
    "rand_like",
    "randn_like",
    "randint_like",
    "normal",
    "bernoulli",
    "uniform_",
    "normal_",
    "random_",
    "bernoulli_",
    "dropout",
    "multinomial",
    "poisson",
    "exponential_",
    "geometric_",
    "log_normal_",
    "cauchy_",
):
    ELSEWHERE[_name] = "test_random"
