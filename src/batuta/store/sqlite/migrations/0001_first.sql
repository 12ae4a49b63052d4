-- The first schema. Instants are epoch milliseconds, 0 when unset; JSON texts are kept as bytes; a payload that is NULL is `{}`.
--
-- An execution has a small number of its own (`key`), in the order executions came to be, and its tasks, payloads and log lines lead with
-- it: they lie side by side whatever the execution's id looks like, and a few bytes take the place of 36.

PRAGMA application_id = 0x62617475;  -- "batu": this file is ours

CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
);

CREATE TABLE definition_snapshots (
    key INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    json BLOB NOT NULL
);

CREATE TABLE executions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    name TEXT NOT NULL,
    definition_version INTEGER NOT NULL,
    definition INTEGER NOT NULL,     -- definition_snapshots.key
    correlation_id TEXT,
    parent_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    wake_at INTEGER NOT NULL,
    doc BLOB NOT NULL,               -- the rest of the head
    input BLOB,                      -- a payload too long for the row is in `payloads`, and its length stands here
    output BLOB,
    variables BLOB
);
CREATE INDEX executions_alarms ON executions (wake_at) WHERE wake_at > 0;
CREATE INDEX executions_ended ON executions (ended_at) WHERE ended_at > 0;
CREATE INDEX executions_by_status ON executions (status, created_at);
CREATE INDEX executions_by_name ON executions (name, created_at);
CREATE INDEX executions_by_name_and_status ON executions (name, status, created_at);
CREATE INDEX executions_by_creation ON executions (created_at);
CREATE INDEX executions_by_correlation ON executions (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX executions_by_definition ON executions (definition);

-- What the planner cannot know: how many rows a value of each column has, in a store of a million executions. Without it a search by name,
-- status and correlation id would walk all executions of the name. (total, then rows for each further column of the index)
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('executions', 'executions_alarms', '10000 1'),
    ('executions', 'executions_ended', '1000000 1'),
    ('executions', 'executions_by_status', '1000000 200000 1'),
    ('executions', 'executions_by_name', '1000000 50000 1'),
    ('executions', 'executions_by_name_and_status', '1000000 50000 10000 1'),
    ('executions', 'executions_by_creation', '1000000 1'),
    ('executions', 'executions_by_correlation', '1000000 2'),
    ('executions', 'executions_by_definition', '1000000 20000'),
    ('executions', 'sqlite_autoindex_executions_1', '1000000 1');

CREATE TABLE tasks (
    key INTEGER PRIMARY KEY,         -- executions.key * 2^32 + n: one tree, and rows of up to a page without overflow
    execution INTEGER GENERATED ALWAYS AS (key >> 32),
    n INTEGER GENERATED ALWAYS AS (key & 4294967295),
    task_id TEXT NOT NULL,
    status TEXT NOT NULL,
    type TEXT NOT NULL,
    def_name TEXT NOT NULL,
    ref TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    doc BLOB NOT NULL,
    input BLOB,
    output BLOB
);
-- Waiting in a queue, or with a worker. A task is here for as long as it is open, so the index is as small as the world is busy.
CREATE INDEX tasks_open ON tasks (status, queue, priority DESC, due_at) WHERE status IN ('SCHEDULED', 'IN_PROGRESS') AND queue <> '';

CREATE TABLE payloads (
    execution INTEGER NOT NULL,
    n INTEGER NOT NULL,              -- the task's row number; -1: the execution's own; below: messages pushed to it, the first at -2
    part TEXT NOT NULL,              -- input, output, variables, message
    body BLOB NOT NULL,
    PRIMARY KEY (execution, n, part)
) WITHOUT ROWID;

CREATE TABLE logs (
    key INTEGER PRIMARY KEY,
    execution INTEGER NOT NULL,
    task_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    line TEXT NOT NULL
);
CREATE INDEX logs_by_execution ON logs (execution);

CREATE TABLE outbox (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE documents (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key, version)
) WITHOUT ROWID;

-- How many rows there are, kept by triggers: counting three million tasks would read the whole file.
CREATE TABLE tallies (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO tallies VALUES ('tasks', 0), ('logs', 0);

CREATE TRIGGER tasks_made AFTER INSERT ON tasks BEGIN
    UPDATE tallies SET value = value + 1 WHERE name = 'tasks';
END;
CREATE TRIGGER tasks_gone AFTER DELETE ON tasks BEGIN
    UPDATE tallies SET value = value - 1 WHERE name = 'tasks';
END;
CREATE TRIGGER logs_made AFTER INSERT ON logs BEGIN
    UPDATE tallies SET value = value + 1 WHERE name = 'logs';
END;
CREATE TRIGGER logs_gone AFTER DELETE ON logs BEGIN
    UPDATE tallies SET value = value - 1 WHERE name = 'logs';
END;
CREATE TRIGGER executions_made AFTER INSERT ON executions BEGIN
    INSERT INTO tallies VALUES ('executions.' || new.status, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER executions_moved AFTER UPDATE OF status ON executions WHEN old.status <> new.status BEGIN
    UPDATE tallies SET value = value - 1 WHERE name = 'executions.' || old.status;
    INSERT INTO tallies VALUES ('executions.' || new.status, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER executions_gone AFTER DELETE ON executions BEGIN
    UPDATE tallies SET value = value - 1 WHERE name = 'executions.' || old.status;
END;
