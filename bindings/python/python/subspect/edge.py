"""The edge of the package: whatever holds numbers, as the arrays that the core reads.

NumPy arrays that are C-contiguous, aligned float32 pass without a copy; so do CPU tensors of PyTorch and JAX of that
kind. Everything else is converted once. Float64 activations are rounded to float32, which is what the core stores.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
import scipy.sparse as sp

from .errors import ParameterError, ShapeError

__all__: list[str] = []

_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "B": 1}


def array(x: Any) -> np.ndarray:
    """``x`` as a NumPy array: tensors by DLPack or ``__array__``, data frames by their values."""
    if isinstance(x, np.ndarray):
        return x
    module = type(x).__module__.partition(".")[0]
    if module == "torch":
        x = x.detach()
        if str(x.dtype) == "torch.bfloat16":
            x = x.float()
        return x.cpu().numpy()
    if hasattr(x, "__dlpack__"):
        try:
            return np.from_dlpack(x)
        except (AttributeError, BufferError, RuntimeError, TypeError):
            pass  # another device, or a type that NumPy has not: let the object convert itself
    return np.asarray(x)


def matrix(x: Any, name: str = "X", dtype: type = np.float32) -> np.ndarray:
    """Activations as the core reads them: (inputs, features), C-contiguous; further axes are flattened."""
    if sp.issparse(x):
        raise TypeError(f"{name}: expected a dense array, found a sparse matrix: use {name}.toarray()")
    found = array(x)
    if np.iscomplexobj(found):
        raise TypeError(f"{name}: expected real numbers, found {found.dtype}")
    if found.ndim < 2:
        raise ShapeError(f"{name}: expected (inputs, features), found {found.ndim} axes: reshape it to 2D, (n, 1)")
    if found.ndim > 2:
        found = found.reshape(found.shape[0], -1)
    with np.errstate(over="ignore"):  # the core refuses the infinity, and says where
        return np.require(found, dtype=dtype, requirements=["C", "A"])


class Classes:
    """Labels as class indices. ``names[k]`` is the label of class ``k``, in ascending order."""

    def __init__(self, labels: Any, other: Any = None) -> None:
        values = _vector(labels, "labels")
        extra = None if other is None else _vector(other, "predictions")
        both = values if extra is None else np.concatenate([values, extra.astype(values.dtype, copy=False)])
        self.names, inverse = np.unique(both, return_inverse=True)
        inverse = inverse.reshape(-1)
        self.indices = inverse[: len(values)].astype(np.uint32)
        self.other = None if extra is None else inverse[len(values) :].astype(np.uint32)

    @property
    def parts(self) -> tuple[list[int], int]:
        """As the core takes them."""
        return self.indices.tolist(), len(self.names)

    def of(self, indices: np.ndarray) -> np.ma.MaskedArray:
        """Labels of class indices, masked where the index is -1."""
        none = indices < 0
        if len(self.names) == 0:
            return np.ma.masked_all(len(indices), dtype=np.int64)
        return np.ma.MaskedArray(self.names[np.where(none, 0, indices)], mask=none)


def _vector(values: Any, name: str) -> np.ndarray:
    found = array(values)
    if found.ndim != 1:
        raise ShapeError(f"{name}: expected one per input (1 axis), found shape {found.shape}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ParameterError(f"{name}: expected classes, found NaN or infinity")
    return found


def csr_parts(m: Any, name: str = "coefficients") -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """A matrix as the parts of a float32 CSR matrix with sorted indices and no explicit zeros."""
    found = m if sp.issparse(m) else np.asarray(array(m))
    if found.ndim != 2:
        raise ShapeError(f"{name}: expected a matrix, found {found.ndim} axes")
    csr = sp.csr_matrix(found, dtype=np.float32)
    if not (csr.has_canonical_format and np.all(csr.data)):
        csr = csr.copy()
        csr.sum_duplicates()
        csr.eliminate_zeros()
    return csr.data, csr.indices.astype(np.uint32), csr.indptr.astype(np.int64), csr.shape


def from_parts(parts: tuple[Any, Any, Any, tuple[int, int]]) -> sp.csr_array:
    """The parts of a sparse matrix from the core, as SciPy's."""
    data, indices, indptr, shape = parts
    out = sp.csr_array((data, indices, indptr), shape=shape)
    out.has_sorted_indices = True
    out.has_canonical_format = True
    return out


def n_bytes(memory: int | str) -> int:
    """``"4GiB"``, ``"512MB"`` or a number of bytes."""
    if isinstance(memory, str):
        for unit, size in _UNITS.items():
            if memory.strip().endswith(unit):
                try:
                    return int(float(memory.strip()[: -len(unit)]) * size)
                except ValueError:
                    break
    elif memory > 0:
        return int(memory)
    raise ParameterError(f'memory: expected bytes such as "4GiB" or 4000000, found {memory!r}')


def seed(random_state: Any) -> int:
    """A seed from ``random_state``: an integer, ``None`` (0), or a NumPy generator that draws one."""
    if random_state is None:
        return 0
    if hasattr(random_state, "randint"):
        return int(random_state.randint(2**31))
    if hasattr(random_state, "integers"):
        return int(random_state.integers(2**31))
    if int(random_state) < 0:
        raise ParameterError(f"random_state: expected a whole number from 0 on, found {random_state}")
    return int(random_state)


def names(values: Sequence[Any] | None, n: int) -> list[str]:
    """Ids of inputs; their positions when there are none."""
    if values is None:
        return [str(i) for i in range(n)]
    if len(values) != n:
        raise ShapeError(f"ids: expected {n}, one per input, found {len(values)}")
    return [str(v) for v in values]
