import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.core.sealed import read_sealed, write_sealed
from pipeline.network.card import CheckpointError, read_card
from pipeline.network.checkpoint import load_model, save_model


def test_round_trip(tmp_path, model, card):
    folder = save_model(tmp_path / "a" / "model", model, card)
    again, read = load_model(folder)
    assert not again.training
    assert read.sha256.startswith(read.model_id) and len(read.model_id) == 12
    assert read == card.model_copy(update={"sha256": read.sha256, "model_id": read.model_id})
    assert load_model(folder, read.sha256)[1] == read == read_card(folder)
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert sorted(p.name for p in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_the_card_names_the_blocks(tmp_path, either, card):
    """Weights need them; a card that is older than the setting means basic ones."""
    card = card.model_copy(update={"network": either.settings})
    folder = save_model(tmp_path, either, card)
    assert load_model(folder)[0].settings == either.settings
    content = read_sealed(folder / "model.json")
    del content["network"]["separable"], content["teacher_id"]
    write_sealed(folder / "model.json", content)
    if either.settings.separable:
        with pytest.raises(CheckpointError, match="do not fit the network"):
            load_model(folder)
    else:
        assert load_model(folder)[1] == read_card(folder)


def _edit_card(folder, **change):
    path = folder / "model.json"
    write_sealed(path, read_sealed(path) | change)


def _edit_by_hand(folder, **change):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def _other_shape(folder):
    """Weights of other shapes under a digest that fits them."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["stem.norm.bias"] = torch.zeros(99)
    save_file(weights, path)
    _sign_again(folder)


def _missing_layer(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["stem.norm.bias"]
    save_file(weights, path)
    _sign_again(folder)


def _sign_again(folder):
    import hashlib

    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    _edit_card(folder, sha256=digest, model_id=digest[:12])


def _garbage(folder):
    (folder / "model.safetensors").write_bytes(b"\x80\x04pickle?")
    _sign_again(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "model.json").unlink(), "train one"),
        (lambda f: (f / "model.safetensors").unlink(), "copy the model again"),
        (lambda f: (f / "model.safetensors").write_bytes(b"x"), "copy both again"),
        (lambda f: (f / "model.json").write_text("{"), "copy the model again"),
        (lambda f: _edit_by_hand(f, bfloat16_blocks=7), "edited: .* own digest"),
        (lambda f: _edit_card(f, surprise=1), "surprise"),
        (lambda f: _edit_card(f, format="pairspec-model-9"), "version of pairspec"),
        (lambda f: _edit_card(f, n_pixel=400), "do not fit the network"),
        (_other_shape, "do not fit the network"),
        (_missing_layer, "do not fit the network"),
        (_garbage, "do not fit the network"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, model, card, damage, message):
    folder = save_model(tmp_path, model, card)
    damage(folder)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_another_model_than_wanted_is_refused(tmp_path, model, card):
    folder = save_model(tmp_path, model, card)
    with pytest.raises(CheckpointError, match="is wanted"):
        load_model(folder, "f" * 64)


def test_a_card_of_another_network_is_not_saved(tmp_path, model, card):
    with pytest.raises(CheckpointError, match="another network"):
        save_model(tmp_path, model, card.model_copy(update={"n_pixel": 999}))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_model(tmp_path, model, card, monkeypatch):
    folder = save_model(tmp_path, model, card)
    before = read_card(folder)

    def full(fd):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_model(tmp_path, model, card.model_copy(update={"data": "other"}))
    monkeypatch.undo()
    assert load_model(folder)[1] == before
