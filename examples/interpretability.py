"""Why is this a three? Integrated gradients (arXiv:1703.01365) say how much each pixel adds to the answer.

Two properties show that the numbers mean something: they add up to what the answer gained over a blank image, and
without the pixels that they name most the network is wrong far more often than without as many at random.

python examples/interpretability.py [--plot OUT.png]
"""

import sys

import lamina
from lamina.models import CNN

lamina.manual_seed(0)
train, (x, y) = lamina.datasets.split(*lamina.datasets.digits())
model = CNN(width=16)
model.fit(train, epochs=8, batch_size=64, lr=3e-3, scheduler="onecycle")
model.eval()


def answer(images):
    """The logit of the right digit: (N)."""
    return model(images).gather(1, y.unsqueeze(1)).squeeze(1)


def integrated_gradients(steps=64):
    """Pixels times the mean slope on the straight way from a blank image: (N, 1, 8, 8)."""
    total = lamina.zeros_like(x)
    for i in range(steps):
        point = (x * ((i + 0.5) / steps)).requires_grad_()
        total += lamina.autograd.grad(answer(point).sum(), point)[0]
    return x * total / steps


def without(ranking, count=10):
    """Accuracy when the `count` first pixels of each image are blank."""
    rows = ranking.flatten(1).argsort(1, descending=True)[:, :count]
    return model.evaluate((x.flatten(1).scatter(1, rows, 0.0).reshape(x.shape), y))["accuracy"]


share = integrated_gradients()
with lamina.no_grad():
    gained = answer(x) - answer(lamina.zeros_like(x))
gap = ((share.flatten(1).sum(1) - gained).abs().mean() / gained.abs().mean()).item()
named, chance = without(share), without(lamina.rand_like(x))

if "--plot" in sys.argv:
    heat = share.clamp(min=0) / share.amax((1, 2, 3), keepdim=True)
    lamina.plot.grid(lamina.cat([x[:8], heat[:8]]), columns=8, path=sys.argv[-1])
print(f"the shares add up to the answer within {gap:.1%} (at most 5%)")
print(f"accuracy without the 10 pixels named {named:.1%}, without 10 at random {chance:.1%} (at least 30 points more)")
assert gap <= 0.05 and chance >= named + 0.30
