#!/usr/bin/env bash
# PyTorch 2.13.0 with NumPy 2.4: np.bool_ beside an integer tensor makes it float32; Python's bool does not.
# Expected: torch.tensor([1]) + np.True_ is int64, as + True. Seen: float32, and 2^24 + 1 loses its last digit.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import numpy as np
import torch

x = torch.tensor([2**24])
print((x + np.True_).dtype, (x + np.True_).tolist(), (x + True).dtype, (x + True).tolist())
assert (x + np.True_).dtype == torch.float32 and (x + np.True_).tolist() == [2.0**24]
assert (x + True).dtype == torch.int64 and (x + True).tolist() == [2**24 + 1]
EOF
