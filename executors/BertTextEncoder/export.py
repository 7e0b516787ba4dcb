"""Export a BERT of transformers to ONNX.

    python export.py FOLDER model.onnx

FOLDER is what `save_pretrained` of transformers writes. Needs the packages of
requirements-full.txt; the model that comes out of it does not.
"""

from __future__ import annotations

import os
import sys

# transformers imports torchvision where it is installed, even if it does not fit torch, as often
# without CUDA. Text needs none of it.
sys.modules["torchvision"] = None  # type: ignore[assignment]

import torch  # noqa: E402
from transformers import BertModel  # noqa: E402


class Tokens(torch.nn.Module):
    """The vectors of the tokens alone, which is what an encoder averages."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        return self.model(input_ids, attention_mask, token_type_ids).last_hidden_state


def export(folder: str, to: str) -> None:
    """Write the ONNX file; it is there as a whole or not at all."""
    # The exporter gives the wrapper its mode back, so the wrapper has to be in that of evaluation.
    tokens = Tokens(BertModel.from_pretrained(folder)).eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = tuple(torch.ones(1, 8, dtype=torch.int64) for _ in names)
    torch.onnx.export(
        tokens,
        example,
        f"{to}.part",
        input_names=names,
        output_names=["of_tokens"],
        dynamic_axes={name: {0: "texts", 1: "tokens"} for name in [*names, "of_tokens"]},
        dynamo=False,  # one file, and no further package
    )
    os.replace(f"{to}.part", to)


if __name__ == "__main__":
    export(*sys.argv[1:])
