"""One peer on one problem, in a process of its own: prints seconds and writes the coefficients it found.

    python worker.py PEER PROBLEM UNIT_ROWS.npy ALPHA.npy THREADS LIMIT OUTPUT.npz

Not called by hand. What would take longer than LIMIT seconds is measured on a random sample of rows and scaled.
"""

import json
import multiprocessing
import sys
import time

import numpy as np
from scipy.sparse import csr_matrix, save_npz, vstack
from threadpoolctl import threadpool_limits

from machine import peak_memory
from peers import PEERS
from problems import Problem

SEED = 0
# Of a peer that solves all rows in one call: two samples, from which a whole call is predicted.
SAMPLES = (64, 576)
# Rows of a small problem that is solved before the clock starts.
WARM_UP = 32


def as_csr(rows, n):
    atoms, values = zip(*rows)
    ends = np.cumsum([0] + [len(a) for a in atoms])
    return csr_matrix((np.concatenate(values), np.concatenate(atoms), ends), shape=(len(rows), n))


def rows_in_processes(solve, order, threads, limit):
    """Rows shared out over `threads` processes; each stops after `limit` seconds. Rows, coefficients, seconds."""
    def work(k):
        rows, found, start = order[k::threads], [], time.perf_counter()
        for i in rows:
            row = np.asarray(solve(i))
            atoms = np.flatnonzero(row)
            found.append((atoms, row[atoms]))
            if time.perf_counter() - start > limit:
                break
        seconds = time.perf_counter() - start
        return rows[:len(found)], as_csr(found, len(order)), seconds

    if threads == 1:
        rows, c, seconds = work(0)
        return rows, c, [seconds]
    context = multiprocessing.get_context("fork")
    pipes, processes = [], []
    for k in range(threads):
        receiver, sender = context.Pipe(duplex=False)
        processes.append(context.Process(target=lambda k, pipe: pipe.send(work(k)), args=(k, sender)))
        processes[-1].start()
        sender.close()
        pipes.append(receiver)
    parts = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join()
    rows, c, seconds = zip(*parts)
    return np.concatenate(rows), vstack(c, format="csr"), seconds


def by_row(peer, z, problem, alpha, threads, limit):
    n = len(z)
    peer.prepare(z[:WARM_UP], problem, alpha[:WARM_UP])(0)  # imports, compiles
    start = time.perf_counter()
    solve = peer.prepare(z, problem, alpha)
    prepared = time.perf_counter() - start
    order = np.random.default_rng(SEED).permutation(n)
    with threadpool_limits(1):  # the processes are the threads
        rows, c, seconds = rows_in_processes(solve, order, threads, limit)
    whole = max(seconds) if len(rows) == n else sum(seconds) / threads * n / len(rows)
    return rows, c, prepared + whole


def in_one_call(peer, z, problem, alpha, threads, limit):
    peer.solve_all(z[:WARM_UP], np.arange(min(WARM_UP, len(z))), problem, alpha[:WARM_UP], threads)
    order = np.random.default_rng(SEED).permutation(len(z))
    taken = []
    for m in [min(m, len(z)) for m in SAMPLES]:
        start = time.perf_counter()
        c = peer.solve_all(z, order[:m], problem, alpha, threads)
        taken.append(time.perf_counter() - start)
    rate = max(taken[1] - taken[0], 0.0) / max(min(SAMPLES[1], len(z)) - SAMPLES[0], 1)
    predicted = taken[0] + rate * (len(z) - SAMPLES[0])
    if predicted > limit:
        return order[:m], c, predicted
    start = time.perf_counter()
    c = peer.solve_all(z, np.arange(len(z)), problem, alpha, threads)
    return np.arange(len(z)), c, time.perf_counter() - start


def main():
    name, problem, unit_rows, alpha, threads, limit, output = sys.argv[1:]
    peer, problem = PEERS[name], Problem.parse(problem)
    z, alpha = np.load(unit_rows), np.load(alpha)
    measure = by_row if peer.by_row else in_one_call
    rows, c, seconds = measure(peer, z, problem, alpha, int(threads), float(limit))
    save_npz(output, c)
    np.save(f"{output}.rows.npy", rows)
    print(json.dumps({"version": peer.version(), "seconds": seconds, "rows": len(rows), "peak_mib": peak_memory()}))


if __name__ == "__main__":
    main()
