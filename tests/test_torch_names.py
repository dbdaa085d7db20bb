"""Names of PyTorch that programs import and seldom call: small modules that answer what is true."""

from __future__ import annotations

import importlib
import json
import warnings

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from lamina.compat import names


def test_every_name_of_the_tables_is_there():
    for path, file in names.MODULES.items():
        module = importlib.import_module(f"lamina.{path}")
        assert module is importlib.import_module(f"lamina.compat.{file}")
        home, _, leaf = f"lamina.{path}".rpartition(".")
        assert getattr(importlib.import_module(home), leaf) is module
    for home, files in names.NAMES.items():
        module = importlib.import_module(f"lamina.{home}".rstrip("."))
        for name in " ".join(files.values()).split():
            assert hasattr(module, name), (home, name)


GONE = set("FILE_LIKE _dispatch_sqrt _params_t params_t required _check_type".split())  # PyTorch had them before 2.13


@needs_torch
def test_the_tables_hold_names_of_pytorch_alone():
    for home, files in names.NAMES.items():
        module = importlib.import_module(
            "torch.nn.modules.module" if home == "nn.modules" else f"torch.{home}".rstrip(".")
        )
        for name in " ".join(files.values()).split():
            assert hasattr(module, name) or name in GONE, (home, name)
    for path in names.MODULES:
        importlib.import_module(f"torch.{path}")


def test_what_tensors_are_not():
    x = lamina.ones(2)
    for name in "is_sparse is_sparse_csr is_quantized is_nested is_meta is_mkldnn is_mps is_xpu".split():
        assert getattr(x, name) is False
        assert torch is None or getattr(torch.ones(2), name) is False


@needs_torch
def test_lists_of_tensors_by_device_and_dtype():
    def parts(lib):
        lists = [
            [lib.ones(2), lib.zeros(3, dtype=lib.float64), lib.ones(1)],
            [None, lib.ones(3, dtype=lib.float64), None],
        ]
        found = importlib.import_module(f"{lib.__name__}.utils._foreach_utils")._group_tensors_by_device_and_dtype(
            lists, True
        )
        shape = lambda t: None if t is None else tuple(t.shape)
        groups = [(list(places), [[shape(t) for t in row] for row in rows]) for rows, places in found.values()]
        return sorted(groups, key=lambda group: group[0])

    assert parts(lamina) == parts(torch)


def test_nothing_is_distributed():
    dist = lamina.distributed
    assert not dist.is_available() and not dist.is_initialized() and dist.group.WORLD is None
    for call in (dist.get_rank, dist.all_reduce, dist.init_process_group):
        with pytest.raises(RuntimeError, match="one process"):
            call()
    with pytest.raises(ValueError, match=r"distributed\.get_world_size: lamina runs in one process"):
        dist.get_world_size()
    with pytest.raises(AttributeError):
        dist.no_such_name  # noqa: B018


def test_no_other_devices():
    assert not lamina.xpu.is_available() and not lamina.mps.is_available() and lamina.xpu.device_count() == 0
    assert lamina.accelerator.is_available() is lamina.cuda.is_available()
    if not lamina.cuda.is_available():
        assert lamina.accelerator.current_accelerator() is None and not lamina.cuda.is_bf16_supported()
        for call in (lamina.cuda.current_device, lamina.cuda.get_device_name, lamina.cuda.Stream):
            with pytest.raises(lamina.DeviceError, match="no device 0"):
                call()
        with lamina.cuda.device(None), lamina.cuda.stream(None), lamina.cuda.nvtx.range("part"):
            assert lamina.cuda.get_rng_state_all() == []
        lamina.cuda.set_rng_state_all([])


def test_scripting_is_the_identity():
    jit = lamina.jit

    @jit.script
    def twice(x):
        return 2 * x

    class Net(jit.ScriptModule):
        scale: jit.Final[int] = 3

        @jit.export
        def forward(self, x):
            return self.helper(x) * self.scale

        @jit.ignore
        def helper(self, x):
            return jit.annotate(lamina.Tensor, x)

        @jit.ignore(drop=True)
        def other(self):
            return jit.fork(twice, 4)

    net = jit.script(Net())
    assert net(lamina.ones(2)).tolist() == [3.0, 3.0] and jit.wait(net.other()) == 8
    assert jit.unused(twice) is twice and jit.freeze(net) is net and not isinstance(net, jit.ScriptFunction)
    assert not jit.is_scripting() and not jit.is_tracing() and not lamina.compiler.is_compiling()
    for call in (jit.trace, jit.save, jit.load):
        with pytest.raises(NotImplementedError, match="hint"):
            call(net, "file")


