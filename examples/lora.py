"""A network that reads upright digits learns to read them lying on their side with one weight in thirteen.

LoRA (arXiv:2106.09685) freezes the network and puts thin products of two matrices beside its layers.

python examples/lora.py
"""

import lamina
from lamina import lora
from lamina.models import MLP

lamina.manual_seed(0)
(x, y), (x_test, y_test) = lamina.datasets.split(*lamina.datasets.digits())
model = MLP(hidden=(256, 256), dropout=0.2)
model.fit((x, y), epochs=15, batch_size=64, lr=3e-3, scheduler="cosine")
upright = model.evaluate((x_test, y_test))["accuracy"]

lying = (x_test.rot90(1, (2, 3)), y_test)
before = model.evaluate(lying)["accuracy"]
lora.apply_lora(model, ["body.*", "head"], rank=6)
model.fit((x.rot90(1, (2, 3)), y), epochs=30, batch_size=64, lr=5e-3, scheduler="cosine")
after = model.evaluate(lying)["accuracy"]

small = sum(p.numel() for p in lora.lora_state_dict(model).values())
whole = sum(p.numel() for p in model.parameters()) - small
lora.remove(model)  # the old skill is still there
assert model.evaluate((x_test, y_test))["accuracy"] == upright

print(f"{small:,} adapter weights beside {whole:,}; upright {upright:.1%}")
print(f"lying digits: before {before:.1%}, with adapters {after:.1%} (at least 92%)")
assert after >= 0.92 and before < 0.5 and small < whole / 8
