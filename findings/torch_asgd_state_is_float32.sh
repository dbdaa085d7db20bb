#!/usr/bin/env bash
# PyTorch 2.13.0: optim.ASGD keeps eta and mu in float32 tensors beside float64 parameters.
# Expected: steps in float64. Seen: lr = 0.1 becomes 0.10000000149011612; the first step differs from float64 arithmetic in the 9th digit.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import torch

p = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
optimizer = torch.optim.ASGD([p], lr=0.1, lambd=0.0)
p.grad = torch.ones(1, dtype=torch.float64)
optimizer.step()
print(optimizer.state[p]["eta"].dtype, p.item(), "in float64:", 1 - 0.1)
assert optimizer.state[p]["eta"].dtype == torch.float32 and 1e-10 < abs(p.item() - 0.9) < 1e-8
EOF
