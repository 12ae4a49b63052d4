"""
This machine's adapter: which function does which type of node. Everything is done in one step; nothing waits, nothing is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from batuta_flows import ffmpeg
from batuta_flows.assets.fetch import Fetcher
from batuta_flows.assets.store import Asset
from batuta_flows.errors import NodeFailed
from batuta_flows.providers.local import text
from batuta_flows.providers.protocol import Desk, Done, Job, Waiting

Json = Any
ENHANCED_SIDE_MAX: Final = 3840


class LocalAdapter:
    """The provider `local`. *fetcher*: how media that a flow names are brought here."""

    id = "local"

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        """Do the whole job."""
        work = _WORK.get(job.type)
        if work is None:
            raise NodeFailed("not_available", f"this machine cannot do {job.type}", fix="Choose a provider that can")
        try:
            return Done(work(_Bench(self._fetcher, job, desk)))
        except ImportError as error:
            raise NodeFailed("not_available", f"a part is missing: {error.name}", fix="pip install 'batuta[flows]'") from error

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        """Nothing of this machine's outlives its step."""


class _Bench:
    """One job, with what its function needs at hand."""

    def __init__(self, fetcher: Fetcher, job: Job, desk: Desk) -> None:
        self._fetcher, self.job, self.desk = fetcher, job, desk
        self.given = job.settings

    def text(self, name: str = "prompt") -> str:
        return text.said(self.given[name]) if self.given.get(name) is not None else ""

    def number(self, name: str, default: float = 0.0) -> float:
        value = self.given.get(name)
        return float(value) if isinstance(value, int | float) else default

    def asset(self, value: Json, medium: str) -> Asset:
        return self._fetcher.asset(value, medium=medium)

    def file(self, value: Json, medium: str) -> Path:
        """Where the medium lies; fetched first when it is elsewhere."""
        found = self.desk.assets.path(self.asset(value, medium).address)
        assert found is not None
        return found

    def picture(self, value: Json) -> Any:
        """The picture, decoded. Raises NodeFailed when it cannot be."""
        from PIL import Image

        try:
            with Image.open(self.file(value, "image")) as image:
                image.load()
                return image
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow's words for what is broken or too large
            raise NodeFailed("bad_input", f"the picture cannot be read: {error}") from error

    def files(self, name: str, medium: str) -> list[Path | None]:
        value = self.given.get(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        return [None if one in (None, "") else self.file(one, medium) for one in values]

    def room(self, name: str) -> Path:
        return self.desk.directory / name

    def keep(self, path: Path, medium: str) -> str:
        return self.desk.assets.add_file(path, medium=medium).address

    def told(self, share: float) -> None:
        self.desk.progress(share)

    @property
    def film_options(self) -> dict[str, Any]:
        return {"told": self.told, "is_cancelled": lambda: self.desk.is_cancelled}


Output = dict[str, Json]


def _text(bench: _Bench) -> Output:
    said = text.write(bench.text(), bench.job.seed)
    return {"text": said, "model": "sample writer", "tokens": len(said.split())}


def _split(bench: _Bench) -> Output:
    given, value = bench.given, bench.given.get("text")
    values = value if isinstance(value, list) else [value]
    items = text.split(
        values, str(given.get("splitMode", "text")), segments=int(given.get("numSegments", 3)), words=int(given.get("maxWords", 40)),
        path=str(given.get("arrayPath") or ""),
    )  # fmt: skip
    segments = [{"index": i, "text": item, "duration": max(3, round(len(item.split()) / 2.4))} for i, item in enumerate(items)]
    return {"segments": segments, "items": items, "totalSegments": len(items)}


def _uploads(bench: _Bench) -> Output:
    medium = {"Image": "image", "Video": "video", "Audio": "audio"}.get(str(bench.given.get("assetType")), "")
    given = bench.given.get("files")
    kept = [bench.asset(value, medium) for value in (given if isinstance(given, list) else [given])]
    return {"files": [asset.address for asset in kept], "totalFiles": len(kept)}


def _picture(bench: _Bench) -> Output:
    from batuta_flows.providers.local import picture

    aspect = str(bench.given.get("aspectRatio") or "16:9")
    drawn, target = picture.draw(bench.text(), bench.job.seed, picture.size_of(aspect, str(bench.given.get("size") or ""))), bench.room("picture.png")
    drawn.save(target, "PNG", pnginfo=_embedded(bench))
    return {"imageUrl": bench.keep(target, "image"), "prompt": bench.text(), "aspectRatio": aspect}


def _embedded(bench: _Bench) -> Any:
    """How a picture came about, inside it: whoever has the file can make it again."""
    import json

    from PIL.PngImagePlugin import PngInfo

    found = PngInfo()
    found.add_text("batuta-flow", json.dumps({"type": bench.job.type, "settings": bench.given, "seed": bench.job.seed}, ensure_ascii=True))
    return found


def _clip(bench: _Bench) -> Output:
    from batuta_flows.providers.local import film, picture

    height = film.HEIGHTS.get(str(bench.given.get("resolution")), 720)
    width, tall = picture.size_of(str(bench.given.get("aspectRatio") or "16:9"))
    size = (round(width / tall * height) // 2 * 2, height) if width >= tall else (height, round(tall / width * height) // 2 * 2)
    still, target, seconds = bench.room("still.png"), bench.room("clip.mp4"), bench.number("duration", 5)
    picture.draw(f"{bench.text()} {bench.given.get('style', '')}", bench.job.seed, (size[0], size[1])).save(still)
    film.pan(still, target, seconds, size, bench.job.seed, **bench.film_options)
    return {"videoUrl": bench.keep(target, "video"), "prompt": bench.text(), "duration": seconds}


def _moved(bench: _Bench) -> Output:
    from PIL import Image

    from batuta_flows.providers.local import film, looks

    source, still = bench.asset(bench.given.get("imageUrl"), "image"), bench.room("still.png")
    target, seconds = bench.room("clip.mp4"), bench.number("duration", 5)
    image = Image.fromarray(looks.pixels_of(bench.picture(source.address)), "RGB")
    image.save(still)
    scale = min(1.0, 1280 / max(image.size))
    width, height = (max(16, round(side * scale) // 2 * 2) for side in image.size)
    film.pan(still, target, seconds, (width, height), bench.job.seed, **bench.film_options)
    return {"videoUrl": bench.keep(target, "video"), "sourceImage": source.address, "duration": seconds}


def _music(bench: _Bench) -> Output:
    from batuta_flows.providers.local import music

    target, seconds = bench.room("music.wav"), bench.number("duration", 30)
    music.compose(bench.text(), bench.job.seed, seconds, target, tempo=int(bench.number("tempo")))
    return {"audioUrl": bench.keep(target, "audio"), "prompt": bench.text(), "duration": seconds}


def _speech(bench: _Bench) -> Output:
    from batuta_flows.providers.local import voice

    target = bench.room("speech.wav")
    seconds, spoken = voice.speak(bench.text("text"), target, voice=str(bench.given.get("voice") or ""), language=str(bench.given.get("language") or ""))
    return {"audioUrl": bench.keep(target, "audio"), "text": bench.text("text"), "voice": spoken, "duration": round(seconds, 2)}


def _avatar(bench: _Bench) -> Output:
    from PIL import Image

    from batuta_flows.providers.local import lips, presenter, voice

    speech, target = bench.room("speech.wav"), bench.room("avatar.mp4")
    voice.speak(bench.text("script"), speech, voice=str(bench.given.get("voice") or ""))
    if bench.given.get("avatarUrl"):
        seconds, method = lips.speak(bench.file(bench.given["avatarUrl"], "image"), speech, target, **bench.film_options)
        return {"videoUrl": bench.keep(target, "video"), "duration": round(seconds, 2), "method": method}
    ground = Image.new("RGB", presenter.SIZE, str(bench.given.get("backgroundColor") or "#dfe7f1"))
    if bench.given.get("background") == "Image" and bench.given.get("backgroundUrl"):
        ground = bench.picture(bench.given["backgroundUrl"])
    seconds = presenter.present(str(bench.given.get("avatar") or ""), ground, speech, target, **bench.film_options)
    return {"videoUrl": bench.keep(target, "video"), "duration": round(seconds, 2), "method": "drawn presenter"}


def _lips(bench: _Bench) -> Output:
    from batuta_flows.providers.local import lips

    film, voice, target = bench.file(bench.given.get("videoUrl"), "video"), bench.file(bench.given.get("audioUrl"), "audio"), bench.room("film.mp4")
    seconds, method = lips.speak(film, voice, target, **bench.film_options)
    return {"videoUrl": bench.keep(target, "video"), "duration": round(seconds, 2), "method": method}


def _swapped(bench: _Bench) -> Output:
    from PIL import Image

    from batuta_flows.providers.local import faces, looks

    pictures, found, target = [], [], bench.room("picture.png")
    for name in ("targetImageUrl", "sourceImageUrl"):
        pictures.append(looks.pixels_of(bench.picture(bench.given.get(name))))
        found.append(faces.find(pictures[-1]))
    onto, face = (face or faces.in_the_middle(picture) for face, picture in zip(found, pictures, strict=True))
    made = faces.swapped(pictures[0], onto, pictures[1], face, enhance=bool(bench.given.get("faceEnhance")))
    Image.fromarray(made, "RGB").save(target)
    missing = " and ".join(word for word, one in zip(("picture", "face"), found, strict=True) if one is None)
    method = f"by the middle: no face was found in the {missing}" if missing else "by eyes and mouth"
    return {"imageUrl": bench.keep(target, "image"), "method": method}


def _restyled(bench: _Bench) -> Output:
    from batuta_flows.providers.local import looks

    source, target = bench.asset(bench.given.get("imageUrl"), "image"), bench.room("picture.png")
    made, look = looks.restyled(bench.picture(source.address), bench.text(), bench.number("strength", 0.6))
    made.save(target)
    return {"imageUrl": bench.keep(target, "image"), "originalUrl": source.address, "look": look}


def _enhanced(bench: _Bench) -> Output:
    from batuta_flows.providers.local import looks

    factor, denoise = int(str(bench.given.get("upscaleFactor") or "2x")[0]), bench.number("denoiseStrength")
    if bench.given.get("mediaType") == "Video":
        source, target = bench.asset(bench.given.get("sourceUrl"), "video"), bench.room("film.mp4")
        probed = ffmpeg.probe(bench.file(source.address, "video"))
        if not probed.width:
            raise NodeFailed("bad_input", "there is no picture in the video")
        scale = min(factor, ENHANCED_SIDE_MAX / max(probed.width, probed.height))
        width, height = (max(16, round(side * scale) // 2 * 2) for side in (probed.width, probed.height))
        filters = [f"hqdn3d={4 * denoise:.2f}"] if denoise else []
        filters += [f"scale={width}:{height}:flags=lanczos", "setsar=1", "unsharp=5:5:0.6"]
        source_file = bench.file(source.address, "video")
        maps = ["-map", "0:v:0", "-map", "0:a:0?", "-vf", ",".join(filters)]
        ffmpeg.run(["-i", source_file, *maps, *ffmpeg.MP4, target], seconds=probed.seconds, **bench.film_options)
        return {"videoUrl": bench.keep(target, "video"), "sourceUrl": source.address}
    source, target = bench.asset(bench.given.get("sourceUrl"), "image"), bench.room("picture.png")
    looks.enlarged(bench.picture(source.address), factor, denoise).save(target)
    return {"imageUrl": bench.keep(target, "image"), "sourceUrl": source.address}


def _cut_out(bench: _Bench) -> Output:
    from batuta_flows.providers.local import looks

    is_jpeg = bench.given.get("outputFormat") == "JPG"
    target = bench.room("picture.jpg" if is_jpeg else "picture.png")
    made = looks.cut_out(bench.picture(bench.given.get("imageUrl")), str(bench.given.get("backgroundColor") or "#ffffff") if is_jpeg else None)
    made.save(target, quality=92) if is_jpeg else made.save(target)
    return {"imageUrl": bench.keep(target, "image")}


def _removed(bench: _Bench) -> Output:
    from batuta_flows.providers.local import looks

    target = bench.room("picture.png")
    mask = bench.picture(bench.given["maskUrl"]) if bench.given.get("maskUrl") else None
    looks.without(bench.picture(bench.given.get("imageUrl")), mask).save(target)
    return {"imageUrl": bench.keep(target, "image")}


def _noise(bench: _Bench) -> Output:
    from batuta_flows.providers.local import film, noises

    target, seconds = bench.room("noise.wav"), bench.number("duration", 3)
    name = noises.make(bench.text(), bench.job.seed, seconds, target)
    made: Output = {"audioUrl": bench.keep(target, "audio"), "sound": name}
    if bench.given.get("videoUrl"):
        clip, under = bench.file(bench.given["videoUrl"], "video"), bench.room("film.mp4")
        film.edit(film.Edit(clips=[clip], speeches=[None], subtitles=[""], music=target, music_volume=1.0), under, bench.desk.directory, **bench.film_options)
        made["videoUrl"] = bench.keep(under, "video")
    return made


def _edited(bench: _Bench) -> Output:
    from batuta_flows.providers.local import film

    clips = [clip for clip in bench.files("videoUrl", "video") if clip is not None]
    if not clips:
        raise NodeFailed("bad_input", "No input video(s) provided")
    given, said = bench.given, bench.given.get("subtitleText")
    subtitles = [text.said(one) if one is not None else "" for one in (said if isinstance(said, list) else [said])]
    target = bench.room("film.mp4")
    wanted = film.Edit(
        clips=clips,
        speeches=_as_many(bench.files("speechUrl", "audio"), len(clips), None),
        subtitles=_as_many(subtitles, len(clips), ""),
        music=bench.file(given["musicUrl"], "audio") if given.get("musicUrl") else None,
        start=bench.number("startTime"),
        end=bench.number("endTime"),
        crop=str(given.get("cropRatio") or "None"),
        look=str(given.get("filter") or "None"),
        speech_volume=bench.number("speechVolume", 1.0),
        music_volume=bench.number("musicVolume", 0.3),
        position=str(given.get("subtitlePosition") or "bottom"),
        colour=str(given.get("subtitleColor") or "#ffffff"),
        subtitle_size=int(bench.number("subtitleSize", 24)),
        transition=str(given.get("transition") or "cut"),
    )
    seconds = film.edit(wanted, target, bench.desk.directory, **bench.film_options)
    return {"videoUrl": bench.keep(target, "video"), "duration": round(seconds, 2)}


def _as_many(found: list[Any], count: int, nothing: Any) -> list[Any]:
    """One entry a clip. Fewer or more than there are clips is somebody's mistake, except one alone, which belongs to the first."""
    if len(found) > count or 1 < len(found) < count:
        raise NodeFailed("bad_input", f"{count} clips go with {len(found)} speeches or subtitles; expected as many")
    return [*found, *[nothing] * (count - len(found))]


def _merged(bench: _Bench) -> Output:
    from batuta_flows.providers.local import film

    clips = [clip for clip in bench.files("clips", "video") if clip is not None]
    if not clips:
        raise NodeFailed("bad_input", "No video clips to merge")
    target = bench.room("film.mp4")
    wanted = film.Edit(
        clips=clips, speeches=[None] * len(clips), subtitles=[""] * len(clips), transition=str(bench.given.get("transition") or "cut"),
        transition_s=bench.number("transitionDuration", 0.5), music=bench.file(bench.given["bgmUrl"], "audio") if bench.given.get("bgmUrl") else None,
        music_volume=bench.number("bgmVolume", 0.3),
    )  # fmt: skip
    seconds = film.edit(wanted, target, bench.desk.directory, **bench.film_options)
    return {"videoUrl": bench.keep(target, "video"), "clipsMerged": len(clips), "duration": round(seconds, 2)}


_WORK: Final[Mapping[str, Callable[[_Bench], Output]]] = {
    "upload_files": _uploads,
    "text_to_text": _text,
    "text_to_image": _picture,
    "text_to_video": _clip,
    "text_to_music": _music,
    "text_to_speech": _speech,
    "image_to_video": _moved,
    "ai_avatar": _avatar,
    "image_to_image": _restyled,
    "face_swap": _swapped,
    "lip_sync": _lips,
    "enhancer": _enhanced,
    "split_text": _split,
    "image_object_removal": _removed,
    "image_remove_background": _cut_out,
    "video_sound_effects": _noise,
    "edit_video": _edited,
    "clip_merger": _merged,
}
