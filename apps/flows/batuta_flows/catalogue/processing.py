"""What changes, takes apart or joins what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from batuta_flows.catalogue.base import Field, Json, Medium, NodeType, Output
from batuta_flows.catalogue.parts import AUDIOS, IMAGES, MODEL, PROVIDER, SEED, SERVICE, TEXTS, VIDEOS, colour, fal, local, openai, seconds, source

IMAGE_TO_IMAGE: Final = NodeType(
    name="image_to_image",
    title="Image to Image",
    category="processing",
    icon="image",
    summary="The picture, changed as the prompt says",
    fields=(
        source("imageUrl", "Image", IMAGES),
        Field(name="prompt", title="Prompt", kind="longtext", default="Enhance this image", accepts=TEXTS),
        Field(name="strength", title="Strength", kind="number", default=0.6, minimum=0, maximum=1),
        MODEL, SEED, PROVIDER,
    ),
    outputs=(Output("imageUrl", Medium.IMAGE), Output("originalUrl", Medium.IMAGE)),
    providers=(
        openai("gpt-image-2", "gpt-image-2.6-flare", "gpt-image-2.6-sunburst", cost_usd=0.04, ignores=("strength", "seed")),
        local("Style filters: painting, pencil, warm, cold, monochrome, by words of the prompt", ignores=("seed",)),
    ),
    estimate_s=30,
)  # fmt: skip

FACE_SWAP: Final = NodeType(
    name="face_swap",
    title="Face Swap",
    category="processing",
    icon="swap",
    summary="The face of one picture in another",
    fields=(
        source("targetImageUrl", "Picture", IMAGES),
        source("sourceImageUrl", "Face", IMAGES),
        Field(name="faceEnhance", title="Enhance the face", kind="boolean", default=False),
        PROVIDER,
    ),
    outputs=(Output("imageUrl", Medium.IMAGE),),
    providers=(
        SERVICE,
        local("Lays one face over the other by eyes and mouth, for portraits from the front; where none is found, the middle of the picture, and it says so"),
    ),
    estimate_s=45,
)

LIP_SYNC: Final = NodeType(
    name="lip_sync",
    title="Lip Sync",
    category="processing",
    icon="lips",
    summary="Lips that follow a voice",
    fields=(
        source("videoUrl", "Video", VIDEOS),
        source("audioUrl", "Voice", AUDIOS),
        Field(name="model", title="Model", kind="model", help="Of a content service: SadTalker, HeyGen or SyncLabs", advanced=True),
        PROVIDER,
    ),
    outputs=(Output("videoUrl", Medium.VIDEO),),
    providers=(
        msgspec.structs.replace(SERVICE, ignores=("seed",)),  # the model is the service's to choose by
        fal("fal-ai/sync-lipsync", "fal-ai/sync-lipsync/v2/pro", cost_usd=0.70),
        local("A mouth that opens as the voice is loud, for faces from the front; where none is found, a drawn speaker in the corner, and it says so"),
    ),
    estimate_s=600,
)


def _enhanced(settings: Mapping[str, Json]) -> tuple[Output, ...]:
    if settings.get("mediaType") == "Video":
        return (Output("videoUrl", Medium.VIDEO), Output("sourceUrl", Medium.VIDEO))
    return (Output("imageUrl", Medium.IMAGE), Output("sourceUrl", Medium.IMAGE))


ENHANCER: Final = NodeType(
    name="enhancer",
    title="Enhancer",
    category="processing",
    icon="sparkle",
    summary="Larger and cleaner",
    fields=(
        Field(name="mediaType", title="Kind", kind="choice", default="Image", choices=("Image", "Video")),
        source("sourceUrl", "Image or video", (Medium.IMAGE, Medium.VIDEO)),
        Field(name="upscaleFactor", title="Factor", kind="choice", default="2x", choices=("1x", "2x", "4x")),
        Field(name="denoiseStrength", title="Denoise", kind="number", default=0.0, minimum=0, maximum=1),
        PROVIDER,
    ),
    outputs=_enhanced({}),
    outputs_by=_enhanced,
    providers=(SERVICE, local("Lanczos scaling, unsharp mask, non-local means")),
    estimate_s=60,
)

SPLIT_TEXT: Final = NodeType(
    name="split_text",
    title="Split Text",
    category="processing",
    icon="split",
    summary="One text or list into items, each of which goes its own way",
    fields=(
        Field(name="text", title="Text", kind="longtext", required=True, accepts=(Medium.TEXT, Medium.JSON), arity="many"),
        Field(name="splitMode", title="Split by", kind="choice", default="text", choices=("text", "sentence", "words", "array", "json_path")),
        Field(name="numSegments", title="Segments", kind="integer", default=3, minimum=1, maximum=200),
        Field(name="maxWords", title="Words a segment", kind="integer", default=40, minimum=1, maximum=2000, advanced=True),
        Field(name="arrayPath", title="Path of the list", kind="text", default="", help="Such as scenes or data.items[*].text", advanced=True),
        MODEL, PROVIDER,
    ),
    outputs=(Output("segments", Medium.JSON, many=True), Output("items", Medium.TEXT, many=True), Output("totalSegments", Medium.NUMBER)),
    providers=(
        openai("gpt-6-luna", "gpt-4o-mini", cost_usd=0.002),
        local("Splits at sentences into parts of about equal length"),
    ),
    estimate_s=30,
)  # fmt: skip

IMAGE_OBJECT_REMOVAL: Final = NodeType(
    name="image_object_removal",
    title="Object Removal",
    category="processing",
    icon="eraser",
    summary="The picture without the thing",
    fields=(
        source("imageUrl", "Image", IMAGES),
        Field(name="description", title="What to remove", kind="text", accepts=TEXTS),
        source("maskUrl", "Mask", IMAGES, required=False),
        PROVIDER,
    ),
    outputs=(Output("imageUrl", Medium.IMAGE),),
    providers=(SERVICE, local("Inpainting under the mask: good on plain grounds, smeary on texture", ignores=("description",))),
    estimate_s=15,
)

IMAGE_REMOVE_BACKGROUND: Final = NodeType(
    name="image_remove_background",
    title="Remove Background",
    category="processing",
    icon="scissors",
    summary="The subject, cut out",
    fields=(
        source("imageUrl", "Image", IMAGES),
        Field(name="outputFormat", title="Format", kind="choice", default="PNG", choices=("PNG", "JPG")),
        colour("backgroundColor", "Colour behind it", "#ffffff"),
        PROVIDER,
    ),
    outputs=(Output("imageUrl", Medium.IMAGE),),
    providers=(SERVICE, local("GrabCut: clean where the subject stands apart from its ground")),
    estimate_s=10,
)


def _sounds(settings: Mapping[str, Json]) -> tuple[Output, ...]:
    audio = Output("audioUrl", Medium.AUDIO)
    return (audio, Output("videoUrl", Medium.VIDEO)) if settings.get("videoUrl") else (audio,)


VIDEO_SOUND_EFFECTS: Final = NodeType(
    name="video_sound_effects",
    title="Sound Effects",
    category="processing",
    icon="waves",
    summary="Sounds by description, laid under a video if there is one",
    fields=(
        Field(name="prompt", title="Sound", kind="longtext", default="whoosh", required=True, accepts=TEXTS),
        seconds(3, 0.2, 60),
        source("videoUrl", "Video", VIDEOS, required=False),
        SEED, PROVIDER,
    ),
    outputs=(Output("audioUrl", Medium.AUDIO), Output("videoUrl", Medium.VIDEO)),
    outputs_by=_sounds,
    providers=(SERVICE, local("Shaped noise and tones: whoosh, rain, wind, impact, beep")),
    estimate_s=30,
)  # fmt: skip

EDIT_VIDEO: Final = NodeType(
    name="edit_video",
    title="Edit Video",
    category="processing",
    icon="film",
    summary="Trim, crop, look, speech, music and subtitles; several scenes at once with \"aggregate items\"",
    fields=(
        Field(name="videoUrl", title="Video", kind="media", required=True, accepts=VIDEOS, arity="either"),
        Field(name="startTime", title="Start (s)", kind="number", minimum=0),
        Field(name="endTime", title="End (s)", kind="number", minimum=0),
        Field(name="cropRatio", title="Crop", kind="choice", default="None", choices=("None", "1:1", "16:9", "9:16")),
        Field(name="filter", title="Look", kind="choice", default="None", choices=("None", "Grayscale", "Sepia", "High Contrast")),
        Field(name="speechUrl", title="Speech", kind="media", accepts=AUDIOS, arity="either"),
        Field(name="speechVolume", title="Speech volume", kind="number", default=1.0, minimum=0, maximum=2, advanced=True),
        Field(name="musicUrl", title="Music", kind="media", accepts=AUDIOS),
        Field(name="musicVolume", title="Music volume", kind="number", default=0.3, minimum=0, maximum=2, advanced=True),
        Field(name="subtitleText", title="Subtitle", kind="longtext", accepts=TEXTS, arity="either"),
        Field(name="subtitlePosition", title="Subtitle position", kind="choice", default="bottom", choices=("top", "center", "bottom"), advanced=True),
        colour("subtitleColor", "Subtitle colour", "#ffffff"),
        Field(name="subtitleSize", title="Subtitle size", kind="integer", default=24, minimum=8, maximum=120, advanced=True),
        Field(name="transition", title="Transition", kind="choice", default="cross-fade", choices=("cut", "cross-fade", "slide", "zoom"), advanced=True),
    ),
    outputs=(Output("videoUrl", Medium.VIDEO), Output("duration", Medium.NUMBER)),
    providers=(local("ffmpeg"),),
    estimate_s=120,
)

TYPES: Final = (
    IMAGE_TO_IMAGE, FACE_SWAP, LIP_SYNC, ENHANCER, SPLIT_TEXT, IMAGE_OBJECT_REMOVAL, IMAGE_REMOVE_BACKGROUND, VIDEO_SOUND_EFFECTS, EDIT_VIDEO,
)  # fmt: skip
