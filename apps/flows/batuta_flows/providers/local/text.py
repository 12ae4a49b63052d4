"""
The sample writer and the splitter: texts without a language model, so that a flow can be tried before a key is there.

The writer finds what the prompt is about and what is asked for (a story, narration, prompts for pictures) and fills a seeded grammar. The splitter cuts at
sentences, words or list items, and never in the middle of a word.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any, Final

from batuta_flows.errors import NodeFailed

Json = Any
_STOP: Final = frozenset(
    "a an the and or of for in on at to with about into from by as is are be was were this that these those it its his her their our your my me you we they"
    " write create make generate short long very please story tale text script creative one two three scene scenes image picture video prompt narration"
    " describe description paint draw show tell give using use style like some any each every then than so but not no".split()
)
_PLACES: Final = ("a quiet valley", "an old harbour", "the edge of a forest", "a city of glass", "a mountain village", "a wide shore")
_TIMES: Final = ("At dawn", "One evening", "In the first light of morning", "Late in autumn", "On the longest night", "After the rain")
_TURNS: Final = ("found a door nobody had opened", "heard a song from far away", "followed a trail of light", "met a stranger with a lantern")
_ENDS: Final = ("and nothing was quite the same again", "and the way home was shorter than before", "and the whole place began to glow")
_STYLES: Final = ("golden hour light", "soft mist", "wide angle", "rich detail", "calm composition", "cinematic depth")
_SENTENCE: Final = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]*[A-ZÀ-ÖØ-Þ0-9])")
WORDS_MAX: Final = 100_000


def write(prompt: str, seed: int) -> str:
    """A text that suits the prompt, as far as a grammar can."""
    chance = random.Random(f"{seed}/{prompt}")
    words = keywords(prompt)
    about = " ".join(words[:3]) or "a small wonder"
    asked = prompt.lower()
    if re.search(r"(image|picture|photo|video|visual)\s+prompt|prompt for|paint|illustrat", asked):
        return f"{' '.join(words[:8]) or about}, {', '.join(chance.sample(_STYLES, 3))}"
    if re.search(r"\b(narrat|voice ?over|spoken|say)", asked):
        return " ".join(sentences(prompt)[-2:]) if len(sentences(prompt)) > 2 else f"This is about {about}. Look closely, and listen."
    return _story(about, chance)


def _story(about: str, chance: random.Random) -> str:
    place, time, end = chance.choice(_PLACES), chance.choice(_TIMES), chance.choice(_ENDS)
    first, second = chance.sample(_TURNS, 2)
    return (
        f"{time}, in {place}, everything spoke of {about}. Nobody remembered how it had begun. "
        f"Then somebody {first}. The news went from house to house before noon. "
        f"By nightfall they had {second}. It was {about} after all, {end}."
    )


def keywords(text: str) -> list[str]:
    """The words that carry a text, in order, each once."""
    found = re.findall(r"[^\W\d_][\w'-]*", text.lower())
    return list(dict.fromkeys(word for word in found if word not in _STOP and len(word) > 2))


def sentences(text: str) -> list[str]:
    """The sentences of a text, trimmed; a line of its own is one, too."""
    return [part.strip() for line in text.splitlines() for part in _SENTENCE.split(line) if part.strip()]


# -- splitting ----------------------------------------------------------------------------------------------------------------------


def split(values: Sequence[Json], mode: str, *, segments: int, words: int, path: str) -> list[str]:
    """
    The items of what was given.

    Raises:
        NodeFailed: there is no list where one was to be.
    """
    if mode == "array":
        return [said(item) for item in _list(values)]
    if mode == "json_path":
        return [said(item) for item in _at(_whole(values), path)]
    text = "\n".join(said(value) for value in values)
    if mode == "sentence":
        return sentences(text)
    if mode == "words":
        found = text.split()
        return [" ".join(found[i : i + words]) for i in range(0, min(len(found), WORDS_MAX), words)]
    return _balanced(sentences(text), segments)


def _balanced(found: list[str], segments: int) -> list[str]:
    """Sentences gathered into this many parts of about equal length; fewer when there are fewer sentences."""
    count = min(segments, len(found))
    parts: list[list[str]] = []
    left = sum(map(len, found))
    for i, sentence in enumerate(found):
        still = count - len(parts)  # parts not begun
        length = sum(map(len, parts[-1])) if parts else 0
        is_full = length + len(sentence) / 2 > (length + left) / (still + 1)
        if still and (not parts or is_full or len(found) - i <= still):
            parts.append([])
        parts[-1].append(sentence)
        left -= len(sentence)
    return [" ".join(part) for part in parts]


def _list(values: Sequence[Json]) -> list[Json]:
    if len(values) != 1:
        return list(values)
    (value,) = values
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, list):
        raise NodeFailed("bad_input", 'Split mode "array" requires array input', fix="Link a list, give a JSON list, or split by text")
    return value


def _whole(values: Sequence[Json]) -> Json:
    if len(values) == 1 and isinstance(values[0], str):
        try:
            return json.loads(values[0])
        except ValueError as error:
            raise NodeFailed("bad_input", f"the text is no JSON: {error}", fix="Split by text instead, or ask for JSON in the prompt before") from None
    return values[0] if len(values) == 1 else list(values)


def _at(value: Json, path: str) -> list[Json]:
    """What the path leads to: names and numbers between dots, `[*]` for every element; `$.` and `response.` in front are skipped."""
    steps = re.findall(r"[^.\[\]]+", re.sub(r"^(\$\.?|response\.)+", "", path.strip()))
    found = [value]
    for step in steps:
        if step == "*":
            found = [item for one in found if isinstance(one, list) for item in one]
        else:
            found = [_member(one, step) for one in found]
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    if any(item is None for item in found) or (len(found) == 1 and "*" not in steps and found[0] is value and not isinstance(value, list)):
        raise NodeFailed("bad_input", "Array path did not resolve to an array", fix=f"Look at the JSON: {path!r} leads nowhere in it")
    return found


def _member(value: Json, step: str) -> Json:
    if isinstance(value, list):
        return value[int(step)] if step.isdigit() and int(step) < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def said(item: Json) -> str:
    """An item as text: an object's own text if it has one."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        for name in ("text", "content", "narration", "description", "prompt"):
            if isinstance(item.get(name), str):
                return str(item[name])
    return json.dumps(item, ensure_ascii=False)
