"""Small, aimed changes of an image fool a network; one that was trained on such images withstands them.

The fast gradient sign method (arXiv:1412.6572) moves each pixel by EPSILON, the way that makes the loss grow.

python examples/robustness.py
"""

import lamina
import lamina.nn.functional as F
from lamina.models import CNN

EPSILON = 0.1
train, (x_test, y_test) = lamina.datasets.split(*lamina.datasets.digits())


def attack(model, x, y):
    with lamina.enable_grad():  # also where the model is only evaluated
        x = x.detach().requires_grad_()
        (slope,) = lamina.autograd.grad(F.cross_entropy(model(x), y), x)
    return (x + EPSILON * slope.sign()).clamp(0, 1).detach()


class RobustCNN(CNN):
    """A CNN that is trained on plain and on attacked images alike."""

    def training_loss(self, x, y):
        attacked = attack(self, x, y)
        return 0.5 * (super().training_loss(x, y) + super().training_loss(attacked, y))


def robustness(model):
    """(accuracy, accuracy under attack) on held-out digits."""
    model.fit(train, epochs=12, batch_size=64, lr=3e-3, scheduler="onecycle")
    attacked = attack(model.eval(), x_test, y_test)
    return tuple(model.evaluate((x, y_test))["accuracy"] for x in (x_test, attacked))


lamina.manual_seed(0)
plain, plain_attacked = robustness(CNN(width=16))
lamina.manual_seed(0)
robust, robust_attacked = robustness(RobustCNN(width=16))

print(f"plain training: {plain:.1%}, under attack {plain_attacked:.1%}")
print(f"adversarial training: {robust:.1%}, under attack {robust_attacked:.1%} (at least 80% and 10 points more)")
assert robust >= 0.95 and robust_attacked >= max(0.80, plain_attacked + 0.10)
