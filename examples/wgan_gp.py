"""A Wasserstein GAN with gradient penalty (arXiv:1704.00028) learns eight separate heaps of points, and forgets none.

Ordinary GANs tend to settle on a few of the heaps. The penalty needs gradients of gradients.

python examples/wgan_gp.py
"""

import lamina
from lamina.models import GAN

HEAPS, WIDTH = 8, 0.05

lamina.manual_seed(0)
angle = lamina.arange(HEAPS) * (2 * lamina.pi / HEAPS)
centres = 0.7 * lamina.stack([angle.cos(), angle.sin()], 1)  # (8, 2), on a ring
points = centres[lamina.randint(HEAPS, (4096,))] + WIDTH * lamina.randn(4096, 2)

model = GAN(shape=(2,), latent=2, hidden=(128, 128), loss="wasserstein_gp", norm="none", penalty=0.1, critic_steps=3)
model.fit(points, epochs=60, batch_size=128, lr=1e-3)

drawn = model.sample(2000, seed=1)
distance, heap = lamina.cdist(drawn, centres).min(1)
share = (distance < 3 * WIDTH).float().mean().item()
rarest = lamina.bincount(heap[distance < 3 * WIDTH], minlength=HEAPS).min().item() / len(drawn)
print(f"points drawn inside of a heap {share:.1%} (at least 60%), of the rarest heap {rarest:.1%} (at least 3%)")
assert share >= 0.60 and rarest >= 0.03
