"""What the build adds to the wheel: the catalogues of texts, compiled."""

from __future__ import annotations

import runpy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCALE = Path("casework", "locale")


class CompiledCatalogues(BuildHookInterface[Any]):
    """Compiles each ``.po`` to a ``.mo``, which stands in the wheel and never in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install adds nothing: it reads the ``.po``, so that an edit shows."""
        if version == "editable":
            return
        root = Path(self.root)
        # The package is not installed where it is built.
        compiled = runpy.run_path(str(root / LOCALE / "catalogues.py"))["compiled"]
        self.folder = TemporaryDirectory()
        for number, source in enumerate(sorted((root / LOCALE).glob("*/LC_MESSAGES/*.po"))):
            built = Path(self.folder.name, f"{number}.mo")
            built.write_bytes(compiled(source.read_text("utf-8")))
            target = source.relative_to(root).with_suffix(".mo")
            build_data["force_include"][str(built)] = str(target)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the working files away."""
        if version != "editable":
            self.folder.cleanup()
