"""`import torch` means lamina in this process: the objects are lamina's own, under PyTorch's module names.

`sys.modules["torch"]` is a thin module that answers with lamina's names; a finder in front of all others leads
`torch.nn.functional` to `lamina.nn.functional`, answers `importlib.metadata.version("torch")`, and says why what lamina
lacks is not there.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from types import ModuleType
from typing import Any

import lamina

from .. import _missing, _paths

VARIABLE = "LAMINA_AS_TORCH"  # for spawned workers: the level that they claim
LEVEL = "2.6.0+lamina"

# Packages that are compiled against PyTorch's C++ library: their files ask for its symbols, not for names of Python.
COMPILED = frozenset(
    "torchvision torchaudio torchtext torch_scatter torch_sparse torch_cluster torch_spline_conv pyg_lib functorch "
    "pytorch3d detectron2 xformers flash_attn apex deepspeed bitsandbytes fbgemm_gpu torch_tensorrt torchcodec "
    "torch_xla torch_npu nvfuser triton kaolin MinkowskiEngine spconv transformer_engine vllm".split()
)


class _Torch(ModuleType):
    """The module `torch`: reads and writes go to lamina, but for what says which module this is."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(lamina, name)
        if name in vars(lamina):  # what may change, such as a default, is asked again
            vars(self)[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("__"):
            setattr(lamina, name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if not name.startswith("__"):
            delattr(lamina, name)
        vars(self).pop(name, None)

    def __dir__(self) -> list[str]:
        return dir(lamina)


class _Loader:
    def create_module(self, spec: ModuleSpec) -> None:
        """The usual empty module, which exec_module replaces."""

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module(_own(module.__name__))


class _Metadata(Distribution):
    """What `importlib.metadata` says of torch."""

    def read_text(self, filename: str) -> str | None:
        if filename in ("METADATA", "PKG-INFO"):
            return f"Metadata-Version: 2.1\nName: torch\nVersion: {_level()}\nSummary: lamina under PyTorch's names\n"
        return None

    def locate_file(self, path: Any) -> Any:
        import pathlib

        return pathlib.Path(os.path.dirname(lamina.__file__)) / path


class Finder:
    """First of all finders: knows `torch.*`, and the packages that cannot run without PyTorch's C++ library."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        top, _, rest = name.partition(".")
        if top == "torch" and rest:
            reason = _reason(name)
            if not reason:
                return ModuleSpec(name, _Loader(), is_package=True)  # type: ignore[arg-type]
        elif top in COMPILED:
            reason = f"{name}: it is compiled against PyTorch's C++ library, and `import torch` means lamina here"
        else:
            return None
        if _paths.only_asks():
            return None
        raise ModuleNotFoundError(reason, name=f"lamina as {name}")  # another name, or `from torch import x` hides it

    @staticmethod
    def find_distributions(context: DistributionFinder.Context | None = None) -> Iterator[Distribution]:
        if context is not None and context.name in (None, "torch"):
            yield _Metadata()


def _own(name: str) -> str:
    if name == "torch._C":
        return "lamina.compat.c_names"
    return "lamina" + name[len("torch") :]


def _level() -> str:
    return os.environ.get(VARIABLE, LEVEL)


def _reason(name: str) -> str:
    """Why `torch.x.y` cannot be imported, or nothing where it can."""
    own = _own(name)
    if own in sys.modules:
        return ""
    try:
        if importlib.util.find_spec(own) is not None:
            return ""
    except ModuleNotFoundError:
        pass
    home, _, leaf = own.rpartition(".")
    parent = sys.modules.get(home)
    return f"import {name}: {_missing.missing(parent or home, leaf)}"


def installed() -> bool:
    """Whether `import torch` means lamina in this process."""
    return isinstance(sys.modules.get("torch"), _Torch)


def describe() -> str:
    """One line for `lamina info`."""
    if not installed():
        return "no: `import torch` is left alone"
    return f"yes: `import torch` means lamina and claims {_level()}; spawned workers do so by {VARIABLE}"


def install(level: str | None = None) -> ModuleType:
    """Makes `import torch` mean lamina from now on and gives that module; a second call changes nothing.

    level: what `torch.__version__` says, "2.6.0+lamina" unless given. RuntimeError where PyTorch itself is loaded.
    """
    there = sys.modules.get("torch")
    if isinstance(there, _Torch):
        return there
    if there is not None:
        raise RuntimeError(
            f"as_torch: PyTorch {getattr(there, '__version__', '')} is imported already; import lamina.as_torch before "
            "anything that imports torch"
        )
    if level is not None or VARIABLE not in os.environ:
        os.environ[VARIABLE] = level or LEVEL
    torch = _Torch("torch", lamina.__doc__)
    torch.__path__ = []
    torch.__spec__ = ModuleSpec("torch", None, origin="lamina", is_package=True)
    torch.__file__ = lamina.__file__
    torch.__version__ = importlib.import_module("lamina.torch_version").TorchVersion(_level())
    vars(torch)["_C"] = importlib.import_module("lamina.compat.c_names")
    sys.modules["torch"] = torch
    sys.meta_path.insert(0, Finder)
    _for_workers(True)
    return torch


def uninstall() -> None:
    """Takes back what install did; modules that have imported torch meanwhile keep what they have."""
    if not installed():
        return
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        del sys.modules[name]
    sys.meta_path.remove(Finder)
    os.environ.pop(VARIABLE, None)
    _for_workers(False)


def _for_workers(on: bool) -> None:
    """Workers that start anew find a file torch.py in front of every other; it does there what install did here."""
    folder = os.path.join(os.path.dirname(__file__), "worker_path")
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != folder]
    if on:
        paths.insert(0, folder)
    sys.path[:] = [path for path in sys.path if path != folder]
    if on:
        sys.path.insert(0, folder)  # what multiprocessing's workers start with
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    if not paths:
        del os.environ["PYTHONPATH"]


@contextlib.contextmanager
def scope(*packages: str) -> Iterator[ModuleType]:
    """`import torch` means lamina within, for those packages; afterwards they and torch are as before.

    For tests: the packages are imported anew inside and forgotten at the end, and PyTorch itself may be loaded outside.
    What they import only when a function runs must run inside.
    """
    tops = {"torch", *packages}
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in tops}
    nested = isinstance(before.get("torch"), _Torch)
    if nested:
        tops.discard("torch")
    for name in before:
        if name.partition(".")[0] in tops:
            del sys.modules[name]
    try:
        yield install()
    finally:
        if not nested:
            uninstall()
        for name in [name for name in sys.modules if name.partition(".")[0] in tops]:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if name.partition(".")[0] in tops})
