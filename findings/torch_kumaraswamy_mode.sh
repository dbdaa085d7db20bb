#!/usr/bin/env bash
# PyTorch 2.13.0: the mode of distributions.Kumaraswamy is NaN where it exists.
# Expected: ((a - 1) / (a b - 1))^(1 / a) for a, b >= 1 (0.4472 for a = 2, b = 3). Seen: nan: its formula takes log1p(-b) of b > 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import torch

k = torch.distributions.Kumaraswamy(torch.tensor(2.0), torch.tensor(3.0))
x = torch.linspace(0.001, 0.999, 9991)
top = x[k.log_prob(x).argmax()].item()
print("density is largest at", round(top, 3), "mode says", k.mode.item())
assert abs(top - (1 / 5) ** 0.5) < 1e-3 and k.mode.isnan()
EOF
