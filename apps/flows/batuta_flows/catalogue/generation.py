"""What makes media out of words, or media out of a medium and words."""

from __future__ import annotations

from typing import Final

from batuta_flows.catalogue.base import Field, Medium, NodeType, Output
from batuta_flows.catalogue.parts import ASPECT, IMAGES, MODEL, PROVIDER, SEED, SERVICE, SIZE, TEXTS, colour, fal, local, openai, prompts, seconds, source

TEXT_TO_TEXT: Final = NodeType(
    name="text_to_text",
    title="Text to Text",
    category="generation",
    icon="text",
    summary="Words in, words out: stories, scripts, prompts for other nodes",
    fields=(
        *prompts("Write a short creative story."),
        Field(name="systemPrompt", title="System message", kind="longtext", default="", accepts=TEXTS),
        Field(name="temperature", title="Temperature", kind="number", default=0.7, minimum=0, maximum=1),
        Field(name="maxTokens", title="Most tokens", kind="integer", minimum=1, maximum=32_000, advanced=True),
        MODEL, SEED, PROVIDER,
    ),
    outputs=(Output("text", Medium.TEXT), Output("model", Medium.TEXT), Output("tokens", Medium.NUMBER)),
    providers=(
        openai("gpt-6-luna", "gpt-4o-mini", "gpt-4o", cost_usd=0.002, ignores=("seed",)),
        local("An offline sample writer: a seeded grammar, good enough to try a flow", ignores=("temperature", "systemPrompt", "maxTokens")),
    ),
    estimate_s=10,
)  # fmt: skip

TEXT_TO_IMAGE: Final = NodeType(
    name="text_to_image",
    version=2,
    title="Text to Image",
    category="generation",
    icon="image",
    summary="A picture of what the prompt says",
    fields=(
        *prompts("A beautiful landscape"),
        Field(name="negativePrompt", title="Negative prompt", kind="longtext", accepts=TEXTS, advanced=True),
        ASPECT,
        SIZE, MODEL, SEED, PROVIDER,
    ),
    outputs=(Output("imageUrl", Medium.IMAGE), Output("prompt", Medium.TEXT), Output("aspectRatio", Medium.TEXT)),
    providers=(
        fal("fal-ai/z-image/turbo", "fal-ai/flux/schnell", cost_usd=0.005, ignores=("negativePrompt",)),
        openai("gpt-image-2", "gpt-image-2.6-flare", "gpt-image-2.6-sunburst", cost_usd=0.04, ignores=("negativePrompt", "seed")),
        local("A drawing program: landscapes, portraits, objects and posters that follow the words", ignores=("negativePrompt",)),
    ),
    estimate_s=30,
)  # fmt: skip

TEXT_TO_VIDEO: Final = NodeType(
    name="text_to_video",
    version=2,
    title="Text to Video",
    category="generation",
    icon="video",
    summary="A short clip of what the prompt says",
    fields=(
        *prompts("A cinematic scene"),
        seconds(5, 1, 60),
        Field(name="resolution", title="Resolution", kind="choice", default="720p", choices=("480p", "720p", "1080p", "4K")),
        Field(name="style", title="Style", kind="choice", default="Cinematic", choices=("Realistic", "Cinematic", "Anime", "3D")),
        ASPECT, MODEL, SEED, PROVIDER,
    ),
    outputs=(Output("videoUrl", Medium.VIDEO), Output("prompt", Medium.TEXT), Output("duration", Medium.NUMBER)),
    providers=(
        fal("fal-ai/ltxv-13b-098-distilled", "fal-ai/wan/v2.1/text-to-video", cost_usd=0.1),
        local("A drawn picture with a slow camera move"),
    ),
    estimate_s=300,
)  # fmt: skip

