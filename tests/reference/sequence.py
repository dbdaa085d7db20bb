"""NumPy twins of recurrent layers, their cells and attention."""

import numpy as np

from . import op


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, w_ih, w_hh, b_ih=0, b_hh=0, w_hr=None):
    i, f, g, o = np.split(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h if w_hr is None else h @ w_hr.T), c


def gru_step(x, h, w_ih, w_hh, b_ih=0, b_hh=0):
    xr, xz, xn = np.split(x @ w_ih.T + b_ih, 3, axis=-1)
    hr, hz, hn = np.split(h @ w_hh.T + b_hh, 3, axis=-1)
    z, n = sigmoid(xz + hz), np.tanh(xn + sigmoid(xr + hr) * hn)
    return (1 - z) * n + z * h


def tanh_step(x, h, w_ih, w_hh, b_ih=0, b_hh=0):
    return np.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)


def relu_step(x, h, w_ih, w_hh, b_ih=0, b_hh=0):
    return np.maximum(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 0)


def run_row(step, x, state, weights, reverse):
    """One row, (T, I): its outputs and the states after its last step."""
    outputs = [None] * len(x)
    for t in range(len(x))[:: -1 if reverse else 1]:
        state = step(x[t], *state, *weights)
        state = state if isinstance(state, tuple) else (state,)
        outputs[t] = state[0]
    return outputs, state


def stack(step, input, hx, params, has_biases, layers, dropout, train, bidirectional, batch_first, lengths=None):
    """Every row by itself, up to its length: PyTorch's definition of a packed batch."""
    x = input if batch_first else input.swapaxes(0, 1)
    directions, lengths = 1 + bidirectional, np.full(len(x), x.shape[1]) if lengths is None else lengths
    each = len(params) // (layers * directions)
    last = [np.zeros_like(h) for h in hx]
    for layer in range(layers):
        width = hx[0].shape[2]
        y = np.zeros((*x.shape[:2], directions * width))
        for d in range(directions):
            at = layer * directions + d
            weights = params[at * each : (at + 1) * each]
            if not has_biases and each == 3:
                weights = [*weights[:2], 0, 0, weights[2]]
            for n, length in enumerate(lengths):
                start = tuple(h[at, n] for h in hx)
                out, state = run_row(step, x[n, :length], start, weights, d == 1)
                y[n, :length, d * width : (d + 1) * width] = np.reshape(out, (length, width))
                for whole, s in zip(last, state, strict=True):
                    whole[at, n] = s
        x = y
    return (x if batch_first else x.swapaxes(0, 1), *last)


def weight(r, rows, columns):
    """Of a size that keeps the values of a few layers near 1."""
    return r(rows, columns) / np.sqrt(2 * columns)


def samples(gates, pair):
    """(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first[, lengths])."""

    def draw(r):
        def case(t, n, i, h, layers=1, biases=True, two=False, first=False, lengths=None, projected=0):
            runs, out = layers * (1 + two), projected or h
            params = []
            for at in range(runs):
                wide = i if at < 1 + two else out * (1 + two)
                params += [weight(r, gates * h, wide), weight(r, gates * h, out)]
                params += [r(gates * h), r(gates * h)] if biases else []
                params += [weight(r, projected, h)] if projected else []
            state = [r(runs, n, out), r(runs, n, h)] if pair else r(runs, n, h)
            x = r(n, t, i) if first else r(t, n, i)
            end = () if lengths is None else (np.array(lengths),)
            return (x, state, params, biases, layers, 0.0, False, two, first, *end)

        cases = [
            case(3, 2, 4, 5),
            case(4, 3, 2, 17, layers=2, two=True, first=True),
            case(5, 3, 3, 6, biases=False, lengths=[5, 1, 3]),
            case(4, 2, 3, 4, two=True, first=True, lengths=[2, 4]),
            case(1, 1, 2, 3),
        ]
        return [*cases, case(3, 2, 4, 5, layers=2, two=True, lengths=[3, 2], projected=2)] if pair else cases

    return draw


@op("lstm", samples(4, True), rtol=4, torch="")
def lstm(input, hx, params, *rest):
    return stack(lstm_step, input, hx, params, *rest)


@op("gru", samples(3, False), rtol=4, torch="")
def gru(input, hx, params, *rest):
    return stack(gru_step, input, [hx], params, *rest)


@op("rnn_tanh", samples(1, False), rtol=4, torch="")
def rnn_tanh(input, hx, params, *rest):
    return stack(tanh_step, input, [hx], params, *rest)


@op("rnn_relu", samples(1, False), rtol=4, torch="")
def rnn_relu(input, hx, params, *rest):
    return stack(relu_step, input, [hx], params, *rest)


def cell_samples(gates, pair):
    def draw(r):
        def case(n, i, h, biases=True):
            state = [r(n, h), r(n, h)] if pair else r(n, h)
            weights = (weight(r, gates * h, i), weight(r, gates * h, h))
            return (r(n, i), state, *weights, *((r(gates * h), r(gates * h)) if biases else ()))

        return [case(2, 3, 4), case(1, 2, 19), case(3, 2, 2, biases=False)]

    return draw


@op("lstm_cell", cell_samples(4, True), rtol=4)
def lstm_cell(input, hx, *weights):
    return lstm_step(input, *hx, *weights)


@op("gru_cell", cell_samples(3, False), rtol=4)
def gru_cell(input, hx, *weights):
    return gru_step(input, hx, *weights)


@op("rnn_tanh_cell", cell_samples(1, False), rtol=4)
def rnn_tanh_cell(input, hx, *weights):
    return tanh_step(input, hx, *weights)


@op("rnn_relu_cell", cell_samples(1, False), rtol=4)
def rnn_relu_cell(input, hx, *weights):
    return relu_step(input, hx, *weights)


@op(
    "scaled_dot_product_attention",
    lambda r: [
        (r(2, 3, 5, 4), r(2, 3, 7, 4), r(2, 3, 7, 6)),
        (r(1, 2, 6, 20), r(1, 2, 6, 20), r(1, 2, 6, 3), {"is_causal": True}),
        (r(5, 4), r(3, 4), r(3, 2), r(5, 3)),
        (r(2, 4, 3, 8), r(2, 2, 9, 8), r(2, 2, 9, 8), {"enable_gqa": True, "scale": 0.3}),
        (r(3, 2, 4), r(3, 5, 4), r(3, 5, 4), r(1, 5)),
        (r(1, 1, 60, 4), r(1, 1, 140, 4), r(1, 1, 140, 4), r.bools(60, 140)),
        (r(2, 3), r(2, 3), r(2, 3), np.array([[True, False], [False, False]])),
    ],
    rtol=4,
    torch="nn.functional.scaled_dot_product_attention",
)
def scaled_dot_product_attention(q, k, v, mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if enable_gqa:
        k, v = (np.repeat(t, q.shape[-3] // t.shape[-3], axis=-3) for t in (k, v))
    s = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        mask = np.tril(np.ones(s.shape[-2:], bool))
    if mask is not None:
        s = np.where(mask, s, -np.inf) if mask.dtype == bool else s + mask
    top = s.max(-1, keepdims=True)
    e = np.exp(s - np.where(np.isinf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v
