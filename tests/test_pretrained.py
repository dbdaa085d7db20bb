"""load_pretrained: config.json is followed or refused by name; weights in several files; tied weights under either name."""

from __future__ import annotations

import json
import pathlib
import shutil

import lamina
import numpy as np
import pytest
from lamina import models

GOLDEN = pathlib.Path(__file__).parent / "golden" / "pretrained"
IDS, DECODED = lamina.tensor([[1, 5, 3, 9]]), lamina.tensor([[0, 4, 2]])
IMAGES = lamina.linspace(-1, 1, 128).reshape(2, 1, 8, 8)
RUN = {
    "gpt": ("GPT", lambda m: m(IDS)),
    "bert": ("BERTForMaskedLM", lambda m: m(IDS)),
    "t5": ("T5", lambda m: m(IDS, DECODED)),
    "vit": ("ViT", lambda m: m(IMAGES)),
}


def result(name, folder):
    kind, run = RUN[name]
    return run(getattr(models, kind).load_pretrained(folder).eval()).detach().numpy()


@pytest.mark.parametrize("name", RUN)
def test_outputs_are_those_of_transformers(name):
    """The folders are what transformers 5.24.0 wrote of small random models with unusual settings, and what they gave."""
    want = np.array(json.loads((GOLDEN / name / "output.json").read_text()))
    np.testing.assert_allclose(result(name, GOLDEN / name), want, rtol=0, atol=3e-6 * np.abs(want).max())


def changed(tmp_path, name, **settings):
    shutil.copytree(GOLDEN / name, tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    config.update(settings)
    (tmp_path / "m" / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v != "absent"}))
    return tmp_path / "m"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gpt", {"activation_function": "gelu_new"}),
        ("gpt", {"scale_attn_weights": False}),
        ("gpt", {"scale_attn_by_inverse_layer_idx": False}),
        ("gpt", {"layer_norm_epsilon": 0.2}),
        ("bert", {"hidden_act": "gelu"}),
        ("bert", {"layer_norm_eps": 0.2}),
        ("t5", {"feed_forward_proj": "gated-gelu"}),
        ("t5", {"layer_norm_epsilon": 0.2}),
        ("vit", {"hidden_act": "gelu"}),
        ("vit", {"layer_norm_eps": 0.2}),
    ],
)
def test_settings_change_the_output(tmp_path, name, settings):
    assert (result(name, changed(tmp_path, name, **settings)) != result(name, GOLDEN / name)).any()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gpt", {"activation_function": "gelu_10"}),
        ("gpt", {"activation_function": 3}),
        ("gpt", {"model_type": "gpt_neo"}),
        ("gpt", {"add_cross_attention": True}),
        ("gpt", {"attn_pdrop": 0.5}),
        ("bert", {"position_embedding_type": "relative_key"}),
        ("bert", {"model_type": "roberta"}),
        ("bert", {"is_decoder": True}),
        ("bert", {"hidden_act": "laplace"}),
        ("t5", {"feed_forward_proj": "relu"}),
        ("t5", {"feed_forward_proj": "gated-what"}),
        ("t5", {"decoder_start_token_id": 3}),
        ("t5", {"model_type": "umt5"}),
        ("t5", {"is_encoder_decoder": False}),
        ("vit", {"model_type": "deit"}),
        ("vit", {"hidden_act": "x"}),
    ],
)
def test_what_is_not_computed_is_refused_by_name(tmp_path, name, settings):
    folder = changed(tmp_path, name, **settings)
    (key,) = settings
    with pytest.raises(ValueError, match=f"{key if key != 'model_type' else settings[key]}"):
        result(name, folder)


def test_settings_that_change_no_number_and_overrides(tmp_path):
    folder = changed(tmp_path, "gpt", reorder_and_upcast_attn=True, summary_type="x", attn_pdrop=0.5, unheard_of=[1])
    model = models.GPT.load_pretrained(folder, dropout=0.25).eval()
    assert model.config.dropout == 0.25
    assert model(IDS).tolist() == models.GPT.load_pretrained(GOLDEN / "gpt").eval()(IDS).tolist()
    folder = changed(tmp_path / "b", "gpt", activation_function="gelu_10")
    assert models.GPT.load_pretrained(folder, activation="silu").config.activation == "silu"


