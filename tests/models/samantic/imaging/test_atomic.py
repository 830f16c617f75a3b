from pathlib import Path

import pytest

from samantic.imaging import atomic_path, is_temporary, remove_leftovers


def test_the_file_appears_under_its_name_only_when_the_block_has_ended(tmp_path: Path) -> None:
    target = tmp_path / "mask.nii.gz"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
        assert temporary.parent == tmp_path
    assert target.read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["mask.nii.gz"]


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "labels.json"
    target.write_text("old")
    with pytest.raises(KeyError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["labels.json"]


def test_an_error_before_anything_was_written_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a.json"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.nii.gz", ".nii.gz"), ("b.seg.nrrd", ".seg.nrrd"), ("case.1.png", ".png"), ("d.tar.gz", ".gz"), ("plain", "")],
)
def test_the_temporary_file_has_the_suffix_that_decides_about_the_format(
    tmp_path: Path, name: str, suffix: str
) -> None:
    with atomic_path(tmp_path / name) as temporary:
        assert "".join(temporary.suffixes) == suffix
        temporary.touch()


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".png")
    with atomic_path(target) as temporary:
        temporary.touch()
    assert target.exists()


def test_what_a_killed_process_left_is_recognised_and_removed(tmp_path: Path) -> None:
    (tmp_path / "kept.nii.gz").touch()
    context = atomic_path(tmp_path / "lost.nii.gz")
    left = context.__enter__()
    left.write_bytes(b"half")
    assert is_temporary(left)
    assert not is_temporary("kept.nii.gz")
    assert remove_leftovers(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept.nii.gz"]
