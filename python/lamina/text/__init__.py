"""Text as numbers: tokenizers, vocabularies, windows for language models, a default corpus, sampling."""

from .base import Tokenizer
from .bpe import BPETokenizer
from .char import CharTokenizer
from .corpus import corpus, split
from .sampling import filter_logits, sample
from .windows import TextStream, TextWindows
from .words import Vocabulary, WordTokenizer

__all__ = [
    "BPETokenizer",
    "CharTokenizer",
    "TextStream",
    "TextWindows",
    "Tokenizer",
    "Vocabulary",
    "WordTokenizer",
    "corpus",
    "filter_logits",
    "sample",
    "split",
]


def __getattr__(name: str) -> object:
    import sys

    from .._missing import missing

    raise missing(sys.modules[__name__], name)
