"""Resampling, and tones for examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import lamina

from .. import nn
from .._C import functional as _F
from .._operands import need_tensors

if TYPE_CHECKING:
    from .._C import Tensor

DTMF_FREQUENCIES = {
    key: (row, column)
    for row, keys in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for key, column in zip(keys, (1209, 1336, 1477, 1633), strict=True)
}


@lru_cache(maxsize=16)
def _kernels(old: int, new: int, width: int, rolloff: float, dtype: Any) -> tuple[Tensor, int]:
    """(new, 1, taps): the windowed sinc of each of the `new` places between `old` samples, and its reach."""
    with lamina.inference_mode(False), lamina.no_grad():
        cutoff = min(old, new) * rolloff / old  # in cycles per two samples of the input
        reach = math.ceil(width / cutoff)
        tap = lamina.arange(-reach, reach + old, dtype=lamina.float64)
        shift = lamina.arange(new, dtype=lamina.float64).unsqueeze(1) * (old / new)
        t = ((tap - shift) * cutoff).clamp(-width, width)  # in zero crossings
        window = (t * (math.pi / (2 * width))).cos().square()
        return (lamina.sinc(t) * window * cutoff).unsqueeze(1).to(dtype), reach


def resample(
    waveform: Tensor, orig_freq: int, new_freq: int, lowpass_filter_width: int = 6, rolloff: float = 0.99
) -> Tensor:
    """The signal at another rate: (*, L) -> (*, ceil(L new_freq / orig_freq)).

    A sinc low-pass under a Hann window of `lowpass_filter_width` zero crossings to each side, which ends at `rolloff` of
    the lower of both half rates. (J. O. Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/.)

    >>> import lamina
    >>> lamina.audio.resample(lamina.zeros(2, 44100), 44100, 16000).shape
    (2, 16000)
    """
    need_tensors("resample", waveform=waveform)
    for what, value in (
        ("orig_freq", orig_freq),
        ("new_freq", new_freq),
        ("lowpass_filter_width", lowpass_filter_width),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"resample: {what} must be a positive int, got {value!r}")
    if not 0 < rolloff <= 1:
        raise ValueError(f"resample: rolloff must lie between 0 and 1, got {rolloff!r}")
    if waveform.dim() < 1 or not waveform.is_floating_point():
        raise lamina.ShapeError(f"resample: expected floats (*, L), got {tuple(waveform.shape)} {waveform.dtype}")
    common = math.gcd(orig_freq, new_freq)
    old, new = orig_freq // common, new_freq // common
    length = waveform.shape[-1]
    if old == new or waveform.numel() == 0:
        return waveform if old == new else waveform.new_zeros((*waveform.shape[:-1], -(-length * new // old)))
    kernels, reach = _kernels(old, new, lowpass_filter_width, float(rolloff), waveform.dtype)
    flat = _F.pad(waveform.reshape(-1, 1, length), (reach, reach + old))
    out = _F.conv1d(flat, kernels.to(waveform.device), stride=old)  # (B, new, steps)
    out = out.transpose(1, 2).flatten(1)[:, : -(-length * new // old)]
    return out.reshape(*waveform.shape[:-1], out.shape[1])


class Resample(nn.Module):
    """`resample` as a layer: (*, L) -> (*, ceil(L new_freq / orig_freq)).

    >>> import lamina
    >>> lamina.audio.Resample(16000, 8000)(lamina.zeros(100)).shape
    (50,)
    """

    def __init__(
        self,
        orig_freq: int = 16000,
        new_freq: int = 16000,
        resampling_method: str = "sinc_interp_hann",
        lowpass_filter_width: int = 6,
        rolloff: float = 0.99,
    ) -> None:
        super().__init__()
        if resampling_method != "sinc_interp_hann":
            raise ValueError(f"Resample: resampling_method must be sinc_interp_hann, got {resampling_method!r}")
        self.orig_freq, self.new_freq = orig_freq, new_freq
        self.lowpass_filter_width, self.rolloff = lowpass_filter_width, rolloff
        resample(lamina.zeros(0), orig_freq, new_freq, lowpass_filter_width, rolloff)  # checks the arguments

    def forward(self, waveform: Tensor) -> Tensor:
        return resample(waveform, self.orig_freq, self.new_freq, self.lowpass_filter_width, self.rolloff)

    def extra_repr(self) -> str:
        return f"orig_freq={self.orig_freq}, new_freq={self.new_freq}"


def tone(
    frequency: float | Sequence[float], seconds: float, sample_rate: int = 16000, amplitude: float = 0.5
) -> Tensor:
    """A sine, or the mean of several, in float32: (frames).

    >>> import lamina
    >>> lamina.audio.tone(1000, 0.25, 4000)[:4].round(decimals=3).tolist()
    [0.0, 0.5, 0.0, -0.5]
    """
    pitches = [float(f) for f in (frequency if isinstance(frequency, Sequence) else [frequency])]
    if not pitches or not all(0 <= f < math.inf for f in pitches):
        raise ValueError(f"tone: frequency must be a number in Hz or several, got {frequency!r}")
    if sample_rate < 1 or not 0 <= seconds < math.inf:
        raise ValueError(f"tone: expected sample_rate > 0 and seconds >= 0, got {sample_rate} and {seconds}")
    i = lamina.arange(round(seconds * sample_rate), dtype=lamina.float64)
    turns = lamina.tensor(pitches, dtype=lamina.float64).unsqueeze(1) * i / sample_rate
    return (((turns - turns.floor()) * (2.0 * math.pi)).sin().mean(0) * amplitude).to(lamina.float32)


def dtmf(
    keys: str, sample_rate: int = 8000, seconds: float = 0.1, pause: float = 0.05, amplitude: float = 0.5
) -> Tensor:
    """The telephone keys 0 ... 9, *, #, A ... D as tones (ITU-T Q.23), each followed by a pause: float32 (frames).

    >>> import lamina
    >>> lamina.audio.dtmf("15#").shape
    (3600,)
    """
    if not keys or any(key not in DTMF_FREQUENCIES for key in keys):
        raise ValueError(f"dtmf: keys must be of {''.join(DTMF_FREQUENCIES)}, got {keys!r}")
    silence = lamina.zeros(round(pause * sample_rate))
    parts = [(tone(DTMF_FREQUENCIES[key], seconds, sample_rate, amplitude), silence) for key in keys]
    return lamina.cat([part for pair in parts for part in pair])
