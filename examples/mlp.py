"""An MLP learns 1,797 real handwritten digits: the shortest way from data to a measured model.

python examples/mlp.py
"""

import lamina
from lamina.models import MLP

lamina.manual_seed(0)  # the weights; fit has a seed of its own for the order of the rows and for dropout
train, test = lamina.datasets.digits(split=True)  # 1,437 and 360 images (1, 8, 8)

model = MLP(hidden=(256, 128), dropout=0.3)
model.fit(train, epochs=30, batch_size=64, lr=3e-3, scheduler="cosine")

accuracy = model.evaluate(test)["accuracy"]
print(f"held-out accuracy {accuracy:.1%} (at least 97%)")
assert accuracy >= 0.97
