"""The tables. Evidence is append-only, held so by triggers; what is derived from it is rebuilt by replay.

segment    stretches of the pool, oldest first; their lengths add up to the pool
reserved   items that are never asked: validation, test, aside
annotator  who may answer; `since` is the newest event when he was first known
round      what was planned: from which fit (`basis`, `weights`), the strategy's state, the newest event then (`seen`)
made       items that a strategy synthesised
question   one place to be labelled, by `answers` annotators, or by one (`asked_of`)
event      everything that annotators said. `refers`: for correct and retract the answer that they change; for an answer
           given again, the retract or reopen that allowed it, so that one annotator has one answer at a time
report     what training on a round brought
edit       changes of the project: items added and removed, classes; `seen` is the newest event that is older

standing   (derived) each question's state, answers still wanted, and how many of those nobody holds
lease      (derived) who holds a question until when, by the wall clock
done       (derived) annotators who have answered or skipped a question that is out
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["APPEND_ONLY", "DERIVED", "EDITS", "EVIDENCE", "FIRST", "triggers"]

FIRST = ("segment", "reserved", "annotator", "round", "made", "question", "event", "report")
APPEND_ONLY = (*FIRST, "edit")

EVIDENCE = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE segment (
        start INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0), kind TEXT NOT NULL, source TEXT NOT NULL,
        digest TEXT) STRICT""",
    "CREATE TABLE reserved (role TEXT PRIMARY KEY, items BLOB NOT NULL) STRICT",
    """CREATE TABLE annotator (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> ''), kind TEXT NOT NULL,
        since INTEGER NOT NULL) STRICT""",
    """CREATE TABLE round (
        n INTEGER PRIMARY KEY, at REAL NOT NULL, seen INTEGER NOT NULL, basis INTEGER NOT NULL, state TEXT,
        weights TEXT NOT NULL, facts TEXT NOT NULL, digest TEXT NOT NULL) STRICT""",
    """CREATE TABLE made (
        item INTEGER PRIMARY KEY, parent INTEGER, round INTEGER NOT NULL REFERENCES round (n),
        role TEXT NOT NULL CHECK (role IN ('ask', 'copy')), how TEXT NOT NULL, payload TEXT NOT NULL) STRICT""",
    """CREATE TABLE question (
        id INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES round (n), rank INTEGER NOT NULL,
        item INTEGER NOT NULL, unit TEXT NOT NULL, form TEXT NOT NULL, answers INTEGER NOT NULL CHECK (answers > 0),
        asked_of INTEGER REFERENCES annotator (id), score REAL, shown TEXT, UNIQUE (round, rank)) STRICT""",
    "CREATE INDEX question_item ON question (item)",
    """CREATE TABLE event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL,
        verb TEXT NOT NULL CHECK (
            verb IN ('label', 'unsure', 'skip', 'correct', 'retract', 'reopen', 'also', 'close')),
        question INTEGER REFERENCES question (id), item INTEGER NOT NULL,
        annotator INTEGER NOT NULL REFERENCES annotator (id), value TEXT, cost REAL NOT NULL, seconds REAL NOT NULL,
        refers INTEGER REFERENCES event (seq), token TEXT UNIQUE) STRICT""",
    "CREATE INDEX event_question ON event (question) WHERE question IS NOT NULL",
    "CREATE INDEX event_extra ON event (item) WHERE question IS NULL OR verb = 'also'",
    "CREATE INDEX event_retract ON event (refers) WHERE verb = 'retract'",
    """CREATE UNIQUE INDEX one_answer ON event (question, annotator, ifnull(refers, 0))
        WHERE verb IN ('label', 'unsure')""",
    """CREATE VIEW extra AS SELECT DISTINCT item FROM event AS said
        WHERE (question IS NULL OR verb = 'also') AND verb IN ('label', 'also')
        AND NOT EXISTS (SELECT 1 FROM event AS r WHERE r.verb = 'retract' AND r.refers = said.seq)""",
    "CREATE TABLE report (id INTEGER PRIMARY KEY, round INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL) STRICT",
)

EDITS = """CREATE TABLE edit (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, seen INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT"""

DERIVED = (
    """CREATE TABLE standing (
        question INTEGER PRIMARY KEY REFERENCES question (id), item INTEGER NOT NULL, state INTEGER NOT NULL,
        remaining INTEGER NOT NULL, free INTEGER NOT NULL) STRICT""",
    "CREATE INDEX standing_item ON standing (item, state)",
    "CREATE INDEX standing_free ON standing (question) WHERE free > 0",
    """CREATE TABLE lease (
        question INTEGER NOT NULL, annotator INTEGER NOT NULL, until REAL NOT NULL,
        PRIMARY KEY (question, annotator)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX lease_annotator ON lease (annotator)",
    "CREATE INDEX lease_until ON lease (until)",
    """CREATE TABLE done (
        question INTEGER NOT NULL, annotator INTEGER NOT NULL, PRIMARY KEY (question, annotator)
        ) STRICT, WITHOUT ROWID""",
)


def triggers(tables: Sequence[str]) -> list[str]:
    """Statements that make tables append-only for every program that opens the file."""
    return [
        f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in tables
        for deed in ("UPDATE", "DELETE")
    ]
