"""Commits and branches in real git repositories: what may be built, and its files in a folder of their own."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from firmware_kit import git

from batuta_firmware.errors import Lasting, Passing
from batuta_firmware.repo import Repositories
from batuta_firmware.settings import Settings

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone called K1.node1 with a project in firmware/, two commits on main and one on another branch."""
    folder = tmp_path / "K1.node1"
    (folder / "firmware").mkdir(parents=True)
    git(tmp_path, "init", "-q", str(folder))
    (folder / "firmware" / "platformio.ini").write_text("[env:x]\n")
    commit(folder, "first")
    commit(folder, "second")
    git(folder, "checkout", "-q", "-b", "pattern-test")
    commit(folder, "aside")
    git(folder, "checkout", "-q", "main")
    return folder


def commit(folder: Path, text: str) -> str:
    (folder / "firmware" / "text").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", text)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repositories(settings: Settings, clone: Path) -> Repositories:
    return Repositories(dataclasses.replace(settings, project=clone / "firmware"))


@pytest.mark.parametrize("name", ["K1.node1", "synqing/K1.node1", "K1.node1.git"])
def test_a_commit_is_found_by_a_short_name_and_told_in_full(repositories: Repositories, clone: Path, name: str) -> None:
    head = git(clone, "rev-parse", "HEAD")
    assert repositories.validate(name, head[:7], "main").full_sha == head
    assert repositories.validate(name, head, None).full_sha == head


def test_an_older_commit_of_the_branch_counts_and_another_branchs_does_not(repositories: Repositories, clone: Path) -> None:
    older, aside = git(clone, "rev-parse", "HEAD~1"), git(clone, "rev-parse", "pattern-test")
    assert repositories.validate("K1.node1", older, "main").full_sha == older
    with pytest.raises(Lasting, match="is not on branch 'main'") as caught:
        repositories.validate("K1.node1", aside, "main")
    assert caught.value.code == "commit_not_on_branch"
    assert repositories.validate("K1.node1", aside, "pattern-test").full_sha == aside


WRONG = [
    # commit            branch          code
    ("abc",             "main",         "bad_commit"),
    ("HEAD",            "main",         "bad_commit"),
    ("ABCDEF1",         "main",         "bad_commit"),
    ("--upload-pack=x", "main",         "bad_commit"),
    ("../../etc",       "main",         "bad_commit"),
    ("0" * 65,          "main",         "bad_commit"),
    ("0" * 40,          "main",         "commit_unknown"),
    ("fffffff",         "main",         "commit_unknown"),
    (None,              "nothing",      "branch_unknown"),
    (None,              "-x",           "bad_branch"),
    (None,              "a..b",         "bad_branch"),
    (None,              "a b",          "bad_branch"),
    (None,              "",             "bad_branch"),
]  # fmt: skip


@pytest.mark.parametrize(("sha", "branch", "code"), WRONG)
def test_what_names_no_commit_is_final(repositories: Repositories, clone: Path, sha: str | None, branch: str, code: str) -> None:
    with pytest.raises(Lasting) as caught:
        repositories.validate("K1.node1", sha or git(clone, "rev-parse", "HEAD"), branch)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["other", "", "../K1.node1x", "https://host/x"])
def test_only_repositories_of_the_settings_are_built(repositories: Repositories, name: str) -> None:
    with pytest.raises(Lasting, match=r"known: K1\.node1"):
        repositories.validate(name, "0" * 40, None)


def test_a_commit_made_later_is_found_and_one_that_was_rewritten_away_is_no_more_on_its_branch(repositories: Repositories, clone: Path) -> None:
    before = repositories.validate("K1.node1", git(clone, "rev-parse", "HEAD"), "main")
    later = commit(clone, "third")
    assert repositories.validate("K1.node1", later, "main").full_sha == later
    git(clone, "reset", "-q", "--hard", "HEAD~2")
    with pytest.raises(Lasting, match="is not on branch"):
        repositories.validate("K1.node1", before.full_sha, "main")


def test_each_check_out_is_the_commits_files_and_leaves_the_clone_alone(repositories: Repositories, clone: Path, tmp_path: Path) -> None:
    first = repositories.validate("K1.node1", git(clone, "rev-parse", "HEAD~1"), "main")
    second = repositories.validate("K1.node1", git(clone, "rev-parse", "HEAD"), "main")
    folders = [repositories.check_out("K1.node1", one, tmp_path / name / "source") for one, name in ((first, "a"), (second, "b"), (first, "a"))]
    assert [(folder.name, (folder / "text").read_text()) for folder in folders] == [("firmware", "first"), ("firmware", "second"), ("firmware", "first")]
    assert git(clone, "status", "--porcelain") == ""


def test_a_check_out_of_a_removed_folder_can_be_made_again(repositories: Repositories, clone: Path, tmp_path: Path) -> None:
    found = repositories.validate("K1.node1", git(clone, "rev-parse", "HEAD"), "main")
    repositories.check_out("K1.node1", found, tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    assert repositories.check_out("K1.node1", found, tmp_path / "a").is_dir()


def test_a_commit_without_a_project_is_named(settings: Settings, clone: Path, tmp_path: Path) -> None:
    found = Repositories(dataclasses.replace(settings, repositories={"lib": f"{clone}#elsewhere"}))
    head = found.validate("lib", git(clone, "rev-parse", "HEAD"), "main")
    with pytest.raises(Lasting, match=r"has no platformio\.ini in 'elsewhere'"):
        found.check_out("lib", head, tmp_path / "a")


def test_a_source_that_is_gone_is_worth_another_try(settings: Settings, tmp_path: Path) -> None:
    gone = Repositories(dataclasses.replace(settings, repositories={"x": str(tmp_path / "gone")}))
    with pytest.raises(Passing, match="git clone failed"):
        gone.validate("x", "0" * 40, None)


def test_a_project_outside_a_clone_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Lasting, match="is not inside a git clone"):
        Repositories(dataclasses.replace(settings, project=tmp_path))
