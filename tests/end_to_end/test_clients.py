"""Unmodified clients against real servers: MONAI Label's own, and the one that the stock Slicer plugin brings."""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import requests
from monailabel.client import MONAILabelClient
from PIL import Image

CT_SHAPE, SERIES_SHAPE, LESION_SIZE = (64, 64, 24), (64, 64, 12), (64, 48)


def slicer_client_module() -> ModuleType:
    """The client file of the stock 3D Slicer plugin, from where MONAI Label's wheel puts it."""
    name = "MONAILabel/MONAILabelLib/client.py"
    for file in metadata.files("monailabel") or []:
        if str(file).endswith(f"plugins/slicer/{name}"):
            spec = importlib.util.spec_from_file_location("stock_slicer_client", str(file.locate()))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise AssertionError(f"the monailabel wheel in {sys.prefix} has no {name}")


@pytest.fixture(params=["monailabel.client", "slicer plugin"])
def a_client_class(request: pytest.FixtureRequest) -> type:
    return MONAILabelClient if request.param == "monailabel.client" else slicer_client_module().MONAILabelClient


@pytest.fixture(params=["samantic", "plain"])
def a_client(request: pytest.FixtureRequest, a_client_class: type, tmp_path: Path) -> Any:
    """Each client against each kind of server."""
    server = request.getfixturevalue("a_server" if request.param == "samantic" else "a_plain_server")
    return a_client_class(server.url, str(tmp_path), "user-xyz")


def as_slicer_asks(**params: Any) -> dict[str, Any]:
    """What the stock Slicer module puts around every inference."""
    return {"result_extension": ".nrrd", "result_dtype": "uint8", **params}


def test_info_offers_segsam_as_a_two_dimensional_click_model(a_client: Any) -> None:
    info = a_client.info()
    model = info["models"]["segsam"]
    assert (model["type"], model["dimension"]) == ("deepgrow", 2)
    assert "liver" in model["labels"]
    assert set(model["labels"]) == set(info["labels"])


@pytest.mark.parametrize(
    ("image", "shape", "point"), [("ct", CT_SHAPE, [22, 30, 12]), ("series", SERIES_SHAPE, [22, 30, 6])]
)
def test_points_on_a_volume_give_a_mask_in_its_grid(
    a_client: Any, image: str, shape: tuple[int, ...], point: list[int]
) -> None:
    image = known_as(a_client, image)
    params = {"label": "liver", "foreground": [point], "background": [[2, 2, point[2]]], "slice": point[2]}
    file, result = a_client.infer("segsam", image, params)
    mask = nibabel.load(file)
    labels = np.asarray(mask.dataobj)
    assert mask.shape == shape
    np.testing.assert_allclose(np.abs(mask.affine[:3, :3]).sum(axis=0), (1.5, 1.5, 3.0), atol=1e-3)
    assert not np.delete(labels, point[2], axis=2).any()
    assert set(np.unique(labels)) <= {0, 1}
    assert result["label_names"] == {"liver": 1}
    assert result["slice"] == point[2]


def test_points_as_slicer_asks_for_them_give_an_uncomplicated_nrrd(a_client: Any) -> None:
    params = as_slicer_asks(label="liver", foreground=[[22, 30, 12], [24, 31, 12]], background=[], slice=12)
    file, result = a_client.infer("segsam", "ct", params)
    labels, header = nrrd.read(file)
    assert labels.dtype == np.uint8
    assert labels.shape == CT_SHAPE
    assert header["space"] == "left-posterior-superior"
    np.testing.assert_allclose(np.diag(header["space directions"]), (1.5, 1.5, 3.0), atol=1e-3)
    assert result["predicted_class"] in a_client.info()["labels"]


def test_a_roi_in_the_order_of_the_wire_selects_its_box(a_client: Any) -> None:
    params = as_slicer_asks(label="liver", foreground=[], background=[], roi=[12, 33, 20, 40, 8, 17], slice=12)
    file, result = a_client.infer("segsam", "ct", params)
    labels, _ = nrrd.read(file)
    assert labels.shape == CT_SHAPE
    assert result["slice"] == 12
    assert not np.delete(labels, 12, axis=2).any()


