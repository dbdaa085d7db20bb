"""PyTorch's own error inputs (its op_db) run on lamina: what PyTorch refuses, lamina refuses with a typed error.

`run(name)` gives the inputs that lamina takes, or refuses without one of its own errors.
"""

from __future__ import annotations

import lamina
import op_db
import torch
from op_db_exceptions import OUT_TAKEN, TAKEN


def names() -> list[str]:
    return [n for n, op in op_db.database().items() if op.error_inputs_func and op_db.function_of(op.name)]


def _numbers_for_tensors(sample) -> bool:
    """A number where PyTorch wants a tensor: lamina's functions take either."""
    return any(isinstance(a, (bool, int, float)) for a in (sample.input, *sample.args))


def run(name: str) -> list[str]:
    op = op_db.database()[name]
    function = op_db.function_of(name if name in op_db.ADAPTED else op.name)
    found = []
    for number, error in enumerate(op.error_inputs("cpu")):
        sample = error.sample_input
        if _raised(op.op, sample.input, *sample.args, **sample.kwargs) is None:
            continue  # an error of PyTorch's tests alone
        try:
            seen: dict = {}
            arguments = [op_db.to_lamina(a, False, seen) for a in (sample.input, *sample.args)]
            keywords = {k: op_db.to_lamina(v, False, seen) for k, v in sample.kwargs.items()}
        except op_db.Unsupported:
            continue
        error = _raised(function, *arguments, **keywords)
        if isinstance(error, (lamina.Error, TypeError)):
            continue
        if error is None and op.name in TAKEN and _numbers_for_tensors(sample):
            continue
        if error is None and op.name in OUT_TAKEN and "out" in sample.kwargs:
            continue
        what = "takes it" if error is None else f"{type(error).__name__}: {error}"
        found.append(f"{name} {number} {op_db.summary(sample)}: {what}")
    return found


def _raised(function, *args, **kwargs) -> Exception | None:
    try:
        function(*args, **kwargs)
    except Exception as e:
        return e
    return None


def main() -> None:
    """Prints every finding: python tests/op_db_errors.py."""
    torch.set_num_threads(1)
    for name in names():
        for line in run(name):
            print(line)


if __name__ == "__main__":
    main()