def test_markers_give_back_what_they_get():
    f = lambda x: x
    assert lamina.fx.wrap(f) is f and lamina.compiler.disable(f) is f and lamina.compiler.disable()(f) is f
    assert not isinstance(f, (lamina.fx.Node, lamina.fx.Proxy, lamina.fx.GraphModule))
    assert not lamina.overrides.has_torch_function((f,)) and lamina.overrides.is_tensor_like(lamina.ones(1))
    assert not lamina.utils._python_dispatch.is_traceable_wrapper_subclass(lamina.ones(1))
    for call in (lamina.fx.symbolic_trace, lamina.fx.GraphModule, lamina.fx.Tracer):
        with pytest.raises(NotImplementedError, match="traces no graphs"):
            call(f)


@needs_torch
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_shifts_agree(n):
    for lib_dtype, their_dtype in ((lamina.float64, torch.float64), (lamina.float32, torch.float32)):
        for name in ("fftfreq", "rfftfreq"):
            mine = getattr(lamina.fft, name)(n, 0.3, dtype=lib_dtype)
            assert mine.tolist() == getattr(torch.fft, name)(n, 0.3, dtype=their_dtype).tolist()
    x = np.arange(3.0 * n).reshape(3, n)
    for name in ("fftshift", "ifftshift"):
        for dim in (None, 1, (0,), (0, 1)):
            mine = getattr(lamina.fft, name)(lamina.tensor(x), dim)
            assert mine.tolist() == getattr(torch.fft, name)(torch.tensor(x), dim).tolist()
    with pytest.raises(lamina.DtypeError, match=r"fft.rfft: .* no complex numbers"):
        lamina.fft.rfft(lamina.ones(4))


def test_scatter_and_gather_on_one_device():
    parallel = importlib.import_module("lamina.nn.parallel.scatter_gather")
    x = lamina.ones(2, 3)
    (part,) = parallel.scatter({"a": [x, "text"]}, ["cpu"])
    assert part["a"][1] == "text" and lamina.equal(part["a"][0], x)
    assert parallel.gather([x, x], "cpu").shape == (4, 3)
    with pytest.raises(ValueError, match="one device"):
        parallel.scatter(x, ["cpu", "cpu"])


@needs_torch
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools_with_places_agree(rank):
    x = np.random.RandomState(rank).standard_normal((1, 2, *[6] * rank))
    for name, size in (("max_pool", 2), ("adaptive_max_pool", 3)):
        pools = [
            getattr(lib.nn.functional, f"{name}{rank}d_with_indices")(lib.tensor(x), size) for lib in (lamina, torch)
        ]
        assert [part.tolist() for part in pools[0]] == [part.tolist() for part in pools[1]]


def test_words_for_lazy_parameters_and_hooks_of_all_modules():
    from lamina.nn.modules.module import register_module_forward_hook
    from lamina.nn.parameter import UninitializedParameter, is_lazy

    assert is_lazy(UninitializedParameter()) and not is_lazy(lamina.nn.Parameter(lamina.ones(1)))
    seen = []
    handle = register_module_forward_hook(lambda module, args, out: seen.append(type(module).__name__))
    lamina.nn.Linear(1, 1)(lamina.ones(1, 1))
    handle.remove()
    assert seen == ["Linear"]


@needs_torch
@pytest.mark.parametrize("value", [3, 2.5, True])
def test_tensors_without_dims_agree(value):
    for options in ({}, {"dtype": "int64"}, {"dtype": "float64", "requires_grad": True}):
        made = []
        for lib in (lamina, torch):
            x = lib.scalar_tensor(value, **{k: getattr(lib, v) if k == "dtype" else v for k, v in options.items()})
            made.append((str(x.dtype).split(".")[1], x.item(), tuple(x.shape), x.requires_grad))
        assert made[0] == made[1]
    assert lamina._shape_as_tensor(lamina.ones(2, 3)).tolist() == torch._shape_as_tensor(torch.ones(2, 3)).tolist()


def test_futures():
    future = lamina.futures.Future()
    seen = []
    later = future.then(lambda f: f.wait() + 1)
    future.add_done_callback(lambda f: seen.append(f.value()))
    assert not future.done() and not later.done()
    with pytest.raises(RuntimeError, match="no value yet"):
        future.value()
    future.set_result(4)
    assert later.wait() == 5 and seen == [4] and lamina.futures.wait_all([future, later]) == [4, 5]
    assert lamina.futures.collect_all([future, later]).wait() == [future, later]
    failed = lamina.futures.Future()
    after = failed.then(lambda f: f.wait())
    failed.set_exception(KeyError("x"))
    with pytest.raises(KeyError):
        after.wait()
    with pytest.raises(RuntimeError, match="a value already"):
        future.set_result(1)


