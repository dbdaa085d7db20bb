"""Windows, and the short-time Fourier transform as a matrix product: real and imaginary part in a last dim of 2."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import lamina

from .._C import functional as _F
from .._operands import need_tensors

if TYPE_CHECKING:
    from .._C import Tensor


def _cosines(length: int, periodic: bool, *terms: float) -> Tensor:
    """float64: terms[0] - terms[1] cos(2 pi i / n) + terms[2] cos(4 pi i / n), over a period n."""
    if isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise ValueError(f"window: window_length must be an int of at least 0, got {length!r}")
    if length == 1:
        return lamina.ones(1, dtype=lamina.float64)
    angle = lamina.arange(length, dtype=lamina.float64) * (2.0 * math.pi / max(1, length - (not periodic)))
    out = lamina.full((length,), terms[0], dtype=lamina.float64)
    for i, term in enumerate(terms[1:], 1):
        out = out + (angle * i).cos() * (term if i % 2 == 0 else -term)
    return out


def _made(values: Tensor, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    out = values.to("cpu" if device is None else device, lamina.get_default_dtype() if dtype is None else dtype)
    return out.requires_grad_() if requires_grad else out


def hann_window(
    window_length: int,
    periodic: bool = True,
    dtype: Any = None,
    *,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """sin^2(pi i / n): (window_length); n is window_length, or one less when not periodic.

    >>> import lamina
    >>> lamina.audio.hann_window(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return _made(_cosines(window_length, periodic, 0.5, 0.5), dtype, device, requires_grad)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    dtype: Any = None,
    *,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """alpha - beta cos(2 pi i / n): (window_length).

    >>> import lamina
    >>> lamina.audio.hamming_window(2)[1].item()
    1.0
    """
    return _made(_cosines(window_length, periodic, alpha, beta), dtype, device, requires_grad)


def blackman_window(
    window_length: int,
    periodic: bool = True,
    dtype: Any = None,
    *,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """0.42 - 0.5 cos(2 pi i / n) + 0.08 cos(4 pi i / n): (window_length).

    >>> import lamina
    >>> lamina.audio.blackman_window(4)[2].item()
    1.0
    """
    return _made(_cosines(window_length, periodic, 0.42, 0.5, 0.08), dtype, device, requires_grad)


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    dtype: Any = None,
    *,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle: (window_length).

    >>> import lamina
    >>> lamina.audio.bartlett_window(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    flat = _cosines(window_length, periodic, 1.0)
    if window_length > 1:
        i = lamina.arange(window_length, dtype=lamina.float64)
        flat = 1.0 - (i * (2.0 / (window_length - (not periodic))) - 1.0).abs()
    return _made(flat, dtype, device, requires_grad)


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    dtype: Any = None,
    *,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """I0(beta sqrt(1 - (2 i / n - 1)^2)) / I0(beta), I0 being a Bessel function: (window_length).

    >>> import lamina
    >>> lamina.audio.kaiser_window(4, beta=0.0).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    values = _cosines(window_length, periodic, 1.0)
    if window_length > 1:
        place = lamina.arange(window_length, dtype=lamina.float64) * (2.0 / (window_length - (not periodic))) - 1.0
        top = lamina.i0(lamina.tensor(float(beta), dtype=lamina.float64))
        values = lamina.i0((1.0 - place * place).clamp(min=0.0).sqrt() * beta) / top
    return _made(values, dtype, device, requires_grad)


@lru_cache(maxsize=8)
def _basis(n_fft: int, bins: int, dtype: Any, inverse: bool) -> Tensor:
    """The transform (n_fft, 2 bins) of a frame, or its inverse (2 bins, n_fft); columns are re, im, re, im ..."""
    with lamina.inference_mode(False), lamina.no_grad():
        step = lamina.arange(n_fft, dtype=lamina.float64) * (2.0 * math.pi / n_fft)
        places = lamina.arange(n_fft).unsqueeze(1) * lamina.arange(bins) % n_fft  # whole turns off: exact angles
        parts = lamina.stack([step.cos()[places], -step.sin()[places]], 2)
        if inverse:
            k = lamina.arange(bins)
            single = (k == 0) | (k * 2 == n_fft)  # the other bins stand for their mirror images too
            parts = parts * ((2 - single.to(lamina.float64)) / n_fft).unsqueeze(1)
        matrix = parts.reshape(n_fft, 2 * bins)
        return (matrix.t().contiguous() if inverse else matrix).to(dtype)


def _window(op: str, window: Tensor | None, win_length: int, n_fft: int, like: Tensor) -> Tensor:
    if not 0 < win_length <= n_fft:
        raise ValueError(f"{op}: win_length must be between 1 and n_fft = {n_fft}, got {win_length}")
    if window is None:
        window = lamina.ones(win_length, dtype=like.dtype, device=like.device)
    if tuple(window.shape) != (win_length,):
        raise lamina.ShapeError(f"{op}: window must have shape ({win_length},), got {tuple(window.shape)}")
    before = (n_fft - win_length) // 2
    return _F.pad(window.to(like.dtype), (before, n_fft - win_length - before))


def _sizes(op: str, n_fft: int, hop_length: int | None, win_length: int | None) -> tuple[int, int]:
    hop = n_fft // 4 if hop_length is None else hop_length
    if n_fft < 1 or hop < 1:
        raise ValueError(f"{op}: n_fft and hop_length must be positive, got {n_fft} and {hop}")
    return hop, n_fft if win_length is None else win_length


def _no_complex(op: str, return_complex: bool | None) -> None:
    if return_complex:
        raise ValueError(f"{op}: return_complex=True: lamina has no complex numbers; parts stand in a last dim of 2")


def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
) -> Tensor:
    """Short-time Fourier transform: (L) or (B, L) -> (bins, frames, 2) or (B, bins, frames, 2), real and imaginary part.

    bins are n_fft / 2 + 1, or n_fft unless onesided; with center, frame t is around sample t hop_length of the signal
    padded by n_fft / 2. hop_length is n_fft / 4 and win_length n_fft unless given; no window is one of ones.
    Each frame is a product with cosines and sines, so gradients of any order exist.

    >>> import lamina
    >>> tone = (lamina.arange(64.0) * (3.141592653589793 / 4)).cos()
    >>> parts = lamina.audio.stft(tone, 16, window=lamina.audio.hann_window(16))
    >>> parts.shape, lamina.hypot(*parts.unbind(-1))[:, 5].argmax().item()
    ((9, 17, 2), 2)
    """
    need_tensors("stft", input=input)
    _no_complex("stft", return_complex)
    if input.dim() not in (1, 2) or not input.is_floating_point():
        raise lamina.ShapeError(f"stft: expected floats (L) or (B, L), got {tuple(input.shape)} {input.dtype}")
    hop, length = _sizes("stft", n_fft, hop_length, win_length)
    signal = input if input.dim() == 2 else input.unsqueeze(0)
    if center:
        half = n_fft // 2
        if pad_mode == "reflect" and half >= signal.shape[1]:
            raise lamina.ShapeError(f"stft: reflect padding of {half} needs a longer signal than {signal.shape[1]}")
        signal = _F.pad(signal.unsqueeze(1), (half, half), pad_mode).squeeze(1)
    if signal.shape[1] < n_fft:
        raise lamina.ShapeError(f"stft: n_fft {n_fft} is longer than the signal of {signal.shape[1]}")
    frames = signal.unfold(1, n_fft, hop) * _window("stft", window, length, n_fft, input)
    bins = n_fft if onesided is False else n_fft // 2 + 1
    basis = _basis(n_fft, bins, input.dtype, False).to(input.device)
    out = frames.matmul(basis).unflatten(2, (bins, 2)).transpose(1, 2)
    if normalized:
        out = out * n_fft**-0.5
    return out if input.dim() == 2 else out[0]


def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal with the least squared distance to a transform: (bins, frames, 2) or (B, bins, frames, 2) -> (L), (B, L).

    Undoes `stft` with the same arguments where the windows overlap without gaps; else ValueError. `length` cuts the
    signal, or fills it up with zeros. (Griffin and Lim 1984, doi:10.1109/TASSP.1984.1164317.)

    >>> import lamina
    >>> x, w = lamina.rand(100), lamina.audio.hann_window(16)
    >>> y = lamina.audio.istft(lamina.audio.stft(x, 16, window=w), 16, window=w, length=100)
    >>> bool(((x - y).abs() < 1e-5).all())
    True
    """
    need_tensors("istft", input=input)
    _no_complex("istft", return_complex)
    if input.dim() not in (3, 4) or input.shape[-1] != 2 or not input.is_floating_point():
        raise lamina.ShapeError(
            f"istft: expected floats (bins, frames, 2) or (B, bins, frames, 2), got {tuple(input.shape)} {input.dtype}"
        )
    hop, win = _sizes("istft", n_fft, hop_length, win_length)
    bins = n_fft // 2 + 1
    sides = n_fft if onesided is False or (onesided is None and input.shape[-3] == n_fft != bins) else bins
    if input.shape[-3] != sides or input.shape[-2] == 0:
        raise lamina.ShapeError(f"istft: expected {sides} bins for n_fft {n_fft}, got shape {tuple(input.shape)}")
    parts = (input if input.dim() == 4 else input.unsqueeze(0))[:, :bins].transpose(1, 2).flatten(2)
    if normalized:
        parts = parts * n_fft**0.5
    shape = _window("istft", window, win, n_fft, input)
    frames = parts.matmul(_basis(n_fft, bins, input.dtype, True).to(input.device)) * shape
    full = n_fft + hop * (frames.shape[1] - 1)
    signal = _overlap(frames, full, hop)
    weight = _overlap(shape.square().expand(1, *frames.shape[1:]), full, hop)
    start = n_fft // 2 if center else 0
    end = full - start if length is None else min(start + length, full)
    if end <= start or float(weight[:, start:end].amin().item()) < 1e-11:
        raise ValueError("istft: the windows leave gaps; hint: a smaller hop_length, or center=True")
    out = signal[:, start:end] / weight[:, start:end]
    if length is not None and length > end - start:
        out = _F.pad(out, (0, length - (end - start)))
    return out if input.dim() == 4 else out[0]


def _overlap(frames: Tensor, length: int, hop: int) -> Tensor:
    """Frames (B, T, n) added where they belong: (B, length)."""
    n = frames.shape[2]
    return _F.fold(frames.transpose(1, 2), (1, length), (1, n), stride=(1, hop))[:, 0, 0]
