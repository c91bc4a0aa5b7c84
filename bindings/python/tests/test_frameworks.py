"""The real libraries around PyTorch, JAX and rsatoolbox: each test is skipped by name where its library is not."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest

import subspect


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="needs torch")


@pytest.fixture
def st(torch):
    import subspect.torch

    return subspect.torch


@pytest.fixture
def net(torch):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 3))


@pytest.fixture
def batches(torch):
    x = torch.randn(24, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    data = torch.utils.data.TensorDataset(x, torch.arange(24) % 3)
    return torch.utils.data.DataLoader(data, batch_size=8)


def same_layers(found, want):
    assert list(found) == list(want) == ["0", "4"]
    assert all(np.array_equal(found[name], want[name]) for name in want)


@pytest.mark.parametrize("backend", ["eager", "inductor"])
def test_a_compiled_model_is_captured_as_the_original(torch, st, net, batches, backend):
    if not hasattr(torch, "compile"):
        pytest.skip("needs PyTorch 2: torch.compile")
    want = st.capture(net, batches)
    compiled = torch.compile(net.eval(), backend=backend)
    x = next(iter(batches))[0]
    try:
        with torch.no_grad():
            out = compiled(x)
    except Exception as e:  # the backend wants a C++ compiler of its own
        pytest.skip(f"needs a working backend {backend}: {type(e).__name__}")
    assert torch.allclose(out, net(x), atol=1e-5)
    same_layers(st.capture(compiled, batches), want)
    with st.capture(compiled) as found:
        for x, _ in batches:
            found.model(x)
    same_layers(found, want)


def test_a_distributed_model_is_captured_as_the_original(torch, st, net, batches, tmp_path):
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_gloo_available()):
        pytest.skip("needs torch.distributed with gloo")
    want = st.capture(net, batches)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'rendezvous'}", rank=0, world_size=1)
    try:
        wrapped = torch.nn.parallel.DistributedDataParallel(net.train())
        same_layers(st.capture(wrapped, batches), want)
        assert wrapped.training and net.training
        with st.capture(wrapped) as found:
            for x, _ in batches:
                wrapped(x)
        same_layers(found, want)
        wrapped(next(iter(batches))[0]).sum().backward()  # gradients still flow
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_models_give_their_own_values(torch, st, net, batches, dtype):
    model = net.to(getattr(torch, dtype)).eval()
    halves = [(x.to(getattr(torch, dtype)), y) for x, y in batches]
    try:
        with torch.no_grad():
            want = torch.cat([model[0](x) for x, _ in halves]).float().flatten(1).numpy()
    except RuntimeError as e:  # PyTorch 1 has no float16 convolution on the CPU
        pytest.skip(f"needs {dtype} convolutions on the CPU: {e}")
    found = st.capture(model, halves)
    assert found["0"].dtype == np.float32 and np.array_equal(found["0"], want)
    assert found.predictions.shape == (24,)


def test_lightning_trains_with_the_recorder(torch, st, net, batches):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import lightning.pytorch as pl
        except ImportError:
            pl = pytest.importorskip("pytorch_lightning", reason="needs lightning or pytorch_lightning")
    logging.getLogger(pl.__name__).setLevel(logging.ERROR)

    class Module(pl.LightningModule):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x)

        def training_step(self, batch, _):
            x, y = batch
            return torch.nn.functional.cross_entropy(self(x), y)

        def validation_step(self, batch, _):
            assert not self.training

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    start = {k: v.clone() for k, v in net.state_dict().items()}

    def train(watched):
        net.load_state_dict(start)
        torch.manual_seed(3)
        module = Module(net)
        recorder = st.Recorder(module, batches) if watched else None
        trainer = pl.Trainer(
            max_epochs=3, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[recorder.lightning()] if watched else [],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(module, batches, batches)
        return recorder, {k: v.clone() for k, v in net.state_dict().items()}

    _, plain = train(False)
    recorder, watched = train(True)
    assert all(torch.equal(plain[k], watched[k]) for k in plain)
    assert list(recorder.epochs) == [0, 1, 2, 3] and list(recorder.epochs[3]) == ["inner.0", "inner.4"]
    assert np.array_equal(recorder.epochs[3]["inner.0"], st.capture(net, batches)["0"])
    assert subspect.dynamics(recorder).curves().values[-1].tolist() == pytest.approx([1, 1])


@pytest.fixture
def bert(torch):
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=3,
    )
    torch.manual_seed(0)
    return transformers.BertForSequenceClassification(config)


@pytest.fixture
def sentences(torch):
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(5, 50, (24, 7), generator=generator)
    lengths = torch.randint(2, 8, (24,), generator=generator)
    mask = (torch.arange(7) < lengths[:, None]).long()
    return [{"input_ids": i, "attention_mask": m, "labels": y} for i, m, y in zip(ids, mask, torch.arange(24) % 3)]


@pytest.mark.parametrize("pool", ["cls", "mean", "last"])
def test_a_transformer_is_pooled_within_its_mask(torch, st, bert, sentences, pool):
    batch = {k: torch.stack([s[k] for s in sentences]) for k in sentences[0]}
    found = st.capture(bert, [batch], layers=["bert.encoder.layer.*", "logits"], pool=pool)
    with torch.no_grad():
        out = bert.eval()(batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True)
    hidden, mask = out.hidden_states[-1].numpy(), batch["attention_mask"].numpy()[:, :, None]
    last = hidden[np.arange(24), mask[:, :, 0].sum(1) - 1]
    want = {"cls": hidden[:, 0], "mean": (hidden * mask).sum(1) / mask.sum(1), "last": last}[pool]
    blocks = [name for name in found if name.startswith("bert.encoder.layer.1") and name.count(".") == 3]
    assert len(blocks) == 1 and np.allclose(found[blocks[0]], want, atol=1e-5)
    assert np.array_equal(found["classifier"], out.logits.numpy()) and found.labels.tolist() == batch["labels"].tolist()
    assert np.array_equal(found.predictions, out.logits.argmax(1).numpy())


def test_hugging_face_trains_with_the_recorder(torch, st, bert, sentences, tmp_path):
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    pytest.importorskip("accelerate", reason="needs accelerate")
    probe = torch.utils.data.DataLoader(sentences, batch_size=8)
    recorder = st.Recorder(bert, probe, pool="mean", layers=["bert.encoder.layer.?", "logits"])
    options = dict(num_train_epochs=2, per_device_train_batch_size=8, report_to=[], save_strategy="no", disable_tqdm=True)
    arguments = transformers.TrainingArguments(str(tmp_path), use_cpu=True, **options)
    transformers.Trainer(bert, arguments, train_dataset=sentences, callbacks=[recorder.hugging_face()]).train()
    assert list(recorder.epochs) == [0, 1, 2]
    first, last = recorder.epochs[0], recorder.epochs[2]
    assert list(first) == list(last) and len(first) == 3
    assert not np.array_equal(first["classifier"], last["classifier"])
    now = st.capture(bert, probe, pool="mean", layers="logits")
    assert np.array_equal(last["classifier"], now["classifier"])


def test_jax_arrays_come_into_every_function(layer):
    jax = pytest.importorskip("jax", reason="needs jax")
    x, y = layer
    given = jax.numpy.asarray(x)
    want = subspect.express(x)
    found = subspect.express(given)
    assert (found.coefficients != want.coefficients).nnz == 0
    assert subspect.modularity(found, jax.numpy.asarray(y)) == subspect.modularity(want, y)
    assert subspect.linear_cka(given, jax.numpy.tanh(given)) == pytest.approx(subspect.linear_cka(x, np.tanh(x)), abs=1e-6)
    assert subspect.express(given.astype(jax.numpy.bfloat16)).coefficients.shape == (240, 240)
    run = subspect.analyze({"a": given, "b": jax.numpy.tanh(given)}, y, permutations=9)
    assert run["a"].measures["modularity"] == pytest.approx(subspect.modularity(want, y))


def test_linear_cka_is_rsatoolboxs_whitened_cosine(layer):
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="needs rsatoolbox")
    x = layer[0][:40]
    rng = np.random.default_rng(0)
    y = np.tanh(x @ rng.normal(size=(30, 12)))

    def theirs(form, comparison):
        data = [rsatoolbox.data.Dataset(v.astype(np.float64)) for v in (x, y)]
        dissimilarities = [rsatoolbox.rdm.calc_rdm(d, method=form) for d in data]
        return pytest.approx(float(rsatoolbox.rdm.compare(*dissimilarities, method=comparison)[0, 0]), abs=1e-6)

    # Their Euclidean dissimilarities are squared, and whitened: linear CKA (Diedrichsen et al. 2021).
    assert subspect.linear_cka(x, y) == theirs("euclidean", "cosine_cov")
    assert subspect.similarity(x, y, "rsa_euclidean", comparison="spearman") == theirs("euclidean", "spearman")
    for mine, comparison in (("pearson", "corr"), ("spearman", "spearman"), ("cosine", "cosine")):
        assert subspect.similarity(x, y, "rsa_correlation", comparison=mine) == theirs("correlation", comparison), mine
