"""
fal.ai, by its queue: submit, ask, fetch. Every step is one or two short requests; between steps nobody waits, and what was submitted is remembered.

Spoken to over plain HTTP: fal's own client sends a submission again by itself (up to ten times), which may pay for one picture several times.
Source: fal's queue API as of November 2026, flow-builder.md §4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from batuta_flows.assets.fetch import Fetcher
from batuta_flows.errors import NodeFailed
from batuta_flows.providers import web
from batuta_flows.providers.protocol import Desk, Done, Job, Waiting

Json = Any
WHO: Final = "fal"
ASK_FIRST_S, ASK_GROWTH, ASK_MOST_S = 1.0, 1.5, 10.0
FRAMES_A_SECOND: Final = 24


class FalAdapter:
    """The provider `fal`. *fetcher*: how results, and media that a flow names, are brought here."""

    id = "fal"

    def __init__(self, key: str, fetcher: Fetcher, *, queue_url: str) -> None:
        self._headers = {"Authorization": f"Key {key}"}
        self._fetcher, self._queue_url, self._http = fetcher, queue_url.rstrip("/"), web.pool(60)

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        """Submit the job, or ask after it."""
        if state is None:
            return self._submitted(job, desk)
        found = self._asked("GET", str(state["status_url"]))
        match found.get("status"):
            case "IN_QUEUE":
                place = found.get("queue_position")
                return self._again(state, f"{int(place) + 1}. in the queue" if isinstance(place, int) else "in the queue", None)
            case "IN_PROGRESS":
                return self._again(state, "at work", 0.5)
            case "COMPLETED":
                if found.get("error"):
                    raise _fault(422, {"error_type": found.get("error_type")}, str(found["error"]))
                return self._fetched(job, state)
        raise NodeFailed("unreadable_answer", f"fal says {found.get('status')!r} of the request, which nobody knows", may_retry=True)

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        """Take the request out of the queue, or stop it. One that has ended cannot be cancelled, and that is all right."""
        try:
            web.ask(self._http, "PUT", str(state["cancel_url"]), who=WHO, headers=self._headers)
        except NodeFailed:
            pass  # it ends by itself; nobody will fetch it

    def _submitted(self, job: Job, desk: Desk) -> Waiting:
        arguments = _ARGUMENTS[job.type](job, lambda value: web.data_uri(desk.assets, self._fetcher.asset(value).address))
        desk.submitting()
        status, headers, found = web.ask(
            self._http, "POST", f"{self._queue_url}/{job.model}", who=WHO, headers=self._headers, body=arguments, is_paid=True
        )
        if status not in (200, 201, 202):
            raise _fault(status, headers, found)
        try:
            state = {name: found[name] for name in ("request_id", "status_url", "response_url", "cancel_url")}
        except (KeyError, TypeError):
            raise NodeFailed("unreadable_answer", f"fal took the request, but its answer cannot be read: {found!r:.200}") from None
        if not all(self._is_fal(state[name]) for name in ("status_url", "response_url", "cancel_url")):
            raise NodeFailed("unreadable_answer", "fal took the request, and says to ask for it elsewhere, where the key is not sent")
        desk.log(f"fal request {state['request_id']}")
        return Waiting({**state, "asked": 0}, ASK_FIRST_S, None, "submitted")

    def _is_fal(self, url: Json) -> bool:
        """Whether an address is fal's, or that of the proxy before it: the key goes nowhere else."""
        parts, ours = urlsplit(str(url)), urlsplit(self._queue_url)
        return (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc) or (parts.scheme == "https" and f".{parts.hostname}".endswith(".fal.run"))

    def _again(self, state: Mapping[str, Json], note: str, progress: float | None) -> Waiting:
        asked = int(state.get("asked", 0)) + 1
        return Waiting({**state, "asked": asked}, min(ASK_MOST_S, ASK_FIRST_S * ASK_GROWTH**asked), progress, note)

    def _fetched(self, job: Job, state: Mapping[str, Json]) -> Done:
        found = self._asked("GET", str(state["response_url"]))
        port, medium, path = _RESULTS[job.type]
        url: Json = found
        for name in path:
            url = url[name] if isinstance(url, dict) and name in url else url[0] if name == 0 and isinstance(url, list) and url else None
        if not isinstance(url, str):
            raise NodeFailed("unreadable_answer", f"fal's result has no {'.'.join(map(str, path))}: {found!r:.200}")
        asset = self._fetcher.asset(url, medium=medium)
        return Done({**_echo(job), port: asset.address}, job.model, str(state.get("request_id", "")))

    def _asked(self, method: str, url: str) -> dict[str, Json]:
        status, headers, found = web.ask(self._http, method, url, who=WHO, headers=self._headers)
        if status not in (200, 202):
            raise _fault(status, headers, found)
        if not isinstance(found, dict):
            raise NodeFailed("unreadable_answer", f"fal answered with no object: {found!r:.200}", may_retry=True)
        return found