TEXT_TO_MUSIC: Final = NodeType(
    name="text_to_music",
    title="Text to Music",
    category="generation",
    icon="music",
    summary="Music in the mood of the prompt",
    fields=(
        *prompts("Upbeat electronic music"),
        seconds(30, 1, 190),
        Field(name="tempo", title="Tempo (BPM)", kind="integer", minimum=40, maximum=220),
        MODEL, SEED, PROVIDER,
    ),
    outputs=(Output("audioUrl", Medium.AUDIO), Output("prompt", Medium.TEXT), Output("duration", Medium.NUMBER)),
    providers=(fal("fal-ai/stable-audio", cost_usd=0.02), local("A small synthesizer: pads, arpeggio, bass")),
    estimate_s=180,
)  # fmt: skip

TEXT_TO_SPEECH: Final = NodeType(
    name="text_to_speech",
    title="Text to Speech",
    category="generation",
    icon="voice",
    summary="The text, spoken",
    fields=(
        Field(name="text", title="Text", kind="longtext", default="Hello world", required=True, accepts=TEXTS),
        Field(name="voice", title="Voice", kind="text", help="Empty: the provider's default"),
        Field(name="language", title="Language", kind="text", help="Such as en, de, fr; empty: the voice's own"),
        Field(name="stability", title="Stability", kind="number", minimum=0, maximum=1, advanced=True),
        MODEL, PROVIDER,
    ),
    outputs=(Output("audioUrl", Medium.AUDIO), Output("text", Medium.TEXT), Output("voice", Medium.TEXT), Output("duration", Medium.NUMBER)),
    providers=(
        fal("fal-ai/playai/tts/v3", cost_usd=0.02, ignores=("language", "stability")),
        openai("tts-1", "gpt-4o-mini-tts", cost_usd=0.01, ignores=("language", "stability")),
        local("espeak-ng, a formant synthesizer: clear, and clearly a machine", ignores=("stability",)),
    ),
    estimate_s=20,
)  # fmt: skip

IMAGE_TO_VIDEO: Final = NodeType(
    name="image_to_video",
    title="Image to Video",
    category="generation",
    icon="clip",
    summary="The picture, in motion",
    fields=(
        source("imageUrl", "Image", IMAGES),
        Field(name="prompt", title="Motion", kind="longtext", default="gentle animation with subtle movement", accepts=TEXTS),
        seconds(5, 1, 60),
        Field(name="motionBucket", title="Motion bucket", kind="integer", minimum=1, maximum=255, advanced=True),
        MODEL, SEED, PROVIDER,
    ),
    outputs=(Output("videoUrl", Medium.VIDEO), Output("sourceImage", Medium.IMAGE), Output("duration", Medium.NUMBER)),
    providers=(
        fal("fal-ai/ltxv-13b-098-distilled/image-to-video", "fal-ai/wan/v2.1/image-to-video", cost_usd=0.1, ignores=("motionBucket",)),
        local("A slow camera move over the picture"),
    ),
    estimate_s=120,
)  # fmt: skip

AI_AVATAR: Final = NodeType(
    name="ai_avatar",
    version=2,
    title="AI Avatar",
    category="generation",
    icon="avatar",
    summary="A presenter who speaks the script",
    fields=(
        Field(name="avatar", title="Avatar", kind="choice", default="Predefined 1", choices=("Predefined 1", "Predefined 2", "Custom")),
        source("avatarUrl", "Own avatar", IMAGES, required=False),
        Field(name="script", title="Script", kind="longtext", default="Hello, and welcome.", required=True, accepts=TEXTS),
        Field(name="voice", title="Voice", kind="text", advanced=True),
        Field(name="background", title="Background", kind="choice", default="Solid", choices=("Transparent", "Solid", "Image")),
        colour("backgroundColor", "Background colour", "#dfe7f1"),
        source("backgroundUrl", "Background image", IMAGES, required=False),
        PROVIDER,
    ),
    outputs=(Output("videoUrl", Medium.VIDEO), Output("duration", Medium.NUMBER)),
    providers=(SERVICE, local("A drawn presenter, or your picture, whose mouth follows an espeak-ng voice")),
    estimate_s=180,
)  # fmt: skip

TYPES: Final = (TEXT_TO_TEXT, TEXT_TO_IMAGE, TEXT_TO_VIDEO, TEXT_TO_MUSIC, TEXT_TO_SPEECH, IMAGE_TO_VIDEO, AI_AVATAR)
