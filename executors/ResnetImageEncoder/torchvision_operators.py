"""Let torchvision load beside a torch that its compiled part was not built for.

torchvision's compiled part is built for the torch of one CUDA version. Beside torch's CPU build it
cannot load, and then `import torchvision` fails, because two operators have no schema. No model
needs these two: with the bare schemas everything in Python works, and calling one of the operators
still raises torchvision's own error.
"""

from __future__ import annotations

import torch

# torch forgets the schemas together with this object.
_library = torch.library.Library("torchvision", "FRAGMENT")

try:
    import torchvision
except ModuleNotFoundError:
    pass  # whoever needs it will say so
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    for _name in ("nms", "qnms"):
        _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision  # noqa: F401
