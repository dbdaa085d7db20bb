#!/usr/bin/env bash
# PyTorch 2.13.0: CrossMapLRN2d does not forget channel 0 when its window has moved on, so later channels are normalized too much.
# Expected: the value of LocalResponseNorm, which sums the squares of `size` neighbouring channels. Seen: equal up to the channel where channel 0
# should leave the window, smaller afterwards.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import torch

x = torch.full((1, 8, 1, 1), 1.0)
x[0, 0] = 5.0
cross = torch.nn.CrossMapLRN2d(3, alpha=3.0, beta=1.0, k=1.0)(x).flatten()
local = torch.nn.LocalResponseNorm(3, alpha=3.0, beta=1.0, k=1.0)(x).flatten()
print("cross map", [round(v, 4) for v in cross.tolist()], "local", [round(v, 4) for v in local.tolist()])
assert torch.allclose(cross[:2], local[:2]) and not torch.allclose(cross[3:], local[3:])
EOF
