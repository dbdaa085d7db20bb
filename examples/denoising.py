"""A denoising autoencoder cleans pictures of digits that it has never seen.

python examples/denoising.py [--plot OUT.png]
"""

import math
import sys

import lamina
from lamina.models import Autoencoder

NOISE = 0.3

lamina.manual_seed(0)
(train, _), (clean, _) = lamina.datasets.split(*lamina.datasets.digits())
model = Autoencoder(shape=(1, 8, 8), hidden=(256, 128), latent=24, noise=NOISE)  # which training adds anew each time
model.fit(train, epochs=100, batch_size=64, lr=2e-3, scheduler="cosine")


def psnr(images):
    """Peak signal to noise ratio in decibels, for a white of 1."""
    return -10 * math.log10((images - clean).square().mean().item())


noisy = clean + NOISE * lamina.randn_like(clean)
cleaned = model.predict(noisy)
if "--plot" in sys.argv:
    lamina.plot.reconstructions(noisy, cleaned, path=sys.argv[-1])
gain = psnr(cleaned) - psnr(noisy)
print(f"from {psnr(noisy):.1f} dB to {psnr(cleaned):.1f} dB: a gain of {gain:.1f} dB (at least 5.0)")
assert gain >= 5.0
