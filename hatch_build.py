"""
Puts the console into what is built: src/batuta/ui, made by npm from ui/ when it is not there yet.

Without Node, or when npm fails, the package is built without the console and says so; the server then says on its pages how to get one. Not for
editable installs: there `make ui` keeps it current.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NPM_S = 600
WITHOUT = "*** batuta is built WITHOUT its web console: {}. With Node 20.19 or newer, `make ui` builds it. ***"


class Console(BuildHookInterface[Any]):
    """Hatch calls it before it packs anything."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """The console is in its place, or it was said why not."""
        sources, built = Path(self.root, "ui"), Path(self.root, "src", "batuta", "ui", "index.html")
        if version == "editable" or built.exists() or not sources.exists():
            return
        npm = shutil.which("npm")
        if npm is None:
            self.app.display_warning(WITHOUT.format("npm was not found"))
            return
        try:
            for words in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
                subprocess.run([npm, *words], cwd=sources, check=True, capture_output=True, text=True, timeout=NPM_S)
        except (subprocess.SubprocessError, OSError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip()[-2000:]
            self.app.display_warning(WITHOUT.format(f"npm failed: {said}"))
