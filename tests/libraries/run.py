"""Runs the programs under the import of `torch` that is there, and prints their numbers as JSON lines.

usage: run.py torch|lamina FOLDER [package ...]     FOLDER holds the installed libraries
"""

import json
import sys
import time
import traceback
import warnings

side, folder, *wanted = sys.argv[1:]
sys.path.append(folder)
if side == "lamina":
    import lamina.as_torch  # noqa: F401
warnings.simplefilter("ignore")

import common  # noqa: E402
import layers  # noqa: E402, F401
import optimizers  # noqa: E402, F401
import science  # noqa: E402, F401
import torch  # noqa: E402
import training  # noqa: E402, F401


def flat(value):
    """All numbers of a result, in order."""
    if isinstance(value, dict):
        return [x for key in sorted(value) for x in flat(value[key])]
    if isinstance(value, (list, tuple)):
        return [x for item in value for x in flat(item)]
    if isinstance(value, torch.Tensor):
        return [float(x) for x in value.detach().double().reshape(-1).tolist()]
    if hasattr(value, "reshape"):
        return [float(x) for x in value.reshape(-1).tolist()]
    return [] if value is None else [float(value)]


torch.set_num_threads(1)
for package in wanted or [name for name in common.PROGRAMS if name not in common.LACKING]:
    start = time.perf_counter()
    try:
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float32)  # which some libraries change
        line = {"package": package, "numbers": flat(common.PROGRAMS[package]())}
    except Exception as error:
        line = {
            "package": package,
            "error": f"{type(error).__name__}: {error}",
            "where": traceback.format_exc()[-1500:],
        }
    line["seconds"] = round(time.perf_counter() - start, 2)
    print(json.dumps(line), flush=True)
