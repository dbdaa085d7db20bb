"""Parts that several image models share: convolution with norm and activation, widths, initial weights."""

from __future__ import annotations

from .. import nn


def conv_norm(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, activation: type[nn.Module] | None = None
) -> nn.Sequential:
    """Convolution that keeps H and W (at stride 1), batch norm, activation: (N, inputs, H, W) -> (N, outputs, H', W').

    The names are "0" (convolution), "1" (norm) and, where there is an activation, "2".
    """
    conv = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    layers: list[nn.Module] = [conv, nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([activation()] if activation is not None else []))


def divisible(value: float, divisor: int = 8) -> int:
    """The nearest multiple of divisor, at least divisor and not below 90 % of the value (MobileNet's widths)."""
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * value else near


def init_convs(model: nn.Module) -> None:
    """He initialisation by fan out (arXiv:1502.01852) of all convolutions, zeros for their biases."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_linears(model: nn.Module, std: float = 0.01) -> None:
    """Normal weights and zero biases for all linear layers."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
