"""Recurrent layers over sequences: RNN, LSTM, GRU."""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import _C
from .._C import Tensor
from . import init
from .module import Module
from .parameter import Parameter
from .rnn_cell import need_positive
from .utils.rnn import PackedSequence, pad_packed_sequence, repacked

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters, checks, packed and padded input. (T, N, input_size) -> (T, N, D * H).

    D is 2 when bidirectional, else 1; H is proj_size where it is given, else hidden_size.

    >>> import lamina
    >>> isinstance(lamina.nn.GRU(3, 5), lamina.nn.RNNBase)
    True
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.bidirectional, self.proj_size = bias, batch_first, bidirectional, proj_size
        self.dropout = dropout
        self._check()
        self._all_weights: list[list[str]] = []
        state = proj_size or hidden_size
        directions = ("", "_reverse") if bidirectional else ("",)
        gates = _GATES[mode] * hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else state * len(directions)
            for suffix in directions:
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, width), "weight_hh": (gates, state)}
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    setattr(self, f"{name}_l{layer}{suffix}", Parameter(_C.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append([f"{name}_l{layer}{suffix}" for name in shapes])
        self.reset_parameters()

    def _check(self) -> None:
        name = type(self).__name__
        if self.mode not in _GATES:
            raise ValueError(f"{name}: mode must be one of {', '.join(_GATES)}, got {self.mode!r}")
        for size in ("input_size", "hidden_size", "num_layers"):
            need_positive(name, size, getattr(self, size))
        for flag in ("bias", "batch_first", "bidirectional"):
            if not isinstance(getattr(self, flag), bool):
                raise TypeError(f"{name}: {flag} must be a bool, got {getattr(self, flag)!r}")
        rate = self.dropout
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(f"{name}: dropout must be a number between 0 and 1, got {rate!r}")
        if rate > 0 and self.num_layers == 1:
            warnings.warn(f"{name}: dropout acts between layers, and there is only one", stacklevel=4)
        if self.proj_size and self.mode != "LSTM":
            raise ValueError(f"{name}: proj_size belongs to LSTM alone, got {self.proj_size}")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError(
                f"{name}: proj_size must be 0 (none) or below hidden_size {self.hidden_size}, got {self.proj_size}"
            )

    def reset_parameters(self) -> None:
        """Every parameter uniform in +-1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: the kernels read the parameters where they are."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction, as they are given to the kernel."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        """The parameters in one list."""
        return [getattr(self, name) for name in self._flat_weights_names]

    # -- forward ------------------------------------------------------------------------------------------------------
    def forward(self, input: Any, hx: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        """(T, N, input_size), or (N, T, input_size) with batch_first, or (T, input_size) -> (output, state).

        hx: the state to start from, zeros unless given. lengths: int (N,), how many steps of each row are real;
        outputs behind them are 0, the state is the one after them, and a PackedSequence says the same by itself.
        """
        if isinstance(input, PackedSequence):
            return self._packed(input, hx, lengths)
        self._check_input(input)
        batch = 0 if self.batch_first else 1
        single = input.dim() == 2
        if single:
            if lengths is not None:
                raise ValueError(f"{type(self).__name__}: lengths belong to a batch, input is {tuple(input.shape)}")
            input = input.unsqueeze(batch)
        count, steps = int(input.shape[batch]), int(input.shape[1 - batch])
        if lengths is not None:
            lengths = self._lengths(lengths, count, steps).to(input.device)
        output, state = self._run(input, self._initial(hx, count, single, input), lengths, self.batch_first)
        if single:
            output, state = output.squeeze(batch), [s.squeeze(1) for s in state]
        return output, self._shown(state)

    def _packed(self, packed: PackedSequence, hx: Any, lengths: Any) -> tuple[Any, Any]:
        if lengths is not None:
            raise ValueError(f"{type(self).__name__}: a PackedSequence knows its lengths, lengths must be None")
        padded, sizes = pad_packed_sequence(packed)
        if padded.dim() != 3:
            shape = tuple(packed.data.shape)
            raise _C.ShapeError(f"{type(self).__name__}: packed data must be (S, {self.input_size}), got {shape}")
        self._check_input(padded)
        state = self._initial(hx, int(padded.shape[1]), False, padded)
        output, state = self._run(padded, state, sizes.to(padded.device), False)
        return repacked(output, packed), self._shown(state)

    def _run(self, input: Tensor, state: list[Tensor], lengths: Tensor | None, batch_first: bool) -> tuple[Tensor, Any]:
        weights = self._flat_weights
        function: Any = getattr(_C, self.mode.lower())
        hx = state if self.mode == "LSTM" else state[0]
        settings = (self.bias, self.num_layers, float(self.dropout), self.training, self.bidirectional, batch_first)
        output, *after = function(input, hx, weights, *settings, lengths)
        return output, after

    def _shown(self, state: list[Tensor]) -> Any:
        return tuple(state) if self.mode == "LSTM" else state[0]

    # -- checks -------------------------------------------------------------------------------------------------------
    def _check_input(self, input: Any) -> None:
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: input must be a Tensor or a PackedSequence, got {type(input).__name__}")
        shape = tuple(input.shape)
        layout = "(N, T, F)" if self.batch_first else "(T, N, F)"
        if len(shape) not in (2, 3):
            raise _C.ShapeError(f"{name}: input must be {layout} or, without a batch, (T, F), got shape {shape}")
        if shape[-1] != self.input_size:
            raise _C.ShapeError(
                f"{name}: input has {shape[-1]} features, the layer expects input_size {self.input_size}: input {shape}"
            )
        if shape[1 if len(shape) == 3 and self.batch_first else 0] == 0:
            raise _C.ShapeError(f"{name}: input has no steps: {shape}; a sequence has at least one")

    def _lengths(self, lengths: Any, count: int, steps: int) -> Tensor:
        name = type(self).__name__
        given = lengths if isinstance(lengths, Tensor) else _C.tensor(list(lengths))
        if given.numel() and (given.is_floating_point() or given.dtype == _C.bool):
            raise _C.DtypeError(f"{name}: lengths must be integers, got {given.dtype}")
        if tuple(given.shape) != (count,):
            raise _C.ShapeError(f"{name}: lengths must be ({count},), one per row, got shape {tuple(given.shape)}")
        if any(not 0 <= n <= steps for n in given.tolist()):
            raise _C.InvalidValue(f"{name}: lengths must be between 0 and the {steps} steps, got {given.tolist()[:8]}")
        return given.to(_C.int64)

    def _initial(self, hx: Any, count: int, single: bool, input: Tensor) -> list[Tensor]:
        """The initial state as a list of (layers * D, N, H): [h], or [h, c] for LSTM."""
        depth = self.num_layers * (2 if self.bidirectional else 1)
        widths = {"h_0": self.proj_size or self.hidden_size}
        if self.mode == "LSTM":
            widths["c_0"] = self.hidden_size
        if hx is None:
            return [_C.zeros(depth, count, w, device=input.device, dtype=input.dtype) for w in widths.values()]
        name = type(self).__name__
        states = list(hx) if self.mode == "LSTM" and isinstance(hx, (tuple, list)) else [hx]
        if len(states) != len(widths) or not all(isinstance(s, Tensor) for s in states):
            raise TypeError(f"{name}: hx must be {'(h_0, c_0)' if self.mode == 'LSTM' else 'h_0, one Tensor'}")
        for given, (what, width) in zip(states, widths.items(), strict=True):
            expected = (depth, width) if single else (depth, count, width)
            if tuple(given.shape) != expected:
                raise _C.ShapeError(
                    f"{name}: {what} has shape {tuple(given.shape)}, expected {expected}: (layers * directions, "
                    f"{'' if single else 'N, '}{'proj_size' if width != self.hidden_size else 'hidden_size'})"
                )
        return [s.unsqueeze(1) for s in states] if single else states

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usual: dict[str, Any] = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        return text + "".join(f", {n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value)


class RNN(RNNBase):
    """Elman's network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh): (T, N, input_size) -> (T, N, D * H), (layers * D, N, H).

    nonlinearity "tanh" or "relu"; D is 2 when bidirectional; dropout acts between layers in training. Parameters are
    weight_ih_l0 (H, input_size), weight_hh_l0 (H, H), bias_ih_l0 (H), bias_hh_l0 (H), and so on; `_reverse` at the end.
    (N, T, *) with batch_first, (T, input_size) without a batch.

    >>> import lamina
    >>> out, h = lamina.nn.RNN(3, 5)(lamina.zeros(7, 2, 3))
    >>> out.shape, h.shape
    ((7, 2, 5), (1, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        rest: tuple[Any, ...] = (bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, *rest)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): (T, N, input_size) -> (T, N, D * H), (h_n, c_n).

    Gates in the rows of the weights: input, forget, cell, output; c' = f c + i g, h' = o tanh(c'). With proj_size P,
    h' = weight_hr h' and H = P (arXiv 1402.1128). h_n (layers * D, N, H), c_n (layers * D, N, hidden_size); hx is
    (h_0, c_0). (N, T, *) with batch_first, (T, input_size) without a batch.

    >>> import lamina
    >>> lstm = lamina.nn.LSTM(3, 5, batch_first=True, bidirectional=True)
    >>> out, (h, c) = lstm(lamina.zeros(2, 7, 3), lengths=[7, 4])
    >>> out.shape, c.shape, float(out[1, 4:].abs().sum())
    ((2, 7, 10), (2, 2, 5), 0.0)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        rest: tuple[Any, ...] = (bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__("LSTM", input_size, hidden_size, num_layers, *rest)


class GRU(RNNBase):
    """Gated recurrent unit (Cho et al. 2014): (T, N, input_size) -> (T, N, D * H), (layers * D, N, H).

    Gates in the rows of the weights: reset, update, new; n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
    h' = (1 - z) n + z h. (N, T, *) with batch_first, (T, input_size) without a batch.

    >>> import lamina
    >>> out, h = lamina.nn.GRU(3, 5, num_layers=2)(lamina.zeros(7, 3))
    >>> out.shape, h.shape
    ((7, 5), (2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        rest: tuple[Any, ...] = (bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__("GRU", input_size, hidden_size, num_layers, *rest)
