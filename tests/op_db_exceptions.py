"""What lamina deliberately does not share with PyTorch's sample inputs, each with its reason."""

from __future__ import annotations

# Random results: shapes and dtypes are compared, values cannot be.
RANDOM = frozenset(
    "bernoulli dropout nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d nn.functional.alpha_dropout "
    "nn.functional.feature_alpha_dropout nn.functional.rrelu nn.functional.gumbel_softmax "
    "empty empty_like new_empty normal multinomial poisson rand rand_like randn randn_like randint randint_like "
    "uniform exponential geometric cauchy log_normal".split()
)

# Whole operations that are not compared: name -> why.
SKIPPED: dict[str, str] = {}

# (operation, part of lamina's error text, why this argument is refused)
REFUSED: list[tuple[str, str, str]] = []
