"""SAM's published weights must load key by key, and nothing else may be taken for them."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam

from samantic.sam import WeightsError
from samantic.segsam import SegSam
from samantic.segsam.published_weights import (
    encoder_of,
    load_binary_path,
    load_published,
    read_published,
    sam_config,
)

pytestmark = pytest.mark.usefixtures("small_vits")


@pytest.fixture
def state(small_sam: Sam) -> dict[str, torch.Tensor]:
    return dict(small_sam.state_dict())


@pytest.fixture
def network() -> SegSam:
    torch.manual_seed(0)
    return SegSam(sam_config(("liver", "spleen"), "small_vit")).eval()


def _copy(network: SegSam) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


class TestLoading:
    def test_every_published_tensor_arrives_and_the_semantic_path_stays(self, network, state):
        before = _copy(network)
        report = load_published(network, state)
        after = network.state_dict()
        assert set(report.loaded) == state.keys() and report.unused == ()
        for name, tensor in state.items():
            assert torch.equal(after[f"encoder.{name}" if name.startswith("image_encoder.") else name], tensor), name
        assert {name.split(".")[0] for name in report.left} == {"text_embeddings", "text_to_vision", "semantic_decoder"}
        assert all(torch.equal(after[name], before[name]) for name in report.left)
        assert len(report.loaded) + len(report.left) == len(after)

    def test_a_network_that_draws_its_prompts_says_which_tensors_it_has_no_use_for(self, state):
        config = sam_config(("liver",), "small_vit")
        network = SegSam(type(config)(**{**vars(config), "raster_prompts": True}))
        report = load_published(network, state)
        assert len(report.unused) == 10
        assert all(name.startswith("prompt_encoder.mask_downscaling.") for name in report.unused)
        assert set(report.loaded) | set(report.unused) == state.keys()
        assert {"prompt_encoder.raster_skip.0.weight", "mask_decoder.fuse_prompt_skip.weight"} <= set(report.left)

    @pytest.mark.parametrize("name", ["vit_b", "vit_l", "vit_h"])
    def test_the_published_shapes_fit_with_nothing_left_over(self, name):
        # Shapes alone: with memory behind them vit_h would need five gigabytes.
        with torch.device("meta"):
            published = sam_model_registry[name]().state_dict()
            network = SegSam(sam_config(("liver",), name))
        assert encoder_of(published) == name
        report = load_published(network, published)
        assert set(report.loaded) == published.keys() and report.unused == ()

    def test_vit_b_is_filled_with_every_value(self):
        with torch.device("meta"):
            shapes = sam_model_registry["vit_b"]().state_dict()
        published = {name: torch.full(one.shape, 0.25 + index) for index, (name, one) in enumerate(shapes.items())}
        network = SegSam(sam_config(("liver",), "medsam_vit_b"))
        load_published(network, published)
        found = [float(tensor.mean()) for name, tensor in network.state_dict().items() if "semantic" not in name]
        assert {0.25 + index for index in range(len(shapes))} <= set(found)

    def test_an_adopted_binary_path_starts_a_network_with_other_classes(self, state):
        adopted = SegSam(sam_config(encoder="small_vit"))
        load_published(adopted, state)
        network = SegSam(sam_config(("liver", "spleen"), "small_vit"), torch.ones(2, 384))
        load_binary_path(network, adopted)
        for name, tensor in adopted.state_dict().items():
            assert name == "text_embeddings" or torch.equal(network.state_dict()[name], tensor), name
        assert network.text_embeddings.all()

    def test_parts_that_stand_beside_the_binary_path_are_left_alone(self, network):
        other = SegSam(replace(network.config, look_size=64, look_width=8, prompt_free_width=8))
        load_binary_path(network, other)
        theirs = other.state_dict()
        for name, tensor in network.state_dict().items():
            if name.startswith(("encoder.", "mask_decoder.")):
                assert torch.equal(tensor, theirs[name]), name

    def test_a_binary_path_of_another_shape_is_refused(self, config, network):
        before = _copy(network)
        with pytest.raises(WeightsError, match=r"on 'small' do not fit one on 'small_vit': \d+ tensors differ"):
            load_binary_path(network, SegSam(config))
        assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class TestRefusals:
    def test_another_shape_is_named_with_both_shapes_and_nothing_is_loaded(self, network, state):
        before = _copy(network)
        state["image_encoder.blocks.1.attn.qkv.weight"] = torch.zeros(9, 7)
        with pytest.raises(WeightsError, match=r"'image_encoder\.blocks\.1\.attn\.qkv\.weight' .*\(9, 7\).*\(96, 32\)"):
            load_published(network, state)
        assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())

    def test_a_missing_tensor_is_named(self, network, state):
        del state["mask_decoder.iou_token.weight"]
        with pytest.raises(WeightsError, match=r"lack 1 of the tensors .* 'mask_decoder\.iou_token\.weight'"):
            load_published(network, state)

    @pytest.mark.parametrize("name", ["pixel_mean", "module.image_encoder.pos_embed", "text_embeddings", "mask_dec"])
    def test_a_tensor_without_a_place_is_named(self, name, network, state):
        state[name] = torch.zeros(2, 384)
        with pytest.raises(WeightsError, match=f"1 of {len(state)} published tensors .* the first is '{name}'"):
            load_published(network, state)

    def test_adapters_are_refused_as_those_of_sam_med2d(self, network, state):
        state["image_encoder.blocks.0.Adapter.channel.0.weight"] = torch.zeros(8, 32)
        with pytest.raises(WeightsError, match=r"1 tensors of adapter layers, as SAM-Med2D's do"):
            load_published(network, state)
        with pytest.raises(WeightsError, match="adapter layers"):
            encoder_of(state)

    def test_a_network_on_another_encoder_is_refused(self, config, state):
        with pytest.raises(WeightsError, match="have no place in a network on 'small'"):
            load_published(SegSam(config), state)

    @pytest.mark.parametrize("position", [None, torch.zeros(()), torch.zeros(1, 64, 64, 5)])
    def test_an_encoder_of_no_known_width_is_refused(self, position):
        state = {} if position is None else {"image_encoder.pos_embed": position}
        with pytest.raises(WeightsError, match=r"not SAM's vit_b, vit_l or vit_h: 'image_encoder\.pos_embed' is"):
            encoder_of(state)


class _Payload:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class TestFiles:
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_a_state_dict_is_read_with_and_without_its_wrapper(self, wrapped, tmp_path: Path):
        state = {"image_encoder.pos_embed": torch.randn(1, 2, 2, 3)}
        torch.save({"model": state, "epoch": 3} if wrapped else state, tmp_path / "sam.pth")
        found = read_published(tmp_path / "sam.pth")
        assert found.keys() == state.keys()
        assert torch.equal(found["image_encoder.pos_embed"], state["image_encoder.pos_embed"])

    def test_a_file_that_would_run_code_is_refused_and_never_run(self, tmp_path: Path):
        torch.save({"image_encoder.pos_embed": _Payload(tmp_path / "was_run")}, tmp_path / "sam.pth")
        with pytest.raises(WeightsError, match=r"sam\.pth is refused"):
            read_published(tmp_path / "sam.pth")
        assert not (tmp_path / "was_run").exists()

    @pytest.mark.parametrize("content", [b"", b"\xff" * 500, b"PK\x03\x04" + b"\0" * 400, b"<html>not found</html>"])
    def test_a_file_of_something_else_is_refused(self, content: bytes, tmp_path: Path):
        (tmp_path / "sam.pth").write_bytes(content)
        with pytest.raises(WeightsError, match=r"sam\.pth is no file of weights"):
            read_published(tmp_path / "sam.pth")

    @pytest.mark.parametrize("kept", [0.3, 0.9])
    def test_a_truncated_file_is_refused(self, kept: float, tmp_path: Path):
        torch.save({"image_encoder.pos_embed": torch.randn(500)}, tmp_path / "sam.pth")
        whole = (tmp_path / "sam.pth").read_bytes()
        (tmp_path / "sam.pth").write_bytes(whole[: int(kept * len(whole))])
        with pytest.raises(WeightsError, match=r"sam\.pth is no file of weights as .* or only a part"):
            read_published(tmp_path / "sam.pth")

    def test_a_file_that_grows_when_it_is_read_is_refused(self, tmp_path: Path):
        torch.save({"image_encoder.pos_embed": torch.zeros(1 << 20)}, tmp_path / "large.pth")
        with (
            zipfile.ZipFile(tmp_path / "large.pth") as stored,
            zipfile.ZipFile(tmp_path / "small.pth", "w", zipfile.ZIP_DEFLATED) as deflated,
        ):
            for entry in stored.namelist():
                deflated.writestr(entry, stored.read(entry))
        with pytest.raises(WeightsError, match=r"small\.pth is refused: it is compressed to hold 4,\d+,\d+ bytes"):
            read_published(tmp_path / "small.pth")

    @pytest.mark.parametrize("content", [[], {}, [torch.zeros(2)], {"lr": 0.1}, {3: torch.zeros(2)}, {"model": {}}])
    def test_what_is_no_state_dict_is_refused(self, content, tmp_path: Path):
        torch.save(content, tmp_path / "sam.pth")
        with pytest.raises(WeightsError, match=r"sam\.pth holds no state dict"):
            read_published(tmp_path / "sam.pth")

    def test_a_file_that_is_not_there_is_one_sentence(self, tmp_path: Path):
        with pytest.raises(WeightsError, match=r"sam\.pth cannot be read: No such file"):
            read_published(tmp_path / "sam.pth")
