"""Images per second of the pass forward and of a training step: `subspect train` against PyTorch.

    python training.py
    python training.py --networks resnet8 resnet20 --threads 1 2 --batch 128

Ours is the example `train_rate` of subspect-train. PyTorch gets ready float32 tensors and a network of as many trained
values (checked); both do SGD with momentum and weight decay. Needs PyTorch. See README.md.
"""

import argparse
import json
import sys
import time

import machine
import tables

COLUMNS = {"network": "network", "threads": "threads", "pass": "pass", "ours": "ours, images/s",
           "torch": "PyTorch, images/s", "ratio": "share of PyTorch's", "parameters": "trained values"}
WIDTHS = (16, 32, 64)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="+", default=["resnet8", "resnet20"], help="resnet(6n+2)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5, help="batches of each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--program", help="the example [default: target/release/examples/train_rate]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for training.csv and training.md")
    parser.add_argument("--torch", type=int, help=argparse.SUPPRESS)  # this file in its own process: threads
    return parser.parse_args()


def network(depth):
    """The 6n+2 residual network for CIFAR with shortcuts that have no parameters."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(after)
            self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(after)
            self.stride, self.grown = stride, (after - before) // 2

        def forward(self, x):
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            if self.stride > 1 or self.grown:
                x = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, self.grown, self.grown))
            return F.relu(y + x)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(WIDTHS[0])
            blocks, before = [], WIDTHS[0]
            for stage, width in enumerate(WIDTHS):
                for k in range((depth - 2) // 6):
                    blocks.append(Block(before, width, 2 if stage and k == 0 else 1))
                    before = width
            self.blocks = nn.Sequential(*blocks)
            self.linear = nn.Linear(before, 10)

        def forward(self, x):
            x = self.blocks(F.relu(self.bn1(self.conv1(x))))
            return self.linear(x.mean((2, 3)))

    torch.manual_seed(0)
    return Network()


def torch_rates(name, threads, batch, repeats):
    import torch

    torch.set_num_threads(threads)
    model = network(int(name.removeprefix("resnet")))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    pixels, labels = torch.rand(batch, 3, 32, 32), torch.arange(batch) % 10
    best = {"forward": 0.0, "step": 0.0}
    for k in range(repeats + 1):
        model.eval()
        start = time.perf_counter()
        with torch.no_grad():
            torch.nn.functional.cross_entropy(model(pixels), labels).item()
        passed = time.perf_counter() - start
        model.train()
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(pixels), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        stepped = time.perf_counter() - start
        if k:  # the first warms up
            best = {"forward": max(best["forward"], batch / passed), "step": max(best["step"], batch / stepped)}
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({**best, "n_parameters": parameters, "version": torch.__version__}))


def main():
    given = arguments()
    if given.torch is not None:
        return torch_rates(given.networks[0], given.torch, given.batch, given.repeats)
    build = "cargo build --release -p subspect-train --example train_rate"
    program = machine.program(given.program, "release/examples/train_rate", build)
    rows, version = [], ""
    for name in given.networks:
        for threads in given.threads:
            print(f"{name}, {threads} threads", flush=True)
            ours, theirs = {"forward": 0.0, "step": 0.0}, {"forward": 0.0, "step": 0.0}
            for _ in range(given.turns):
                mine, _, _ = machine.run([program, name, given.batch, given.repeats], threads)
                peer, _, _ = machine.run([sys.executable, __file__, "--networks", name, "--torch", threads, "--batch",
                                          given.batch, "--repeats", given.repeats], threads)
                if mine["n_parameters"] != peer["n_parameters"]:
                    raise SystemExit(f"{name}: {mine['n_parameters']} and {peer['n_parameters']} trained values")
                version = peer["version"]
                for kind in ours:
                    ours[kind] = max(ours[kind], mine[kind])
                    theirs[kind] = max(theirs[kind], peer[kind])
            for kind, title in (("forward", "forward"), ("step", "training step")):
                rows.append({"network": name, "threads": threads, "pass": title, "ours": ours[kind],
                             "torch": theirs[kind], "ratio": ours[kind] / theirs[kind],
                             "parameters": mine["n_parameters"]})
    head = [f"PyTorch {version}, pictures of 32 x 32, batches of {given.batch}, the best of {given.turns} turns of "
            f"{given.repeats} batches each. {machine.describe()}."]
    tables.write(given.output, "training", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
