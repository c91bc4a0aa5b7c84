"""Two networks on the same inputs: what ``subspect compare`` does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

from . import _core, edge, html
from .errors import ParameterError
from .measured import show
from .progress import Progress, Watch
from .run import Run, as_matrix, run_folder
from .similarity import SimilarityMatrix

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Layers that match, differences with their tests, inputs that moved. Differences are the first minus the second.

    ``record`` is what ``comparison.json`` holds; ``page`` the HTML file, where an ``output`` folder was given.
    """

    record: dict[str, Any]
    page: Path | None

    @property
    def summary(self) -> list[str]:
        """The comparison in a few sentences."""
        return self.record["summary"]

    @property
    def notes(self) -> list[str]:
        """What could not be checked or computed."""
        return self.record["notes"]

    @property
    def layers(self) -> tuple[list[str], list[str]]:
        """Layers of the first and of the second network, in execution order."""
        first, second = ([layer["name"] for layer in n["layers"]] for n in self.record["networks"])
        return first, second

    @property
    def failed(self) -> bool:
        """Whether one of the conditions ``fail_if`` holds."""
        return bool(self.record["verdict"] and self.record["verdict"]["failed"])

    @property
    def matches(self) -> dict[str, str | None]:
        """Every layer of the first network and the layer of the second that is most alike by SSC-CKA."""
        first, second = self.layers
        found = (m["layer"] for m in self.record["best"][0])
        return {name: None if k is None else second[k] for name, k in zip(first, found)}

    def similarity(self, measure: str = "ssc_cka", estimator: str = "biased") -> SimilarityMatrix:
        """The map between the two networks' layers."""
        first, second = self.layers
        for found in self.record["maps"]:
            if (found["measure"], found["estimator"]) == (measure, estimator):
                return as_matrix(found["values"], measure, estimator, first, second)
        known = ", ".join(f"{m['measure']} ({m['estimator']})" for m in self.record["maps"])
        raise ParameterError(f"there is no map of {measure!r} ({estimator}): expected one of {known}")

    def to_pandas(self) -> Any:
        """One row per pair of layers that was looked at; ``NA`` where undefined."""
        import pandas as pd

        first, second = self.layers
        rows = []
        for pair in self.record["pairs"]:
            row = {"first": first[pair["first"]], "second": second[pair["second"]]}
            row.update({name: _plain(pair[name]) for name in ("ssc_cka", "neighbour_overlap", "vote_change")})
            for what in ("modularity", "vote"):
                row.update({f"{what}_{k}": _plain(pair[what][k]) for k in ("first", "second", "value", "lo", "hi", "p")})
            rows.append(row)
        return pd.DataFrame(rows).convert_dtypes()

    def inputs(self) -> Any:
        """One row per input as a data frame: votes and answers of both, and how far its neighbourhood changed."""
        import pandas as pd

        rows = []
        for name, found in zip(self.record["ids"], self.record["inputs"]):
            row = {"id": name, "change": _plain(found["change"]), "mean_change": _plain(found["mean_change"])}
            for what in ("votes", "predictions"):
                row.update({f"{what[:-1]}_{side}": found[what][k] for k, side in enumerate(("first", "second"))})
            rows.append(row)
        frame = pd.DataFrame(rows).convert_dtypes()
        return frame.sort_values("change", ascending=False, kind="stable")

    def __repr__(self) -> str:
        first, second = self.record["networks"]
        return f"<Comparison of {first['name']} and {second['name']} on {len(self.record['ids'])} inputs>"

    def _repr_html_(self) -> str:
        first, second = self.layers
        rows = [
            (first[p["first"]], second[p["second"]], show(p["ssc_cka"]), show(p["modularity"]["value"]),
             show(p["modularity"]["p"]), show(p["vote"]["value"]), show(p["vote"]["p"]))
            for p in self.record["pairs"]
        ]
        header = ("first", "second", "ssc_cka", "modularity, difference", "p", "vote, difference", "p")
        return html.table(header, rows, " ".join(self.summary))


def _plain(value: Any) -> Any:
    return value if isinstance(value, float) else None


def compare(
    a: Run | str | os.PathLike[str],
    b: Run | str | os.PathLike[str],
    *,
    fail_if: str | Sequence[str] = (),
    output: str | os.PathLike[str] | None = None,
    n_permutations: int = 0,
    n_resamples: int = 1000,
    level: float = 0.95,
    resolution: float = 1.0,
    memory: int | str = "4GiB",
    random_state: Any = 0,
    progress: Progress = False,
) -> Comparison:
    """Compares two runs over the same inputs: matching layers, differences with tests, inputs that moved.

    ``fail_if``: conditions such as ``"ssc_cka(layer4.*) < 0.8"`` over ``subspect.methods("compared")``; see
    :attr:`Comparison.failed`. With ``output`` the record, tables and a page are written there. For activations or graphs
    that are no runs see :func:`subspect.similarity_between`.
    """
    conditions = [fail_if] if isinstance(fail_if, str) else list(fail_if)
    folder = None if output is None else os.fspath(output)
    draws = (int(n_permutations), int(n_resamples), float(level), edge.seed(random_state))
    with Watch(progress, "compare") as watcher:
        record, page = _core.compare_runs(
            run_folder(a), run_folder(b), draws, float(resolution), edge.n_bytes(memory), conditions, folder, watcher
        )
    return Comparison(record, None if page is None else Path(page))
