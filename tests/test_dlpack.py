"""DLPack both ways, with NumPy and PyTorch and with capsules made by hand."""

import ctypes
import gc

import lamina
import numpy as np
import pytest
from lamina.utils.dlpack import from_dlpack, to_dlpack

torch = pytest.importorskip("torch")

SHARED = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", SHARED)
def test_from_numpy(dtype):
    a = np.array([[0, 1, 0], [1, 1, 0]]).astype(dtype)
    x = lamina.from_dlpack(a)
    assert x.dtype == getattr(lamina, dtype) and tuple(x.shape) == (2, 3)
    assert x.tolist() == a.tolist() and x.data_ptr() == a.ctypes.data


@pytest.mark.parametrize("dtype", SHARED)
def test_to_numpy(dtype):
    x = lamina.tensor([[0, 1, 0], [1, 1, 0]], dtype=getattr(lamina, dtype))
    a = np.from_dlpack(x)
    assert a.dtype == np.dtype(dtype) and a.tolist() == x.tolist() and a.ctypes.data == x.data_ptr()
    assert np.from_dlpack(x.t()).tolist() == x.t().tolist()


@pytest.mark.parametrize("dtype", [*SHARED, "bfloat16"])
def test_torch_both_ways(dtype):
    t = torch.tensor([[0, 1, 0], [1, 1, 0]]).to(getattr(torch, dtype))
    x = lamina.from_dlpack(t)
    assert x.dtype == getattr(lamina, dtype) and x.tolist() == t.tolist() and x.data_ptr() == t.data_ptr()
    back = torch.from_dlpack(x)
    assert back.dtype == t.dtype and back.tolist() == t.tolist() and back.data_ptr() == t.data_ptr()


def test_writes_are_shared():
    t = torch.zeros(3)
    x = lamina.from_dlpack(t)
    x.add_(2)
    assert t.tolist() == [2.0, 2.0, 2.0]
    y = lamina.zeros(3)
    np.from_dlpack(y.detach())  # may be read-only on NumPy's side
    torch.from_dlpack(y).fill_(5)
    assert y.tolist() == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::2],
        lambda a: a[:, ::-1],
        lambda a: a[::-1, ::-2],
        lambda a: a.T,
        lambda a: a[1:1],
        lambda a: a[1:2, 2:3].reshape(()),
        lambda a: np.broadcast_to(a[0], (5, 6)).copy(),
    ],
)
def test_strides(view):
    a = view(np.arange(24, dtype=np.float32).reshape(4, 6))
    x = lamina.from_dlpack(a)
    assert x.tolist() == a.tolist()
    assert (x * 2).tolist() == (a * 2).tolist()
    if all(s >= 0 for s in a.strides):
        assert torch.from_dlpack(x).tolist() == a.tolist()


def test_zero_strides():
    x = lamina.from_dlpack(torch.ones(1, 3).expand(4, 3))
    assert x.stride() == (0, 1) and x.tolist() == [[1.0] * 3] * 4
    with pytest.raises(lamina.ShapeError, match="expanded"):
        x.add_(1)
    assert torch.from_dlpack(lamina.ones(1).expand(3)).tolist() == [1.0] * 3


@pytest.mark.skipif(tuple(map(int, np.__version__.split(".")[:2])) < (2, 1), reason="older NumPy has no read-only flag")
def test_read_only():
    a = np.arange(3.0)
    a.flags.writeable = False
    x = lamina.from_dlpack(a)
    with pytest.raises(ValueError, match="read-only"):
        x.add_(1)
    assert not np.from_dlpack(x).flags.writeable
    with pytest.raises(BufferError, match="read-only"):
        x.__dlpack__()
    x.clone().__dlpack__()


def test_capsule_is_used_once():
    x = lamina.tensor([1.0, 2.0])
    c = to_dlpack(x)
    y = from_dlpack(c)
    assert y.tolist() == [1.0, 2.0] and y.data_ptr() == x.data_ptr()
    with pytest.raises(ValueError, match="once"):
        from_dlpack(c)
    with pytest.raises(ValueError, match="once"):
        lamina.from_dlpack(c)
    assert '"used_dltensor"' in repr(c)


def test_unused_capsule_frees_the_tensor():
    x = lamina.zeros(1 << 18)
    before = lamina.memory_stats()["allocated"]
    c = to_dlpack(lamina.zeros(1 << 18))
    assert lamina.memory_stats()["allocated"] > before
    del c
    assert lamina.memory_stats()["allocated"] == before
    del x


def test_memory_lives_as_long_as_its_last_user():
    x = lamina.from_dlpack(torch.arange(1000.0))
    view = x.narrow(0, 500, 2)
    del x
    gc.collect()
    assert view.tolist() == [500.0, 501.0]
    a = np.from_dlpack(lamina.arange(1000.0))
    gc.collect()
    assert a[999] == 999.0


