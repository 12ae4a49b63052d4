"""
OpenAI, and every service that speaks its API (`OPENAI_BASE_URL`): texts, pictures, speech, and splitting a text by sense.

By OpenAI's own client, with its retries off: the orchestrator retries, and a request that may cost money is sent once.
Source: OpenAI's API as of November 2026, flow-builder.md §4.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from batuta_flows.assets.fetch import Fetcher
from batuta_flows.catalogue.models import model_of
from batuta_flows.errors import NodeFailed
from batuta_flows.providers import web
from batuta_flows.providers.local import text
from batuta_flows.providers.protocol import Desk, Done, Job, Waiting

if TYPE_CHECKING:
    from openai import OpenAI

Json = Any
WHO: Final = "OpenAI"
SPEECH_CHARS_MAX: Final = 4096
SPLIT_SECONDS: Final = 10
_NOT_OPENAI: Final = "If OPENAI_BASE_URL is set: does what is there speak OpenAI's API?"
_SIZES: Final = {"1:1": "1024x1024", "16:9": "1536x864", "9:16": "864x1536", "4:3": "1280x960", "3:4": "960x1280"}  # multiples of 16
_SPLIT: Final = (
    "Split the text of the user into exactly {count} parts that belong together, in order, without changing a word of it. Answer with JSON alone: "
    'a list of {{"index": number, "text": text, "duration": seconds it takes to say}}.'
)


class OpenAiAdapter:
    """The provider `openai`. Raises ImportError when OpenAI's client is not installed; it is loaded, which takes half a second, when it is first used."""

    id = "openai"

    def __init__(self, key: str, fetcher: Fetcher, *, base_url: str = "") -> None:
        if importlib.util.find_spec("openai") is None:
            raise ImportError("OpenAI's client is not installed", name="openai")
        self._key, self._fetcher, self._base_url = key, fetcher, base_url

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(api_key=self._key or "none", base_url=self._base_url or None, max_retries=0, timeout=600)

    def step(self, job: Job, state: Mapping[str, Json] | None, desk: Desk) -> Done | Waiting:
        """Do the whole job: OpenAI answers when it is done."""
        work: Callable[[Job, Desk], Done] | None = {
            "text_to_text": self._text, "text_to_image": self._image, "image_to_image": self._edit, "text_to_speech": self._speech,
            "split_text": self._split,
        }.get(job.type)  # fmt: skip
        if work is None:
            raise NodeFailed("not_available", f"OpenAI does not do {job.type}", fix="Choose another provider")
        import openai

        try:
            return work(job, desk)
        except openai.APITimeoutError as error:
            raise NodeFailed("timed_out", "OpenAI did not answer in time", fix=web.MAYBE_SENT) from error
        except openai.APIConnectionError as error:
            raise _unreached(error) from error
        except openai.APIStatusError as error:
            raise _fault(error) from error
        except (openai.OpenAIError, json.JSONDecodeError, binascii.Error) as error:
            raise NodeFailed("unreadable_answer", f"OpenAI's answer cannot be read: {error}", fix=_NOT_OPENAI) from error

    def cancel(self, job: Job, state: Mapping[str, Json]) -> None:
        """A request that is under way cannot be called back."""

    def _text(self, job: Job, desk: Desk) -> Done:
        system = str(job.settings.get("systemPrompt") or "")
        messages = [*([{"role": "system", "content": system}] if system else []), {"role": "user", "content": str(job.settings["prompt"])}]
        desk.submitting()
        answer = self._chat(job, messages, job.settings.get("temperature"), job.settings.get("maxTokens"))
        said = answer.choices[0].message.content if answer.choices else None
        if not said:
            why = answer.choices[0].finish_reason if answer.choices else "no answer"
            raise NodeFailed("refused_content" if why == "content_filter" else "unreadable_answer", f"OpenAI wrote nothing ({why})")
        tokens = answer.usage.total_tokens if answer.usage is not None else 0
        return Done({"text": said, "model": answer.model, "tokens": tokens}, answer.model, str(answer._request_id or ""), _cost_usd(job.model, answer.usage))

    def _chat(self, job: Job, messages: list[Json], temperature: Json, most: Json) -> Any:
        options: dict[str, Json] = {}
        if temperature is not None:
            options["temperature"] = temperature
        if most is not None:
            options["max_completion_tokens"] = most
        if job.model.startswith("gpt-6"):
            options["reasoning_effort"] = "none"  # at other efforts these models refuse a temperature
        return _read(self._client.chat.completions.create(model=job.model, messages=messages, **options), "choices")

    def _image(self, job: Job, desk: Desk) -> Done:
        size: Any = job.settings.get("size") or _SIZES.get(str(job.settings.get("aspectRatio")), "1536x864")
        desk.submitting()
        answer = self._client.images.generate(model=job.model, prompt=str(job.settings["prompt"]), size=size)
        made = {"prompt": job.settings["prompt"], "aspectRatio": job.settings.get("aspectRatio", "16:9")}
        return Done({**made, "imageUrl": self._kept(answer, desk)}, job.model, str(answer._request_id or ""))

    def _edit(self, job: Job, desk: Desk) -> Done:
        source = self._fetcher.asset(job.settings["imageUrl"], medium="image")
        path = desk.assets.path(source.address)
        assert path is not None
        desk.submitting()
        answer = self._client.images.edit(model=job.model, image=(source.name, path.read_bytes(), source.mime), prompt=str(job.settings["prompt"]))
        return Done({"imageUrl": self._kept(answer, desk), "originalUrl": source.address}, job.model, str(answer._request_id or ""))

    def _kept(self, answer: Any, desk: Desk) -> str:
        data = _read(answer, "data").data
        first = data[0] if data else None
        if first is not None and first.b64_json:
            return desk.assets.add_bytes(base64.b64decode(first.b64_json), medium="image").address
        if first is not None and first.url:
            return self._fetcher.asset(first.url, medium="image").address
        raise NodeFailed("unreadable_answer", "OpenAI answered without a picture")

    def _speech(self, job: Job, desk: Desk) -> Done:
        words = str(job.settings["text"])
        if len(words) > SPEECH_CHARS_MAX:
            raise NodeFailed("bad_input", f"the text has {len(words)} characters, OpenAI speaks at most {SPEECH_CHARS_MAX}", fix="Split it first")
        voice = str(job.settings.get("voice") or "alloy")
        desk.submitting()
        answer = self._client.audio.speech.create(model=job.model, voice=voice, input=words, response_format="mp3")
        asset = desk.assets.add_bytes(answer.read(), medium="audio")
        return Done({"audioUrl": asset.address, "text": words, "voice": voice}, job.model, answer.response.headers.get("x-request-id", ""))

    def _split(self, job: Job, desk: Desk) -> Done:
        mode, value = str(job.settings.get("splitMode", "text")), job.settings.get("text")
        values, count = value if isinstance(value, list) else [value], int(job.settings.get("numSegments", 3))
        if mode != "text":
            words_each, path = int(job.settings.get("maxWords", 40)), str(job.settings.get("arrayPath") or "")
            return _parts([{"text": item} for item in text.split(values, mode, segments=count, words=words_each, path=path)], "")
        desk.submitting()
        words = "\n".join(text.said(one) for one in values)
        messages = [{"role": "system", "content": _SPLIT.format(count=count)}, {"role": "user", "content": words}]
        answer = self._chat(job, messages, None, None)
        return _parts(_list_in(answer.choices[0].message.content or ""), answer.model)