def test_scribbles_go_as_a_label_file_with_their_names(a_client: Any, tmp_path: Path) -> None:
    scribbles = np.zeros(CT_SHAPE, np.uint8)
    scribbles[16:28, 30, 12] = 3
    scribbles[3:60, 4, 12] = 2
    path = tmp_path / "scribbles.nii.gz"
    nibabel.save(nibabel.Nifti1Image(scribbles, np.diag([-1.5, -1.5, 3.0, 1.0])), path)
    params = as_slicer_asks(
        roi=[],
        label_info=[{"name": "background_scribbles", "id": 2}, {"name": "foreground_scribbles", "id": 3}],
        selected_label_name="liver",
    )
    file, result = a_client.infer("segsam", "ct", params, str(path))
    labels, _ = nrrd.read(file)
    assert labels.shape == CT_SHAPE
    assert result["slice"] == 12
    assert result["label_names"] == {"liver": 1}


@pytest.mark.parametrize("point", [[30, 22], [30, 22, 0]])
def test_a_photograph_gives_a_png_of_its_size(a_client: Any, point: list[int]) -> None:
    file, result = a_client.infer("segsam", "lesion", {"foreground": [point], "background": []})
    picture = Image.open(file)
    assert picture.format == "PNG"
    assert picture.size == LESION_SIZE
    assert result["window"] == "rgb"


def test_a_photograph_as_slicer_asks_for_it_gives_an_nrrd(a_client: Any) -> None:
    params = as_slicer_asks(label="skin_lesion", foreground=[[30, 22, 0]], background=[], slice=0)
    file, _ = a_client.infer("segsam", "lesion", params)
    labels, _ = nrrd.read(file)
    assert labels.shape == (*LESION_SIZE, 1)


def test_the_first_slice_is_a_slice(a_client: Any) -> None:
    params = as_slicer_asks(label="liver", foreground=[[22, 30, 0], [22, 30, 12]], background=[[4, 4, 7]], slice=0)
    _, result = a_client.infer("segsam", "ct", params)
    assert (result["slice"], result["ignored_points"]) == (0, 2)


def test_an_image_may_be_sent_instead_of_named(a_client: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.nii.gz"
    volume = np.random.default_rng(3).normal(0, 100, (32, 24, 10)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([-1.0, -1.0, 2.0, 1.0])), path)
    file, _ = a_client.infer("segsam", "", {"foreground": [[12, 12, 4]]}, file=str(path))
    assert nibabel.load(file).shape == (32, 24, 10)


def test_an_image_may_be_uploaded_into_a_session(a_client: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.nii.gz"
    volume = np.random.default_rng(4).normal(0, 100, (30, 24, 10)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([-1.0, -1.0, 2.0, 1.0])), path)
    session = a_client.create_session(str(path))["session_id"]
    try:
        file, _ = a_client.infer("segsam", "", {"foreground": [[12, 12, 4]]}, session_id=session)
        assert nibabel.load(file).shape == (30, 24, 10)
    finally:
        a_client.remove_session(session)


def test_next_sample_names_an_image_that_can_be_clicked_on(a_client: Any) -> None:
    sample = a_client.next_sample("random", {})
    assert sample["id"]
    assert Path(sample["path"]).exists()


@pytest.mark.parametrize(
    ("image", "roi"),
    [("ct", [12, 33, 20, 40, 12, 13]), ("series", [12, 33, 20, 40, 6, 7]), ("lesion", [15, 45, 10, 34, 0, 1])],
)
def test_a_saved_answer_is_listed_and_comes_back_as_it_was(a_client: Any, image: str, roi: list[int]) -> None:
    image = known_as(a_client, image)
    file, result = a_client.infer("segsam", image, {"roi": roi})
    answered = read(file)
    try:
        a_client.save_label(image, file, params={"label_info": [{"name": "liver", "idx": 1}], "params": result})
        np.testing.assert_array_equal(read(a_client.download_label(image, "final")), answered)
        assert a_client.datastore()["objects"][image]["labels"]["final"]
    finally:
        requests.delete(f"{a_client.get_server_url()}/datastore/label?id={image}&tag=final", timeout=30)


def test_a_bad_request_reaches_the_client_as_one_sentence(a_client: Any) -> None:
    with pytest.raises(Exception) as refused:
        a_client.infer("segsam", "ct", {"foreground": [[22, 30, 99]]})
    assert "422" in refused.value.msg
    assert "outside the image; allowed is 0 to 23" in refused.value.msg


def known_as(client: Any, image: str) -> str:
    """The id that the server gave an image: that of a DICOM series may carry more than its folder's name."""
    (found,) = [one for one in client.datastore()["objects"] if one.startswith(image)]
    return str(found)


def read(path: str) -> np.ndarray:
    return np.asarray(Image.open(path) if path.endswith(".png") else nibabel.load(path).dataobj)
