"""register_backward_hook: the older hooks, which bear modules that work in place."""

from __future__ import annotations

from typing import Any

from .._C import GradError, Tensor
from ..nn._hooks import BackwardGates


class OlderGates(BackwardGates):
    """Hooks of tensors instead of gates, so that what enters and leaves may be changed in place.

    Only the first output is watched, as in PyTorch. `grad_input` belongs to the module's arguments, as for the newer
    hooks; PyTorch gives those of the last operation instead.
    """

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        places = [i for i, v in enumerate(args) if isinstance(v, Tensor) and v.requires_grad]
        self.entered: tuple[Tensor, int] | None = None
        if len(places) != 1:
            return super().enter(args)
        (place,), self.arity, self.input_gate = places, len(args), True
        given = through = args[place]
        if not getattr(self.module, "inplace", False):
            through = given.view_as(given)  # gradients of other uses do not pass here
            self.entered = (given, given._version)
        through.register_hook(lambda grad: self._at_input((grad,), places, self.arity)[0])
        return (*args[:place], through, *args[place + 1 :])

    def leave(self, result: Any) -> Any:
        if self.entered is not None and self.entered[0]._version != self.entered[1]:
            raise GradError(
                f"register_backward_hook: {type(self.module).__name__} wrote into its argument in place, so that its "
                "gradient cannot be seen; put the hook on the layer that does so, or use register_full_backward_hook"
            )
        self.entered = None
        first = _first_tensor(result)
        if first is not None and first.requires_grad:
            first.register_hook(lambda grad: self._at_output((grad,), [0], 1)[0])
        return result


def _first_tensor(result: Any) -> Tensor | None:
    while not isinstance(result, Tensor):
        if isinstance(result, dict):
            result = list(result.values())
        if not isinstance(result, (tuple, list)) or not result:
            return None
        result = next((item for item in result if isinstance(item, Tensor)), result[0])
    return result
