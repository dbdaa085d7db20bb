"""A U-Net says of each pixel whether it belongs to a disc, to a rectangle or to neither, in noisy pictures.

python examples/segmentation.py [--plot OUT.png]
"""

import sys

import lamina
from lamina.models import UNet

SIDE = 24


def pictures(n, seed):
    """Images (n, 1, 24, 24) of a disc and a rectangle, grey on grey under noise, and the class of each pixel."""
    g = lamina.Generator().manual_seed(seed)
    u = lamina.rand(n, 9, 1, 1, generator=g).unbind(1)  # (n, 1, 1) each
    row, column = lamina.arange(SIDE).reshape(-1, 1), lamina.arange(SIDE)
    disc = (row - 5 - 14 * u[0]).square() + (column - 5 - 14 * u[1]).square() < (3 + 3 * u[2]).square()
    top, left = 14 * u[3], 14 * u[4]
    box = (row >= top) & (row < top + 5 + 6 * u[5]) & (column >= left) & (column < left + 5 + 6 * u[6])
    classes = lamina.where(disc, 1, lamina.where(box, 2, 0))
    grey = lamina.where(classes > 0, 0.5 + 0.4 * u[7], 0.3 * u[8])  # brightness does not tell the two kinds apart
    return grey.unsqueeze(1) + 0.1 * lamina.randn(n, 1, SIDE, SIDE, generator=g), classes


lamina.manual_seed(0)
model = UNet(classes=3, width=12, depth=2)
model.fit(pictures(400, seed=1), epochs=10, batch_size=16, lr=5e-3, scheduler="onecycle")

images, classes = pictures(200, seed=2)
found = model.evaluate((images, classes))
if "--plot" in sys.argv:
    guesses = model.predict(images[:8]).unsqueeze(1) / 2
    lamina.plot.grid(lamina.cat([images[:8], guesses]), columns=8, path=sys.argv[-1])
print(f"mean intersection over union {found['iou']:.3f} (at least 0.85)")
assert found["iou"] >= 0.85
