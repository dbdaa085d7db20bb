"""Single steps of recurrent layers: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

import math
from typing import Any

from .. import _C
from .._C import Tensor
from . import init
from .module import Module
from .parameter import Parameter


def need_positive(name: str, what: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: {what} must be an int, got {value!r}")
    if value <= 0:
        raise ValueError(f"{name}: {what} must be positive, got {value}")


class RNNCellBase(Module):
    """What the cells share: weight_ih, weight_hh, bias_ih, bias_hh and checks. (N, input_size) -> (N, hidden_size).

    >>> import lamina
    >>> isinstance(lamina.nn.GRUCell(3, 5), lamina.nn.RNNCellBase)
    True
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        for what, value in (("input_size", input_size), ("hidden_size", hidden_size)):
            need_positive(type(self).__name__, what, value)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(_C.empty((rows, input_size), **place))
        self.weight_hh = Parameter(_C.empty((rows, hidden_size), **place))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(_C.empty(rows, **place)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Every parameter uniform in +-1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _checked(self, input: Any, states: list[Any]) -> tuple[Tensor, list[Tensor]]:
        """Input (N, F) and states (N, H), from (F) and (H) too; zeros where a state is None."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: input must be a Tensor, got {type(input).__name__}")
        shape = tuple(input.shape)
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            raise _C.ShapeError(f"{name}: input must be (N, {self.input_size}) or ({self.input_size},), got {shape}")
        expected = (*shape[:-1], self.hidden_size)
        for i, state in enumerate(states):
            if state is None:
                states[i] = _C.zeros(expected, device=input.device, dtype=input.dtype)
            elif not isinstance(state, Tensor):
                raise TypeError(f"{name}: the state must be a Tensor, got {type(state).__name__}")
            elif tuple(state.shape) != expected:
                raise _C.ShapeError(
                    f"{name}: the state has shape {tuple(state.shape)}, expected {expected} for input {shape}"
                )
        if len(shape) == 2:
            return input, states
        return input.unsqueeze(0), [s.unsqueeze(0) for s in states]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if not self.bias:
            text += ", bias=False"
        shape = getattr(self, "nonlinearity", "tanh")
        return text if shape == "tanh" else f"{text}, nonlinearity={shape}"


class RNNCell(RNNCellBase):
    """One step of RNN: (N, input_size), state (N, H) -> (N, H); or (input_size), (H) -> (H). No state means zeros.

    >>> import lamina
    >>> lamina.nn.RNNCell(3, 5)(lamina.zeros(2, 3)).shape
    (2, 5)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, (h,) = self._checked(input, [hx])
        step = _C.rnn_tanh_cell if self.nonlinearity == "tanh" else _C.rnn_relu_cell
        out: Tensor = step(x, h, *self._weights())
        return out if input.dim() == 2 else out.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of LSTM: (N, input_size), (h, c) of (N, H) -> (h', c'); or (input_size), (H). No state means zeros.

    >>> import lamina
    >>> cell = lamina.nn.LSTMCell(3, 5)
    >>> h, c = cell(lamina.zeros(2, 3))
    >>> h, c = cell(lamina.ones(2, 3), (h, c))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise TypeError("LSTMCell: hx must be (h, c)")
        x, states = self._checked(input, [None, None] if hx is None else list(hx))
        h, c = _C.lstm_cell(x, states, *self._weights())
        return (h, c) if input.dim() == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of GRU: (N, input_size), state (N, H) -> (N, H); or (input_size), (H) -> (H). No state means zeros.

    >>> import lamina
    >>> lamina.nn.GRUCell(3, 5)(lamina.zeros(3)).shape
    (5,)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, (h,) = self._checked(input, [hx])
        out: Tensor = _C.gru_cell(x, h, *self._weights())
        return out if input.dim() == 2 else out.squeeze(0)
