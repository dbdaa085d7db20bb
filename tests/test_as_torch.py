"""`import torch` means lamina: the same objects, a version that is claimed, reasons for what is not there."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap

import lamina
import pytest


def run(code, *arguments, check=True, **environment):
    """Runs a program in a process of its own and gives what it prints."""
    done = subprocess.run(
        [sys.executable, *(arguments or ("-c",)), *([] if code is None else [textwrap.dedent(code)])],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr if not check else done.stdout


def test_torch_is_lamina():
    run("""
        import lamina.as_torch
        import torch, torch.nn as nn, torch.nn.functional as F, torch.utils.data.dataset, torch.cuda.amp
        import importlib.metadata, importlib.util, pickle
        from torch import Tensor, optim
        from torch.nn.modules.batchnorm import _BatchNorm
        from torch.nn.parameter import Parameter
        import lamina

        assert nn is lamina.nn and F is lamina.nn.functional and Tensor is lamina.Tensor and optim is lamina.optim
        assert torch.float32 is lamina.float32 and torch.utils.data.dataset is lamina.utils.data.dataset
        assert isinstance(nn.BatchNorm1d(2), _BatchNorm) and isinstance(nn.Linear(1, 1).weight, Parameter)
        assert torch.__version__ == "2.6.0+lamina" and torch.__version__ >= "2.1" and torch.__version__ < (2, 10)
        assert importlib.metadata.version("torch") == "2.6.0+lamina" == torch.version.__version__
        assert importlib.util.find_spec("torch") and importlib.util.find_spec("torch.nn.functional")
        assert importlib.util.find_spec("torch.onnx") is None and importlib.util.find_spec("torchvision") is None
        model = pickle.loads(pickle.dumps(nn.Linear(2, 3)))
        assert type(model) is lamina.nn.Linear and isinstance(torch.ones(2), torch.Tensor)
        torch.mine = 3  # what is written to torch is written to lamina
        assert lamina.mine == 3
        del torch.mine
        assert not hasattr(lamina, "mine") and not hasattr(torch, "mine")
        assert "yes: `import torch` means lamina and claims 2.6.0+lamina" in lamina.as_torch.describe()
    """)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("import torch.sparse", "dense tensors only"),
        ("from torch import onnx", "exchanged as safetensors"),
        ("from torch.utils.cpp_extension import load", "compiled against PyTorch's C\\+\\+ library"),
        ("import torch._dynamo", "no graphs, tracers or compilers"),
        ("import torch.ao.quantization", "int8 and uint8 tensors hold data"),
        ("import torchvision", "compiled against PyTorch's C\\+\\+ library"),
        ("import torch_scatter", "torch_scatter: it is compiled"),
        ("from torch.nn import Linearr", "the nearest is lamina.nn.Linear"),
        ("import torch.nothing.at_all", "no attribute 'nothing'"),
    ],
)
def test_what_is_missing_says_why(line, reason):
    with lamina.as_torch.scope(), pytest.raises(ImportError, match=reason):
        exec(line, {})


@pytest.mark.parametrize("name", ["library", "classes"])
def test_custom_operations_are_refused_by_name(name):
    with lamina.as_torch.scope() as torch, pytest.raises(AttributeError, match=r"PyTorch's C\+\+ library"):
        getattr(torch, name)


def test_libraries_of_custom_operations_do_not_load():
    with lamina.as_torch.scope() as torch:
        with pytest.raises(OSError, match=r"compiled against PyTorch's C\+\+ library"):
            torch.ops.load_library("operations.so")
        with pytest.raises(AttributeError, match=r"'mine': custom operations"):
            torch.ops.mine.add  # noqa: B018


def test_scope_gives_everything_back(tmp_path, monkeypatch):
    (tmp_path / "borrowed_library.py").write_text("import torch\nzeros = torch.zeros\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torch"}
    finders, environment = list(sys.meta_path), dict(os.environ)
    with lamina.as_torch.scope("borrowed_library"):
        import borrowed_library

        assert borrowed_library.zeros is lamina.zeros and lamina.as_torch.installed()
        with lamina.as_torch.scope("borrowed_library"):
            assert importlib.import_module("borrowed_library") is not borrowed_library
        assert lamina.as_torch.installed() and importlib.import_module("borrowed_library") is borrowed_library
    assert "borrowed_library" not in sys.modules and not lamina.as_torch.installed()
    after = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torch"}
    assert after == before and sys.meta_path == finders and dict(os.environ) == environment
    assert "left alone" in lamina.as_torch.describe()


def test_pytorch_loaded_already_is_refused(tmp_path):
    (tmp_path / "torch.py").write_text("__version__ = '2.13.0'\n")
    said = run("import torch\nimport lamina.as_torch\n", check=False, PYTHONPATH=_with(tmp_path))
    assert "RuntimeError: as_torch: PyTorch 2.13.0 is imported already" in said


def _with(folder):
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


SCRIPT = """
import sys
import torch
from torch import nn


def square(x):
    import torch

    return type(x).__module__, torch.__version__, (x * x).tolist()


if __name__ == "__main__":
    import multiprocessing

    print(sys.argv[1:], nn.__name__, __file__.endswith("script.py"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(square, [torch.ones(2)]))
"""


def test_scripts_modules_and_their_workers(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    said = run(None, "-m", "lamina.as_torch", str(tmp_path / "script.py"), "--lr", "1")
    assert said == "['--lr', '1'] lamina.nn True\n[('lamina', '2.6.0+lamina', [1.0, 1.0])]\n"
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__main__.py").write_text("import sys, torch\nprint(torch.__version__, sys.argv[1:])\n")
    said = run(None, "-m", "lamina.as_torch", "--level", "2.1.0", "-m", "pkg", "a", PYTHONPATH=_with(tmp_path))
    assert said == "2.1.0 ['a']\n"
    assert "usage:" in run(None, "-m", "lamina.as_torch", check=False)


def test_check_lists_what_is_missing(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("""
import torch, torchvision
import torch.nn.functional as F
from torch import nn as layers, onnx
from torch.sparse import mm, sum
x = torch.no_such_thing(torch.zeros(2)).whatever
z = torch._C._get_tracing_state, torch._C.no_such_thing
y = layers.Linear, layers.NoSuchLayer, F.relu, torch.Tensor.add_, torch.Tensor.no_method, onnx.export(x)
""")
    said = run(None, "-m", "lamina.as_torch", "--check", str(tmp_path / "lib"), check=False)
    names = [line.split()[0] for line in said.splitlines()[1:]]
    assert sorted(names) == sorted(
        ["torch.onnx", "torch.sparse.mm", "torch.sparse.sum", "torch.no_such_thing", "torch.nn.NoSuchLayer"]
        + ["torch.Tensor.no_method", "torch._C.no_such_thing", "torchvision"]
    )
    assert "no such package" in run(None, "-m", "lamina.as_torch", "--check", "no_such_package", check=False)


def test_info_says_what_torch_is():
    assert "as torch    no: `import torch` is left alone" in run(None, "-m", "lamina", "info")
