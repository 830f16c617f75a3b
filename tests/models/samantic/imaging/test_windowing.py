import numpy as np
import pytest

from samantic.imaging import Volume, WindowError, to_uint8, window_for

EYE = np.eye(4)


def volume(values: np.ndarray, modality: str) -> Volume:
    return Volume(values, EYE, modality)  # type: ignore[arg-type]


def test_ct_becomes_three_channels_lung_soft_tissue_and_bone() -> None:
    hounsfield = np.array([[-2000, -1000, -400, 0, 40, 200, 1000, 3000]], np.int16)
    picture = to_uint8(hounsfield, window_for(volume(hounsfield[:, :, None], "CT")))
    assert picture.shape == (1, 8, 3)
    assert picture.dtype == np.uint8
    assert picture[0, :, 0].tolist() == [0, 0, 128, 212, 221, 255, 255, 255]
    assert picture[0, :, 1].tolist() == [0, 0, 0, 102, 128, 230, 255, 255]
    assert picture[0, :, 2].tolist() == [0, 0, 0, 42, 51, 85, 255, 255]


@pytest.mark.parametrize(
    ("preset", "low", "high"), [("brain", 0, 80), ("soft_tissue", -160, 240), ("bone", -200, 1000)]
)
def test_a_preset_maps_its_range_onto_all_gray_levels(preset: str, low: int, high: int) -> None:
    values = np.array([[low - 1, low, (low + high) / 2, high, high + 1]], np.float32)
    picture = to_uint8(values, window_for(volume(values[:, :, None], "CT"), preset))
    assert picture[0, :, 1].tolist() == [0, 0, 128, 255, 255]
    assert np.array_equal(picture[..., 0], picture[..., 2])


@pytest.mark.parametrize("modality", ["MR", "US", "unknown"])
def test_other_modalities_are_windowed_by_the_percentiles_of_the_whole_volume(modality: str) -> None:
    values = np.random.default_rng(0).normal(1000, 200, (20, 30, 40)).astype(np.float32)
    image = volume(values, modality)
    window = window_for(image)
    np.testing.assert_allclose(window.ranges[0], np.percentile(values, (0.5, 99.5), method="lower"), rtol=1e-5)
    picture = to_uint8(values[:, :, 3], window)
    assert (picture.min(), picture.max()) == (0, 255)
    assert window == window_for(image)


def test_colour_of_8_bits_is_untouched() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 1, 3)).astype(np.uint8)
    window = window_for(volume(pixels, "RGB"))
    assert window.key == "rgb"
    assert np.array_equal(to_uint8(pixels[:, :, 0], window), pixels[:, :, 0])


def test_colour_of_16_bits_is_windowed_by_one_range_for_all_channels() -> None:
    pixels = (np.arange(4 * 5 * 3).reshape(4, 5, 1, 3) * 1000).astype(np.uint16)
    picture = to_uint8(pixels[:, :, 0], window_for(volume(pixels, "RGB")))
    assert picture.shape == (4, 5, 3)
    assert (np.diff(picture.ravel().astype(int)) >= 0).all()


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32, np.int32])
def test_no_value_ever_wraps_around(dtype: type) -> None:
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    values = np.array([[info.min, 0, info.max]], dtype)
    for preset in ("ct", "brain", "percentile"):
        picture = to_uint8(values, window_for(volume(values[:, :, None], "CT"), preset)).astype(int)
        assert (np.diff(picture, axis=1) >= 0).all()
        assert (picture[0, 2] == 255).all()
        assert info.min == 0 or (picture[0, 0] == 0).all()


def test_a_flat_image_becomes_black_instead_of_a_division_by_zero() -> None:
    flat = np.full((3, 4, 5), 77, np.int16)
    with np.errstate(all="raise"):
        assert not to_uint8(flat[:, :, 0], window_for(volume(flat, "MR"))).any()


def test_keys_differ_where_pictures_differ() -> None:
    one = volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), "CT")
    other = volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5) * 2, "CT")
    windows = [window_for(one, name) for name in ("ct", "lung", "bone", "brain", "soft_tissue", "percentile")]
    assert len({window.key for window in [*windows, window_for(other, "percentile")]}) == 7


def test_an_unknown_preset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(WindowError, match="there is no window 'liver'; choose one of ct, soft_tissue, lung"):
        window_for(volume(np.zeros((2, 2, 2), np.int16), "CT"), "liver")


def test_a_ct_preset_on_a_photograph_and_rgb_on_a_ct_are_refused() -> None:
    with pytest.raises(WindowError, match="is for CT; a colour image takes"):
        window_for(volume(np.zeros((2, 2, 1, 3), np.uint8), "RGB"), "lung")
    with pytest.raises(WindowError, match="is for 8-bit colour images"):
        window_for(volume(np.zeros((2, 2, 2), np.int16), "CT"), "rgb")


def test_a_slice_that_does_not_go_with_the_window_is_refused() -> None:
    gray = volume(np.zeros((2, 2, 2), np.int16), "CT")
    colour = volume(np.zeros((2, 2, 1, 3), np.uint8), "RGB")
    with pytest.raises(WindowError, match="needs 8-bit colour"):
        to_uint8(gray.array[:, :, 0], window_for(colour))
    with pytest.raises(WindowError, match="single-channel"):
        to_uint8(colour.array[:, :, 0], window_for(gray))
    with pytest.raises(WindowError, match=r"a slice is \(rows, cols\)"):
        to_uint8(gray.array, window_for(gray))
