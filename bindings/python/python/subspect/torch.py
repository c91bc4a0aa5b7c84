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

from __future__ import annotations

import fnmatch
import os
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import torch

from . import html
from .errors import NetworkError, ParameterError, ShapeError
from .progress import Progress, Watch
from .store import ActivationStore, write_store

__all__ = ["Capture", "POOLS", "Recorder", "capture", "select", "unwrap"]

#: ``flatten`` keeps all features; ``avg`` and ``max`` pool over space (N, C, ...); ``cls``, ``mean`` and ``last`` over
#: tokens (N, T, D), the last two within the attention mask where one is known.
POOLS = ("flatten", "avg", "max", "cls", "mean", "last")

Layers = Union[str, Sequence[str], Callable[[str, torch.nn.Module], bool]]

_KINDS = (
    ("conv", r"(Lazy)?Conv(Transpose)?\dd$"), ("linear", r"(Lazy|NonDynamicallyQuantizable)?Linear$|^Bilinear$|^Conv1D$"),
    ("norm", r"Norm(\dd)?$"), ("pool", r"Pool\dd$"),
    ("activation", r"(ReLU6?|ELU|GELU|SiLU|Mish|Sigmoid|Tanh|Softmax|Softplus|Hardswish|Hardtanh|PReLU)$"),
)
_BLOCK = re.compile(r"(Block|Bottleneck|Residual|Layer)$")
_SHORTCUT = re.compile(r"(shortcut|downsample|skip|identity)", re.IGNORECASE)
_WORDS = ("paper", "conv", "block", "linear", "norm", "activation", "pool", "logits", "all")


