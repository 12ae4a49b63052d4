"""
Build directories: the only folders this application empties and removes.

Here: which path may be one, and removing it. Not here: what is built in it (build.py).
A path comes from a task's input, so it must be a plain folder right below the build root with a name of ours; nothing else is ever touched.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batuta_firmware.errors import Lasting, Passing
from batuta_firmware.locks import Busy, locked

_NAME = re.compile(r"k1-build-[0-9A-Za-z][0-9A-Za-z._-]{0,200}")


class BuildRoot:
    """The folder *root*, in which build directories lie."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def directory(self, build_dir: str) -> Path:
        """
        The build directory that *build_dir* names: a bare name, or a path right below the root.

        Raises:
            Lasting: it is outside the root, is a link, or has no name of ours.
        """
        path = Path(os.path.normpath(self._root / build_dir))
        if path.parent != Path(os.path.normpath(self._root)) or not _NAME.fullmatch(path.name):
            raise Lasting("bad_build_dir", f"build_dir is {build_dir!r}; expected {self._root}/k1-build-<letters, digits, . _ ->")
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise Lasting("bad_build_dir", f"build_dir {path} is a link or a file; only a plain folder is built in, or removed")
        return path

    def clean(self, build_dir: str) -> Path:
        """
        Remove the build directory and make it anew, empty.

        Raises:
            Passing: another build is using it, or the disk refused.
        """
        path = self.directory(build_dir)
        with self.using(path):
            _removed(path)
            path.mkdir(parents=True)
        return path

    def remove(self, build_dir: str | None) -> bool:
        """Remove the build directory with its lock; false when there was none, or none was named."""
        if not build_dir:
            return False
        path = self.directory(build_dir)
        if not path.exists():
            return False
        with self.using(path):
            _removed(path)
            self._lock(path).unlink(missing_ok=True)
        return True

    @contextmanager
    def using(self, path: Path) -> Iterator[None]:
        """
        Keep *path* to this task.

        Raises:
            Passing: another one is using it.
        """
        try:
            with locked(self._lock(path), wait=False):
                yield
        except Busy:
            raise Passing("build_dir_busy", f"build directory {path} is in use by another build") from None

    def _lock(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.lock")


def _removed(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Passing("build_dir_stuck", f"build directory {path} cannot be removed: {error}") from error
