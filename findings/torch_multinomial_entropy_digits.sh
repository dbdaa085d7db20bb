#!/usr/bin/env bash
# PyTorch 2.13.0: the entropy of distributions.Multinomial has float32 digits with float64 probabilities.
# Expected: about 1e-15 of relative error. Seen: 1e-8 to 1e-7: lgamma(total_count + 1) is taken of an integer tensor, so in float32.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import itertools
import math

import torch

p, n = [0.2, 0.3, 0.5], 5
exact = 0.0
for counts in itertools.product(range(n + 1), repeat=3):
    if sum(counts) == n:
        log = math.lgamma(n + 1) + sum(c * math.log(q) - math.lgamma(c + 1) for c, q in zip(counts, p))
        exact -= math.exp(log) * log
found = torch.distributions.Multinomial(n, torch.tensor(p, dtype=torch.float64)).entropy()
print(found.dtype, found.item(), "exact", exact)
assert found.dtype == torch.float64 and 1e-9 < abs(found.item() - exact) < 1e-6
EOF