def unwrap(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside DataParallel, DistributedDataParallel and ``torch.compile``."""
    while True:
        if hasattr(model, "_orig_mod"):
            model = model._orig_mod
        elif type(model).__name__ in ("DataParallel", "DistributedDataParallel", "FullyShardedDataParallel"):
            model = model.module
        else:
            return model


def kind_of(module: torch.nn.Module) -> str:
    """``conv``, ``block``, ``linear``, ``norm``, ``pool``, ``activation`` or ``other``, from the class's name."""
    name = type(module).__name__
    if next(module.children(), None) is not None:
        weighted = sum(kind_of(m) in ("conv", "linear") for m in module.modules() if m is not module and not list(m.children()))
        return "block" if weighted >= 2 and _BLOCK.search(name) else "other"
    return next((kind for kind, pattern in _KINDS if re.search(pattern, name)), "other")


def _paper(kinds: Dict[str, str]) -> List[str]:
    """All convolutions (without any: linear maps), a block's last one replaced by the block, and the logits."""
    wanted = "conv" if "conv" in kinds.values() else "linear"
    blocks = [name for name, kind in kinds.items() if kind == "block"]
    replaced = set()
    for block in blocks:
        inside = [n for n, k in kinds.items() if k == wanted and n.startswith(block + ".") and not _SHORTCUT.search(n[len(block) :])]
        replaced.update(inside[-1:])
    weighted = [n for n, k in kinds.items() if k == wanted and n not in replaced]
    if wanted == "linear" and weighted and not blocks:
        weighted = weighted[:-1]  # the last linear map gives the logits
    return weighted + blocks + [""]


def select(model: torch.nn.Module, layers: Layers = "paper") -> Dict[str, str]:
    """Module paths and kinds that a selection means; the model's own output is the path ``""``.

    ``layers``: words (``paper``, ``conv``, ``block``, ``linear``, ``norm``, ``activation``, ``pool``, ``logits``,
    ``all``: every module without children), module paths, globs over them, or a function of path and module.
    """
    modules = dict(unwrap(model).named_modules())
    kinds = {name: kind_of(m) for name, m in modules.items() if name}
    if callable(layers):
        chosen = [name for name, m in modules.items() if name and layers(name, m)]
    else:
        words = [w for part in ([layers] if isinstance(layers, str) else layers) for w in part.split(",") if w]
        chosen = []
        for word in words:
            chosen += _by_word(word.strip(), modules, kinds)
    if not chosen:
        raise NetworkError(f"layers: expected a selection of the model's modules, found none by {layers!r}")
    return {name: kinds.get(name, "linear") for name in dict.fromkeys(chosen)}


def _by_word(word: str, modules: Dict[str, torch.nn.Module], kinds: Dict[str, str]) -> List[str]:
    if word == "paper":
        return _paper(kinds)
    if word == "logits":
        return [""]
    if word == "all":
        return [n for n in kinds if not list(modules[n].children())] + [""]
    if word in _WORDS:
        return [n for n, kind in kinds.items() if kind == word]
    found = [word] if word in kinds else fnmatch.filter(kinds, word)
    if not found:
        from difflib import get_close_matches

        near = get_close_matches(word, kinds, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else f"; words are {', '.join(_WORDS)}"
        raise NetworkError(f"layers: no module matches {word!r}{hint}")
    return found


class _Sink:
    """Where rows go: lists in memory, or one raw float32 file per layer until the number of inputs is known."""

    def __init__(self, folder: Optional[Path]) -> None:
        self._folder = folder
        self._spool = None
        if folder is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._spool = tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent)
        self._parts: Dict[str, List[np.ndarray]] = {}
        self._files: Dict[str, Any] = {}
        self.rows: Dict[str, int] = {}
        self.features: Dict[str, int] = {}

    def add(self, name: str, rows: np.ndarray) -> None:
        """Takes a copy of some rows."""
        expected = self.features.setdefault(name, rows.shape[1])
        if rows.shape[1] != expected:
            raise ShapeError(
                f"layer {name!r}: expected {expected} features as in the first batch, found {rows.shape[1]}: pad inputs "
                'to one size, or pool with "avg", "mean", "cls" or "last"'
            )
        self.rows[name] = self.rows.get(name, 0) + len(rows)
        if self._spool is None:
            self._parts.setdefault(name, []).append(np.array(rows, dtype=np.float32, order="C", copy=True))
            return
        if name not in self._files:
            self._files[name] = open(Path(self._spool.name) / f"{len(self._files)}.raw", "wb")
        np.ascontiguousarray(rows, dtype=np.float32).tofile(self._files[name])

    def arrays(self) -> Dict[str, np.ndarray]:
        """Everything so far, one array per layer."""
        if self._spool is None:
            for name, parts in self._parts.items():
                if len(parts) > 1:
                    self._parts[name] = [np.concatenate(parts)]
            return {name: parts[0] for name, parts in self._parts.items()}
        out: Dict[str, np.ndarray] = {}
        for name, file in self._files.items():
            file.flush()
            shape = (self.rows[name], self.features[name])
            out[name] = np.memmap(file.name, dtype=np.float32, mode="r", shape=shape)
        return out

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        if self._spool is not None:
            self._spool.cleanup()


class Capture(Mapping):
    """Activations by layer, in execution order. Made by :func:`capture`; fills while its ``with`` block runs.

    ``labels``, ``predictions`` and ``confidence`` hold what is known about the inputs; ``labels`` may be set. With
    ``store=`` the activations are :attr:`store` after the block, otherwise they are kept in memory.
    """

    def __init__(
        self, model: torch.nn.Module, layers: Layers, store: Any, pool: str, train: Optional[bool], chunk_bytes: int
    ) -> None:
        if pool not in POOLS:
            raise ParameterError(f"pool: expected one of {', '.join(POOLS)}, found {pool!r}")
        self.model = unwrap(model)
        self.pool, self.train, self.chunk_bytes = pool, train, int(chunk_bytes)
        self.labels: Any = None
        self.predictions: Any = None
        self.confidence: Any = None
        self.ids: Optional[Sequence[Any]] = None
        self.classes: Optional[Sequence[str]] = None
        self.store: Optional[ActivationStore] = None
        self.n_inputs = 0
        self._folder = None if store is None else Path(os.fspath(store))
        self._chosen = select(self.model, layers)
        self._kinds: Dict[str, str] = {}
        self._shapes: Dict[str, Tuple[int, ...]] = {}
        self._handles: List[Any] = []
        self._modes: List[Tuple[torch.nn.Module, bool]] = []
        self._calls: Dict[str, int] = {}
        self._latest: Tuple[str, Any] = ("", None)
        self._batch: Optional[int] = None
        self._mask: Any = None
        self._choices: List[np.ndarray] = []
        self._sure: List[np.ndarray] = []
        self._told: set = set()
        self._sink: Optional[_Sink] = None
        self._arrays: Mapping[str, Any] = {}

    # Attaching and detaching.

    def __enter__(self) -> Capture:
        self._sink = _Sink(self._folder)
        try:
            self._modes = [(m, m.training) for m in self.model.modules()]
            if self.train is not None:
                self.model.train(self.train)
            self._attach()
        except BaseException:
            self._detach()
            raise
        return self

    def _attach(self) -> None:
        try:
            first = self.model.register_forward_pre_hook(self._begin, with_kwargs=True)
        except TypeError:  # PyTorch 1
            first = self.model.register_forward_pre_hook(lambda module, args: self._begin(module, args, {}))
        self._handles.append(first)
        modules = dict(self.model.named_modules())
        for name in self._chosen:
            if name:
                self._handles.append(modules[name].register_forward_hook(self._hook(name)))
        for name, module in modules.items() if "" in self._chosen else ():
            if kind_of(module) == "linear":
                self._handles.append(module.register_forward_hook(self._remember(name)))
        self._handles.append(self.model.register_forward_hook(self._end))

    def _detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        for module, training in self._modes:
            module.training = training
        self._modes = []

    def __exit__(self, kind: Any, *rest: Any) -> None:
        self._detach()
        sink = self._sink
        if sink is None:
            return
        try:
            if kind is None:
                self._finish(sink)
        finally:
            if self._folder is not None:
                sink.close()
                self._sink = None

    def _finish(self, sink: _Sink) -> None:
        if not sink.rows:
            raise NetworkError("nothing was captured: call the model inside the with block, with layers that run")
        partial = {name: n for name, n in sink.rows.items() if n != self.n_inputs}
        arrays = {name: v for name, v in sink.arrays().items() if name not in partial}
        for name, n in partial.items():
            warnings.warn(f"layer {name!r} is left out: it ran for {n} of {self.n_inputs} inputs", stacklevel=3)
        if self._choices and sum(map(len, self._choices)) == self.n_inputs:
            confidence = np.concatenate(self._sure)
            if np.isfinite(confidence).all():  # otherwise the logits are not, which the store will refuse by name
                self.predictions, self.confidence = np.concatenate(self._choices), confidence
        self._arrays = arrays
        if self._folder is not None:
            self.store = write_store(self._folder, arrays, **self._about(), **self.details())
            self._arrays = self.store

    def _about(self) -> Dict[str, Any]:
        known = {"labels": self.labels, "predictions": self.predictions, "confidence": self.confidence, "ids": self.ids}
        model: Tuple[str, str, List[int]] = (type(self.model).__name__, f"torch {torch.__version__}", [])
        return {**known, "classes": self.classes, "model": model, "name": type(self.model).__name__}

    # Hooks.

    def _begin(self, module: torch.nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        self._calls = {}
        tensors = [t for _, t in _tensors(list(args) + list(kwargs.values())) if t.dim() > 0]
        self._batch = len(tensors[0]) if tensors else None
        mask = kwargs.get("attention_mask")
        self._mask = mask if isinstance(mask, torch.Tensor) else None

    def _hook(self, name: str) -> Callable[[torch.nn.Module, Any, Any], None]:
        def hook(module: torch.nn.Module, args: Any, output: Any) -> None:
            nth = self._calls.get(name, 0)
            self._calls[name] = nth + 1
            self._take(f"{name}:{nth}" if nth else name, self._chosen[name], output)

        return hook

    def _remember(self, name: str) -> Callable[[torch.nn.Module, Any, Any], None]:
        """Keeps the latest linear map's output, in case it is the model's own."""

        def hook(module: torch.nn.Module, args: Any, output: Any) -> None:
            self._latest = (name, output)

        return hook

    def _end(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        if "" in self._chosen:
            # As in an ONNX file, the logits are named after the module that computes them, where one does.
            name, latest = self._latest
            label = name if latest is output and name else "logits"
            if label not in self._calls:
                self._take(label, "linear", output)
        self._latest = ("", None)
        tensors = [t for _, t in _tensors(output)]
        n = self._batch if self._batch is not None else (len(tensors[0]) if tensors and tensors[0].dim() else 0)
        self.n_inputs += n
        scores = _scores(output, n)
        if scores is not None:
            shares = torch.softmax(scores.detach().float(), dim=1).max(dim=1)
            self._choices.append(shares.indices.cpu().numpy().astype(np.int64))
            self._sure.append(shares.values.cpu().numpy())

    def _take(self, name: str, kind: str, output: Any) -> None:
        found = _tensors(output)
        alone = len(found) == 1
        for part, tensor in found:
            label = name if alone else f"{name}[{part}]"
            if tensor.dim() == 0 or (self._batch is not None and len(tensor) != self._batch):
                self._tell(label, f"its first axis is not the batch: shape {tuple(tensor.shape)}")
            elif not (tensor.is_floating_point() and tensor.numel()):
                self._tell(label, f"it holds {tensor.dtype} of shape {tuple(tensor.shape)}, no activations")
            else:
                self._kinds.setdefault(label, kind)
                self._shapes.setdefault(label, tuple(tensor.shape[1:]) or (1,))
                self._store_rows(label, tensor.detach())

    def _tell(self, name: str, why: str) -> None:
        if name not in self._told:
            warnings.warn(f"layer {name!r} is left out: {why}", stacklevel=2)
            self._told.add(name)

    def _store_rows(self, name: str, tensor: torch.Tensor) -> None:
        assert self._sink is not None
        row_bytes = max(1, 4 * (tensor.numel() // len(tensor)))
        step = max(1, self.chunk_bytes // row_bytes)
        mask = self._mask if self._mask is not None and tensor.dim() == 3 else None
        for start in range(0, len(tensor), step):
            rows = tensor[start : start + step]
            kept = mask[start : start + step] if mask is not None and mask.shape[:2] == tensor.shape[:2] else None
            pooled = _pool(name, rows, self.pool, kept)
            self._sink.add(name, pooled.to("cpu", torch.float32).numpy())

    # What was found.

    def details(self) -> Dict[str, Any]:
        """Kinds, shapes and pooling of the layers, as :func:`subspect.write_store` takes them."""
        return {"kinds": self._kinds, "shapes": self._shapes, "pool": self.pool}

    def __getitem__(self, layer: str) -> np.ndarray:
        return self._now()[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, Any]:
        return self._arrays if self._arrays or self._sink is None else self._sink.arrays()

    def __repr__(self) -> str:
        return f"<Capture of {type(self.model).__name__}: {len(self)} layers of {self.n_inputs} inputs>"

    def _repr_html_(self) -> str:
        rows = [(n, self._kinds[n], "x".join(map(str, self._shapes[n])), v.shape[1]) for n, v in self._now().items()]
        return html.table(("layer", "kind", "shape", "features"), rows, f"{self.n_inputs} inputs")


def _tensors(value: Any, path: str = "") -> List[Tuple[str, torch.Tensor]]:
    """Every tensor of a nested output with its place in it."""
    if isinstance(value, torch.Tensor):
        return [(path, value)]
    items: Iterable[Tuple[Any, Any]]
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, (tuple, list)):
        items = enumerate(value)
    else:
        return []
    return [pair for key, v in items for pair in _tensors(v, f"{path}.{key}" if path else str(key))]


def _scores(output: Any, n: int) -> Optional[torch.Tensor]:
    """The class scores (n x K) of a classifier's output, where there are any."""
    found = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if found is None:
        found = output if isinstance(output, torch.Tensor) else None
    if not isinstance(found, torch.Tensor) or found.dim() != 2 or len(found) != n or found.shape[1] < 2:
        return None
    return found if found.is_floating_point() else None


def _pool(name: str, x: torch.Tensor, pool: str, mask: Optional[torch.Tensor]) -> torch.Tensor:
    """(n, ...) to (n, features)."""
    if pool == "flatten" or x.dim() < 3:
        return x.reshape(len(x), -1)
    x = x.float()
    if pool in ("avg", "max"):
        space = x.flatten(2)
        return space.mean(dim=2) if pool == "avg" else space.amax(dim=2)
    if x.dim() != 3:
        raise ParameterError(f"layer {name!r}: pool={pool!r} is for tokens (n, tokens, features), found shape {tuple(x.shape)}")
    if pool == "cls":
        return x[:, 0]
    if mask is None:
        return x.mean(dim=1) if pool == "mean" else x[:, -1]
    kept = mask.to(x.device) != 0
    if pool == "mean":
        weight = kept.unsqueeze(2).float()
        return (x * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
    positions = torch.arange(x.shape[1], device=x.device)
    last = torch.where(kept, positions, torch.zeros_like(positions)).amax(dim=1)
    return x[torch.arange(len(x), device=x.device), last]


def capture(
    model: torch.nn.Module,
    loader: Any = None,
    *,
    layers: Layers = "paper",
    store: Any = None,
    pool: str = "flatten",
    labels: Any = None,
    ids: Optional[Sequence[Any]] = None,
    classes: Optional[Sequence[str]] = None,
    n_inputs: Optional[int] = None,
    train: Optional[bool] = False,
    chunk_bytes: int = 64 << 20,
    progress: Progress = False,
) -> Capture:
    """Activations of a model's layers.

    Without ``loader``: a context manager that watches the calls inside its block. With one: runs the model over it,
    without gradients, and returns the finished :class:`Capture`.

    Parameters
    ----------
    loader : iterable or tensor, optional
        Batches: a tensor, ``(inputs, labels, ...)``, or a dictionary (with ``labels``) that the model takes by name.
    layers : str, list or function
        See :func:`select`; by default the paper's layers and the logits.
    store : path, optional
        Write an activation store there; memory then holds one batch. Otherwise everything is kept in memory.
    pool : str
        One of :data:`POOLS`.
    labels, ids, classes : optional
        What is known about the inputs; labels of the loader are taken by themselves.
    n_inputs : int, optional
        Stop after so many inputs of the loader.
    train : bool or None
        Mode of the model meanwhile; ``None`` leaves it alone. Restored afterwards.
    chunk_bytes : int
        Most bytes that are moved from a device at once.
    """
    found = Capture(model, layers, store, pool, train, chunk_bytes)
    found.labels, found.ids, found.classes = labels, ids, classes
    if loader is None:
        return found
    collected: List[Any] = []
    device = next((p.device for p in found.model.parameters()), torch.device("cpu"))
    total = n_inputs or _length(loader)
    with Watch(progress, "capture") as watcher, found, torch.no_grad(), torch.random.fork_rng(devices=[]):
        for batch in [loader] if isinstance(loader, torch.Tensor) else loader:
            args, kwargs, y = _unpack(batch, None if n_inputs is None else n_inputs - found.n_inputs)
            found.model(*_to(args, device), **_to(kwargs, device))
            if y is not None:
                collected.append(np.asarray(y.cpu() if isinstance(y, torch.Tensor) else y).reshape(-1))
            if watcher is not None:
                watcher("advanced", "", found.n_inputs, total)
            if n_inputs is not None and found.n_inputs >= n_inputs:
                break
        if found.labels is None and collected and sum(map(len, collected)) == found.n_inputs:
            found.labels = np.concatenate(collected)
    return found


def _length(loader: Any) -> int:
    try:
        return len(loader if isinstance(loader, torch.Tensor) else loader.dataset)
    except (AttributeError, TypeError):
        return 0


def _unpack(batch: Any, most: Optional[int]) -> Tuple[Tuple[Any, ...], Dict[str, Any], Any]:
    """Arguments, named arguments and labels of a batch, cut to ``most`` inputs."""

    def cut(v: Any) -> Any:
        return v[:most] if most is not None and hasattr(v, "__getitem__") and hasattr(v, "__len__") else v

    if isinstance(batch, Mapping):
        named = {k: cut(v) for k, v in batch.items()}
        return (), named, named.pop("labels", named.pop("label", None))
    if isinstance(batch, (tuple, list)):
        y = cut(batch[1]) if len(batch) > 1 else None
        is_label = y is not None and np.ndim(y.cpu() if isinstance(y, torch.Tensor) else y) == 1
        return (cut(batch[0]),), {}, y if is_label else None
    return (cut(batch),), {}, None


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {k: _to(v, device) for k, v in value.items()}
    return tuple(_to(v, device) for v in value) if isinstance(value, tuple) else value


class Recorder:
    """Activations of the same inputs at several moments of a training, for :func:`subspect.dynamics`.

    Call :meth:`record` where an epoch ends, or pass :meth:`lightning` or :meth:`hugging_face` to a trainer. The
    training itself is left as it was: mode, gradients and random numbers.

    Parameters
    ----------
    loader : the inputs to look at, always in the same order (``shuffle=False``).
    folder : path, optional
        One activation store per epoch there; otherwise everything is kept in memory.
    every : int
        Record every so many epochs in the callbacks.
    """

    def __init__(
        self, model: torch.nn.Module, loader: Any, folder: Any = None, *, layers: Layers = "paper",
        pool: str = "flatten", labels: Any = None, n_inputs: Optional[int] = None, every: int = 1,
    ) -> None:
        if type(getattr(loader, "sampler", None)).__name__ == "RandomSampler":
            raise ParameterError("loader: expected the same inputs in the same order every time: use shuffle=False")
        if every < 1:
            raise ParameterError(f"every: expected 1 or more, found {every}")
        self.model, self.loader, self.every = model, loader, every
        self.folder = None if folder is None else Path(os.fspath(folder))
        self.labels = labels
        self.epochs: Dict[int, Mapping[str, Any]] = {}
        self._options: Dict[str, Any] = {"layers": layers, "pool": pool, "n_inputs": n_inputs}
        if self.folder is not None and self.folder.is_dir():
            self._resume(self.folder)

    def _resume(self, folder: Path) -> None:
        """Takes up the epochs that an earlier training left."""
        for path in sorted(folder.glob("epoch-*")):
            if (path / "store.json").is_file():
                self.epochs[int(path.name[len("epoch-") :])] = ActivationStore(path)

    def record(self, epoch: Optional[int] = None) -> Mapping[str, Any]:
        """Captures the present state as ``epoch`` (one more than the last if not given)."""
        epoch = max(self.epochs, default=-1) + 1 if epoch is None else int(epoch)
        store = None if self.folder is None else self.folder / f"epoch-{epoch:05d}"
        found = capture(self.model, self.loader, store=store, labels=self.labels, **self._options)
        if self.labels is None:
            self.labels = found.labels
        self.epochs[epoch] = found.store if found.store is not None else found
        self.epochs = dict(sorted(self.epochs.items()))
        return self.epochs[epoch]

    def _due(self, epoch: int) -> bool:
        return epoch % self.every == 0

    def lightning(self) -> Any:
        """A Lightning callback: records before training and after every validation-free training epoch."""
        recorder = self

        class SubspectCallback(_base(("lightning.pytorch", "pytorch_lightning"), "Callback")):  # type: ignore[misc]
            def on_train_start(self, trainer: Any, module: Any) -> None:
                recorder._record_if_due(int(getattr(trainer, "current_epoch", 0)))

            def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
                recorder._record_if_due(int(trainer.current_epoch) + 1)

        return SubspectCallback()

    def hugging_face(self) -> Any:
        """A Hugging Face Trainer callback: records before training and at the end of every epoch."""
        recorder = self

        class SubspectCallback(_base(("transformers",), "TrainerCallback")):  # type: ignore[misc]
            def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
                recorder._record_if_due(round(state.epoch or 0))

            def on_epoch_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
                recorder._record_if_due(round(state.epoch or 0))

        return SubspectCallback()

    def _record_if_due(self, epoch: int) -> None:
        if self._due(epoch) and epoch not in self.epochs:
            self.record(epoch)

    def __repr__(self) -> str:
        return f"<Recorder of {type(unwrap(self.model)).__name__}: epochs {list(self.epochs)}>"


def _base(modules: Tuple[str, ...], name: str) -> type:
    """A trainer's own base class for callbacks; without the trainer, one whose other events do nothing."""
    import importlib

    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue

    class Events:
        def __getattr__(self, event: str) -> Any:
            if event.startswith("on_") or event in ("setup", "teardown"):
                return lambda *args, **named: None
            raise AttributeError(event)

    return Events