def test_device_copy_and_versions():
    x = lamina.tensor([1.0])
    assert x.__dlpack_device__() == (1, 0)
    assert '"dltensor"' in repr(x.__dlpack__())
    assert '"dltensor"' in repr(x.__dlpack__(None))
    assert '"dltensor_versioned"' in repr(x.__dlpack__(max_version=(1, 0)))
    assert '"dltensor"' in repr(x.__dlpack__(max_version=(0, 8)))
    assert lamina.from_dlpack(x.__dlpack__(copy=True)).data_ptr() != x.data_ptr()
    assert lamina.from_dlpack(x, copy=True).data_ptr() != x.data_ptr()
    assert lamina.from_dlpack(x, device="cpu", copy=False).data_ptr() == x.data_ptr()
    with pytest.raises(BufferError, match="device"):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(ValueError, match="stream"):
        x.__dlpack__(stream=5)


def test_refusals():
    with pytest.raises(BufferError, match="detach"):
        lamina.ones(2, requires_grad=True).__dlpack__()
    with pytest.raises(TypeError, match="__dlpack__"):
        lamina.from_dlpack([1, 2])
    with pytest.raises(TypeError, match="code 5"):
        lamina.from_dlpack(torch.zeros(2, dtype=torch.complex64))
    with pytest.raises(TypeError, match="code 1"):
        lamina.from_dlpack(np.zeros(2, dtype=np.uint32))


class Made:
    """A producer whose capsule is built by hand, to give what no library gives."""

    class Tensor(ctypes.Structure):
        _fields_ = [
            ("data", ctypes.c_void_p),
            ("device_type", ctypes.c_int32),
            ("device_id", ctypes.c_int32),
            ("ndim", ctypes.c_int32),
            ("code", ctypes.c_uint8),
            ("bits", ctypes.c_uint8),
            ("lanes", ctypes.c_uint16),
            ("shape", ctypes.POINTER(ctypes.c_int64)),
            ("strides", ctypes.POINTER(ctypes.c_int64)),
            ("byte_offset", ctypes.c_uint64),
        ]

    def __init__(self, data=None, shape=(4,), strides=None, code=2, bits=32, lanes=1, device=1, offset=0, ndim=None):
        deleter_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

        class Managed(ctypes.Structure):
            _fields_ = [("tensor", Made.Tensor), ("context", ctypes.c_void_p), ("deleter", deleter_type)]

        self.deleted = 0
        self.shape = (ctypes.c_int64 * len(shape))(*shape)
        self.strides = (ctypes.c_int64 * len(strides))(*strides) if strides is not None else None
        m = self.managed = Managed()
        m.tensor.data = data
        m.tensor.device_type = device
        m.tensor.ndim = len(shape) if ndim is None else ndim
        m.tensor.code, m.tensor.bits, m.tensor.lanes = code, bits, lanes
        m.tensor.shape = self.shape
        if self.strides is not None:
            m.tensor.strides = self.strides
        m.tensor.byte_offset = offset
        self.keep = deleter_type(self.delete)
        m.deleter = self.keep

    def delete(self, _):
        self.deleted += 1

    def __dlpack__(self):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.managed), b"dltensor", None)


def test_deleter_runs_once():
    a = np.arange(4, dtype=np.float32)
    p = Made(a.ctypes.data)
    x = lamina.from_dlpack(p)
    y = x.narrow(0, 1, 2)
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0] and p.deleted == 0
    del x
    assert p.deleted == 0 and y.tolist() == [1.0, 2.0]
    del y
    assert p.deleted == 1


def test_offset_and_unaligned_memory():
    a = np.arange(8, dtype=np.float32)
    assert lamina.from_dlpack(Made(a.ctypes.data, offset=8)).tolist() == [2.0, 3.0, 4.0, 5.0]
    raw = np.frombuffer(b"\0" + a.tobytes(), dtype=np.uint8).copy()
    p = Made(raw.ctypes.data + (1 if raw.ctypes.data % 4 == 0 else 0), strides=(2,))
    x = lamina.from_dlpack(p)
    assert x.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert p.deleted == 1  # copied: the source is not needed any more
    assert lamina.from_dlpack(Made(a.ctypes.data + 28, strides=(-2,))).tolist() == [7.0, 5.0, 3.0, 1.0]
    assert lamina.from_dlpack(Made(None, shape=(0, 3))).tolist() == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"shape": (-1,)}, ValueError),
        ({"shape": (1 << 62, 8)}, ValueError),
        ({"shape": (4,), "strides": (1 << 62,)}, ValueError),
        ({"code": 9}, TypeError),
        ({"lanes": 4}, TypeError),
        ({"bits": 12}, TypeError),
        ({"device": 2}, BufferError),
        ({"ndim": -1}, ValueError),
        ({"ndim": 1000}, ValueError),
    ],
    ids=str,
)
def test_bad_capsules(arguments, error):
    a = np.arange(4, dtype=np.float32)
    p = Made(a.ctypes.data, **arguments)
    with pytest.raises(error):
        lamina.from_dlpack(p)
    assert p.deleted == 0  # still the producer's
    with pytest.raises(ValueError, match="null"):
        lamina.from_dlpack(Made(None))
