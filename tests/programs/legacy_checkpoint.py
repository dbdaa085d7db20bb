"""Checkpoints as years of programs wrote them: prefixes of DataParallel, renamed layers, the older stream, partial loads."""

import io
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

rng = np.random.RandomState(17)
dtype = torch.get_default_dtype()


def build():
    return nn.Sequential(
        OrderedDict(
            [
                ("features", nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())),
                ("classifier", nn.Linear(8, 3)),
            ]
        )
    )


model = build()
for p in model.parameters():
    p.data.copy_(torch.from_numpy(rng.randn(*p.shape) * 0.5))
wrapped = {"module." + k: v for k, v in model.state_dict().items()}
wrapped["module.fc.weight"] = wrapped.pop("module.classifier.weight")
wrapped["module.fc.bias"] = wrapped.pop("module.classifier.bias")
del wrapped["module.features.1.num_batches_tracked"]
buffer = io.BytesIO()
torch.save(
    {"epoch": 3, "arch": "mlp", "state_dict": wrapped, "best_acc1": 71.5}, buffer, _use_new_zipfile_serialization=False
)
buffer.seek(0)
checkpoint = torch.load(buffer, map_location=lambda storage, loc: storage)
assert checkpoint["arch"] == "mlp" and checkpoint["epoch"] == 3

new_state_dict = OrderedDict()
for k, v in checkpoint["state_dict"].items():
    name = k[7:] if k.startswith("module.") else k
    new_state_dict[name.replace("fc.", "classifier.")] = v
loaded = build()
incompatible = loaded.load_state_dict(new_state_dict, strict=False)
assert not incompatible.missing_keys and not incompatible.unexpected_keys
finetuned = build()
own = finetuned.state_dict()
pretrained = {k: v for k, v in new_state_dict.items() if k in own and not k.startswith("classifier")}
own.update(pretrained)
finetuned.load_state_dict(own)
finetuned.classifier = nn.Linear(8, 2)
finetuned.classifier.weight.data.copy_(torch.from_numpy(rng.randn(2, 8) * 0.3))
nn.init.zeros_(finetuned.classifier.bias)

x, y = torch.tensor(rng.randn(40, 6), dtype=dtype), torch.tensor(rng.randint(0, 2, 40))
optimizer = torch.optim.SGD(filter(lambda p: p.requires_grad, finetuned.parameters()), lr=0.1, momentum=0.9)
losses = []
for step in range(12):
    loss = nn.CrossEntropyLoss()(finetuned(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
whole = io.BytesIO()
torch.save(finetuned, whole)
whole.seek(0)
again = torch.load(whole, weights_only=False).eval()
finetuned.eval()
result = {
    "losses": losses,
    "loaded": loaded.eval()(x[:5]).detach().numpy(),
    "again": again(x[:5]).detach().numpy(),
    "same": [1.0 + float(torch.equal(again(x), finetuned(x)))],
    "best": checkpoint["best_acc1"],
}