def _fault(status: int, headers: Mapping[str, Json], found: Json) -> NodeFailed:
    """What an error of fal means: by its type and its headers, never by its words."""
    detail = found.get("detail") if isinstance(found, dict) else found
    kind = str(headers.get("x-fal-error-type") or headers.get("error_type") or (found.get("error_type") if isinstance(found, dict) else "") or "")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        kind = kind or str(detail[0].get("type") or "")
        message = "; ".join(f"{'.'.join(map(str, one.get('loc', [])[1:]))}: {one.get('msg')}".strip(": ") for one in detail)
    else:
        message = str(detail or found)
    if "content_policy" in kind or "nsfw" in kind:
        return web.fault(WHO, 422, message, code="refused_content", may_retry=False)
    retryable = headers.get("x-fal-retryable")
    return web.fault(WHO, status, message, headers=headers, may_retry=retryable == "true" if retryable is not None else None)


# -- what each type sends and gets -------------------------------------------------------------------------------------------------

Uri = Callable[[Json], str]
_IMAGE_SIZES: Final = {"1:1": "square_hd", "16:9": "landscape_16_9", "9:16": "portrait_16_9", "4:3": "landscape_4_3", "3:4": "portrait_4_3"}


def _image(job: Job, uri: Uri) -> Json:
    width, _, height = str(job.settings.get("size") or "").partition("x")
    given = {"width": int(width), "height": int(height)} if width.isdigit() and height.isdigit() else None
    return {"prompt": job.settings["prompt"], "image_size": given or _IMAGE_SIZES.get(str(job.settings.get("aspectRatio")), "landscape_16_9"), "seed": job.seed}


def _video(job: Job, uri: Uri) -> Json:
    said = f"{job.settings['prompt']}, {str(job.settings.get('style', '')).lower()} style" if job.settings.get("style") else job.settings["prompt"]
    resolution = "480p" if job.settings.get("resolution") == "480p" else "720p"
    return {"prompt": said, "num_frames": _frames(job), "resolution": resolution, "aspect_ratio": job.settings.get("aspectRatio", "16:9"), "seed": job.seed}


def _moving(job: Job, uri: Uri) -> Json:
    return {"image_url": uri(job.settings["imageUrl"]), "prompt": job.settings.get("prompt", ""), "num_frames": _frames(job), "seed": job.seed}


def _frames(job: Job) -> int:
    return max(9, min(1441, round(float(job.settings.get("duration", 5)) * FRAMES_A_SECOND)))


def _music(job: Job, uri: Uri) -> Json:
    tempo = f", {job.settings['tempo']} BPM" if job.settings.get("tempo") else ""
    return {"prompt": f"{job.settings['prompt']}{tempo}", "seconds_total": round(min(47.0, float(job.settings.get("duration", 30)))), "seed": job.seed}


def _speech(job: Job, uri: Uri) -> Json:
    return {"input": job.settings["text"], "voice": job.settings.get("voice") or "Jennifer (English (US)/American)"}


def _lips(job: Job, uri: Uri) -> Json:
    return {"video_url": uri(job.settings["videoUrl"]), "audio_url": uri(job.settings["audioUrl"]), "sync_mode": "cut_off"}


_ARGUMENTS: Final[Mapping[str, Callable[[Job, Uri], Json]]] = {
    "text_to_image": _image, "text_to_video": _video, "image_to_video": _moving, "text_to_music": _music, "text_to_speech": _speech,
    "lip_sync": _lips,
}  # fmt: skip
_RESULTS: Final[Mapping[str, tuple[str, str, tuple[str | int, ...]]]] = {
    "text_to_image": ("imageUrl", "image", ("images", 0, "url")),
    "text_to_video": ("videoUrl", "video", ("video", "url")),
    "image_to_video": ("videoUrl", "video", ("video", "url")),
    "text_to_music": ("audioUrl", "audio", ("audio_file", "url")),
    "text_to_speech": ("audioUrl", "audio", ("audio", "url")),
    "lip_sync": ("videoUrl", "video", ("video", "url")),
}


def _echo(job: Job) -> dict[str, Json]:
    """Outputs that are what went in."""
    names = {"text_to_image": ("prompt", "aspectRatio"), "text_to_speech": ("text", "voice")}.get(job.type, ("prompt", "duration"))
    found = {name: job.settings[name] for name in names if name in job.settings}
    return {**found, "sourceImage": job.settings["imageUrl"]} if job.type == "image_to_video" else found
