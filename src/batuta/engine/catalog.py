"""
Catalog: every workflow and task definition, every schema, durable in the store and mirrored in memory, so that a start or a decision never waits for
a look-up.

`Shelf` keeps one kind of named documents and knows nothing of what they mean; `Catalog` is three shelves with Conductor's rules of what
may be registered, replaced and deleted. Other kinds of documents (event handlers, schedules) take a shelf of their own.

A write is checked and stored under one lock and shows in the mirror when it is durable: what was answered is kept, and of two that
create the same thing one learns of the conflict.

Not here: the rules of a good definition (core/validate.py), defaults and time stamps (wire/metadata.py).
Source: conductor-rest-api.md §1.3; /api/schema as the official SDKs call it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import msgspec

from batuta.core.contract import LATEST
from batuta.core.validate import Surroundings, schema_problems, task_problems, workflow_problems
from batuta.engine.clock import Clock
from batuta.errors import Conflict, InvalidFields, NotFound, Violation
from batuta.store.protocol import Document, Store
from batuta.wire import metadata
from batuta.wire.codec import decode, encode
from batuta.wire.shape import Json


class Entry(msgspec.Struct, frozen=True):
    """A document: as a value, which nobody changes, and as the JSON text that is stored and shown."""

    key: str
    version: int
    value: Json
    body: msgspec.Raw


class Shelf:
    """
    All documents of one kind, by key and version. Kinds without versions use version 0.

    Reads are answered from memory and return what is durable; writes return when they are.
    """

    def __init__(self, store: Store, kind: str, read: Callable[[Json], Json] = lambda value: value) -> None:
        self._store, self._kind, self._read = store, kind, read
        self._entries: dict[str, dict[int, Entry]] = {}  # versions ascending
        self.revision = 0  # grows with every change

    async def load(self) -> None:
        """Fill the mirror from the store; documents written by an older server are read again to gain what is new."""
        self._entries.clear()
        for document in await self._store.documents(self._kind):
            value = self._read(decode(document.body))
            self._place([Entry(document.key, document.version, value, msgspec.Raw(document.body))])

    def get(self, key: str, version: int | None = None) -> Entry | None:
        """The document of this version (None: the highest), or None."""
        versions = self._entries.get(key)
        if not versions:
            return None
        return versions.get(next(reversed(versions)) if version is None else version)

    def keys(self) -> list[str]:
        """The keys in alphabetical order."""
        return sorted(self._entries)

    def versions(self, key: str) -> list[Entry]:
        """All versions of the key, lowest first; empty when there is none."""
        return list(self._entries.get(key, {}).values())

    def latest(self) -> list[Entry]:
        """The highest version of each key, by key."""
        return [versions[next(reversed(versions))] for _, versions in sorted(self._entries.items())]

    def __iter__(self) -> Iterator[Entry]:
        """Every document, by key and version."""
        return (entry for key in self.keys() for entry in self._entries[key].values())

    async def put(self, values: Sequence[tuple[str, int, Json]]) -> None:
        """Store each (key, version, value), all or none; the last one of a key and version counts. Raises Unavailable."""
        entries = [Entry(key, version, value, msgspec.Raw(encode(value))) for key, version, value in values]
        await self._store.put([Document(self._kind, entry.key, entry.version, bytes(entry.body)) for entry in entries])
        self._place(entries)

    async def delete(self, key: str, version: int = 0) -> None:
        """Forget the document; harmless when there is none. Raises Unavailable."""
        await self._store.put((), delete=[(self._kind, key, version)])
        versions = self._entries.get(key, {})
        versions.pop(version, None)
        if not versions:
            self._entries.pop(key, None)
        self.revision += 1

    def _place(self, entries: Sequence[Entry]) -> None:
        self.revision += 1
        for entry in entries:
            versions = self._entries.setdefault(entry.key, {})
            unordered = entry.version not in versions and versions and entry.version < next(reversed(versions))
            versions[entry.version] = entry
            if unordered:
                self._entries[entry.key] = dict(sorted(versions.items()))


class Scripts(Protocol):
    """The part of the script engine that reads code without running it. It may block."""

    def syntax_error(self, language: str, source: str) -> str | None: ...


class Catalog:
    """
    The registered workflow and task definitions and schemas.

    Definitions are handed in and out in their stored form (wire/metadata.py); what is handed out must not be changed.
    """

    def __init__(self, store: Store, clock: Clock, *, scripts: Scripts | None = None, environment: Collection[str] = frozenset()) -> None:
        self._clock, self._scripts = clock, scripts
        self._workflows = Shelf(store, "workflow", metadata.read_workflow)
        self._tasks = Shelf(store, "task", metadata.read_task)
        self._schemas = Shelf(store, "schema", metadata.read_schema)
        self._around = Surroundings(self._template_of, self._syntax_error, environment)
        self._writing = asyncio.Lock()

    async def load(self) -> None:
        """Fill the mirror; once, before anything is asked. Raises Unavailable."""
        await self._workflows.load()
        await self._tasks.load()
        await self._schemas.load()

    @property
    def revision(self) -> int:
        """A number that grows whenever any definition changes; what was derived under the same number still holds."""
        return self._workflows.revision + self._tasks.revision + self._schemas.revision

    # -- reading --------------------------------------------------------------------------------------------------------------------

    def workflow(self, name: str, version: int | None = None) -> Json | None:
        """The definition of this version (None: the latest, which is the highest), or None."""
        entry = self._workflows.get(name, version)
        return None if entry is None else entry.value

    def workflow_text(self, name: str, version: int | None = None) -> msgspec.Raw:
        """The same as JSON text. Raises NotFound."""
        entry = self._workflows.get(name, version)
        if entry is None:
            raise NotFound(f"No such workflow found by name: {name}, version: {'null' if version is None else version}")
        return entry.body

    def workflows(self) -> list[Entry]:
        """Every version of every workflow, by name and version."""
        return list(self._workflows)

    def latest_workflows(self) -> list[Entry]:
        """The latest version of every workflow, by name."""
        return self._workflows.latest()

    def names(self) -> list[str]:
        """The names of all workflows in alphabetical order."""
        return self._workflows.keys()

    def versions(self, name: str) -> list[Entry]:
        """Every version of a workflow, lowest first; empty when there is none."""
        return self._workflows.versions(name)

    def latest_version(self, name: str) -> int | None:
        """The highest version of a workflow, or None."""
        entry = self._workflows.get(name)
        return None if entry is None else entry.version

    def task(self, name: str) -> Json | None:
        """The task definition of this name, or None."""
        entry = self._tasks.get(name)
        return None if entry is None else entry.value

    def task_text(self, name: str) -> msgspec.Raw:
        """The same as JSON text. Raises NotFound."""
        entry = self._tasks.get(name)
        if entry is None:
            raise NotFound(f"No such taskType found by name: {name}")
        return entry.body

    def tasks(self) -> list[Entry]:
        """Every task definition, by name."""
        return list(self._tasks)

    def schema(self, name: str, version: int = LATEST) -> Json | None:
        """The registered schema of this version (0: the latest), or None."""
        entry = self._schemas.get(name, version or None)
        return None if entry is None else entry.value

    def schema_text(self, name: str, version: int = LATEST) -> msgspec.Raw:
        """The same as JSON text. Raises NotFound."""
        entry = self._schemas.get(name, version or None)
        if entry is None:
            raise NotFound(f"No such schema found by name: {name}, version: {version or 'latest'}")
        return entry.body

    def schemas(self) -> list[Entry]:
        """Every version of every schema, by name and version."""
        return list(self._schemas)

    # -- writing workflows ----------------------------------------------------------------------------------------------------------

    async def create_workflow(self, definition: Json, *, overwrite: bool = False) -> None:
        """
        Register one version of a workflow.

        Raises:
            InvalidFields: it breaks a rule.
            Conflict: this version exists and *overwrite* is false.

        Source: POST /api/metadata/workflow.
        """
        await self._create([(definition, "registerWorkflowDef.arg0")], overwrite)

    async def create_workflows(self, definitions: Sequence[Json], *, overwrite: bool = False) -> None:
        """
        Register several, all or none: a backup taken by GET and posted back.

        Raises InvalidFields and Conflict as `create_workflow` does. Conductor takes one at a time here.
        """
        if not definitions:
            raise InvalidFields([Violation("registerWorkflowDef.arg0", "WorkflowDefList is empty")])
        await self._create([(d, f"registerWorkflowDef.arg0[{n}]") for n, d in enumerate(definitions)], overwrite)

    async def _create(self, definitions: Sequence[tuple[Json, str]], overwrite: bool) -> None:
        async with self._writing:
            await self._check(definitions)
            now, taken, values = self._clock.now(), set[tuple[str, int]](), []
            for definition, _ in definitions:
                name, version = key = definition["name"], definition["version"]
                exists = key in taken or self._workflows.get(name, version) is not None
                if exists and not overwrite:
                    raise Conflict(f"Workflow with {name}.{version} already exists!")
                taken.add(key)
                stamped = metadata.replaced_workflow if exists else metadata.created_workflow
                values.append((name, version, stamped(definition, now)))
            await self._workflows.put(values)

    async def replace_workflows(self, definitions: Sequence[Json]) -> list[str]:
        """
        Create or replace each, all or none; their names in the order given.

        Raises:
            InvalidFields: there is none, or one breaks a rule.

        Source: PUT /api/metadata/workflow.
        """
        if not definitions:
            raise InvalidFields([Violation("updateWorkflowDef.arg0", "WorkflowDefList is empty")])
        async with self._writing:
            await self._check([(d, f"updateWorkflowDef.arg0[{n}]") for n, d in enumerate(definitions)])
            now = self._clock.now()
            await self._workflows.put([(d["name"], d["version"], metadata.replaced_workflow(d, now)) for d in definitions])
        return [d["name"] for d in definitions]

    async def check_workflow(self, definition: Json, at: str = "validateWorkflowDef.arg0") -> None:
        """Raise InvalidFields when the definition could not be registered; *at* is its path in the violations."""
        await self._check([(definition, at)])

    async def delete_workflow(self, name: str, version: int) -> None:
        """Forget one version of a workflow; what runs keeps its own copy. Raises NotFound. Source: DELETE /api/metadata/workflow/…"""
        async with self._writing:
            if self._workflows.get(name, version) is None:
                raise NotFound(f"No such workflow definition: {name} version: {version}")
            await self._workflows.delete(name, version)

    # -- writing tasks --------------------------------------------------------------------------------------------------------------

    async def create_tasks(self, definitions: Sequence[Json]) -> None:
        """
        Register task definitions, all or none; one whose name exists is replaced.

        Raises:
            InvalidFields: there is none, or one breaks a rule.

        Source: POST /api/metadata/taskdefs.
        """
        if not definitions:
            raise InvalidFields([Violation("registerTaskDef.arg0", "TaskDefList is empty")])
        await self._check_tasks([(d, f"registerTaskDef.arg0[{n}]") for n, d in enumerate(definitions)])
        async with self._writing:
            now = self._clock.now()
            await self._tasks.put([(d["name"], 0, metadata.created_task(d, now)) for d in definitions])

    async def replace_task(self, definition: Json) -> None:
        """
        Replace a task definition that exists.

        Raises:
            InvalidFields: it breaks a rule.
            NotFound: there is none of this name.

        Source: PUT /api/metadata/taskdefs.
        """
        await self._check_tasks([(definition, "updateTaskDef.arg0")])
        name = definition["name"]
        async with self._writing:
            former = self._tasks.get(name)
            if former is None:
                raise NotFound(f"No such task by name {name}")
            await self._tasks.put([(name, 0, metadata.replaced_task(definition, former.value, self._clock.now()))])

    async def delete_task(self, name: str) -> None:
        """Forget a task definition; what runs keeps its own copy. Raises NotFound. Source: DELETE /api/metadata/taskdefs/…"""
        async with self._writing:
            if self._tasks.get(name) is None:
                raise NotFound(f"No such task definition: {name}")
            await self._tasks.delete(name)

    # -- writing schemas ------------------------------------------------------------------------------------------------------------

    async def create_schemas(self, schemas: Sequence[Json], *, new_version: bool = False) -> None:
        """
        Register schemas, all or none; one whose name and version exist is replaced. *new_version*: each becomes the version after the highest.

        What runs, or was started, keeps the schema it began with. Raises InvalidFields. Source: POST /api/schema.
        """
        if not schemas:
            raise InvalidFields([Violation("save.arg0", "the list of schemas is empty")])
        async with self._writing:
            broken = await asyncio.to_thread(lambda: [v for n, schema in enumerate(schemas) for v in schema_problems(schema, f"save.arg0[{n}]")])
            if broken:
                raise InvalidFields(broken)
            now, highest, values = self._clock.now(), dict[str, int](), []
            for schema in schemas:
                name, version = schema["name"], schema["version"]
                if new_version:
                    latest = self._schemas.get(name)
                    version = highest[name] = highest.get(name, latest.version if latest is not None else 0) + 1
                former = self._schemas.get(name, version)
                values.append((name, version, metadata.saved_schema({**schema, "version": version}, former.value if former else None, now)))
            await self._schemas.put(values)

    async def delete_schema(self, name: str, version: int | None = None) -> None:
        """Forget one version of a schema, or (None) all; what runs keeps its own copy. Raises NotFound. Source: DELETE /api/schema/…"""
        async with self._writing:
            versions = [entry.version for entry in self._schemas.versions(name) if version in (None, entry.version)]
            if not versions:
                raise NotFound(f"No such schema found by name: {name}, version: {'any' if version is None else version}")
            for found in versions:
                await self._schemas.delete(name, found)

    # -- rules ----------------------------------------------------------------------------------------------------------------------

    async def _check(self, definitions: Sequence[tuple[Json, str]]) -> None:
        """Raise InvalidFields with everything wrong in any of them. Reading a script or a schema may take long, so it is done on another thread."""

        def broken() -> list[Violation]:
            return [v for definition, at in definitions for v in workflow_problems(definition, at, self._around)]

        texts = [encode(d) for d, _ in definitions]
        has_script = self._scripts is not None and any(b'"javascript"' in text or b'"caseExpression"' in text for text in texts)
        found = await asyncio.to_thread(broken) if has_script or any(b'putSchema":' in text for text in texts) else broken()
        if found:
            raise InvalidFields(found)

    async def _check_tasks(self, definitions: Sequence[tuple[Json, str]]) -> None:
        """Raise InvalidFields with everything wrong in any of these task definitions."""

        def broken() -> list[Violation]:
            return [v for definition, at in definitions for v in task_problems(definition, at)]

        if found := await asyncio.to_thread(broken) if any("inputSchema" in d or "outputSchema" in d for d, _ in definitions) else broken():
            raise InvalidFields(found)

    def _template_of(self, name: str) -> Json:
        definition = self.task(name)
        template: Json = {} if definition is None else definition["inputTemplate"]
        return template

    def _syntax_error(self, source: str) -> str | None:
        return None if self._scripts is None else self._scripts.syntax_error("javascript", source)
