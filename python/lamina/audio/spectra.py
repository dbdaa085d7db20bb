"""Spectrograms, mel scales and cepstra, with torchaudio's names."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import lamina

from .. import nn
from .._C import functional as _F
from .._operands import need_tensors
from .fourier import hann_window, stft

if TYPE_CHECKING:
    from .._C import Tensor

_LOG_TEN = 2.302585092994046
_LOG_STEP = 0.06875177742094912  # log(6.4) / 27: Slaney's scale above 1 kHz


def _exact(function: str, value: float) -> float:
    """log, exp ... of lamina itself: the same bits on every machine."""
    return float(getattr(lamina.tensor(value, dtype=lamina.float64), function)().item())


def hz_to_mel(frequency: float, mel_scale: str = "htk") -> float:
    """Mels of a frequency: HTK's 2595 log10(1 + f / 700), or Slaney's, linear up to 1 kHz.

    >>> import lamina
    >>> lamina.audio.hz_to_mel(1000.0, "slaney")
    15.0
    """
    if mel_scale == "htk":
        return 2595.0 * _exact("log10", 1.0 + frequency / 700.0)
    if mel_scale != "slaney":
        raise ValueError(f"mel_scale must be htk or slaney, got {mel_scale!r}")
    return frequency * 3.0 / 200.0 if frequency < 1000.0 else 15.0 + _exact("log", frequency / 1000.0) / _LOG_STEP


def mel_to_hz(mel: float, mel_scale: str = "htk") -> float:
    """The inverse of hz_to_mel.

    >>> import lamina
    >>> round(lamina.audio.mel_to_hz(lamina.audio.hz_to_mel(440.0)), 6)
    440.0
    """
    if mel_scale == "htk":
        return 700.0 * _exact("expm1", mel / 2595.0 * _LOG_TEN)
    if mel_scale != "slaney":
        raise ValueError(f"mel_scale must be htk or slaney, got {mel_scale!r}")
    return mel * 200.0 / 3.0 if mel < 15.0 else 1000.0 * _exact("exp", (mel - 15.0) * _LOG_STEP)


def melscale_fbanks(
    n_freqs: int,
    f_min: float,
    f_max: float,
    n_mels: int,
    sample_rate: int,
    norm: str | None = None,
    mel_scale: str = "htk",
) -> Tensor:
    """Triangular filters at equal distances in mels: (n_freqs, n_mels) float32; norm "slaney" gives them equal areas.

    >>> import lamina
    >>> lamina.audio.melscale_fbanks(201, 0.0, 8000.0, 40, 16000).shape
    (201, 40)
    """
    if norm not in (None, "slaney"):
        raise ValueError(f"melscale_fbanks: norm must be None or 'slaney', got {norm!r}")
    if n_freqs < 2 or n_mels < 1 or not 0 <= f_min < f_max < math.inf:
        raise ValueError(
            f"melscale_fbanks: expected n_freqs > 1, n_mels > 0 and 0 <= f_min < f_max, got {n_freqs}, {n_mels}, "
            f"{f_min} and {f_max}"
        )
    low, high = hz_to_mel(f_min, mel_scale), hz_to_mel(f_max, mel_scale)
    points = [mel_to_hz(low + (high - low) * i / (n_mels + 1), mel_scale) for i in range(n_mels + 2)]
    edges = lamina.tensor(points, dtype=lamina.float64)
    step = (sample_rate // 2) / (n_freqs - 1)
    frequency = lamina.arange(n_freqs, dtype=lamina.float64).unsqueeze(1) * step
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequency - left) / (middle - left), (right - frequency) / (right - middle)
    filters = lamina.minimum(rising, falling).clamp_min(0.0)
    if norm == "slaney":
        filters = filters * (2.0 / (right - left))
    if bool((filters.amax(0) == 0).any()):
        warnings.warn(
            f"melscale_fbanks: some of {n_mels} filters hold none of {n_freqs} frequencies; fewer n_mels or a larger n_fft",
            stacklevel=2,
        )
    return filters.to(lamina.float32)


def create_dct(n_mfcc: int, n_mels: int, norm: str | None = "ortho") -> Tensor:
    """The DCT-II of n_mels numbers, its first n_mfcc: (n_mels, n_mfcc) float32; "ortho" makes it orthogonal.

    >>> import lamina
    >>> d = lamina.audio.create_dct(8, 8)
    >>> bool(lamina.allclose(d @ d.t(), lamina.eye(8), atol=1e-6))
    True
    """
    if norm not in (None, "ortho") or not 0 < n_mfcc <= n_mels:
        raise ValueError(
            f"create_dct: expected norm None or 'ortho' and 0 < n_mfcc <= n_mels, got {norm!r}, {n_mfcc} and {n_mels}"
        )
    n = lamina.arange(n_mels).unsqueeze(1) * 2 + 1
    turns = n * lamina.arange(n_mfcc) % (4 * n_mels)  # cos(pi k (2 n + 1) / 2N) has the period 4N
    out = (turns.to(lamina.float64) * (math.pi / (2 * n_mels))).cos() * 2.0
    if norm == "ortho":
        out = out * math.sqrt(1.0 / (2.0 * n_mels))
        out = lamina.cat([out[:, :1] * math.sqrt(0.5), out[:, 1:]], 1)
    return out.to(lamina.float32)


class Spectrogram(nn.Module):
    """Power of frequencies over time: (*, L) -> (*, n_fft / 2 + 1, frames); with power None (*, bins, frames, 2).

    `power` 2 is energy, 1 magnitude; `normalized` True or "window" divides by the window's norm, "frame_length" by the
    root of n_fft; `pad` adds zeros on both sides of the signal.

    >>> import lamina
    >>> lamina.audio.Spectrogram(n_fft=64)(lamina.zeros(2, 320)).shape
    (2, 33, 11)
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        pad: int = 0,
        window_fn: Callable[..., Tensor] = hann_window,
        power: float | None = 2.0,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        onesided: bool = True,
    ) -> None:
        super().__init__()
        if n_fft < 1 or pad < 0 or (power is not None and not power > 0):
            raise ValueError(
                f"Spectrogram: expected n_fft > 0, pad >= 0 and power > 0 or None, got {n_fft}, {pad} and {power}"
            )
        if normalized not in (False, True, "window", "frame_length"):
            raise ValueError(f"Spectrogram: normalized must be a bool, 'window' or 'frame_length', got {normalized!r}")
        self.n_fft, self.win_length = n_fft, n_fft if win_length is None else win_length
        self.hop_length = self.win_length // 2 if hop_length is None else hop_length
        if self.hop_length < 1 or not 0 < self.win_length <= n_fft:
            raise ValueError(
                f"Spectrogram: expected 0 < win_length <= n_fft and hop_length > 0, got win_length {self.win_length}, "
                f"n_fft {n_fft}, hop_length {self.hop_length}"
            )
        self.pad, self.power, self.normalized = pad, power, normalized
        self.center, self.pad_mode, self.onesided = center, pad_mode, onesided
        self.register_buffer("window", window_fn(self.win_length, **(wkwargs or {})), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        need_tensors("Spectrogram", waveform=waveform)
        if waveform.dim() < 1:
            raise lamina.ShapeError("Spectrogram: expected (*, L), got a number")
        flat = waveform.reshape(-1, waveform.shape[-1])
        if self.pad:
            flat = _F.pad(flat, (self.pad, self.pad))
        sizes = (self.n_fft, self.hop_length, self.win_length, self.window)
        by_frame = self.normalized == "frame_length"
        parts = stft(flat, *sizes, self.center, self.pad_mode, by_frame, self.onesided)
        if self.normalized and not by_frame:
            parts = parts / self.window.square().sum().sqrt()
        parts = parts.reshape(*waveform.shape[:-1], *parts.shape[1:])
        if self.power is None:
            return parts
        re, im = parts[..., 0], parts[..., 1]
        if self.power == 2:
            return re * re + im * im
        size = lamina.hypot(re, im)
        return size if self.power == 1 else size.pow(self.power)

    def extra_repr(self) -> str:
        return f"n_fft={self.n_fft}, win_length={self.win_length}, hop_length={self.hop_length}, power={self.power}"


class MelScale(nn.Module):
    """Frequencies gathered by mel filters: (*, n_stft, frames) -> (*, n_mels, frames).

    >>> import lamina
    >>> lamina.audio.MelScale(n_mels=40)(lamina.zeros(201, 5)).shape
    (40, 5)
    """

    fb: Tensor

    def __init__(
        self,
        n_mels: int = 128,
        sample_rate: int = 16000,
        f_min: float = 0.0,
        f_max: float | None = None,
        n_stft: int = 201,
        norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:
        super().__init__()
        self.n_mels, self.sample_rate, self.n_stft = n_mels, sample_rate, n_stft
        self.f_min, self.f_max = float(f_min), float(sample_rate // 2 if f_max is None else f_max)
        filters = melscale_fbanks(n_stft, self.f_min, self.f_max, n_mels, sample_rate, norm, mel_scale)
        self.register_buffer("fb", filters, persistent=False)

    def forward(self, specgram: Tensor) -> Tensor:
        need_tensors("MelScale", specgram=specgram)
        if specgram.dim() < 2 or specgram.shape[-2] != self.n_stft:
            raise lamina.ShapeError(
                f"MelScale: expected (*, {self.n_stft}, frames), got {tuple(specgram.shape)}; hint: n_stft is n_fft / 2 + 1"
            )
        return specgram.transpose(-1, -2).matmul(self.fb.to(specgram.dtype)).transpose(-1, -2)

    def extra_repr(self) -> str:
        return f"n_mels={self.n_mels}, sample_rate={self.sample_rate}, f_min={self.f_min}, f_max={self.f_max}"


class MelSpectrogram(nn.Module):
    """Spectrogram and MelScale: (*, L) -> (*, n_mels, frames).

    >>> import lamina
    >>> lamina.audio.MelSpectrogram(8000, n_fft=256, n_mels=20)(lamina.zeros(3, 8000)).shape
    (3, 20, 63)
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        n_fft: int = 400,
        win_length: int | None = None,
        hop_length: int | None = None,
        f_min: float = 0.0,
        f_max: float | None = None,
        pad: int = 0,
        n_mels: int = 128,
        window_fn: Callable[..., Tensor] = hann_window,
        power: float = 2.0,
        normalized: bool | str = False,
        wkwargs: dict[str, Any] | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:
        super().__init__()
        shape = (n_fft, win_length, hop_length, pad, window_fn)
        self.spectrogram = Spectrogram(*shape, power, normalized, wkwargs, center, pad_mode)
        self.mel_scale = MelScale(n_mels, sample_rate, f_min, f_max, n_fft // 2 + 1, norm, mel_scale)

    def forward(self, waveform: Tensor) -> Tensor:
        out: Tensor = self.mel_scale(self.spectrogram(waveform))
        return out


class AmplitudeToDB(nn.Module):
    """Decibels: 10 log10(power) or 20 log10(magnitude), of at least 1e-10: (*) -> (*).

    `top_db` lifts everything to at most that far below the loudest place of each sample (of dims (channel, freq, time),
    or the whole of fewer dims).

    >>> import lamina
    >>> lamina.audio.AmplitudeToDB()(lamina.tensor([100.0, 1.0])).tolist()
    [20.0, 0.0]
    """

    def __init__(self, stype: str = "power", top_db: float | None = None) -> None:
        super().__init__()
        if stype not in ("power", "magnitude"):
            raise ValueError(f"AmplitudeToDB: stype must be power or magnitude, got {stype!r}")
        if top_db is not None and not top_db >= 0:
            raise ValueError(f"AmplitudeToDB: top_db must not be negative, got {top_db!r}")
        self.stype, self.top_db = stype, top_db

    def forward(self, x: Tensor) -> Tensor:
        need_tensors("AmplitudeToDB", x=x)
        level = x.clamp_min(1e-10).log10() * (10.0 if self.stype == "power" else 20.0)
        if self.top_db is None:
            return level
        dims = tuple(range(-min(3, level.dim()), 0))
        loudest = level.amax(dims, keepdim=True) if dims else level
        return lamina.maximum(level, loudest - self.top_db)

    def extra_repr(self) -> str:
        return f"stype={self.stype!r}, top_db={self.top_db}"


class MFCC(nn.Module):
    """Mel-frequency cepstral coefficients: (*, L) -> (*, n_mfcc, frames).

    The orthogonal DCT-II of decibels (80 below the loudest at least), or with log_mels of log(mel + 1e-6). `melkwargs`
    are those of MelSpectrogram. (Davis and Mermelstein 1980, doi:10.1109/TASSP.1980.1163420.)

    >>> import lamina
    >>> lamina.audio.MFCC(8000, n_mfcc=13, melkwargs={"n_fft": 256, "n_mels": 20})(lamina.rand(8000)).shape
    (13, 63)
    """

    dct_mat: Tensor

    def __init__(
        self,
        sample_rate: int = 16000,
        n_mfcc: int = 40,
        dct_type: int = 2,
        norm: str | None = "ortho",
        log_mels: bool = False,
        melkwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if dct_type != 2:
            raise ValueError(f"MFCC: dct_type must be 2, got {dct_type!r}")
        self.MelSpectrogram = MelSpectrogram(sample_rate=sample_rate, **(melkwargs or {}))
        n_mels = self.MelSpectrogram.mel_scale.n_mels
        self.amplitude_to_DB = AmplitudeToDB("power", 80.0)
        self.n_mfcc, self.log_mels = n_mfcc, bool(log_mels)
        self.register_buffer("dct_mat", create_dct(n_mfcc, n_mels, norm), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        mel: Tensor = self.MelSpectrogram(waveform)
        level: Tensor = (mel + 1e-6).log() if self.log_mels else self.amplitude_to_DB(mel)
        return level.transpose(-1, -2).matmul(self.dct_mat.to(level.dtype)).transpose(-1, -2)

    def extra_repr(self) -> str:
        return f"n_mfcc={self.n_mfcc}, log_mels={self.log_mels}"
