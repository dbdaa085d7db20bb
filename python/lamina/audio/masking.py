"""SpecAugment: bands of time and frequency masked, seeded per sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import lamina

from .._augment import Transform, share

if TYPE_CHECKING:
    from .._C import Tensor


def _bands(u: Tensor, size: int, widest: int) -> Tensor:
    """True in one band for each pair of uniform numbers: (N, M, 2) -> (N, size)."""
    width = u[:, :, 0] * widest
    start = (u[:, :, 1] * (size - width)).floor()
    place = lamina.arange(size, dtype=lamina.float64)
    start, width = start.unsqueeze(2), width.floor().unsqueeze(2)
    return ((place >= start) & (place < start + width)).any(1)


class _Masking(Transform):
    draws, dim = 2, -1

    def __init__(self, mask_param: int, p: float, mask_value: float) -> None:
        super().__init__()
        name = type(self).__name__
        if isinstance(mask_param, bool) or not isinstance(mask_param, int) or mask_param < 0:
            raise ValueError(f"{name}: the widest mask must be an int of at least 0, got {mask_param!r}")
        if not isinstance(mask_value, (int, float)) or math.isnan(mask_value):
            raise ValueError(f"{name}: mask_value must be a number, got {mask_value!r}")
        self.mask_param, self.p, self.mask_value = mask_param, share(name, "p", p), float(mask_value)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        size = int(batch.shape[self.dim])
        bands = _bands(u.unsqueeze(1), size, min(self.mask_param, int(size * self.p)))
        shape = (len(batch), 1, 1, size) if self.dim == -1 else (len(batch), 1, size, 1)
        return batch.masked_fill(bands.reshape(shape), self.mask_value)

    def extra_repr(self) -> str:
        return f"{self.mask_param}, p={self.p}, mask_value={self.mask_value}"


class TimeMasking(_Masking):
    """A random run of frames masked: (C, freq, time) or (N, C, freq, time), each sample for itself.

    Its width is even below `time_mask_param`, at most the share p of all frames.

    >>> import lamina
    >>> lamina.audio.TimeMasking(10)(lamina.ones(1, 4, 50)).shape
    (1, 4, 50)
    """

    def __init__(self, time_mask_param: int, p: float = 1.0, mask_value: float = 0.0) -> None:
        super().__init__(time_mask_param, p, mask_value)


class FrequencyMasking(_Masking):
    """A random band of frequencies masked: (C, freq, time) or (N, C, freq, time), each sample for itself.

    Its width is even below `freq_mask_param`.

    >>> import lamina
    >>> lamina.audio.FrequencyMasking(2)(lamina.ones(8, 1, 40, 5)).shape
    (8, 1, 40, 5)
    """

    dim = -2

    def __init__(self, freq_mask_param: int, mask_value: float = 0.0) -> None:
        super().__init__(freq_mask_param, 1.0, mask_value)


class SpecAugment(Transform):
    """Several masks over time and frequency: (C, freq, time) or (N, C, freq, time), each sample for itself.

    Masked places become zero, or the sample's mean unless zero_masking. (Park et al. 2019, arXiv 1904.08779.)

    >>> import lamina
    >>> lamina.audio.SpecAugment(2, 10, 2, 8)(lamina.ones(1, 40, 100)).shape
    (1, 40, 100)
    """

    def __init__(
        self,
        n_time_masks: int,
        time_mask_param: int,
        n_freq_masks: int,
        freq_mask_param: int,
        p: float = 1.0,
        zero_masking: bool = False,
    ) -> None:
        super().__init__()
        counts = (n_time_masks, time_mask_param, n_freq_masks, freq_mask_param)
        if not all(isinstance(c, int) and not isinstance(c, bool) and c >= 0 for c in counts):
            raise ValueError(f"SpecAugment: counts and widths must be ints of at least 0, got {counts}")
        self.n_time_masks, self.time_mask_param, self.n_freq_masks, self.freq_mask_param = counts
        self.p, self.zero_masking = share("SpecAugment", "p", p), bool(zero_masking)
        self.draws = 2 * (n_time_masks + n_freq_masks)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        if not self.draws:
            return batch
        n, _, freq, time = batch.shape
        pairs = u.reshape(n, -1, 2)
        over_time = _bands(pairs[:, : self.n_time_masks], time, min(self.time_mask_param, int(time * self.p)))
        over_freq = _bands(pairs[:, self.n_time_masks :], freq, min(self.freq_mask_param, freq))
        masked = over_time.reshape(n, 1, 1, time) | over_freq.reshape(n, 1, freq, 1)
        if self.zero_masking:
            return batch.masked_fill(masked, 0.0)
        return lamina.where(masked, batch.mean((1, 2, 3), keepdim=True), batch)

    def extra_repr(self) -> str:
        return (
            f"n_time_masks={self.n_time_masks}, time_mask_param={self.time_mask_param}, "
            f"n_freq_masks={self.n_freq_masks}, freq_mask_param={self.freq_mask_param}"
        )
