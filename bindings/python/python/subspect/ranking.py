"""Which inputs to look at first: label errors, brittle inputs, inputs that change company between layers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import _core, html
from .dynamics import Dynamics
from .measured import Measured, Undefined, show
from .run import Run, run_folder

__all__ = ["Ranking", "rank"]


@dataclass(frozen=True)
class Ranking:
    """Inputs of a run, most suspicious first; of a training, ``run`` is that of its last epoch."""

    score: str
    #: The layer that the score is of; ``None``: all layers.
    layer: str | None
    #: Positions of the inputs, most suspicious first; those without a score last.
    order: np.ndarray
    #: Score of every input, in the order of the run.
    values: list[Measured]
    run: Run

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Any:
        return iter(self.order.tolist())

    def rows(self, top: int | None = None) -> list[dict[str, Any]]:
        """What is known about the first ``top`` inputs: id, label, prediction, confidence, score."""
        inputs = self.run.record["inputs"]
        classes = self.run.record["dataset"]["classes"]

        def name(values: list[Any], i: int) -> Any:
            return classes[values[i]] if values else None

        return [
            {"input": int(i), "id": inputs["ids"][i], "label": name(inputs["labels"], i),
             "prediction": name(inputs["predictions"], i),
             "confidence": inputs["confidence"][i] if inputs["confidence"] else None, "score": self.values[i]}
            for i in self.order[:top]
        ]

    def to_pandas(self) -> Any:
        """One row per input, most suspicious first; ``NA`` where undefined."""
        import pandas as pd

        rows = [{**r, "score": None if isinstance(r["score"], Undefined) else r["score"]} for r in self.rows()]
        return pd.DataFrame(rows).convert_dtypes()

    def __repr__(self) -> str:
        return f"<Ranking of {len(self)} inputs by {self.score}>"

    def _repr_html_(self) -> str:
        rows = [
            (r["id"], r["label"], r["prediction"], "" if r["confidence"] is None else f"{r['confidence']:.3f}", show(r["score"]))
            for r in self.rows(20)
        ]
        place = f"in {self.layer}" if self.layer else "over all layers"
        return html.table(("input", "label", "network", "confidence", self.score), rows, f"{self.score} {place}")


def rank(
    run: Run | Dynamics | str | os.PathLike[str], by: str = "propagated_label", *, layer: str | None = None
) -> Ranking:
    """The inputs of a run, or of a training that was followed, in the order to look at.

    ``by``: a name of ``subspect.methods("scores")``; of a training these are taken at its last epoch, and those of
    ``subspect.methods("epoch_scores")`` over all epochs. ``layer``: by default the deepest before the output; scores over
    layers take all of them.
    """
    folder = run_folder(run)
    found = _core.rank(folder, by, layer)
    order = np.array(found["order"], dtype=np.int64)
    if not isinstance(run, (Run, Dynamics)):
        run = Dynamics(folder) if (Path(folder) / "dynamics.json").is_file() else Run(folder)
    if isinstance(run, Dynamics):
        run = run.run(run.epochs[-1])
    return Ranking(found["score"], found["layer"], order, found["values"], run)
