"""Turn text into vectors: Ernie, by the classes of paddle-ernie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import paddle
from ernie.modeling_ernie import ErnieModel
from ernie.tokenizing_ernie import ErnieTokenizer

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import DocumentArray

VOCABULARY = Path(__file__).parent / "vocab.txt"
MAX_TOKENS = 512  # a text's positions, with [CLS] and [SEP]


class ErnieTextEncoder(Executor):
    """Sets `embedding` to the pooled output of an Ernie model for a text.

    Without `pretrained`, the model is small and its weights are random, the same for the same seed:
    good to try Paddle in a Flow, and for nothing else.

    Args:
        pretrained: a folder with ernie_config.json, saved_weights.pdparams and vocab.txt, relative
            to the current folder; null for random weights.
        layers: number of layers with random weights.
        width: width of the vectors with random weights; a multiple of 4.
        seed: of the random weights.
        **kwargs: metas, requests, runtime_args.

    Raises:
        FileNotFoundError: `pretrained` lacks one of these files.
        ValueError: the file of weights lacks some of the model.
    """

    def __init__(
        self,
        *,
        pretrained: str | None = None,
        layers: int = 4,
        width: int = 128,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        folder = _folder(pretrained) if pretrained else None
        words = _words(folder / "vocab.txt" if folder else VOCABULARY)
        self.tokenizer = ErnieTokenizer(words)
        if folder:
            self.model = _trained(folder)
        else:
            paddle.seed(seed)
            self.model = ErnieModel(_small(layers, width, len(words)))
        self.model.eval()
        self.max_tokens = self.model.pos_emb.weight.shape[0]

    @requests(on=["/index", "/update", "/encode", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set `embedding` of each Document: float32, shape (width,).

        A text is cut where the model has no more positions.
        """
        with paddle.no_grad():
            for doc in docs or ():
                ids, _ = self.tokenizer.encode(doc.text or "", truncate_to=self.max_tokens - 2)
                ids = paddle.to_tensor(np.expand_dims(ids, 0))
                pooled, _encoded = self.model(ids)
                doc.embedding = pooled.numpy()[0]


def _folder(pretrained: str) -> Path:
    folder = Path(pretrained).absolute()
    for name in ("ernie_config.json", "saved_weights.pdparams", "vocab.txt"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"pretrained: {folder} has no {name}")
    return folder


def _words(vocabulary: Path) -> dict[str, int]:
    """A word on each line, perhaps with more behind a tab -> the number of the line."""
    with vocabulary.open(encoding="utf-8") as lines:
        return {line.strip().split("\t")[0]: number for number, line in enumerate(lines)}


def _trained(folder: Path) -> ErnieModel:
    # As `ErnieModel.from_pretrained`, which hands a Path to Paddle, where 3.3 takes only text.
    config = json.loads((folder / "ernie_config.json").read_text(encoding="utf-8"))
    model = ErnieModel(config)
    missing, _ = model.set_state_dict(paddle.load(str(folder / "saved_weights.pdparams")))
    if missing:
        raise ValueError(f"pretrained: {folder / 'saved_weights.pdparams'} lacks {missing[0]}")
    return model


def _small(layers: int, width: int, words: int) -> dict[str, Any]:
    return {
        "num_hidden_layers": layers,
        "hidden_size": width,
        "vocab_size": words,
        "max_position_embeddings": MAX_TOKENS,
        "type_vocab_size": 2,
        "num_attention_heads": 4,
        "initializer_range": 0.02,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    }
