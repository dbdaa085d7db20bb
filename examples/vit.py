"""A vision transformer reads digits as a sequence of sixteen 2x2 patches.

python examples/vit.py
"""

import lamina
from lamina import vision
from lamina.models import ViT

lamina.manual_seed(0)
train, test = lamina.datasets.digits(split=True)
augmented = vision.Augment(train, vision.RandomAffine(10, scale=(0.9, 1.1)), seed=0)

model = ViT(size=8, patch=2, channels=1, classes=10, width=64, layers=2, heads=4, hidden=128)
model.fit(augmented, epochs=25, batch_size=64, lr=4e-3, scheduler="warmup_cosine")

accuracy = model.evaluate(test)["accuracy"]
print(f"held-out accuracy {accuracy:.1%} (at least 92%)")
assert accuracy >= 0.92