def _sum_of(rank, path, values):
    (path / f"{rank}.txt").write_text(str(values.sum().item()))


def _fail(rank):
    raise SystemExit(3)


def test_processes(tmp_path):
    mp = lamina.multiprocessing
    mp.start_processes(_sum_of, (tmp_path, lamina.ones(3)), nprocs=2, start_method="fork")
    assert [(tmp_path / f"{i}.txt").read_text() for i in range(2)] == ["3.0", "3.0"]
    with pytest.raises(mp.ProcessRaisedException, match="process 0 ended with 3"):
        mp.start_processes(_fail, start_method="fork")
    assert mp.Queue and mp.get_all_sharing_strategies() == set()


def test_profile_times_ranges(tmp_path):
    from lamina.profiler import ProfilerActivity, profile, record_function

    finished = []
    with profile(activities=[ProfilerActivity.CPU], on_trace_ready=finished.append) as running:
        for _ in range(3):
            with record_function("part"):
                lamina.ones(4).sum()
        running.step()
    rows = {row.key: row for row in running.key_averages()}
    assert rows["part"].count == 3 and rows["part"].cpu_time_total > 0 and "ProfilerStep#0" in rows
    assert finished == [running] and "part" in running.key_averages().table(sort_by="cpu_time_total")
    running.export_chrome_trace(str(tmp_path / "trace.json"))
    assert len(json.loads((tmp_path / "trace.json").read_text())["traceEvents"]) == 4
    assert lamina.autograd.profiler.record_function is record_function


@needs_torch
@pytest.mark.parametrize("settings", [{}, {"repeat": 2}, {"skip_first": 3}, {"wait": 0, "warmup": 0}])
def test_schedule_agrees(settings):
    settings = {"wait": 2, "warmup": 1, "active": 2, **settings}
    mine, theirs = lamina.profiler.schedule(**settings), torch.profiler.schedule(**settings)
    assert [mine(i).name for i in range(20)] == [theirs(i).name for i in range(20)]


def test_hub_keeps_files_and_checks_them(tmp_path):
    weights = {"w": lamina.arange(3.0)}
    lamina.save(weights, tmp_path / "net.safetensors")
    address = (tmp_path / "net.safetensors").as_uri()
    lamina.hub.set_dir(tmp_path / "hub")
    loaded = lamina.utils.model_zoo.load_url(address)
    assert loaded["w"].tolist() == [0.0, 1.0, 2.0]
    assert (tmp_path / "hub" / "checkpoints" / "net.safetensors").exists()
    with pytest.raises(RuntimeError, match="does not begin with '0000'"):
        lamina.hub.download_url_to_file(address, str(tmp_path / "copy"), hash_prefix="0000")
    assert not (tmp_path / "copy").exists()
    with pytest.raises(NotImplementedError, match="its code run"):
        lamina.hub.load("someone/repository", "net")


@needs_torch
@pytest.mark.parametrize("tree", [1, [1, (2, {"a": 3})], {"b": [], "a": (1, 2)}, ()])
def test_pytree_agrees(tree):
    mine, theirs = lamina.utils._pytree, torch.utils._pytree
    leaves, spec = mine.tree_flatten(tree)
    assert leaves == theirs.tree_flatten(tree)[0] == mine.tree_leaves(tree)
    assert mine.tree_unflatten(leaves, spec) == tree
    assert mine.tree_map(lambda x: x + 1, tree) == theirs.tree_map(lambda x: x + 1, tree)
    assert mine.tree_map(lambda x, y: x + y, tree, tree) == theirs.tree_map(lambda x, y: x + y, tree, tree)
    assert mine.tree_map_only(str, lambda x: 0, tree) == tree
    flat = lambda x: isinstance(x, tuple)
    assert mine.tree_leaves(tree, is_leaf=flat) == theirs.tree_leaves(tree, is_leaf=flat)


def test_pytree_of_registered_classes():
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    pytree = lamina.utils._pytree
    pytree.register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda values, _: Pair(*values))
    try:
        mapped = pytree.tree_map(lambda x: -x, [Pair(1, (2, 3))])[0]
        assert (mapped.a, mapped.b) == (-1, (-2, -3))
    finally:
        del pytree.SUPPORTED_NODES[Pair]


@needs_torch
@pytest.mark.parametrize("version", ["1.12", "2.6", "2.6.0", "2.6.1", "2.10.0", "2.6.0rc1", (2, 6), (2, 7, 0), "3"])
def test_versions_compare_as_numbers(version):
    mine = lamina.torch_version.TorchVersion("2.6.0")
    theirs = torch.torch_version.TorchVersion("2.6.0")
    for operation in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
        assert getattr(mine, operation)(version) == getattr(theirs, operation)(version), operation


