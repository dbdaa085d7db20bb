"""A GAN draws digits: its generator learns to make what its discriminator cannot tell from real ones.

A classifier that never saw the drawings judges them: each should be one clear digit, and all ten should be there. The
inception score is exp of the mutual information between drawing and digit: 1 at worst, 10 for ten clear digits.

python examples/gan.py [--plot OUT.png]
"""

import sys

import lamina
from lamina.models import CNN, GAN

lamina.manual_seed(0)
train, _ = lamina.datasets.digits(split=True)
judge = CNN(width=16)
judge.fit(train, epochs=6, batch_size=64, lr=3e-3, scheduler="onecycle")

model = GAN(shape=(1, 8, 8), latent=16, hidden=(256, 256), norm="layer", value_range=(0, 1))
model.fit(train, epochs=80, batch_size=32, lr=1e-3)

drawn = model.sample(1000, seed=1)
with lamina.no_grad():
    p = judge.eval()(drawn).softmax(1)
information = (p * (p.clamp(min=1e-9) / p.mean(0)).log()).sum(1).mean()
score = information.exp().item()

if "--plot" in sys.argv:
    lamina.plot.grid(drawn[:50], path=sys.argv[-1])
print(f"inception score of the drawings {score:.2f} of 10 (at least 4.0)")
assert score >= 4.0
