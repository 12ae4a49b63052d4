"""What joins the results of a flow."""

from __future__ import annotations

from typing import Final

from batuta_flows.catalogue.base import Field, Medium, NodeType, Output
from batuta_flows.catalogue.parts import AUDIOS, VIDEOS, local, source

CLIP_MERGER: Final = NodeType(
    name="clip_merger",
    title="Clip Merger",
    category="output",
    icon="merge",
    summary="Clips one after the other, in one film",
    fields=(
        Field(name="clips", title="Clips", kind="list", required=True, accepts=VIDEOS, arity="many"),
        Field(name="transition", title="Transition", kind="choice", default="cross-fade", choices=("cut", "cross-fade", "slide", "zoom")),
        Field(name="transitionDuration", title="Transition (s)", kind="number", default=0.5, minimum=0, maximum=5, advanced=True),
        source("bgmUrl", "Background music", AUDIOS, required=False),
        Field(name="bgmVolume", title="Music volume", kind="number", default=0.3, minimum=0, maximum=2, advanced=True),
    ),
    outputs=(Output("videoUrl", Medium.VIDEO), Output("clipsMerged", Medium.NUMBER), Output("duration", Medium.NUMBER)),
    providers=(local("ffmpeg"),),
    estimate_s=60,
)

TYPES: Final = (CLIP_MERGER,)
