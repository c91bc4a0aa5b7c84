"""Self-expression through NumPy: every listed method, the shapes and types that come in and out, refusals by kind."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import scipy.sparse as sp
from conftest import subspaces

import subspect
from subspect import errors

METHODS = [m["name"] for m in subspect.methods()]


@pytest.mark.parametrize("method", METHODS)
def test_every_listed_method_expresses_by_others_only(method, layer):
    x, _ = layer
    found = subspect.express(x[:60], method)
    c = found.coefficients
    assert isinstance(c, sp.csr_array) and c.shape == (60, 60) and c.dtype == np.float64
    assert c.has_sorted_indices and np.all(np.isfinite(c.data)) and np.all(c.data != 0)
    assert np.all(c.diagonal() == 0)
    assert len(found.certificates) == 60
    assert found.n_converged + found.n_max_iter + found.n_trivial == 60


def test_the_lasso_is_scikit_learns(layer):
    from sklearn.linear_model import Lasso

    x = layer[0][:80].astype(np.float64)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    c = subspect.express(x, alpha_ratio=0.2, tol=1e-12).coefficients.toarray()
    for i in (0, 17, 79):
        others = np.delete(np.arange(80), i)
        alpha = 0.2 * np.abs(unit[others] @ unit[i]).max()
        model = Lasso(alpha=alpha / x.shape[1], fit_intercept=False, tol=1e-14, max_iter=1_000_000)
        expected = model.fit(unit[others].T, unit[i]).coef_
        assert np.allclose(c[i, others], expected, atol=2e-6)


def test_float32_is_not_copied_and_other_layouts_give_the_same(layer):
    from subspect import edge

    x = layer[0]
    assert edge.matrix(x) is x
    want = subspect.express(x).coefficients
    wide = np.zeros((len(x), 2 * x.shape[1]), dtype=np.float32)
    wide[:, ::2] = x
    for other in (np.asfortranarray(x), x.astype(np.float64), wide[:, ::2], x.astype(">f4"), x.reshape(-1, 5, 6)):
        got = subspect.express(other).coefficients
        assert (want != got).nnz == 0
    buffer = np.zeros(x.nbytes + 1, dtype=np.uint8)
    misaligned = buffer[1:].view(np.float32).reshape(x.shape)
    misaligned[...] = x
    assert not misaligned.flags.aligned
    assert (want != subspect.express(misaligned).coefficients).nnz == 0


def test_anything_with_dlpack_or_array_comes_in(layer):
    x = layer[0]

    class Exporter:
        def __dlpack__(self, **options):
            return x.__dlpack__()

        def __dlpack_device__(self):
            return x.__dlpack_device__()

    class Converter:
        def __array__(self, dtype=None, copy=None):
            return x

    want = subspect.express(x).coefficients
    for other in (Exporter(), Converter(), x.tolist()):
        assert (want != subspect.express(other).coefficients).nnz == 0


def test_out_of_sample_and_a_kept_dictionary_agree(layer):
    x, _ = layer
    kept = subspect.Dictionary(x[:200])
    one = subspect.express(x[200:], dictionary=x[:200])
    two = kept.express(x[200:])
    assert one.shape == (40, 200) and (one.coefficients != two.coefficients).nnz == 0
    assert (kept.express().coefficients != subspect.express(x[:200]).coefficients).nnz == 0
    with pytest.raises(errors.MethodError, match="lasso"):
        kept.express(x[200:], "ridge")
    with pytest.raises(errors.ShapeError, match="30 features"):
        kept.express(x[200:, :7])


@pytest.mark.parametrize("memory", ["4GiB", 100_000])
@pytest.mark.parametrize("method", ["lasso", "elastic_net", "omp", "knn"])
def test_blocks_of_rows_are_bit_by_bit_the_whole(method, memory):
    x, _ = subspaces(n=700, d=50)
    kept = subspect.Dictionary(x, memory=memory)
    assert kept.memory_mode == ("gram" if memory == "4GiB" else "panels")
    whole, height = kept.express(method=method), kept.panel_height
    for start, end in [(0, height), (height, 2 * height), (2 * height, 700)]:
        block = kept.express(method=method, rows=(start, end))
        part = whole.coefficients[start:end]
        assert np.array_equal(part.indices, block.coefficients.indices)
        assert np.array_equal(part.data.view(np.int64), block.coefficients.data.view(np.int64))
        assert np.array_equal(whole.certificates.n_iter[start:end], block.certificates.n_iter)
    with pytest.raises(errors.ParameterError, match="multiple"):
        kept.express(method=method, rows=(1, height))


def test_results_do_not_depend_on_threads(layer):
    before = subspect.get_num_threads()
    try:
        subspect.set_num_threads(1)
        assert subspect.get_num_threads() == 1
        one = subspect.express(layer[0]).coefficients
        subspect.set_num_threads(3)
        three = subspect.express(layer[0]).coefficients
    finally:
        subspect.set_num_threads(before)
    assert np.array_equal(one.data, three.data) and np.array_equal(one.indices, three.indices)


def test_the_path_ends_where_a_single_solve_ends(layer):
    found = subspect.express_path(layer[0], [0.5, 0.1, 0.2])
    assert found.alpha_ratios.tolist() == [0.5, 0.2, 0.1]
    alone = subspect.express(layer[0], alpha_ratio=0.1).coefficients
    assert abs(found[2].coefficients - alone).max() < 1e-5
    assert found[0].coefficients.nnz < found[2].coefficients.nnz
    with pytest.raises(errors.MethodError):
        subspect.express_path(layer[0], [0.1], "omp")


def test_a_density_is_found_or_said_to_be_out_of_reach(layer):
    found = subspect.choose_alpha_ratio(layer[0], 6)
    assert found["met"]
    express = subspect.express(layer[0], alpha_ratio=found["alpha_ratio"])
    assert express.coefficients.nnz / 240 == pytest.approx(found["nonzeros_per_row"]) == pytest.approx(6, rel=0.021)
    assert not subspect.choose_alpha_ratio(layer[0], 500)["met"]


def test_an_approximation_tells_its_error(layer):
    found = subspect.express(layer[0], approximation="landmarks", size=60, check_rows=30)
    assert found.approximation["n_checked"] == 30
    assert 0 < found.approximation["error"]["support_recall"] < 1


def test_certificates_as_arrays_and_frames(layer):
    pd = pytest.importorskip("pandas", reason="needs pandas")
    lasso, omp = subspect.express(layer[0]), subspect.express(layer[0], "omp")
    assert float(lasso.certificates.gap.max()) == lasso.gap_max
    assert lasso.certificates.to_numpy()["status"][0] == "converged"
    assert omp.certificates.gap.mask.all() and omp.gap_max == subspect.Undefined("not_applicable")
    frame = omp.to_pandas()
    assert frame["gap"].isna().all() and isinstance(frame["gap"].dtype, pd.Float64Dtype)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda x: subspect.express(x, "laso"), errors.MethodError, "expected one of lasso"),
        (lambda x: subspect.express(x, alpha_ratio=2), errors.ParameterError, r"\(0, 1\]"),
        (lambda x: subspect.express(x, "omp", k=3), errors.ParameterError, "n_nonzero_coefs"),
        (lambda x: subspect.express(x, "knn", max_iter=3), errors.ParameterError, "max_iter"),
        (lambda x: subspect.express(x, alpha_ratio="much"), errors.ParameterError, "numbers"),
        (lambda x: subspect.express(x, tol=0), errors.ParameterError, "tol"),
        (lambda x: subspect.express(x, memory="4 apples"), errors.ParameterError, "memory"),
        (lambda x: subspect.express(x[0]), errors.ShapeError, "2D"),
        (lambda x: subspect.express(np.where(x > 1, np.inf, x)), errors.NotFiniteError, "row"),
        (lambda x: subspect.express(x.astype(complex)), TypeError, "real"),
        (lambda x: subspect.express(sp.csr_array(x)), TypeError, "toarray"),
    ],
)
def test_refusals_come_by_kind(call, kind, text, layer):
    with pytest.raises(kind, match=text):
        call(layer[0])


def test_exceptions_are_also_the_built_in_ones():
    assert issubclass(errors.ShapeError, (errors.SubspectError, ValueError))
    assert issubclass(errors.StoreError, OSError) and issubclass(errors.NotFiniteError, ValueError)


def test_progress_counts_rows_and_may_stop(layer):
    seen = []
    subspect.express(layer[0], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (240, 240)

    def stop(done, total):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        subspect.express(layer[0], progress=stop)


def test_the_interpreter_runs_on_while_a_solve_does():
    import threading

    x, _ = subspaces(n=1500, d=400)
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    subspect.express(x, "lasso", alpha_ratio=0.02)
    end = time.perf_counter()
    stop.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 3


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_stops_a_long_solve_within_a_second():
    program = """
        import numpy, subspect, time
        x = numpy.random.default_rng(0).normal(size=(6000, 500)).astype("float32")
        print("go", flush=True)
        try:
            subspect.express(x, alpha_ratio=0.001)
            print("finished", flush=True)
        except KeyboardInterrupt:
            print("stopped", time.time(), flush=True)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "go\n"
    time.sleep(1.5)
    sent = time.time()
    child.send_signal(signal.SIGINT)
    answer, _ = child.communicate(timeout=60)
    word, when = answer.split()
    assert word == "stopped" and float(when) - sent < 1.0


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_forked_process_can_solve():
    program = """
        import os, numpy, subspect
        x = numpy.random.default_rng(0).normal(size=(100, 10)).astype("float32")
        want = subspect.express(x).coefficients.data
        child = os.fork()
        if child == 0:
            os._exit(0 if (subspect.express(x).coefficients.data == want).all() else 1)
        print(os.waitpid(child, 0)[1])
    """
    out = subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert out.stdout == "0\n", out.stderr
