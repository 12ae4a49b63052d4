-- Free text: an FTS5 index of trigrams over what can be read in an execution and its tasks. It tells a search where to look, and the search looks at the
-- rows themselves; so it holds neither text nor places (content='', detail=none), may know an execution late, and never decides what is found.
--
-- What an execution's text is, is said in these views and nowhere else. Of each input and output it is the first 16 KiB.

CREATE VIEW execution_words (key, input, output, words) AS
SELECT key, input, output, id || x'0a' || name || x'0a' || status || x'0a' || coalesce(correlation_id, '') || x'0a' || parent_id
    || x'0a' || coalesce(json_extract(doc, '$.reason'), '') || x'0a' || coalesce(json_extract(doc, '$.event'), '')
    || x'0a' || coalesce(json_extract(doc, '$.created_by'), '') || x'0a' || coalesce(json_extract(doc, '$.idempotency_key'), '')
    || x'0a' || input || x'0a' || output
FROM (
    SELECT key, id, name, status, correlation_id, parent_id, CAST(doc AS TEXT) AS doc,
        coalesce(CAST(CASE typeof(input) WHEN 'blob' THEN input ELSE (
            SELECT substr(body, 1, 16384) FROM payloads WHERE execution = e.key AND n = -1 AND part = 'input') END AS TEXT), '{}') AS input,
        coalesce(CAST(CASE typeof(output) WHEN 'blob' THEN output ELSE (
            SELECT substr(body, 1, 16384) FROM payloads WHERE execution = e.key AND n = -1 AND part = 'output') END AS TEXT), '{}') AS output
    FROM executions e
);

CREATE VIEW task_words (key, input, output, words) AS
SELECT key, input, output, task_id || x'0a' || type || x'0a' || def_name || x'0a' || ref || x'0a' || status
    || x'0a' || coalesce(json_extract(doc, '$.reason'), '') || x'0a' || coalesce(json_extract(doc, '$.worker'), '')
    || x'0a' || coalesce(json_extract(doc, '$.domain'), '') || x'0a' || input || x'0a' || output
FROM (
    SELECT key, task_id, type, def_name, ref, status, CAST(doc AS TEXT) AS doc,
        coalesce(CAST(CASE typeof(input) WHEN 'blob' THEN input ELSE (
            SELECT substr(body, 1, 16384) FROM payloads WHERE execution = t.key >> 32 AND n = t.key & 4294967295 AND part = 'input') END AS TEXT), '{}') AS input,
        coalesce(CAST(CASE typeof(output) WHEN 'blob' THEN output ELSE (
            SELECT substr(body, 1, 16384) FROM payloads WHERE execution = t.key >> 32 AND n = t.key & 4294967295 AND part = 'output') END AS TEXT), '{}') AS output
    FROM tasks t
);

CREATE VIEW all_words (key, words) AS
SELECT e.key, e.words || x'0a' || coalesce(
    (SELECT group_concat(t.words, x'0a') FROM task_words t WHERE t.key BETWEEN e.key << 32 AND (e.key << 32) + 4294967295), '')
FROM execution_words e;

CREATE VIRTUAL TABLE words USING fts5(body, content='', columnsize=0, detail=none, tokenize='trigram');
INSERT INTO words (words, rank) VALUES ('automerge', 0);  -- words.py does that, in pieces that a commit can wait for

-- The executions that `words` does not know, or not as they are. A search looks at all of them.
CREATE TABLE words_due (
    key INTEGER PRIMARY KEY,         -- executions.key
    is_large INTEGER NOT NULL DEFAULT 0  -- too much text to be indexed in one go: looked at by every search, for good
);
INSERT INTO words_due (key) SELECT key FROM executions;

-- What was indexed and has changed since has to be taken out with the very words it was put in with. They are noted before it changes: an FTS5 table
-- written by the commit itself would cost each of them 40 us, whether or not there is anything to take out.
CREATE TABLE words_gone (
    key INTEGER PRIMARY KEY,         -- executions.key, perhaps of one that is gone
    words TEXT NOT NULL
);
CREATE TRIGGER words_made AFTER INSERT ON executions BEGIN
    INSERT INTO words_due (key) VALUES (new.key);
END;
CREATE TRIGGER words_moved BEFORE UPDATE OF revision ON executions WHEN NOT EXISTS (SELECT 1 FROM words_due WHERE key = old.key) BEGIN
    INSERT INTO words_gone SELECT key, words FROM all_words WHERE key = old.key;
    INSERT INTO words_due (key) VALUES (old.key);
END;
CREATE TRIGGER words_removed BEFORE DELETE ON executions WHEN NOT EXISTS (SELECT 1 FROM words_due WHERE key = old.key) BEGIN
    INSERT INTO words_gone SELECT key, words FROM all_words WHERE key = old.key;
END;
-- An execution takes all its rows along, and a definition that only it used.
CREATE TRIGGER executions_cleared AFTER DELETE ON executions BEGIN
    DELETE FROM words_due WHERE key = old.key;
    DELETE FROM tasks WHERE key BETWEEN old.key << 32 AND (old.key << 32) + 4294967295;
    DELETE FROM payloads WHERE execution = old.key;
    DELETE FROM logs WHERE execution = old.key;
    DELETE FROM definition_snapshots WHERE key = old.definition AND NOT EXISTS (SELECT 1 FROM executions WHERE definition = old.definition);
END;

-- What a console asks for: top-level executions or the children of one, tasks by status and by name, one class of definitions.
CREATE INDEX executions_by_parent ON executions (parent_id, created_at);
CREATE INDEX tasks_by_status ON tasks (status, def_name);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('words_due', NULL, '500'),      -- without it, the planner reads all executions into a filter before it looks for some
    ('executions', 'executions_by_parent', '1000000 5 1'),
    ('tasks', 'tasks_by_status', '3000000 400000 10000'),
    ('tasks', 'tasks_open', '10000 5000 500 50 1');
ALTER TABLE definition_snapshots ADD COLUMN classifier TEXT GENERATED ALWAYS AS (coalesce(
    json_extract(CAST(json AS TEXT), '$.metadata.classifier'),
    CASE WHEN json_extract(CAST(json AS TEXT), '$.metadata.agent_sdk', '$.metadata.agentDef') = '[null,null]' THEN 'workflow' ELSE 'agent' END)) VIRTUAL;
CREATE INDEX definition_snapshots_by_classifier ON definition_snapshots (classifier);

-- The same counts as `executions.STATUS`, of executions without a parent.
INSERT INTO tallies SELECT 'top.' || status, count(*) FROM executions WHERE parent_id = '' GROUP BY status;
CREATE TRIGGER top_made AFTER INSERT ON executions WHEN new.parent_id = '' BEGIN
    INSERT INTO tallies VALUES ('top.' || new.status, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER top_moved AFTER UPDATE OF status, parent_id ON executions WHEN old.status <> new.status OR old.parent_id <> new.parent_id BEGIN
    UPDATE tallies SET value = value - 1 WHERE name = 'top.' || old.status AND old.parent_id = '';
    INSERT INTO tallies SELECT 'top.' || new.status, 1 WHERE new.parent_id = '' ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER top_gone AFTER DELETE ON executions WHEN old.parent_id = '' BEGIN
    UPDATE tallies SET value = value - 1 WHERE name = 'top.' || old.status;
END;
