"""A variational autoencoder draws new digits; an independent classifier judges the drawings.

python examples/vae.py [--plot OUT.png]
"""

import sys

import lamina
from lamina.models import CNN, VAE

lamina.manual_seed(0)
train, test = lamina.datasets.digits(split=True)

judge = CNN(width=16)
judge.fit(train, epochs=6, batch_size=64, lr=3e-3, scheduler="onecycle")

model = VAE(shape=(1, 8, 8), hidden=(256, 128), latent=12)
model.fit(train, epochs=150, batch_size=64, lr=2e-3, scheduler="cosine")
with lamina.no_grad():
    elbo = model.elbo(test.tensors[0], samples=8).mean().item()

drawn = model.sample(1000, seed=1)
with lamina.no_grad():
    p = judge.eval()(drawn).softmax(1)
sure = (p.amax(1) > 0.8).float().mean().item()  # drawings that clearly are one digit
shares = lamina.bincount(p.argmax(1), minlength=10) / 1000  # of each digit among them

if "--plot" in sys.argv:
    lamina.plot.grid(drawn[:50], path=sys.argv[-1])
print(f"held-out ELBO {elbo:.2f} nats; share of the rarest digit {shares.min().item():.1%}")
print(f"clear digits among the drawings {sure:.1%} (at least 60%)")
assert sure >= 0.60 and shares.min().item() >= 0.02
