"""Train the autoencoder on scikit-learn's digits, and write the checkpoint that the Executor loads.

    python train.py [CHECKPOINT]

It takes about a minute. Every fifth digit is left out, so that the embeddings can be tested on
digits that were not seen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from autoencoder import DigitsAutoencoder
from lightning import Trainer, seed_everything
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 60
BATCH_SIZE = 64


def train(checkpoint: Path) -> None:
    """Train a new autoencoder and save it."""
    seed_everything(0)
    images = load_digits().images
    digits = TensorDataset(torch.from_numpy(images[is_for_training(len(images))]).float())
    trainer = Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    model = DigitsAutoencoder()
    trainer.fit(model, DataLoader(digits, batch_size=BATCH_SIZE, shuffle=True))
    trainer.save_checkpoint(checkpoint, weights_only=True)


def is_for_training(count: int) -> np.ndarray:
    """Which of the digits are trained on: all but every fifth."""
    return np.arange(count) % 5 != 0


if __name__ == "__main__":
    train(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("digits.ckpt"))
