"""The network of LightningAutoencoder: what train.py trains, and the Executor loads."""

from __future__ import annotations

from typing import Any

import torch
import torchvision_operators  # noqa: F401 - before Lightning, which imports torchvision if it is there
from lightning import LightningModule
from torch import Tensor, nn


class DigitsAutoencoder(LightningModule):
    """Squeezes the 64 pixels of an 8 x 8 digit through `width` numbers, and draws it again.

    Args:
        width: numbers of the code, which is the embedding.
        hidden: numbers of the layers before and behind the code.
        learning_rate: of Adam.
    """

    def __init__(self, width: int = 16, hidden: int = 128, learning_rate: float = 2e-3) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )
        self.decoder = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 64), nn.Sigmoid()
        )

    def forward(self, digits: Tensor) -> Tensor:
        """The codes of digits of shape (n, 8, 8), with values from 0 to 16: shape (n, width)."""
        codes: Tensor = self.encoder(digits / 16)
        return codes

    def training_step(self, batch: list[Tensor], batch_number: int) -> Tensor:
        """How far the drawn digits are from those of the batch."""
        (digits,) = batch
        drawn = self.decoder(self(digits))
        return nn.functional.mse_loss(drawn, digits.flatten(1) / 16)

    def configure_optimizers(self) -> Any:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.hparams["learning_rate"])
