"""A feature extractor, global average pooling and a head, on raw pixels: the shape of all our networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from leafsight.errors import ConfigError
from leafsight.models.convolution import initialise
from leafsight.models.dropout import Dropout
from leafsight.models.mobilenet import mobilenet_v2_features
from leafsight.models.morphology import morphology_layer
from leafsight.models.options import TIMM_PREFIX, ModelOptions
from leafsight.models.resnet import resnet_features
from leafsight.models.resnet9 import resnet9_features
from leafsight.models.simple import simple_cnn_features
from leafsight.models.timm_adapter import timm_features

# x = pixel / 127.5 - 1, the scaling of the shared ImageNet weights (weights README).
MEAN = STD = (127.5, 127.5, 127.5)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a network says about n photographs.

    Attributes:
        logits: float [n, classes].
        embedding: float [n, channels], the mean of the feature map over its positions.
        feature_map: float [n, channels, h, w].
    """

    logits: Tensor
    embedding: Tensor
    feature_map: Tensor


class Network(nn.Module):
    """Pixels in, logits out; the network normalises by itself, so nobody else has to remember how.

    Attributes:
        options: what it was built from.
        n_classes: number of logits.
        morphology: [n, 3, h, w] -> the same shape, pixel values 0..255; has nothing to learn.
        features: [n, 3, h, w] normalised -> [n, channels, h', w'].
        head: [n, channels] -> [n, classes].
        mean, std: buffers [1, 3, 1, 1] in pixel values 0..255.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        options: ModelOptions,
        features: nn.Module,
        head: nn.Sequential,
        *,
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
    ) -> None:
        super().__init__()
        self.options, self.features, self.head = options, features, head
        self.morphology = morphology_layer(options.morphology)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).reshape(1, 3, 1, 1))
        self._frozen_blocks = 0

    @property
    def classifier(self) -> nn.Linear:
        """The last dense layer, which gives the logits."""
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        return last

    @property
    def n_classes(self) -> int:
        """Number of logits."""
        return self.classifier.out_features

    @property
    def embedding_size(self) -> int:
        """Number of channels of the feature map."""
        return next(part.in_features for part in self.head if isinstance(part, nn.Linear))

    @property
    def has_exact_activation_map(self) -> bool:
        """Whether the logits are linear in the feature map: average pooling and a single dense layer."""
        return sum(isinstance(part, nn.Linear) for part in self.head) == 1

    def forward(self, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n classes"]:
        """Logits of photographs whose values are 0..255."""
        return self.outputs(pixels).logits

    def outputs(self, pixels: Float[Tensor, "n 3 h w"]) -> Outputs:
        """Logits, embedding and feature map of photographs whose values are 0..255."""
        feature_map = self.features(self._scaled(pixels))
        embedding = feature_map.mean(dim=(2, 3))
        return Outputs(self.head(embedding), embedding, feature_map)

    def embed(self, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n channels"]:
        """Only the embedding: what a head is trained on when the feature extractor is frozen."""
        embedding: Tensor = self.features(self._scaled(pixels)).mean(dim=(2, 3))
        return embedding

    def _scaled(self, pixels: Tensor) -> Tensor:
        scaled: Tensor = (self.morphology(pixels) - self.mean) / self.std
        return scaled

    def blocks(self) -> list[tuple[str, tuple[nn.Module, ...]]]:
        """The feature extractor in order, in the pieces that ``freeze`` counts, each with its name.

        MobileNetV2 has 19 (stem, 17 inverted residuals, last), ResNet its stem and every residual block,
        ``simple_cnn`` and ``resnet9`` 4, a timm network one for each of its top modules.
        """
        return blocks_of(self.features)

    def freeze(self, *, keep_last: int | None) -> None:
        """Choose what learns: the head always, and the last blocks of the feature extractor.

        A frozen block gets no gradients, and its batch statistics stay as they are even in train mode.

        Args:
            keep_last: how many blocks learn; 0 for the head only, None for everything.

        Raises:
            ConfigError: negative, or more than there are blocks.
        """
        blocks = self.blocks()
        if keep_last is not None and not 0 <= keep_last <= len(blocks):
            raise ConfigError(
                f"cannot train the last {keep_last} of {len(blocks)} blocks of {self.options.name}"
            )
        self._frozen_blocks = 0 if keep_last is None else len(blocks) - keep_last
        for position, (_, modules) in enumerate(blocks):
            for module in modules:
                module.requires_grad_(position >= self._frozen_blocks)
        self.train(self.training)

    def train(self, mode: bool = True) -> Network:
        """As in torch, but frozen blocks stay in eval mode."""
        super().train(mode)
        for _, modules in self.blocks()[: self._frozen_blocks]:
            for module in modules:
                module.eval()
        return self

    def draw_dropout_from(self, generator: torch.Generator) -> None:
        """Let the head's dropout draw from a CPU generator instead of that of the process."""
        for part in self.head:
            if isinstance(part, Dropout):
                part.generator = generator

    def feature_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters of the feature extractor, frozen or not."""
        return self.features.parameters()

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters of the head."""
        return self.head.parameters()


def blocks_of(features: nn.Module) -> list[tuple[str, tuple[nn.Module, ...]]]:
    """See ``Network.blocks``."""
    children = dict((getattr(features, "model", None) or features).named_children())
    if "layer1" not in children or "conv1" not in children:
        return [(name, (module,)) for name, module in children.items()]
    stem = tuple(module for name, module in children.items() if not name.startswith("layer"))
    blocks: list[tuple[str, tuple[nn.Module, ...]]] = [("stem", stem)]
    for name, layer in children.items():
        if name.startswith("layer"):
            blocks += [(f"{name}.{position}", (block,)) for position, block in layer.named_children()]
    return blocks


def build_network(
    options: ModelOptions, n_classes: int, *, mean: Sequence[float] = MEAN, std: Sequence[float] = STD
) -> Network:
    """A network with random weights (see ``initialise``); pretrained ones are loaded by ``load_pretrained``.

    Args:
        options: what to build; ``pretrained`` is not looked at here.
        n_classes: number of logits, at least 2.
        mean: subtracted from each channel, in pixel values 0..255.
        std: each channel is divided by it, in pixel values 0..255.

    Raises:
        ConfigError: fewer than two classes, or a timm network that cannot be used.
        MissingExtraError: a timm network without timm.
    """
    if n_classes < 2:
        raise ConfigError(f"a classifier needs at least two classes, got {n_classes}")
    features, channels = _features(options)
    if not options.name.startswith(TIMM_PREFIX):
        initialise(features)
    head = _head(channels, options.head, n_classes, options.dropout)
    initialise(head)
    return Network(options, features, head, mean=mean, std=std)


def _features(options: ModelOptions) -> tuple[nn.Module, int]:
    if options.name.startswith(TIMM_PREFIX):
        return timm_features(options.name.removeprefix(TIMM_PREFIX))
    if options.name == "simple_cnn":
        return simple_cnn_features(options.width)
    if options.name == "resnet9":
        return resnet9_features(options.width)
    if options.name == "mobilenet_v2":
        return mobilenet_v2_features(options.width, same=options.padding == "same")
    return resnet_features(options.name)


def _head(channels: int, hidden: Sequence[int], n_classes: int, dropout: float) -> nn.Sequential:
    # Dropout stands at 0 and the first dense layer at 1, as in torchvision's classifier.
    head = nn.Sequential()
    for inputs, outputs in zip((channels, *hidden), (*hidden, n_classes), strict=True):
        head.extend([Dropout(dropout), nn.Linear(inputs, outputs), nn.ReLU()])
    del head[-1]
    return head
