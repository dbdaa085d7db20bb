#!/usr/bin/env bash
# PyTorch 2.13.0: random_split(dataset, [1]) gives the whole dataset, not one sample: the int 1 is read as the fraction 1.0.
# random_split(dataset, [1, 9]) of ten samples gives one and nine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import torch
from torch.utils.data import random_split

print([len(part) for part in random_split(range(10), [1])], [len(part) for part in random_split(range(10), [1, 9])])
assert [len(part) for part in random_split(range(10), [1])] == [10]
assert [len(part) for part in random_split(range(10), [1, 9])] == [1, 9]
EOF
