"""Capture from PyTorch: the same bits as the model's own, everything restored, awkward models and outputs."""

from __future__ import annotations

import collections

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

import subspect  # noqa: E402
import subspect.torch as st  # noqa: E402
from subspect.torch.pools import pooled  # noqa: E402
from subspect import errors  # noqa: E402
from torch import nn  # noqa: E402


class Net(nn.Module):
    """Execution order differs from definition order; the activation is shared and in place."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(32, 3)
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = self.act(self.conv1(x))
        x = self.act(self.conv2(x))
        return self.head(self.drop(x.mean(dim=3).flatten(1)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def images():
    return torch.randn(20, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def own(net, images):
    with torch.no_grad():
        a = net.conv1(images)
        b = net.conv2(a.relu())
        return {"conv1": a, "conv2": b, "head": net.head(b.relu().mean(dim=3).flatten(1))}


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_activations_are_the_models_own_bit_by_bit(net, images):
    with st.capture(net) as found:
        for batch in images.split(7):
            net(batch)
    want = {}
    for batch in images.split(7):
        for k, v in own(net, batch).items():
            want.setdefault(k, []).append(v.flatten(1))
    assert list(found) == ["conv1", "conv2", "head"]
    for name, rows in want.items():
        assert np.array_equal(found[name], torch.cat(rows).numpy())
    assert found.predictions.tolist() == torch.cat(want["head"]).argmax(1).tolist()


def test_a_module_that_runs_twice_gives_two_layers_before_in_place_changes(net, images):
    found = st.capture(net, images, layers="all")
    assert list(found) == ["conv1", "act", "conv2", "act:1", "drop", "head"]
    assert found["conv1"].min() < 0 <= found["act"].min()
    assert np.array_equal(np.maximum(found["conv2"], 0), found["act:1"])


def test_a_loader_brings_labels_and_stops_where_told(net, images):
    data = torch.utils.data.TensorDataset(images, torch.arange(20) % 3)
    loader = torch.utils.data.DataLoader(data, batch_size=6)
    seen = []
    found = st.capture(net, loader, n_inputs=14, progress=lambda done, total: seen.append((done, total)))
    assert found.labels.tolist() == [i % 3 for i in range(14)] and len(found["conv1"]) == 14
    assert seen == [(6, 14), (12, 14), (14, 14)]
    state = torch.get_rng_state()
    st.capture(net, loader)
    assert torch.equal(state, torch.get_rng_state())


def test_modes_and_hooks_are_restored_even_after_an_error(net, images):
    net.train()
    net.conv2.eval()
    st.capture(net, images)
    assert net.training and net.drop.training and not net.conv2.training and hooks(net) == 0
    with pytest.raises(RuntimeError, match="mine"):
        with st.capture(net) as found:
            assert not net.training
            net(images)
            raise RuntimeError("mine")
    assert net.training and not net.conv2.training and hooks(net) == 0
    with pytest.raises(RuntimeError):
        st.capture(net, images.flatten(1))
    assert net.training and hooks(net) == 0
    with st.capture(net, train=None):
        assert net.training
        net(images)


def test_wrappers_are_taken_off(net, images):
    class Compiled(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self._orig_mod = inner

        def forward(self, x):
            return self._orig_mod(x)

    want = st.capture(net, images)
    for wrapped in (nn.DataParallel(net), Compiled(net), Compiled(nn.DataParallel(net))):
        found = st.capture(wrapped, images)
        assert list(found) == list(want) and np.array_equal(found["conv2"], want["conv2"])
        with st.capture(wrapped) as watched:
            wrapped(images)
        assert np.array_equal(watched["head"], want["head"])


class Awkward(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(5, 6, batch_first=True)
        self.two = Two()

    def forward(self, x):
        return self.two(self.rnn(x)[0])


class Two(nn.Module):
    def forward(self, x):
        return {"hidden": x, "nested": (x[:, 0], x.argmax(2)), "nothing": None}


def test_tuples_and_dictionaries_give_one_layer_per_tensor():
    x = torch.randn(9, 4, 5)
    with pytest.warns(UserWarning, match="left out"):
        found = st.capture(Awkward(), x, layers=["rnn", "two"])
    assert list(found) == ["rnn[0]", "two[hidden]", "two[nested.0]"]
    assert found["rnn[0]"].shape == (9, 24) and np.array_equal(found["rnn[0]"], found["two[hidden]"])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(dtype):
    class Cast(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Identity()

        def forward(self, x):
            return self.inner(x.to(dtype)).float()

    x = torch.randn(6, 10)
    found = st.capture(Cast(), x, layers="inner")
    assert found["inner"].dtype == np.float32
    assert np.array_equal(found["inner"], x.to(dtype).float().numpy())


def test_pools_are_their_formulas(images):
    conv = nn.Sequential(collections.OrderedDict(conv=nn.Conv2d(1, 4, 3)))
    raw = st.capture(conv, images, layers="conv")["conv"].reshape(20, 4, 36)
    assert np.allclose(st.capture(conv, images, layers="conv", pool="avg")["conv"], raw.mean(2), atol=1e-6)
    assert np.array_equal(st.capture(conv, images, layers="conv", pool="max")["conv"], raw.max(2))
    with pytest.raises(errors.ParameterError, match="tokens"):
        st.capture(conv, images, layers="conv", pool="cls")
    with pytest.raises(errors.ParameterError, match="flatten"):
        st.capture(conv, images, pool="median")


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 8)

    def forward(self, input_ids, attention_mask=None):
        return self.embed(input_ids)


def test_tokens_are_pooled_within_the_mask():
    model = Tokens()
    ids = torch.randint(0, 50, (5, 7))
    mask = (torch.arange(7) < torch.tensor([7, 3, 1, 5, 2])[:, None]).long()
    x, m = model.embed(ids).detach().numpy(), mask.numpy()[:, :, None]
    last = x[np.arange(5), [6, 2, 0, 4, 1]]
    want = {"cls": x[:, 0], "mean": (x * m).sum(1) / m.sum(1), "last": last}
    for pool, expected in want.items():
        assert np.allclose(pooled("embed", torch.from_numpy(x), pool, mask), expected, atol=1e-6)
        if int(torch.__version__.split(".")[0]) >= 2:  # hooks see named arguments
            found = st.capture(model, [{"input_ids": ids, "attention_mask": mask}], layers="embed", pool=pool)
            assert np.allclose(found["embed"], expected, atol=1e-6)
    unmasked = st.capture(model, [{"input_ids": ids}], layers="embed", pool="mean")
    assert np.allclose(unmasked["embed"], x.mean(1), atol=1e-6)
    with pytest.raises(errors.ShapeError, match="pad"):
        st.capture(model, [ids, ids[:, :5]], layers="embed")


def test_a_store_is_the_command_lines_and_memory_holds_chunks(net, images, tmp_path):
    memory = st.capture(net, images.split(6), labels=np.arange(20) % 3)
    found = st.capture(net, images.split(6), store=tmp_path / "store", labels=np.arange(20) % 3, chunk_bytes=500)
    store = subspect.ActivationStore(tmp_path / "store")
    assert list(store) == ["conv1", "conv2", "head"] and found.store is not None
    for name in memory:
        assert np.array_equal(store[name], memory[name]) and np.array_equal(found[name], memory[name])
    assert store.labels.tolist() == [i % 3 for i in range(20)] and store.manifest["layers"][0]["shape"] == [4, 8, 8]
    assert [p.name for p in tmp_path.iterdir()] == ["store"]
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(errors.NotFiniteError):
        st.capture(net, images * np.inf, store=tmp_path / "bad")
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "bad") == before


def test_mistakes_are_named(net, images):
    with pytest.raises(errors.NetworkError, match="did you mean conv1"):
        st.capture(net, images, layers="conv11")
    with pytest.raises(errors.NetworkError, match="nothing was captured"):
        with st.capture(net):
            pass
    chosen = st.select(net, lambda name, module: isinstance(module, nn.Conv2d))
    assert list(chosen) == ["conv1", "conv2"] and list(st.select(net, "conv*,head")) == ["conv1", "conv2", "head"]


class BasicBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.shortcut = nn.Sequential(nn.Conv2d(3, 3, 1))

    def forward(self, x):
        return self.conv2(self.conv1(x).relu()) + self.shortcut(x)


def test_the_papers_layers_replace_a_blocks_last_convolution():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), BasicBlock(), nn.Flatten(), nn.Linear(108, 4))
    found = st.capture(model, torch.randn(5, 1, 8, 8))
    assert list(found) == ["0", "1.conv1", "1.shortcut.0", "1", "3"]
    bare = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten())
    assert list(st.capture(bare, torch.randn(5, 1, 8, 8))) == ["0", "logits"]
    mlp = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    assert list(st.capture(mlp, torch.randn(5, 4))) == ["0", "2"]


def test_the_recorder_follows_a_training_and_leaves_it_alone(net, images, tmp_path):
    labels = torch.arange(20) % 3

    def train(recorder):
        torch.manual_seed(3)
        model = Net()
        recorder = recorder(model)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(3):
            model.train()
            if recorder is not None:
                recorder.record(epoch)
                assert model.training
            loss = nn.functional.cross_entropy(model(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return model, recorder

    plain, _ = train(lambda model: None)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=8)
    watched, recorder = train(lambda model: st.Recorder(model, loader, tmp_path / "epochs"))
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters()))
    found = subspect.dynamics(recorder)
    assert found.epochs == [0, 1, 2] and found.layers == ["conv1", "conv2", "head"]
    assert np.allclose(found.curves().values[-1], 1) and found.curves("modularity").values.shape == (3, 3)
    _, kept = train(lambda model: st.Recorder(model, loader))  # in memory
    again = subspect.dynamics(kept)
    for key in ("summary", "settling", "ids", "labels", "layers"):
        assert again.record[key] == (found.record[key]), key
    assert [e["accuracy"] for e in again.record["series"][0]["epochs"]] == [e["accuracy"] for e in found.record["series"][0]["epochs"]]
    (tmp_path / "epochs" / "epoch-00009").mkdir()  # an epoch that was never finished
    with pytest.raises(errors.SubspectError, match="no file"):
        subspect.dynamics(tmp_path)
    again = st.Recorder(watched, loader, tmp_path / "epochs")
    assert list(again.epochs) == [0, 1, 2]
    with pytest.raises(errors.ParameterError, match="shuffle"):
        st.Recorder(net, torch.utils.data.DataLoader(images, shuffle=True))


def test_callbacks_answer_every_event(net, images):
    recorder = st.Recorder(net, images, every=2)
    lightning = recorder.lightning()

    class Trainer:
        current_epoch = 0

    lightning.on_train_start(Trainer, net)
    for Trainer.current_epoch in range(4):
        lightning.on_train_epoch_end(Trainer, net)
        lightning.on_validation_end(Trainer, net)
    assert list(recorder.epochs) == [0, 2, 4]
    other = st.Recorder(net, images)
    hugging_face = other.hugging_face()

    class State:
        epoch = 0.0

    hugging_face.on_train_begin(None, State, None, model=net)
    State.epoch = 0.9999
    hugging_face.on_epoch_end(None, State, None, model=net)
    hugging_face.on_log(None, State, None, logs={})
    assert list(other.epochs) == [0, 1]


def test_tensors_come_into_every_function(net, images):
    x = images.flatten(1).requires_grad_()
    assert (subspect.express(x).coefficients != subspect.express(x.detach().numpy()).coefficients).nnz == 0
    assert subspect.linear_cka(x, x.to(torch.bfloat16)) > 0.99
    assert subspect.modularity(subspect.express(x), torch.arange(20) % 2) < 1


class Reader(nn.Module):
    """A classifier of tokens whose padding is masked."""

    def __init__(self):
        super().__init__()
        self.embed, self.hidden, self.head = nn.Embedding(50, 8), nn.Linear(8, 12), nn.Linear(12, 3)

    def forward(self, input_ids, attention_mask):
        x, mask = torch.tanh(self.hidden(self.embed(input_ids))), attention_mask.unsqueeze(2).float()
        return self.head((x * mask).sum(1) / mask.sum(1))


def test_ids_of_tokens_are_captured_from_onnx_as_from_pytorch(tmp_path):
    torch.manual_seed(0)
    model = Reader().eval()
    ids = torch.randint(0, 50, (30, 7))
    mask = (torch.arange(7) < torch.randint(1, 8, (30, 1))).long()
    data = {"input_ids": ids, "attention_mask": mask, "labels": torch.arange(30) % 3}
    options = {"dynamo": False} if int(torch.__version__.split(".")[0]) >= 2 else {}
    axes = {"input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}, "logits": {0: "n"}}
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(model, (ids, mask), tmp_path / "r.onnx", input_names=names, output_names=["logits"], dynamic_axes=axes, **options)
    store = subspect.capture(tmp_path / "r.onnx", data, tmp_path / "store", layers="linear", pool="mean", inputs=30)
    chosen = [int(i) for i in store.ids]
    with torch.no_grad():
        x = model.hidden(model.embed(ids)).numpy()
    weights = mask.numpy()[:, :, None]
    want = (x * weights).sum(1) / weights.sum(1)
    assert np.allclose(store["hidden"], want[chosen], atol=1e-5)
    assert store.labels.tolist() == data["labels"][chosen].tolist()
    run = subspect.analyze(model=tmp_path / "r.onnx", data=data, layers="linear", pool="mean", inputs=30, permutations=9)
    assert run.names == list(store) and run.record["inputs"]["predictions"] == store.predictions.tolist()
