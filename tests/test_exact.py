"""Bits depend on values alone: not on threads, SIMD level, or the other rows of the batch."""

from __future__ import annotations

import lamina
import pytest
from harness import cases, names, outputs, to_numpy, twins
from processes import dumped


def dump(isa: str, *threads: int) -> dict[str, str]:
    return dumped("exact_dump.py", isa, *threads)


@pytest.fixture(scope="module")
def at_best_level():
    return dump("", 1, 2, 3, 4)


def test_threads(at_best_level):
    for key, value in at_best_level.items():
        assert value == at_best_level["1/" + key.split("/", 1)[1]], f"{key}: bits differ from one thread"


@pytest.mark.parametrize("isa", ["base", "avx2", "avx512"])
def test_simd_levels(at_best_level, isa):
    for key, value in dump(isa, 1).items():
        assert value == at_best_level[key], f"{key}: bits at {isa} differ from {lamina.simd_level()}"


@pytest.mark.parametrize("name", [n for n in names() if twins()[n].batch])
def test_rows_alone(name):
    for case in cases(name):
        args = case.tensors("float32")
        if case.twin.batch_rank not in (0, args[0].ndim):
            continue
        whole = outputs(case.call(*args, **case.keywords("float32")))
        for i in range(args[0].shape[0]):
            alone = outputs(case.call(args[0].narrow(0, i, 1), *args[1:], **case.keywords("float32")))
            for w, a in zip(whole, alone, strict=True):
                assert to_numpy(w.narrow(0, i, 1)).tobytes() == to_numpy(a).tobytes(), (
                    f"{case.id}: row {i} differs from the row alone"
                )
