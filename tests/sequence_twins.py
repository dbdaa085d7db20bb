"""GPT, BERT, T5 and the LSTM language model written with PyTorch: functions of the parameters by name."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def split_heads(x, heads):
    n, t, w = x.shape
    return x.view(n, t, heads, w // heads).transpose(1, 2)


def attend(q, k, v, bias=0.0, scale=None):
    scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale) + bias
    n, h, t, _ = q.shape
    return (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, h * v.shape[-1])


def causal(t):
    return torch.full((t, t), -math.inf, dtype=torch.float64).triu(1)


def rotate(x):
    """Each pair (2i, 2i + 1) as a complex number, turned."""
    t, d = x.shape[-2:]
    angle = torch.arange(t).double()[:, None] * 10000.0 ** (-torch.arange(0, d, 2).double() / d)
    pairs = torch.view_as_complex(x.double().reshape(*x.shape[:-1], d // 2, 2).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(-2).to(x.dtype)


def gpt(p, c, ids):
    def norm(x, name):
        return F.layer_norm(x, (c.width,), p[name + ".weight"], p.get(name + ".bias"), c.eps)

    def conv(x, name):
        y = x @ p[name + ".weight"]
        return y + p[name + ".bias"] if name + ".bias" in p else y

    t = ids.shape[1]
    x = p["transformer.wte.weight"][ids]
    bias = causal(t).to(x.dtype)
    if c.positions == "learned":
        x = x + p["transformer.wpe.weight"][:t]
    if c.positions == "alibi":
        slopes = torch.tensor([2.0 ** (-8 * (i + 1) / c.heads) for i in range(c.heads)], dtype=x.dtype)
        place = torch.arange(t)
        bias = bias + slopes[:, None, None] * (place[None, :] - place[:, None]).to(x.dtype)
    for i in range(c.layers):
        h = f"transformer.h.{i}."
        q, k, v = (split_heads(s, c.heads) for s in conv(norm(x, h + "ln_1"), h + "attn.c_attn").chunk(3, -1))
        if c.positions == "rotary":
            q, k = rotate(q), rotate(k)
        x = x + conv(attend(q, k, v, bias), h + "attn.c_proj")
        x = x + conv(F.gelu(conv(norm(x, h + "ln_2"), h + "mlp.c_fc"), approximate="tanh"), h + "mlp.c_proj")
    head = p["transformer.wte.weight"] if c.tie else p["lm_head.weight"]
    return norm(x, "transformer.ln_f") @ head.t()


def bert(p, c, ids, types):
    """(hidden, pooled or None)."""

    def norm(x, name):
        return F.layer_norm(x, (c.width,), p[name + ".weight"], p[name + ".bias"], c.eps)

    def linear(x, name):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    e = "bert.embeddings."
    x = F.embedding(ids, p[e + "word_embeddings.weight"], padding_idx=c.pad)
    x = x + p[e + "token_type_embeddings.weight"][types] + p[e + "position_embeddings.weight"][: ids.shape[1]]
    x = norm(x, e + "LayerNorm")
    bias = torch.zeros(ids.shape, dtype=x.dtype).masked_fill(ids == c.pad, -math.inf)[:, None, None]
    for i in range(c.layers):
        a = f"bert.encoder.layer.{i}."
        q, k, v = (split_heads(linear(x, f"{a}attention.self.{n}"), c.heads) for n in ("query", "key", "value"))
        x = norm(linear(attend(q, k, v, bias), a + "attention.output.dense") + x, a + "attention.output.LayerNorm")
        inner = F.gelu(linear(x, a + "intermediate.dense"))
        x = norm(linear(inner, a + "output.dense") + x, a + "output.LayerNorm")
    pooled = torch.tanh(linear(x[:, 0], "bert.pooler.dense")) if "bert.pooler.dense.weight" in p else None
    return x, pooled


def bert_masked(p, c, ids, types):
    x = bert(p, c, ids, types)[0]
    a = "cls.predictions."
    x = F.gelu(F.linear(x, p[a + "transform.dense.weight"], p[a + "transform.dense.bias"]))
    norm = (p[a + "transform.LayerNorm.weight"], p[a + "transform.LayerNorm.bias"])
    x = F.layer_norm(x, (c.width,), *norm, c.eps)
    return F.linear(x, p["bert.embeddings.word_embeddings.weight"], p[a + "bias"])


def bert_classes(p, c, ids, types):
    return F.linear(bert(p, c, ids, types)[1], p["classifier.weight"], p["classifier.bias"])


def t5_buckets(t, s, both, buckets, longest):
    """The published rule, in double precision."""
    distance = torch.arange(s)[None, :] - torch.arange(t)[:, None]
    found = torch.zeros_like(distance)
    if both:
        buckets //= 2
        found = found + (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        distance = -distance.clamp(max=0)
    exact = buckets // 2
    far = (
        exact
        + ((distance.double().clamp(min=1) / exact).log() / math.log(longest / exact) * (buckets - exact) + 1e-9).long()
    )
    return found + torch.where(distance < exact, distance, far.clamp(max=buckets - 1))


def t5(p, c, ids, decoder_ids):
    def norm(x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + c.eps) * p[name + ".weight"]

    def attention(x, source, name, bias):
        q, k, v = (split_heads(F.linear(s, p[f"{name}.{n}.weight"]), c.heads) for s, n in ((x, "q"), (source, "k"), (source, "v")))  # fmt: skip
        return F.linear(attend(q, k, v, bias, 1.0), p[name + ".o.weight"])

    def feed(x, name):
        if c.gated:
            inner = F.gelu(F.linear(x, p[name + ".wi_0.weight"]), approximate="tanh") * F.linear(x, p[name + ".wi_1.weight"])  # fmt: skip
        else:
            inner = F.relu(F.linear(x, p[name + ".wi.weight"]))
        return F.linear(inner, p[name + ".wo.weight"])

    def stack(side, ids, padding, source=None):
        t = ids.shape[1]
        x = p["shared.weight"][ids]
        table = p[f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        bias = table[t5_buckets(t, t, side == "encoder", c.buckets, c.max_distance)].permute(2, 0, 1)
        bias = bias + (padding if source is None else causal(t).to(x.dtype))
        for i in range(c.layers):
            b = f"{side}.block.{i}.layer."
            y = norm(x, b + "0.layer_norm")
            x = x + attention(y, y, b + "0.SelfAttention", bias)
            if source is not None:
                x = x + attention(norm(x, b + "1.layer_norm"), source, b + "1.EncDecAttention", padding)
            last = 1 if source is None else 2
            x = x + feed(norm(x, f"{b}{last}.layer_norm"), f"{b}{last}.DenseReluDense")
        return norm(x, f"{side}.final_layer_norm")

    kind = p["shared.weight"].dtype
    padding = torch.zeros(ids.shape, dtype=kind).masked_fill(ids == c.pad, -math.inf)[:, None, None]
    source = stack("encoder", ids, padding)
    out = stack("decoder", decoder_ids, padding, source)
    return out * c.width**-0.5 @ p["shared.weight"].t() if c.tie else out @ p["lm_head.weight"].t()


def recurrent_lm(p, c, ids):
    kinds = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
    net = kinds[c.kind](c.width, c.hidden, c.layers, batch_first=True)
    weights = {n.removeprefix("rnn."): v for n, v in p.items() if n.startswith("rnn.")}
    out = torch.func.functional_call(net.to(p["embed.weight"].dtype), weights, (p["embed.weight"][ids],))[0]
    return F.linear(out, p["embed.weight"] if c.tie else p["head.weight"], p["head.bias"])
