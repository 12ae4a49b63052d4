"""What brings media into a flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from batuta_flows.catalogue.base import Field, Json, Medium, NodeType, Output
from batuta_flows.catalogue.parts import local

_BY_ASSET: Final = {"Image": Medium.IMAGE, "Video": Medium.VIDEO, "Audio": Medium.AUDIO}


def _uploads(settings: Mapping[str, Json]) -> tuple[Output, ...]:
    medium = _BY_ASSET.get(str(settings.get("assetType", "Image")), Medium.FILE)
    return (Output("files", medium, many=True), Output("totalFiles", Medium.NUMBER))


UPLOAD_FILES: Final = NodeType(
    name="upload_files",
    title="Upload Files",
    category="input",
    icon="upload",
    summary="Files from this machine, from a URL or from the cloud, as media of a flow",
    fields=(
        Field(name="sourceType", title="Source", kind="choice", default="Local", choices=("Local", "URL", "Cloud")),
        Field(name="assetType", title="Kind", kind="choice", default="Image", choices=("Image", "Video", "Audio")),
        Field(name="files", title="Files", kind="list", required=True, accepts=(Medium.FILE, Medium.JSON), arity="many", help="URLs, or {name, url}"),
    ),
    outputs=_uploads({}),
    outputs_by=_uploads,
    providers=(local("Fetches each file once and keeps it"),),
    estimate_s=5,
)

TYPES: Final = (UPLOAD_FILES,)
