"""Any prefix of the log replays to the same states, whatever was said in whatever order."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from store_scenes import batch, made, new, say

from askwell.errors import Conflict, InputError, ProjectError
from askwell.store import STATES

NAMES = st.sampled_from(["ann", "bob", "cas"])
VALUES = st.sampled_from(["cat", "dog"])
ITEMS = 12


class Replay(RuleBasedStateMachine):
    """Asks and tells at random; remembers the states after every event."""

    @initialize(known=st.integers(0, 3))
    def begin(self, known: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = new(Path(self.folder.name), n=ITEMS)
        self.store.register(["ann", "bob", "cas"][:known])
        self.after: dict[int, list[int]] = {}

    @precondition(lambda self: len(self.store.unasked))
    @rule(pick=st.integers(0, ITEMS), answers=st.integers(1, 3), grows=st.booleans())
    def plan(self, pick: int, answers: int, grows: bool) -> None:
        unasked = self.store.unasked
        item = int(unasked[pick % len(unasked)])
        parts = [made("x"), made("y", parent=item, role="copy")] if grows and len(self.store) < 2 * ITEMS else ()
        self.store.plan(len(self.store.rounds()), batch([item], made=parts), basis=0, answers=answers)

    @rule(who=NAMES, n=st.integers(1, 3), seconds=st.sampled_from([0.0, 600.0]))
    def take(self, who: str, n: int, seconds: float) -> None:
        rows = self.store.take(n, who, seconds)
        assert all(STATES[self.store.states()[row.item]] == "out" for row in rows)

    @precondition(lambda self: self.store.questions())
    @rule(
        pick=st.integers(0, 99),
        who=NAMES,
        verb=st.sampled_from(["label", "unsure", "skip", "reopen", "close"]),
        value=VALUES,
    )
    def say(self, pick: int, who: str, verb: str, value: str) -> None:
        questions = self.store.questions()
        with suppress(Conflict):
            say(self.store, questions[pick % len(questions)].id, who, verb, value if verb == "label" else None)

    @precondition(lambda self: self.store.last)
    @rule(pick=st.integers(0, 99), verb=st.sampled_from(["correct", "retract"]), value=VALUES)
    def change(self, pick: int, verb: str, value: str) -> None:
        said = self.store.history()[pick % self.store.last]
        item = said.item if said.question is None else None
        new_value = value if verb == "correct" else None
        with suppress(Conflict, ProjectError):
            say(self.store, said.question, said.annotator, verb, new_value, item=item, refers=said.seq)

    @rule(item=st.integers(0, ITEMS - 1), who=NAMES, value=VALUES)
    def volunteer(self, item: int, who: str, value: str) -> None:
        with suppress(Conflict):
            say(self.store, None, who, value=value, item=item, volunteered=True)

    @precondition(lambda self: self.store.questions())
    @rule(pick=st.integers(0, 99), item=st.integers(0, ITEMS - 1), who=NAMES, value=VALUES)
    def also(self, pick: int, item: int, who: str, value: str) -> None:
        questions = self.store.questions()
        with suppress(Conflict, InputError):
            say(self.store, questions[pick % len(questions)].id, who, "also", value, item=item)

    @rule(who=NAMES)
    def register(self, who: str) -> None:
        self.store.register([who])

    @rule()
    def rebuild(self) -> None:
        pending = {who: self.store.pending(who) for who in (None, "ann", "bob", "cas")}
        self.store.rebuild()
        assert pending == {who: self.store.pending(who) for who in pending}

    @invariant()
    def every_prefix_replays(self) -> None:
        now = self.store.states().tolist()
        self.after[self.store.last] = now
        for upto, then in self.after.items():
            replayed = self.store.states(upto).tolist()
            known = len(then)
            assert [code for code in replayed[:known] if code != 5] == [code for code in then if code != 5]

    @invariant()
    def what_was_asked_is_somewhere(self) -> None:
        counts = self.store.counts()
        asked = {question.item for question in self.store.questions()}
        extra = {vote.item for vote in self.store.votes() if vote.item not in asked}
        assert sum(counts[state] for state in ("answered", "out", "skipped", "unsure")) == len(asked | extra)
        assert sum(counts.values()) == len(self.store)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestReplay = Replay.TestCase
TestReplay.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
