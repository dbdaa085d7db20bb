"""The error for a name that lamina does not have: what it is, and the nearest thing that exists."""

from __future__ import annotations

# What people look for under another roof, or will not find.
_ELSEWHERE = {
    "fft": "Fourier transforms: lamina.stft for sound; numpy.fft takes lamina tensors",
    "sparse": "lamina has dense tensors only; index_add, scatter_add and embedding cover the usual uses",
    "complex64": "lamina has no complex numbers; keep real and imaginary part in a last dim of size 2",
    "complex128": "lamina has no complex numbers; keep real and imaginary part in a last dim of size 2",
    "onnx": "models are exchanged as safetensors: lamina.save(model.state_dict(), path)",
    "Storage": "a tensor's memory is reached through Tensor.numpy() or DLPack",
    "mps": "lamina runs on 'cpu' and 'cuda'",
    "xpu": "lamina runs on 'cpu' and 'cuda'",
}


def missing(module: object, name: str) -> AttributeError:
    """For a module's __getattr__ to raise."""
    import difflib

    home = getattr(module, "__name__", str(module))
    text = f"module {home!r} has no attribute {name!r}"
    if name.startswith("_"):
        return AttributeError(text, name=name, obj=module)
    if name in _ELSEWHERE:
        return AttributeError(f"{text}: {_ELSEWHERE[name]}", name=name, obj=module)
    names = [n for n in dir(module) if not n.startswith("_")]
    folded = {n.lower().replace("_", ""): n for n in names}
    same = folded.get(name.lower().replace("_", ""))  # AdamW for adamw
    near = [same] if same else difflib.get_close_matches(name, names, 1, 0.7)
    return AttributeError(f"{text}; the nearest is {home}.{near[0]}" if near else text, name=name, obj=module)
