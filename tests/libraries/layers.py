"""Libraries of layers: attention of many kinds, mixers, positions, equivariant networks."""

import torch
from common import array, filled, library, through, whole


@library("einops")
def einops():
    from einops import einsum, pack, rearrange, reduce, repeat
    from einops.layers.torch import EinMix, Rearrange, Reduce

    x = array(2, 3, 4, 6).requires_grad_()
    y = rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=3)
    z = reduce(x, "b c h w -> b c", "mean") + reduce(x, "b c h w -> b c", "max")
    (repeat(y, "b n d -> b (n r) d", r=2).sin().sum() + z.square().sum()).backward()
    net = torch.nn.Sequential(Rearrange("b c h w -> b (h w) c"), Reduce("b n c -> b c", "sum"))
    mix = filled(EinMix("b n d -> b n e", weight_shape="d e", bias_shape="e", d=18, e=5))
    packed, shapes = pack([y, y[:, 0]], "b * d")
    return [y, z, x.grad, net(x), through(mix, y.detach()), packed, einsum(y, y, "b n d, b m d -> b n m"), len(shapes)]


@library("rotary-embedding-torch")
def rotary_embedding_torch():
    from rotary_embedding_torch import RotaryEmbedding, apply_rotary_emb

    q = array(2, 3, 8, 16).requires_grad_()
    rotary = RotaryEmbedding(dim=12).double()
    out = rotary.rotate_queries_or_keys(q)
    axial = RotaryEmbedding(dim=8, freqs_for="pixel", max_freq=10).double()
    both = apply_rotary_emb(axial.get_axial_freqs(4, 5), array(2, 4, 5, 32))
    out.sin().sum().backward()
    return [out, q.grad, both]


@library("local-attention")
def local_attention():
    from local_attention import LocalAttention, LocalTransformer

    q, k, v = (array(2, 2, 16, 8, seed=i) for i in range(3))
    layer = LocalAttention(dim=8, window_size=4, causal=True, look_backward=1, look_forward=0, autopad=True)
    net = LocalTransformer(
        num_tokens=11, dim=16, depth=2, max_seq_len=16, local_attn_window_size=4, dim_head=8, heads=2
    )
    return [layer.double()(q, k, v), through(filled(net), whole(11, 2, 16))]


@library("linformer")
def linformer():
    from linformer import LinformerLM

    return through(filled(LinformerLM(num_tokens=13, dim=16, seq_len=8, depth=2, heads=2, k=4)), whole(13, 2, 8))


@library("nystrom-attention")
def nystrom_attention():
    from nystrom_attention import Nystromformer

    return through(filled(Nystromformer(dim=8, dim_head=4, heads=2, depth=1, num_landmarks=4)), array(2, 12, 8))


@library("g-mlp-pytorch")
def g_mlp_pytorch():
    from g_mlp_pytorch import gMLP

    return through(filled(gMLP(num_tokens=9, dim=8, depth=2, seq_len=6, attn_dim=4)).eval(), whole(9, 2, 6))


@library("mlp-mixer-pytorch")
def mlp_mixer_pytorch():
    from mlp_mixer_pytorch import MLPMixer

    net = MLPMixer(image_size=8, channels=3, patch_size=4, dim=8, depth=2, num_classes=5)
    return through(filled(net), array(2, 3, 8, 8))


@library("conformer")
def conformer():
    from conformer import ConformerBlock

    net = ConformerBlock(dim=8, dim_head=4, heads=2, ff_mult=2, conv_expansion_factor=2, conv_kernel_size=5)
    return through(filled(net), array(2, 10, 8))


@library("perceiver-pytorch")
def perceiver_pytorch():
    from perceiver_pytorch import Perceiver

    net = Perceiver(
        input_channels=3, input_axis=2, num_freq_bands=3, depth=2, max_freq=8.0, num_latents=4, latent_dim=8,
        cross_dim_head=4, latent_dim_head=4, latent_heads=2, num_classes=5,
    )  # fmt: skip
    return through(filled(net), array(2, 4, 4, 3))


@library("performer-pytorch")
def performer_pytorch():
    from performer_pytorch import FastAttention

    q, k, v = (array(1, 2, 10, 8, seed=i).requires_grad_() for i in range(3))
    layer = FastAttention(dim_heads=8, nb_features=12).double()
    layer.projection_matrix.copy_(array(12, 8, seed=9))
    out = layer(q, k, v)
    out.sin().sum().backward()
    return [out, q.grad, k.grad, v.grad]


@library("linear-attention-transformer")
def linear_attention_transformer():
    from linear_attention_transformer import LinearAttentionTransformerLM

    net = LinearAttentionTransformerLM(
        num_tokens=11, dim=16, heads=2, depth=2, max_seq_len=16, causal=True, blindspot_size=1
    )
    return through(filled(net), whole(11, 2, 16))


@library("axial-positional-embedding")
def axial_positional_embedding():
    from axial_positional_embedding import AxialPositionalEmbedding

    return through(filled(AxialPositionalEmbedding(dim=8, axial_shape=(3, 4))), array(2, 12, 8))


@library("product-key-memory")
def product_key_memory():
    from product_key_memory import PKM

    return through(filled(PKM(dim=8, num_keys=6, topk=3, dim_head=4, heads=2)), array(2, 5, 8))


@library("siren-pytorch")
def siren_pytorch():
    from siren_pytorch import SirenNet

    net = SirenNet(dim_in=2, dim_hidden=8, dim_out=3, num_layers=3, w0_initial=3.0)
    return through(filled(net), array(5, 2))


@library("egnn-pytorch")
def egnn_pytorch():
    from egnn_pytorch import EGNN

    net = filled(EGNN(dim=8, edge_dim=2, num_nearest_neighbors=3))
    feats, coords = net(array(1, 6, 8), array(1, 6, 3, seed=1), array(1, 6, 6, 2, seed=2))
    return [feats, coords]


@library("pytorch-tcn")
def pytorch_tcn():
    from pytorch_tcn import TCN

    net = TCN(num_inputs=3, num_channels=[4, 4], kernel_size=3, dropout=0.0, use_norm="layer_norm")
    return through(filled(net), array(2, 3, 12))


@library("entmax")
def entmax():
    from entmax import Entmax15Loss, entmax15, entmax_bisect, sparsemax

    x = array(4, 7).requires_grad_()
    parts = [sparsemax(x, dim=1), entmax15(x, dim=1), entmax_bisect(x, 1.3, dim=1)]
    loss = Entmax15Loss()(x, whole(7, 4))
    (sum((p**2).sum() for p in parts) + loss).backward()
    return [*parts, loss, x.grad]


@library("hyper-connections")
def hyper_connections():
    from hyper_connections import HyperConnections

    branch = torch.nn.Linear(8, 8)
    init, expand, reduce = HyperConnections.get_init_and_expand_reduce_stream_functions(4)
    net = filled(init(dim=8, branch=branch, layer_index=0))
    return reduce(net(expand(array(2, 5, 8))))


@library("geotorch")
def geotorch():
    import geotorch

    layer = torch.nn.Linear(4, 3).double()
    geotorch.orthogonal(layer, "weight")
    layer.weight = torch.eye(4, dtype=torch.float64)[:3]
    layer.bias.data.zero_()
    layer(array(2, 4)).sin().sum().backward()
    return [layer.weight, [p.grad for p in layer.parameters()]]
