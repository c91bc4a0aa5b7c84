"""PyTorch: every layer's activations while a model runs, and the same over the epochs of a training.

    import subspect.torch as st
    found = st.capture(model, loader)                       # runs the model over the loader
    with st.capture(model, layers="conv") as found:         # or watch your own calls
        model(images)
    run = subspect.analyze(found)

Layers come in execution order; a module that runs twice in one pass gives ``name`` and ``name:1``. Outputs that are
tuples or dictionaries give one layer per tensor (``name[0]``, ``name[hidden]``). Every tensor is copied when its module
returns, so later in-place operations do not change it; half and bfloat16 become float32; tensors leave a GPU in chunks
of bounded size. ``DataParallel``, ``DistributedDataParallel`` and compiled wrappers are taken off. Modes (train, eval)
are restored and hooks removed in every case.
"""

import numpy
import torch

try:
    torch.zeros(1).numpy()
except RuntimeError as e:  # a PyTorch that was built for NumPy 1 beside NumPy 2
    raise ImportError(
        f"expected a NumPy that PyTorch {torch.__version__} was built for, found {numpy.__version__}: "
        'pip install "numpy<2", or a newer PyTorch'
    ) from e

from .captured import Capture
from .loader import capture
from .pools import POOLS
from .recorder import Recorder
from .selection import select, unwrap

__all__ = ["Capture", "POOLS", "Recorder", "capture", "select", "unwrap"]
