"""Images per second with every convolution, block and linear layer exposed: our engines against onnxruntime.

    python capture.py MODEL.onnx
    python capture.py MODEL.onnx --engines rten ort --onnxruntime-library .../libonnxruntime.so.1

Ours is the example `capture_rate`: decoding of pixels, preprocessing, the network, and every stored value read once.
onnxruntime gets ready float32 batches and returns the same values as arrays. See README.md.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import machine
import tables

COLUMNS = {"threads": "threads", "by": "by", "rate": "images/s", "worst": "worst", "ratio": "share of onnxruntime's",
           "layers": "layers", "note": "note"}
OPERATORS = ("Conv", "Add", "Gemm", "MatMul")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="ONNX classifier")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=["rten"], choices=["rten", "ort"])
    parser.add_argument("--onnxruntime-library", help="for --engines ort [default: that of the installed wheel]")
    parser.add_argument("--program", help="the example [default: target/release/examples/capture_rate]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for capture.csv and capture.md")
    parser.add_argument("--onnxruntime", type=int, help=argparse.SUPPRESS)  # this file in its own process: threads
    return parser.parse_args()


def onnxruntime_rate(path, threads, images, batch):
    """Images per second of onnxruntime with its default optimisations and the same values as extra outputs."""
    import numpy as np
    import onnx
    import onnxruntime

    model = onnx.load(path)
    known = {output.name for output in model.graph.output}
    activated = {node.input[0]: node.output[0] for node in model.graph.node if node.op_type == "Relu"}
    # Of a sum that goes on through an activation, as in a residual block, the activation's output.
    wanted = [activated.get(node.output[0], node.output[0]) if node.op_type == "Add" else node.output[0]
              for node in model.graph.node if node.op_type in OPERATORS]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    shape = [d if isinstance(d, int) else 0 for d in session.get_inputs()[0].shape]
    batch = shape[0] or batch
    pixels = np.random.default_rng(0).random((batch, *shape[1:]), dtype=np.float32)
    feed = {session.get_inputs()[0].name: pixels}
    for _ in range(2):
        session.run(wanted, feed)
    n_batches = max(images // batch, 1)
    start = time.perf_counter()
    for _ in range(n_batches):
        session.run(wanted, feed)
    rate = n_batches * batch / (time.perf_counter() - start)
    answer = {"engine": f"onnxruntime {onnxruntime.__version__}", "layers": len(wanted), "images_per_second": rate}
    print(json.dumps(answer))


def wheel_library():
    """The shared library inside the installed onnxruntime wheel."""
    import onnxruntime

    folder = Path(onnxruntime.__file__).parent / "capi"
    found = sorted(folder.glob("libonnxruntime.so*")) + sorted(folder.glob("libonnxruntime*.dylib"))
    found += sorted(folder.glob("onnxruntime.dll"))
    if not found:
        raise SystemExit(f"no onnxruntime library in {folder}: give --onnxruntime-library")
    return str(found[0])


def main():
    given = arguments()
    if given.onnxruntime is not None:
        return onnxruntime_rate(given.model, given.onnxruntime, given.images, given.batch)
    feature = " --features ort" if "ort" in given.engines else ""
    build = f"cargo build --release -p subspect-nets{feature} --example capture_rate"
    program = machine.program(given.program, "release/examples/capture_rate", build)
    if "ort" in given.engines:
        os.environ["ORT_DYLIB_PATH"] = given.onnxruntime_library or wheel_library()
    size = ["--images", given.images, "--batch", given.batch]
    rows = []
    for threads in given.threads:
        print(f"{Path(given.model).name}, {threads} threads", flush=True)
        rates, layers = {}, {}
        for _ in range(given.turns):
            commands = {f"subspect, {engine}": [program, given.model, "--engine", engine, "--threads", threads, *size]
                        for engine in given.engines}
            commands["onnxruntime"] = [sys.executable, __file__, given.model, "--onnxruntime", threads, *size]
            for by, command in commands.items():
                answer, _, _ = machine.run(command, threads)
                by = answer["engine"] if by == "onnxruntime" else f"subspect, {answer['engine']}"
                rates.setdefault(by, []).append(answer["images_per_second"])
                layers[by] = answer["layers"]
        yardstick = max(rates[next(by for by in rates if by.startswith("onnxruntime"))])
        if len(set(layers.values())) > 1:
            print(f"warning: not the same number of layers: {layers}")
        for by, found in rates.items():
            rows.append({"threads": threads, "by": by, "rate": max(found), "worst": min(found),
                         "ratio": max(found) / yardstick, "layers": layers[by]})
    head = [f"{Path(given.model).name}, batches of {given.batch}, {given.images} images, best of {given.turns} turns. "
            f"{machine.describe()}."]
    tables.write(given.output, "capture", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
