"""Complete models: each is one file, its config dataclass first, loaded on first use."""

from __future__ import annotations

from .._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from ._model import Model as Model
    from .anomaly import AnomalyDetector as AnomalyDetector
    from .autoencoder import Autoencoder as Autoencoder
    from .autoencoder import AutoencoderConfig as AutoencoderConfig
    from .bert import BERT as BERT
    from .bert import BERTConfig as BERTConfig
    from .bert import BERTForMaskedLM as BERTForMaskedLM
    from .bert import BERTForSequenceClassification as BERTForSequenceClassification
    from .cnn import CNN as CNN
    from .cnn import VGG as VGG
    from .cnn import CNNConfig as CNNConfig
    from .cnn import LeNet as LeNet
    from .cnn import LeNetConfig as LeNetConfig
    from .cnn import VGGConfig as VGGConfig
    from .cnn import vgg11 as vgg11
    from .cnn import vgg13 as vgg13
    from .cnn import vgg16 as vgg16
    from .cnn import vgg19 as vgg19
    from .efficientnet import EfficientNet as EfficientNet
    from .efficientnet import EfficientNetConfig as EfficientNetConfig
    from .efficientnet import efficientnet_b0 as efficientnet_b0
    from .gan import DCGAN as DCGAN
    from .gan import GAN as GAN
    from .gan import DCGANConfig as DCGANConfig
    from .gan import GANConfig as GANConfig
    from .gan import wgan_gp as wgan_gp
    from .gpt import GPT as GPT
    from .gpt import GPTConfig as GPTConfig
    from .mlp import MLP as MLP
    from .mlp import MLPConfig as MLPConfig
    from .mobilenet import MobileNetV2 as MobileNetV2
    from .mobilenet import MobileNetV2Config as MobileNetV2Config
    from .mobilenet import mobilenet_v2 as mobilenet_v2
    from .resnet import ResNet as ResNet
    from .resnet import ResNetConfig as ResNetConfig
    from .resnet import resnet18 as resnet18
    from .resnet import resnet34 as resnet34
    from .resnet import resnet50 as resnet50
    from .rnn import LSTMLM as LSTMLM
    from .rnn import Forecaster as Forecaster
    from .rnn import ForecasterConfig as ForecasterConfig
    from .rnn import LSTMClassifier as LSTMClassifier
    from .rnn import LSTMForecaster as LSTMForecaster
    from .rnn import RecurrentClassifier as RecurrentClassifier
    from .rnn import RecurrentClassifierConfig as RecurrentClassifierConfig
    from .rnn import RecurrentLM as RecurrentLM
    from .rnn import RecurrentLMConfig as RecurrentLMConfig
    from .t5 import T5 as T5
    from .t5 import T5Config as T5Config
    from .unet import UNet as UNet
    from .unet import UNetConfig as UNetConfig
    from .vae import VAE as VAE
    from .vae import VAEConfig as VAEConfig
    from .vit import ViT as ViT
    from .vit import ViTConfig as ViTConfig
    from .vit import vit_b_16 as vit_b_16

_FILES = {
    "_model": "Model",
    "anomaly": "AnomalyDetector",
    "autoencoder": "Autoencoder AutoencoderConfig",
    "bert": "BERT BERTConfig BERTForMaskedLM BERTForSequenceClassification",
    "cnn": "CNN CNNConfig LeNet LeNetConfig VGG VGGConfig vgg11 vgg13 vgg16 vgg19",
    "efficientnet": "EfficientNet EfficientNetConfig efficientnet_b0",
    "gan": "DCGAN DCGANConfig GAN GANConfig wgan_gp",
    "gpt": "GPT GPTConfig",
    "mlp": "MLP MLPConfig",
    "mobilenet": "MobileNetV2 MobileNetV2Config mobilenet_v2",
    "resnet": "ResNet ResNetConfig resnet18 resnet34 resnet50",
    "rnn": (
        "Forecaster ForecasterConfig LSTMClassifier LSTMForecaster LSTMLM RecurrentClassifier RecurrentClassifierConfig "
        "RecurrentLM RecurrentLMConfig"
    ),
    "t5": "T5 T5Config",
    "unet": "UNet UNetConfig",
    "vae": "VAE VAEConfig",
    "vit": "ViT ViTConfig vit_b_16",
}

__getattr__, __dir__, __all__ = lazy(__name__, _FILES)