@needs_torch
def test_foreach_agrees():
    a, b = [np.array([1.0, -2.0]), np.array([[3.0]])], [np.array([2.0, 5.0]), np.array([[0.5]])]
    calls = [
        ("add", (b,), {"alpha": 2}), ("add", (1.5,), {}), ("sub", (b,), {}), ("mul", (b,), {}), ("mul", ([2.0, 3.0],), {}),
        ("div", (2.0,), {}), ("lerp", (b, 0.25), {}), ("maximum", (b,), {}), ("minimum", (0.0,), {}), ("pow", (2.0,), {}),
        ("neg", (), {}), ("abs", (), {}), ("reciprocal", (), {}), ("sign", (), {}), ("norm", (), {}), ("norm", (1,), {}),
        ("addcmul", (b, b), {"value": 0.5}), ("addcdiv", (b, b), {"value": 0.5}), ("addcdiv", (b, b, [1.0, 2.0]), {}),
    ]  # fmt: skip
    make = lambda lib, x: (
        [make(lib, v) for v in x] if isinstance(x, list) else lib.tensor(x) if hasattr(x, "dtype") else x
    )
    for name, operands, options in calls:
        results = []
        for lib in (lamina, torch):
            function = getattr(lib, f"_foreach_{name}")
            results.append([t.tolist() for t in function(make(lib, a), *(make(lib, o) for o in operands), **options)])
            if name != "norm":
                target = make(lib, a)
                getattr(lib, f"_foreach_{name}_")(target, *(make(lib, o) for o in operands), **options)
                results.append([t.tolist() for t in target])
        assert all(repr(r) == repr(results[0]) for r in results), (name, results)
    with pytest.raises(RuntimeError, match="lists of 2 and 1"):
        lamina._foreach_add(make(lamina, a), make(lamina, b[:1]))


def test_custom_forward_and_backward_follow_autocast():
    seen = []

    class Scale(lamina.autograd.Function):
        @staticmethod
        @lamina.amp.custom_fwd(device_type="cpu", cast_inputs=lamina.float32)
        def forward(ctx, x):
            seen.append((x.dtype, lamina.is_autocast_enabled()))
            return x * 2

        @staticmethod
        @lamina.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            seen.append((grad.dtype, lamina.is_autocast_enabled()))
            return grad * 2

    x = lamina.ones(2, dtype=lamina.float32, requires_grad=True)
    with lamina.autocast("cpu"):
        Scale.apply(x).sum().backward()
    assert seen == [(lamina.float32, False), (lamina.float32, False)] and x.grad.tolist() == [2.0, 2.0]


@needs_torch
@pytest.mark.parametrize("shape", [(3, 4), (5, 2, 3), (2, 3, 3, 3)])
def test_fans_agree(shape):
    for mode in ("fan_in", "fan_out"):
        mine = lamina.nn.init._calculate_correct_fan(lamina.zeros(shape), mode)
        assert mine == torch.nn.init._calculate_correct_fan(torch.zeros(shape), mode)
    with pytest.raises(ValueError, match="fewer than 2"):
        lamina.nn.init._calculate_fan_in_and_fan_out(lamina.zeros(3))


def test_helpers_of_checkpoints_and_flat_tensors():
    assert lamina.utils.checkpoint.get_device_states(lamina.ones(2)) == ([], [])
    lamina.utils.checkpoint.set_device_states([], [])
    with pytest.raises(ValueError):
        lamina.utils.checkpoint.set_device_states([0], [None])
    parts = [lamina.arange(4.0).reshape(2, 2), lamina.ones(1)]
    flat = lamina._utils._flatten_dense_tensors(parts)
    back = lamina._utils._unflatten_dense_tensors(flat, parts)
    assert flat.shape == (5,) and all(lamina.equal(x, y) for x, y in zip(parts, back, strict=True))
    with pytest.raises(AssertionError, match="so"):
        lamina._assert(False, "so")
    with pytest.raises(IndexError, match="so"):
        lamina._check_index(False, lambda: "so")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        lamina.utils.checkpoint.check_backward_validity([lamina.ones(1)])
    assert len(said) == 1


def test_storage_counts_elements():
    """Tensor.storage(), the older name: one row of elements that views share."""
    x = lamina.arange(6.0).reshape(2, 3)
    for view in (x, x[1], x.t(), x[:, 1:]):
        memory = view.storage()
        assert len(memory) == memory.size() == 6 and memory.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        assert memory.data_ptr() == x.data_ptr() and memory.nbytes() == 24 and memory.dtype == lamina.float32
    assert x.double().storage().element_size() == 8 and lamina.zeros(0).storage().size() == 0
    assert x.is_cpu and not x.is_cuda
