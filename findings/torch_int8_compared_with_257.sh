#!/usr/bin/env bash
# PyTorch 2.13.0: an int8 tensor compared with a number outside its range wraps the number around first.
# Expected: 1 == 257 is False, 100 < 2049 is True (NumPy 2.4 says so). Seen: True and False.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import numpy as np
import torch

x = torch.tensor([1, 100], dtype=torch.int8)
print("x == 257:", (x == 257).tolist(), "x < 2049:", (x < 2049).tolist())
assert (x == 257).tolist() == [True, False] and (x < 2049).tolist() == [False, False]
a = np.array([1, 100], np.int8)
assert (a == 257).tolist() == [False, False] and (a < 2049).tolist() == [True, True]
EOF
