#!/usr/bin/env bash
# PyTorch 2.13.0: values that a later write to the same place replaces still get a gradient.
# index_copy, scatter and index_put of two values into one place: one of them is gone, both have the gradient 1
# (expected: 1 for the one that stays and 0). gradcheck finds it. index_fill counts once.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import torch
from torch.autograd import gradcheck

place, zeros = torch.tensor([0, 0]), torch.zeros(1, dtype=torch.float64)
writes = {
    "index_copy": lambda v: zeros.index_copy(0, place, v),
    "scatter": lambda v: zeros.scatter(0, place, v),
    "index_put": lambda v: zeros.index_put((place,), v),
}
for name, write in writes.items():
    v = torch.ones(2, dtype=torch.float64, requires_grad=True)
    write(v).sum().backward()
    print(name, v.grad.tolist(), "gradcheck", gradcheck(write, (v,), raise_exception=False))
    assert v.grad.tolist() == [1, 1] and not gradcheck(write, (v,), raise_exception=False)
v = torch.ones((), dtype=torch.float64, requires_grad=True)
zeros.index_fill(0, place, v).sum().backward()
assert v.grad.item() == 1
EOF