def split(folder, kind="model.safetensors"):
    """The folder with its weights in two files and an index."""
    weights = lamina.load(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names, where = sorted(weights), {}
    for i, part in enumerate((names[::2], names[1::2])):
        stem, ending = kind.split(".")
        file = f"{stem}-{i}.{ending}"
        lamina.save({n: weights[n] for n in part}, folder / file)
        where.update(dict.fromkeys(part, file))
    (folder / f"{kind}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    return folder, where


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("name", RUN)
def test_weights_in_several_files(tmp_path, name, kind):
    folder, _ = split(changed(tmp_path, name), kind)
    assert result(name, folder).tolist() == result(name, GOLDEN / name).tolist()


def test_a_damaged_index_is_refused(tmp_path):
    folder, where = split(changed(tmp_path, "gpt"))
    index = folder / "model.safetensors.index.json"
    first = next(iter(where))
    for bad, message in (
        ("[1", "not a JSON object"),
        ("{}", "no weight_map"),
        (json.dumps({"weight_map": {**where, first: "../model-0.safetensors"}}), "no file beside it"),
        (json.dumps({"weight_map": {**where, first: "/etc/passwd"}}), "no file beside it"),
        (json.dumps({"weight_map": {**where, first: 3}}), "no file beside it"),
        (json.dumps({"weight_map": {**where, "more": "model-0.safetensors"}}), "lacks 'more'"),
        (json.dumps({"weight_map": {**where, first: "absent.safetensors"}}), "absent"),
    ):
        index.write_text(bad)
        with pytest.raises(lamina.FileError, match=message):
            models.GPT.load_pretrained(folder)


def test_tied_weights_under_either_name():
    gpt = models.GPT(vocab=11, width=8, layers=1, heads=2).eval()
    state = {n: v.clone() for n, v in gpt.state_dict().items()}
    for name in ("transformer.wte.weight", "lm_head.weight"):
        kept = {n: v for n, v in state.items() if n != name}
        assert models.GPT.load_pretrained(kept, heads=2).eval()(IDS).tolist() == gpt(IDS).tolist()
    bert = models.BERTForMaskedLM(vocab=110, width=8, layers=1, heads=2).eval()
    state = {n: v.clone() for n, v in bert.state_dict().items()}
    for names in (
        ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias"),
        ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias"),
    ):
        kept = {n: v for n, v in state.items() if n not in names}
        assert models.BERTForMaskedLM.load_pretrained(kept, heads=2).eval()(IDS).tolist() == bert(IDS).tolist()
    t5 = models.T5(vocab=11, width=8, layers=1, heads=2, head_width=4, hidden=8, buckets=4).eval()
    state = {n: v.clone() for n, v in t5.state_dict().items()}
    tied = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"]
    for name in tied[:3]:
        kept = {n: v for n, v in state.items() if n not in tied or n == name}
        assert models.T5.load_pretrained(kept).eval()(IDS, DECODED).tolist() == t5(IDS, DECODED).tolist()


def test_vit_with_torchvisions_names():
    model = models.ViT(size=8, patch=4, channels=1, classes=3, width=8, layers=2, heads=2, hidden=12).eval()
    back = models.ViT.load_pretrained(model.state_dict(), heads=2).eval()
    assert back.config == model.config and back(IMAGES).tolist() == model(IMAGES).tolist()
    with pytest.raises(ValueError, match="classifier"):
        models.ViT.load_pretrained({"embeddings.cls_token": lamina.zeros(1, 1, 8)}, heads=2)


def test_a_head_of_its_own_counts_unless_the_config_ties_it(tmp_path):
    gpt = models.GPT(vocab=11, width=8, layers=1, heads=2, tie=False).eval()
    lamina.save(gpt.state_dict(), tmp_path / "model.safetensors")
    for settings, tied in (({}, False), ({"tie_word_embeddings": False}, False), ({"tie_word_embeddings": True}, True)):
        (tmp_path / "config.json").write_text(json.dumps({"n_head": 2, **settings}))
        model = models.GPT.load_pretrained(tmp_path)
        assert model.config.tie is tied and (model.lm_head.weight is model.transformer.wte.weight) is tied
        assert (model.lm_head.weight == (gpt.transformer.wte if tied else gpt.lm_head).weight).all()


def test_the_reach_of_relative_positions_is_followed(tmp_path):
    wide = models.T5.load_pretrained(changed(tmp_path, "t5", relative_attention_max_distance=40)).eval()
    known = models.T5.load_pretrained(GOLDEN / "t5").eval()
    ids = lamina.arange(12).reshape(1, 12)
    assert wide.config.max_distance == 40 and known.config.max_distance == 9
    assert (wide(ids, DECODED) != known(ids, DECODED)).any()
