"""Import paths of public programs lead to lamina's own files; helpers that they bring: testing, tensorboard."""

from __future__ import annotations

import importlib
import pathlib

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch

IMPORTS = """
nn.modules Module Linear
nn.modules.utils _pair _single _triple _quadruple _ntuple
nn.modules.batchnorm _BatchNorm BatchNorm2d
nn.modules.module Module
nn.modules.conv _ConvNd Conv2d
nn.modules.loss _Loss _WeightedLoss CrossEntropyLoss
nn.modules.activation MultiheadAttention ReLU
nn.modules.container ModuleList Sequential
nn.modules.rnn RNNBase LSTM
nn.parameter Parameter
nn.parallel DataParallel
optim.optimizer Optimizer
optim.adam Adam
optim.rmsprop RMSprop
optim.lr_scheduler LRScheduler _LRScheduler CosineAnnealingLR
utils.data.dataset Dataset
utils.data.sampler SubsetRandomSampler
utils.data.dataloader DataLoader default_collate
utils.checkpoint checkpoint
distributions.categorical Categorical
distributions.normal Normal
distributions.kl kl_divergence
distributions.independent Independent
distributions.log_normal LogNormal
cuda.amp autocast GradScaler
cuda is_available
autograd Variable Function grad
backends cudnn
testing assert_close
"""


@pytest.mark.parametrize("line", IMPORTS.strip().splitlines())
def test_import_path(line):
    path, *names = line.split()
    module = importlib.import_module(f"lamina.{path}")
    for name in names:
        assert hasattr(module, name)
        if torch is not None:
            assert hasattr(importlib.import_module(f"torch.{path}"), name)
    home = lamina
    for part in path.split("."):
        home = getattr(home, part)
    assert home is module


def test_a_path_is_the_file_it_stands_for():
    importlib.import_module("lamina.cuda.amp")
    assert importlib.import_module("lamina.cuda.amp") is lamina.amp and lamina.amp.__spec__.name == "lamina.amp"
    from lamina.nn.modules.batchnorm import _BatchNorm
    from lamina.nn.modules.utils import _pair

    assert isinstance(lamina.nn.BatchNorm2d(2), _BatchNorm) and not isinstance(lamina.nn.Linear(1, 1), _BatchNorm)
    assert _pair(3) == (3, 3) and _pair([1, 2]) == (1, 2)
    for missing in ("lamina.nn.modules.nothing", "lamina.cuda.nothing", "lamina.nothing"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(missing)


CLOSE = [
    ([1.0, 2.0], [1.0, 2.0 + 1e-6]),
    ([1.0, 2.0], [1.0, 2.1]),
    ([1.0, float("nan")], [1.0, float("nan")]),
    ([1.0, float("inf")], [1.0, float("inf")]),
    ([1.0, float("inf")], [1.0, 5.0]),
    ([1, 2**60], [1, 2**60 + 1]),
    ([1, 2], [1.0, 2.0]),
    ([1, 2], [1, 2]),
    ([True], [False]),
    ([], []),
    ([1.0], [[1.0]]),
    (3.0, 3.0),
    ({"a": [1.0]}, {"a": [1.0]}),
    ({"a": [1.0]}, {"b": [1.0]}),
]


@needs_torch
@pytest.mark.parametrize("options", [{}, {"rtol": 0.1, "atol": 0.0}, {"equal_nan": True}, {"check_dtype": False}])
@pytest.mark.parametrize("a, b", CLOSE)
def test_assert_close_agrees_with_pytorch(a, b, options):
    said = []
    for lib in (lamina, torch):
        make = lambda v: {k: lib.tensor(x) for k, x in v.items()} if isinstance(v, dict) else lib.tensor(v)
        try:
            lib.testing.assert_close(make(a), make(b), **options)
            said.append(True)
        except AssertionError:
            said.append(False)
    assert said[0] == said[1]


def test_assert_close_says_what_differs():
    close = lamina.testing.assert_close
    with pytest.raises(AssertionError, match=r"1 of 2 values differ .* most: 2, expected 3, at flat index 1 of \(2,\)"):
        close(lamina.tensor([1.0, 2.0]), lamina.tensor([1.0, 3.0]))
    with pytest.raises(AssertionError, match=r"the dtypes differ at \[0\]: lamina.float32 and lamina.float64"):
        close([lamina.ones(1)], [lamina.ones(1, dtype=lamina.float64)])
    with pytest.raises(AssertionError, match="the lengths differ: 1 and 0"):
        close([1], [])
    with pytest.raises(AssertionError, match="the types differ: Tensor and float"):
        close(lamina.ones(1), 1.0)
    with pytest.raises(AssertionError, match=r"^mine$"):
        close(1.0, 2.0, msg="mine")
    with pytest.raises(ValueError, match="give both rtol and atol or none"):
        close(1.0, 1.0, rtol=0.1)
    close([np.ones(2), 3], [np.ones(2), 3])


def test_summary_writer_takes_tensors(tmp_path):
    pytest.importorskip("tensorboardX")
    from lamina.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", lamina.tensor(0.5), 0)
        writer.add_scalars("both", {"a": lamina.tensor(1.0), "b": 2.0}, 0)
        writer.add_histogram("weights", lamina.randn(10, requires_grad=True), 0)
        writer.add_image("image", lamina.rand(3, 4, 4), 0)
    (events,) = pathlib.Path(tmp_path).glob("events*")
    assert events.stat().st_size > 200
