"""How gradients pass backwards through a network: plainly, or by the rule of guided backpropagation.

Networks here call ReLU as a function as often as they hold it as a module. Hooks on modules do not see
the functions, which is how guided backpropagation elsewhere silently becomes the plain gradient; what
stands here acts on the operation itself, wherever it is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable

_RELUS: frozenset[Any] = frozenset(
    {functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
)  # fmt: skip
_LEAKY_RELUS: frozenset[Any] = frozenset({functional.leaky_relu, functional.leaky_relu_})


class _Attached(TorchFunctionMode):
    """``detach`` does nothing: where training stops a gradient, an explanation follows it."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is Tensor.detach:
            return args[0]
        return function(*args, **(kwargs or {}))


@contextmanager
def gradients_allowed(device: torch.device) -> Iterator[None]:
    """Gradients of a network in evaluation mode, whatever it is made of.

    Nothing is detached, and recurrent layers on a GPU leave cuDNN, whose backward pass refuses
    evaluation mode.
    """
    with _Attached(), torch.backends.cudnn.flags(enabled=device.type != "cuda"):
        yield


class GuidedRectifiers(TorchFunctionMode):
    """Guided backpropagation (Springenberg et al. 2015, arXiv 1412.6806).

    At every ReLU a gradient passes only where the input was positive and the gradient itself is. At a
    leaky ReLU, which the paper does not treat, negative gradients are stopped likewise and the slope
    stays. ``calls`` counts the rectifiers that were met.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function in _RELUS:
            self.calls += 1
            return _guided(args[0] if args else kwargs["input"], 0.0)
        if function in _LEAKY_RELUS:
            self.calls += 1
            values, *rest = args
            slope = rest[0] if rest else kwargs.get("negative_slope", 0.01)
            return _guided(values, float(slope))
        return function(*args, **kwargs)


def _guided(values: Tensor, slope: float) -> Tensor:
    result: Tensor = _Guided.apply(values, slope)  # type: ignore[no-untyped-call]
    return result


class _Guided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, slope: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.slope = slope
        return torch.where(values > 0, values, slope * values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (values,) = ctx.saved_tensors
        passed = gradient.clamp(min=0)
        return torch.where(values > 0, passed, ctx.slope * passed), None
