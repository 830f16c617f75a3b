"""Images of the public sets, as scanners and other programs wrote them."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from samantic.imaging import SliceView, read_mask, read_volume, to_uint8, window_for

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("SAMANTIC_DATA")
    if not folder:
        pytest.skip("SAMANTIC_DATA is not set; it names the folder with the public data sets")
    return Path(folder)


def test_a_ct_series_is_read_as_itk_reads_it(data: Path) -> None:
    folder = data / "totalsegmentator" / "example_ct_dicom"
    volume = read_volume(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert np.array_equal(volume.array, SimpleITK.GetArrayFromImage(image).T)
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    np.testing.assert_allclose(volume.affine, LPS @ affine, atol=1e-3)
    assert volume.modality == "CT"


def test_the_labels_of_a_ct_series_lie_on_it_although_stored_as_nifti(data: Path) -> None:
    volume = read_volume(data / "totalsegmentator" / "example_ct_dicom")
    path = data / "totalsegmentator" / "example_seg_dicom.nii.gz"
    labels = read_mask(path, volume)
    assert labels.shape == volume.shape_ijk
    assert np.count_nonzero(labels) == np.count_nonzero(np.asarray(nib.load(path).dataobj))
    # Organs are soft tissue and bone: were the labels flipped, much air would lie under them.
    assert np.mean(volume.array[labels > 0] < -300) < 0.1


def test_a_ct_stands_upright_with_the_table_below(data: Path) -> None:
    volume = read_volume(data / "totalsegmentator" / "example_ct.nii.gz")
    labels = read_mask(data / "totalsegmentator" / "example_seg_v1_104cls.nii.gz", volume)
    names = (data / "totalsegmentator" / "labels_v1.csv").read_text()
    value = {name: int(number) for number, name in (line.split(",")[:2] for line in names.splitlines()[1:])}
    liver, spine = labels == value["liver"], np.isin(labels, [v for n, v in value.items() if n.startswith("vertebrae")])
    index = int(np.argmax(liver.sum(axis=(0, 1))))
    view = SliceView.of(volume, 2, index)
    rows, columns = view.shape
    assert np.argwhere(view.extract(liver))[:, 1].mean() < columns / 2  # the liver on the left of the picture
    assert np.argwhere(view.extract(spine))[:, 0].mean() > rows / 2  # the spine below
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    assert 20 < picture.mean() < 200


@pytest.mark.parametrize(("pattern", "modality"), [("isic2017/**/*.jpg", "RGB"), ("busi/images/**/*.png", "US")])
def test_photographs_are_told_apart(data: Path, pattern: str, modality: str) -> None:
    paths = sorted(data.glob(pattern))[:20]
    assert paths
    assert {read_volume(path).modality for path in paths} == {modality}


def test_hippocampus_labels_fit_their_images(data: Path) -> None:
    images = sorted((data / "msd_hippocampus").glob("images*/*.nii.gz"))[:10]
    assert images
    for path in images:
        volume = read_volume(path)
        assert volume.modality == "MR"
        labels = read_mask(Path(str(path).replace("images", "labels")), volume)
        assert set(np.unique(labels)) == {0, 1, 2}
