"""WAV files: PCM of 8, 16, 24 and 32 bits and floats of 32 and 64, any number of channels."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

import lamina

from .._operands import need_tensors

if TYPE_CHECKING:
    from .._C import Tensor

_MAX_BYTES, _MAX_CHUNKS = 4 << 30, 1000  # a file of empty chunks alone would take long
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_STREAMED = 0x7FFFF000 - 64  # sizes from here on stand for "until the end": 0xFFFFFFFF of ffmpeg, 0x7FFFF000 of sox
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # of a sub-format that is a plain format number
_ENCODINGS = {
    "pcm8": (_PCM, 1),
    "pcm16": (_PCM, 2),
    "pcm24": (_PCM, 3),
    "pcm32": (_PCM, 4),
    "float32": (_FLOAT, 4),
    "float64": (_FLOAT, 8),
}


def read_wav(path: str | os.PathLike[str], dtype: Any = lamina.float32) -> tuple[Tensor, int]:
    """(samples (channels, frames), frames per second) of a WAV file.

    PCM becomes numbers in [-1, 1): a sample of b bits is divided by 2^(b-1), of 8 bits after taking off 128. Floats stay
    as they are. `dtype` is float32, or float64 which keeps every bit of 32-bit PCM and 64-bit floats. Where the header of
    a program that wrote into a pipe does not know the size, the data is what follows, in whole frames. A file that is
    damaged, cut off or of another format raises FileError.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "a.wav")
    >>> lamina.audio.write_wav(path, lamina.tensor([[0.0, 0.5, -1.0]]), 8000)
    >>> samples, rate = lamina.audio.read_wav(path)
    >>> samples.tolist(), rate
    ([[0.0, 0.5, -1.0]], 8000)
    """
    if dtype not in (lamina.float32, lamina.float64):
        raise lamina.DtypeError(f"read_wav: dtype must be float32 or float64, got {dtype}")
    name = os.fspath(path)
    content = _content(name)
    form, channels, rate, width, data = _parse(name, content)
    import numpy as np

    values: Any
    if form == _FLOAT:
        values = np.frombuffer(data, f"<f{width}").astype(np.float64)
    elif width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)  # the upper three bytes of 32 bits
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        values = padded.view("<i4")[:, 0] / 2.0**31
    elif width == 1:
        values = (np.frombuffer(data, np.uint8) - 128.0) / 128.0
    else:
        values = np.frombuffer(data, f"<i{width}") / 2.0 ** (8 * width - 1)
    frames = np.ascontiguousarray(values.reshape(-1, channels).T)
    return lamina.from_numpy(frames).to(dtype), rate


def _content(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise lamina.FileError(f"{name}: cannot be read ({error.strerror or error})") from None
    if len(content) > _MAX_BYTES:
        raise lamina.FileError(f"{name}: holds more than {_MAX_BYTES >> 30} GiB")
    return content


def _parse(name: str, content: bytes) -> tuple[int, int, int, int, memoryview]:
    """(format, channels, rate, bytes per sample, data); sizes in the file are believed only inside of it."""
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        start = content[:12].hex(" ") or "nothing"
        raise lamina.FileError(f"{name}: not a WAV file (it starts with {start})")
    place, found, view = 12, None, memoryview(content)
    for _ in range(_MAX_CHUNKS):
        if place + 8 > len(content):
            break
        tag, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        place += 8
        left = len(content) - place
        if tag == b"data" and found is not None and _never_filled_in(content, place, size):
            form, channels, rate, width = found
            return form, channels, rate, width, view[place : place + left // (channels * width) * channels * width]
        if size > left:
            raise lamina.FileError(f"{name}: the chunk {tag!r} at byte {place - 8} says {size} bytes, {left} are left")
        if tag == b"fmt ":
            found = _format(name, content[place : place + size])
        elif tag == b"data":
            if found is None:
                raise lamina.FileError(f"{name}: the data comes before the format")
            form, channels, rate, width = found
            if size % (channels * width):
                raise lamina.FileError(f"{name}: {size} bytes of data are no multiple of {channels * width} a frame")
            return form, channels, rate, width, view[place : place + size]
        place += size + size % 2
    raise lamina.FileError(f"{name}: there is no {'format' if found is None else 'data'} in the file")


def _never_filled_in(content: bytes, place: int, size: int) -> bool:
    """Whether the size of the data at `place` is that of a stream: one that no file holds, or 0 in a file of size 0."""
    if size == 0:
        whole = int.from_bytes(content[4:8], "little")
        return whole + 8 <= place - 8 or whole >= _STREAMED
    return size >= _STREAMED and size > len(content) - place


def _format(name: str, chunk: bytes) -> tuple[int, int, int, int]:
    if len(chunk) < 16:
        raise lamina.FileError(f"{name}: the format has {len(chunk)} bytes, expected at least 16")
    form, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", chunk[:16])
    if form == _EXTENSIBLE:
        if len(chunk) < 40 or chunk[26:40] != _GUID_TAIL:
            raise lamina.FileError(f"{name}: the extended format is not known")
        form = int.from_bytes(chunk[24:26], "little")
    known = {(kind, 8 * width): width for kind, width in _ENCODINGS.values()}
    if (form, bits) not in known:
        raise lamina.FileError(
            f"{name}: format {form} with {bits} bits; expected PCM (1) of 8, 16, 24 or 32 bits or floats (3) of 32 or 64"
        )
    if not channels or not rate or frame != channels * known[form, bits]:
        raise lamina.FileError(f"{name}: {channels} channels of {bits} bits in frames of {frame} bytes at {rate} Hz")
    return form, channels, rate, known[form, bits]


def write_wav(path: str | os.PathLike[str], samples: Tensor, sample_rate: int, encoding: str = "pcm16") -> None:
    """Writes samples (channels, frames) or (frames) in [-1, 1] as a WAV file; an old file stays until it is complete.

    `encoding` is pcm8, pcm16, pcm24, pcm32, float32 or float64. PCM is rounded to nearest and limited to what the bits
    hold; NaN is refused there.

    >>> import lamina, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "a.wav")
    >>> lamina.audio.write_wav(path, lamina.audio.tone(440, 0.5, 8000), 8000, "pcm24")
    >>> os.path.getsize(path)
    12044
    """
    need_tensors("write_wav", samples=samples)
    if encoding not in _ENCODINGS:
        raise ValueError(f"write_wav: encoding must be one of {', '.join(_ENCODINGS)}, got {encoding!r}")
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or not 0 < sample_rate < 2**31:
        raise ValueError(f"write_wav: sample_rate must be a positive int, got {sample_rate!r}")
    if samples.dim() not in (1, 2) or not samples.is_floating_point():
        raise lamina.ShapeError(
            f"write_wav: expected floats (channels, frames), got {tuple(samples.shape)} {samples.dtype}"
        )
    form, width = _ENCODINGS[encoding]
    channels = 1 if samples.dim() == 1 else int(samples.shape[0])
    if not 0 < channels * width < 2**16:
        raise lamina.ShapeError(f"write_wav: {channels} channels; expected (channels, frames), shape {samples.shape}")
    data = _encoded(samples.detach().cpu().reshape(channels, -1), form, width)
    if len(data) > 2**32 - 64:
        raise ValueError(f"write_wav: {len(data)} bytes do not fit into a WAV file")
    frame = channels * width
    fmt = struct.pack("<HHIIHH", form, channels, sample_rate, min(sample_rate * frame, 2**32 - 1), frame, 8 * width)
    chunks = [b"fmt " + struct.pack("<I", len(fmt)) + fmt]
    if form == _FLOAT:
        chunks.append(b"fact" + struct.pack("<II", 4, len(data) // frame))
    chunks.append(b"data" + struct.pack("<I", len(data)))
    body = b"WAVE" + b"".join(chunks)
    odd = b"\0" * (len(data) % 2)
    _replace(os.fspath(path), b"RIFF" + struct.pack("<I", len(body) + len(data) + len(odd)) + body, data + odd)


def _encoded(samples: Tensor, form: int, width: int) -> bytes:
    import numpy as np

    values = np.ascontiguousarray(samples.to(lamina.float64).numpy().T)
    if form == _FLOAT:
        return values.astype(f"<f{width}").tobytes()
    if np.isnan(values).any():
        raise ValueError("write_wav: the samples hold NaN")
    top = 2.0 ** (8 * width - 1)
    whole = np.clip(np.rint(values * top), -top, top - 1).astype(np.int64)
    if width == 1:
        return (whole + 128).astype(np.uint8).tobytes()
    return whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()


def _replace(name: str, *parts: bytes) -> None:
    new = f"{name}.{os.getpid()}.tmp"
    try:
        with open(new, "wb") as file:
            file.writelines(parts)
        os.replace(new, name)
    except OSError as error:
        if os.path.exists(new):
            os.unlink(new)
        raise lamina.FileError(f"{name}: cannot be written ({error.strerror or error})") from None
