"""torch.jit's names: lamina compiles nothing, and says what to do instead."""

from __future__ import annotations

from typing import Any, NoReturn

_HINT = (
    "lamina runs models as they are written and has no compiler; hint: leave the call out in Python, and for C++ save "
    "the weights with lamina.save(model.state_dict(), path) and build the same model with lamina::nn"
)


def script(obj: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(f"jit.script: {_HINT}")


def trace(func: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(f"jit.trace: {_HINT}")


def is_scripting() -> bool:
    return False


def is_tracing() -> bool:
    return False
