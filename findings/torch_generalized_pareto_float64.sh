#!/usr/bin/env bash
# PyTorch 2.13.0: distributions.GeneralizedPareto refuses float64 parameters in log_prob, cdf and mean.
# Expected: as every other distribution. Seen: RuntimeError "Double did not match Float" (a comparison with a float32 constant).
# float32 parameters work.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" -W ignore - <<'EOF'
import torch

make = torch.distributions.GeneralizedPareto
single = make(torch.tensor(0.0), torch.tensor(1.0), torch.tensor(0.2))
assert abs(single.log_prob(torch.tensor(1.0)).item() + 1.0939) < 1e-3
double = make(*(torch.tensor(v, dtype=torch.float64) for v in (0.0, 1.0, 0.2)), validate_args=False)
try:
    double.log_prob(torch.tensor(1.0, dtype=torch.float64))
except RuntimeError as error:
    print(error)
    assert "Double did not match Float" in str(error)
else:
    raise SystemExit("float64 works now")
EOF
