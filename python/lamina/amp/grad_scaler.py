"""GradScaler: a scaled loss keeps small gradients of float16 above zero (Micikevicius et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lamina

from .._C import Tensor
from ..optim import Optimizer


class GradScaler:
    """Multiplies the loss by a scale, divides the gradients by it, and leaves out steps whose gradients overflow.

    After an overflow the scale shrinks by backoff_factor; after growth_interval steps without one it grows by
    growth_factor. The order is scale(loss).backward(), step(optimizer), update(); unscale_(optimizer) before step
    where gradients are clipped.

    >>> import lamina
    >>> w = lamina.nn.Parameter(lamina.ones(1))
    >>> opt, scaler = lamina.optim.SGD([w], lr=0.5), lamina.amp.GradScaler("cpu")
    >>> scaler.scale((w * 2).sum()).backward()
    >>> scaler.step(opt); scaler.update(); w.item(), scaler.get_scale()
    (0.0, 65536.0)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if growth_factor <= 1.0:
            raise ValueError(f"GradScaler: the growth factor must be > 1.0, got {growth_factor}")
        if not 0.0 < backoff_factor < 1.0:
            raise ValueError(f"GradScaler: the backoff factor must be between 0 and 1, got {backoff_factor}")
        self._device, self._enabled, self._scale = device, enabled, float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._overflowed: dict[Optimizer, bool] = {}  # the optimizers whose gradients are divided
        self._stepped: set[Optimizer] = set()

    def scale(self, outputs: Any) -> Any:
        """A tensor, or tensors in lists and tuples, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable) and not isinstance(outputs, (str, bytes, dict)):
            found = [self.scale(item) for item in outputs]
            return tuple(found) if isinstance(outputs, tuple) else found
        raise ValueError(f"GradScaler.scale: expected tensors, or tensors in lists, got {type(outputs).__name__}")

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divides the optimizer's gradients by the scale, and notes whether all are finite."""
        if not self._enabled:
            return
        if optimizer in self._stepped:
            raise RuntimeError("unscale_() is being called after step().")
        if optimizer in self._overflowed:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        overflowed = False
        with lamina.no_grad():
            for group in optimizer.param_groups:
                for param in group["params"]:
                    if param.grad is None:
                        continue
                    if param.grad.dtype == lamina.float16:
                        raise lamina.DtypeError(
                            "GradScaler: gradients are float16, which cannot hold them divided; "
                            "hint: keep float32 parameters"
                        )
                    overflowed = overflowed or not param.grad.isfinite().all().item()
                    param.grad.mul_(1.0 / self._scale)
        self._overflowed[optimizer] = overflowed

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """optimizer.step(...), left out where a gradient is not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if args or "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        if optimizer in self._stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if optimizer not in self._overflowed:
            self.unscale_(optimizer)
        self._stepped.add(optimizer)
        return None if self._overflowed[optimizer] else optimizer.step(**kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapts the scale, or sets it; the next iteration may begin."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._overflowed:
            raise RuntimeError(
                "GradScaler.update: no gradients were looked at since the last update(); call step first"
            )
        elif any(self._overflowed.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._overflowed, self._stepped = {}, set()

    def get_scale(self) -> float:
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("GradScaler.load_state_dict: the state is empty; it was saved by a disabled GradScaler")
        self._scale = float(state_dict["scale"])
        for name in ("growth_factor", "backoff_factor", "growth_interval"):
            setattr(self, "_" + name, state_dict[name])
        self._growth_tracker = int(state_dict["_growth_tracker"])
