"""Build directories: only plain folders of ours right below the root are ever emptied or removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta_firmware.errors import Lasting, Passing
from batuta_firmware.workspace import BuildRoot


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_a_directory_is_made_empty_and_removed_with_its_lock(root: Path) -> None:
    builds = BuildRoot(root)
    path = builds.clean("k1-build-abc")
    (path / "pio").mkdir()
    (path / "pio" / "x.o").write_text("x")
    assert list(builds.clean(str(root / "k1-build-abc")).iterdir()) == []
    assert builds.remove("k1-build-abc")
    assert list(root.iterdir()) == []
    assert not builds.remove("k1-build-abc")
    assert not builds.remove(None)


OUTSIDE = [
    "",
    ".",
    "..",
    "/",
    "/tmp",
    "k1-build-",
    "k1-build-..",
    "../k1-build-x",
    "k1-build-x/..",
    "k1-build-x/y",
    "x",
    "/etc/k1-build-x",
    "k1-build-a b",
    "k1-build-$(x)",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_any_other_path_is_refused(root: Path, path: str) -> None:
    with pytest.raises(Lasting, match="build_dir is"):
        BuildRoot(root).clean(path)


def test_a_link_or_a_file_is_refused_and_what_it_points_to_is_kept(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (root / "k1-build-link").symlink_to(precious)
    (root / "k1-build-file").write_text("x")
    for name in ("k1-build-link", "k1-build-file"):
        for verb in (BuildRoot(root).clean, BuildRoot(root).remove):
            with pytest.raises(Lasting, match="is a link or a file"):
                verb(name)
    assert precious.is_dir()


def test_a_directory_in_use_is_left_alone(root: Path) -> None:
    builds = BuildRoot(root)
    path = builds.clean("k1-build-abc")
    with builds.using(path):
        for verb in (BuildRoot(root).clean, BuildRoot(root).remove):
            with pytest.raises(Passing, match="in use by another build"):
                verb("k1-build-abc")
    assert builds.remove("k1-build-abc")
