#!/usr/bin/env bash
# PyTorch 2.13.0: float64 to float16 and int64 to bfloat16 are rounded twice (through float32), so not to the nearest.
# 1 + 2^-11 + 2^-40 lies just above the tie: nearest 1.0009765625 (NumPy 2.4 gives it), seen 1.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import numpy as np
import torch

value = 1 + 2**-11 + 2**-40
print("torch", torch.tensor(value, dtype=torch.float64).half().item(), "NumPy", float(np.float64(value).astype(np.float16)))
assert torch.tensor(value, dtype=torch.float64).half().item() == 1.0
assert float(np.float64(value).astype(np.float16)) == 1.0009765625
whole = 2**60 + 2**52 + 1
print("torch", int(torch.tensor(whole).bfloat16().item()) - 2**60, "nearest", 2**53)
assert int(torch.tensor(whole).bfloat16().item()) == 2**60
EOF