def _cost_usd(model: str, usage: Any) -> float:
    """What an answer cost, by the tokens it says it took; 0 where that is not known."""
    known = model_of("openai", model)
    return known.tokens_usd(usage.prompt_tokens or 0, usage.completion_tokens or 0) if known is not None and usage is not None else 0.0


def _list_in(said: str) -> list[Json]:
    """The list that a model was asked for, wherever in its answer it stands."""
    found = re.search(r"\[.*\]", said, re.DOTALL)
    try:
        parts = json.loads(found[0]) if found else None
    except ValueError:
        parts = None
    if not isinstance(parts, list) or not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts) or not parts:
        raise NodeFailed("unreadable_answer", f"the model was asked for a JSON list of parts and wrote {said[:120]!r}", may_retry=True)
    return parts


def _parts(parts: list[Json], model: str) -> Done:
    segments = [{"index": i, "text": part["text"], "duration": part.get("duration", SPLIT_SECONDS)} for i, part in enumerate(parts)]
    return Done({"segments": segments, "items": [part["text"] for part in parts], "totalSegments": len(parts)}, model)


def _read(answer: Any, part: str) -> Any:
    """The answer, if it has this part: the client hands on whatever came, the page of a proxy too."""
    if not isinstance(getattr(answer, part, None), list | type(None)) or isinstance(answer, str):
        raise NodeFailed("unreadable_answer", f"OpenAI's answer cannot be read: {str(answer)[:200]!r}", fix=_NOT_OPENAI)
    return answer


def _unreached(error: Any) -> NodeFailed:
    """No connection: nothing was sent, and it may be tried again. One that broke: the request may have arrived."""
    cause = error.__cause__
    if type(cause).__name__ in ("ConnectError", "ConnectTimeout", "PoolTimeout"):
        return NodeFailed("provider_down", f"OpenAI cannot be reached: {cause}", may_retry=True)
    return NodeFailed("provider_down", f"the connection to OpenAI broke: {cause or error}", fix=web.MAYBE_SENT)


def _fault(error: Any) -> NodeFailed:
    """What an error of OpenAI means for a node."""
    message = error.body.get("message") if isinstance(error.body, dict) and error.body.get("message") else error.message
    if error.code == "insufficient_quota":
        return web.fault(WHO, error.status_code, str(message), code="quota", may_retry=False)
    if error.code in ("content_policy_violation", "moderation_blocked"):
        return web.fault(WHO, error.status_code, str(message), code="refused_content", may_retry=False)
    return web.fault(WHO, error.status_code, str(message), headers=error.response.headers)
