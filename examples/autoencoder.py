"""An autoencoder squeezes the 64 pixels of a digit into 8 numbers, better than the best linear map can.

The best linear map is known: it is the projection on the first 8 principal components of the training images.

python examples/autoencoder.py [--plot OUT.png]
"""

import sys

import lamina
from lamina.models import Autoencoder

lamina.manual_seed(0)
(train, _), (test, _) = lamina.datasets.split(*lamina.datasets.digits())

model = Autoencoder(shape=(1, 8, 8), hidden=(256, 128), latent=8)
model.fit(train, epochs=60, batch_size=64, lr=2e-3, scheduler="cosine")
made = model.predict(test)

mean = train.flatten(1).mean(0)
axes = lamina.linalg.svd(train.flatten(1) - mean, full_matrices=False)[2][:8]  # (8, 64), orthonormal rows
linear = (test.flatten(1) - mean) @ axes.T @ axes + mean

error = (made - test).square().mean().item()
linear_error = (linear - test.flatten(1)).square().mean().item()
if "--plot" in sys.argv:
    lamina.plot.reconstructions(test, made, path=sys.argv[-1])
print(f"held-out error {error / linear_error:.2f} of that of the best linear map (at most 0.70)")
assert error <= 0.70 * linear_error
