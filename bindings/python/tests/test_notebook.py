"""What results look like in a notebook, and the figures."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import subspect


@pytest.fixture(scope="module")
def run(layer):
    x, y = layer
    return subspect.analyze({"a<b": x, "dead": np.zeros((240, 3)), "c": np.tanh(x)}, y, permutations=9)


def test_every_result_renders_and_escapes(run, layer):
    found = subspect.express(layer[0])
    results = [
        found, found.graph, subspect.measures(found, layer[1]), subspect.neighbors(found, 3), run, run.similarity(),
        subspect.express_path(layer[0], 3), subspect.spectral(found, 3),
        subspect.dynamics([{"a<b": layer[0]}, {"a<b": np.tanh(layer[0])}], layer[1], permutations=9),
    ]
    for result in results:
        text = result._repr_html_()
        assert text.count("<table") == text.count("</table>") >= 1 and "nan" not in text.lower().replace("nanmean", "")
        assert repr(result)
    assert "a&lt;b" in run._repr_html_() and "a<b" not in run._repr_html_()
    assert "empty_graph" in run._repr_html_()
    assert subspect.affinity(sp.csr_array((0, 0)))._repr_html_()


def test_conversions(run):
    pytest.importorskip("pandas", reason="needs pandas")
    frame = run.to_pandas()
    assert list(frame.index) == ["a<b", "dead", "c"] and frame["modularity"].isna().tolist() == [False, True, False]
    assert len(run["c"].graph.to_pandas()) == run["c"].graph.n_edges
    assert "<html" in run.to_html()


def test_plots_return_figure_and_axes(run, layer):
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib")
    matplotlib.use("Agg")
    graph = run["c"].graph
    made = [
        run.plot_modularity(), run.plot_similarity(), subspect.plot_votes(subspect.vote(graph, layer[1]), 0),
        subspect.plot_class_affinity(subspect.class_affinity(graph, layer[1])),
    ]
    for fig, ax in made:
        assert ax.figure is fig
        fig.canvas.draw()
    axes = made[0][1]
    assert subspect.plot_modularity(run, ax=axes)[1] is axes
    matplotlib.pyplot.close("all")


def test_importing_subspect_imports_no_framework():
    import subprocess
    import sys

    program = "import sys, subspect; print([m for m in ('torch', 'sklearn', 'matplotlib', 'pandas', 'ray') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_progress_is_tqdms_bar_in_a_terminal_and_in_a_notebook(layer, capsys):
    pytest.importorskip("tqdm", reason="needs tqdm")
    subspect.express(layer[0], progress=True)
    assert "express: 100%" in capsys.readouterr().err
    nbformat, nbclient = (pytest.importorskip(m, reason=f"needs {m}") for m in ("nbformat", "nbclient"))
    pytest.importorskip("ipykernel", reason="needs ipykernel")
    code = "import numpy as np, subspect\nfound = subspect.express(np.random.default_rng(0).normal(size=(300, 40)), progress=True)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    try:
        import ipywidgets  # noqa: F401

        assert any("application/vnd.jupyter.widget-view+json" in o.get("data", {}) for o in outputs)
    except ImportError:
        assert any("100%" in o.get("text", "") for o in outputs)
