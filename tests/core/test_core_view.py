import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from askwell.core.needs import COST, EMBEDDING, HEAD, PROBS
from askwell.core.view import Batch, Made, RoundFacts, Sliced, View, distinct, finite
from askwell.errors import BadShape, InputError, NotFinite, UndeclaredNeed

IDS = torch.tensor([3, 8, 9, 20, 21])
POOL = torch.arange(60.0).reshape(30, 2)


class Source:
    """Serves rows of POOL by id and counts what it is asked."""

    def __init__(self, sliced=False):
        self.calls, self.sliced = [], sliced

    def __call__(self, needs, sets):
        self.calls.append((needs, {over: ids.tolist() for over, ids in sets.items()}))
        return {need: self.give(need, sets) for need in needs}

    def give(self, need, sets):
        if need == HEAD:
            return torch.neg
        ids = sets[need.over]
        return Sliced(POOL, ids) if self.sliced else POOL[ids]


def view_on(source, needs=(PROBS,), **more):
    return View(IDS, needs, source, **more)


def test_rows_follow_the_ids():
    assert torch.equal(view_on(Source())[PROBS], POOL[IDS])


def test_nothing_is_computed_before_it_is_read():
    source = Source()
    view = view_on(source)
    len(view), view.ids_of("labelled"), view.narrow(torch.tensor([0]))
    assert source.calls == []


def test_all_declared_needs_come_in_one_pass_and_once():
    source = Source()
    view = view_on(source, (PROBS, EMBEDDING.at("labelled"), HEAD), sets={"labelled": torch.tensor([1, 2])})
    for need in (HEAD, PROBS, EMBEDDING.at("labelled"), PROBS):
        view[need]
    assert len(source.calls) == 1
    assert source.calls[0][1] == {"candidates": IDS.tolist(), "labelled": [1, 2]}
    assert torch.equal(view[EMBEDDING.at("labelled")], POOL[[1, 2]])


def test_reading_what_was_not_declared():
    with pytest.raises(UndeclaredNeed) as caught:
        view_on(Source())[EMBEDDING.at("labelled")]
    assert str(caught.value) == "need embedding@labelled was read but not declared in `needs`"
    assert caught.value.names == ("embedding@labelled",)


@pytest.mark.parametrize(
    "ids",
    [
        torch.tensor([1.0, 2.0]),
        torch.tensor([[1, 2]]),
        torch.tensor([2, 1]),
        torch.tensor([1, 1]),
        torch.tensor([1], dtype=torch.int32),
    ],
)
def test_ids_that_are_no_ids(ids):
    with pytest.raises(BadShape, match=r"^ids of a view must be int64, one-dimensional and strictly ascending$"):
        View(ids, (), Source())


def test_an_empty_view_is_allowed():
    assert len(View(IDS[:0], (), Source())) == 0


def test_sets_that_are_not_there_are_empty():
    view = view_on(Source(), sets={"labelled": torch.tensor([5])})
    assert view.ids_of("candidates") is IDS
    assert view.ids_of("labelled").tolist() == [5]
    assert view.ids_of("targets").tolist() == []


def test_a_source_that_gives_too_few_rows():
    view = View(IDS, (PROBS,), lambda needs, sets: {PROBS: POOL[:3]})
    with pytest.raises(BadShape) as caught:
        view[PROBS]
    assert str(caught.value) == "need probs has 3 rows for 5 ids"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_rows_that_are_not_finite_are_named_by_id(bad):
    rows = POOL[IDS].clone()
    rows[1, 1] = rows[3, 0] = bad
    with pytest.raises(NotFinite) as caught:
        View(IDS, (PROBS,), lambda needs, sets: {PROBS: rows})[PROBS]
    assert str(caught.value) == "probs holds NaN or infinity in 2 rows, the first are [8, 20]"
    assert caught.value.got == [8, 20]


def test_infinities_of_both_signs_do_not_cancel():
    with pytest.raises(NotFinite):
        finite("x", torch.tensor([float("inf"), -float("inf")]))


def test_large_float16_is_finite():
    finite("x", torch.full((10000,), 60000.0, dtype=torch.float16))


def test_a_sum_that_overflows_is_not_an_error():
    finite("x", torch.full((4,), 3e38))


def test_a_table_is_not_checked_as_rows():
    view = View(IDS, (COST,), lambda needs, sets: {COST: (1, 2)})
    assert view[COST] == (1, 2)


def test_sliced_rows_are_gathered_once():
    view = view_on(Source(sliced=True))
    rows, positions = view.whole(PROBS)
    assert rows is POOL
    assert positions.tolist() == IDS.tolist()
    assert torch.equal(view[PROBS], POOL[IDS])
    assert view[PROBS] is view[PROBS]
    assert view.whole(PROBS)[1] is None


def test_whole_of_dense_rows():
    rows, positions = view_on(Source()).whole(PROBS)
    assert torch.equal(rows, POOL[IDS])
    assert positions is None


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("read_first", [False, True])
def test_narrow_keeps_what_is_computed(sliced, read_first):
    source = Source(sliced)
    view = view_on(source, (PROBS, EMBEDDING.at("labelled")), sets={"labelled": torch.tensor([1])})
    if read_first:
        view[PROBS]
    part = view.narrow(torch.tensor([4, 1]))
    assert part.ids.tolist() == [8, 21]
    assert torch.equal(part[PROBS], POOL[[8, 21]])
    assert torch.equal(part[EMBEDDING.at("labelled")], POOL[[1]])
    assert len(source.calls) == 1


def test_narrow_shares_tensors_of_the_other_sets():
    source = Source()
    view = view_on(source, (PROBS, EMBEDDING.at("labelled")), sets={"labelled": torch.tensor([1])})
    first, second = view.narrow(torch.tensor([0])), view.narrow(torch.tensor([1]))
    assert first[EMBEDDING.at("labelled")] is second[EMBEDDING.at("labelled")]
    second[PROBS]
    assert source.calls[-1][0] == (PROBS,)


@pytest.mark.parametrize("sliced", [False, True])
def test_only_some_needs_are_computed_for_all_and_kept(sliced):
    source = Source(sliced)
    view = view_on(source, (PROBS, EMBEDDING))
    assert torch.equal(view.only((PROBS,))[PROBS], POOL[IDS])
    assert [needs for needs, _ in source.calls] == [(PROBS,)]
    with pytest.raises(UndeclaredNeed):
        view.only((PROBS,))[EMBEDDING]
    assert torch.equal(view[EMBEDDING], POOL[IDS])
    part = view.narrow(torch.tensor([1, 2]), (PROBS,))
    assert torch.equal(part[PROBS], POOL[IDS[1:3]])
    assert list(part._own) == [PROBS]
    assert len(source.calls) == 2


def test_narrow_keeps_the_facts():
    facts = (RoundFacts(0, (1,), ("a",)),)
    view = view_on(Source(), num_classes=3, history=facts, state={"arm": 1})
    part = view.narrow(torch.tensor([0]), (EMBEDDING,))
    assert (part.num_classes, part.history, part.state, part.needs) == (3, facts, {"arm": 1}, (EMBEDDING,))


def test_state_of_a_view_is_a_copy():
    state = {"arm": 1}
    view_on(Source(), state=state).state["arm"] = 2
    assert state == {"arm": 1}


@given(st.integers(1, 40), st.integers(1, 12))
def test_chunks_cover_the_view_and_are_never_one_row(n, size):
    ids = torch.arange(n) * 2
    view = View(ids, (), Source())
    parts = list(view.chunks(size))
    assert torch.cat([part.ids for _, part in parts]).tolist() == ids.tolist()
    assert [where.stop for where, _ in parts[:-1]] == [where.start for where, _ in parts[1:]]
    assert all(len(part) == where.stop - where.start <= size + 1 for where, part in parts)
    assert n == 1 or size == 1 or all(len(part) > 1 for _, part in parts)


def test_chunks_compute_chunk_by_chunk():
    source = Source()
    for where, part in view_on(source).chunks(2):
        assert torch.equal(part[PROBS], POOL[IDS[where]])
    assert [call[1]["candidates"] for call in source.calls] == [[3, 8], [9, 20, 21]]


def test_pick_turns_rows_into_ids():
    batch = view_on(Source()).pick(
        torch.tensor([4, 0]), torch.tensor([2.0, 1.0], dtype=torch.float64), units=("a", "b")
    )
    assert batch.ids.tolist() == [21, 3]
    assert batch.scores.dtype == torch.float32
    assert batch.units == ("a", "b")


def test_places_tell_unit_and_annotator_apart():
    batch = Batch(torch.tensor([3, 3]), units=("left", "right"), annotators=torch.tensor([0, 1]))
    assert batch.places() == [(3, "left", 0), (3, "right", 1)]
    assert Batch(torch.tensor([3])).places() == [(3, "", -1)]


def test_made_items_that_are_asked_count():
    made = (Made([0.0]), Made([1.0], parent=3, role="copy"))
    assert Batch(torch.tensor([3]), made=made).asked == 2


@pytest.mark.parametrize(
    ("batch", "asks", "text"),
    [
        (Batch(torch.tensor([3, 3])), "unlabelled", "a strategy chose the same place twice"),
        (Batch(torch.tensor([4])), "unlabelled", "a strategy chose ids that are not candidates"),
        (Batch(torch.tensor([99])), "any", "a strategy chose ids that are not candidates"),
        (Batch(torch.tensor([-1])), "any", "a strategy chose ids that are not candidates"),
    ],
)
def test_batches_that_are_refused(batch, asks, text):
    with pytest.raises(InputError) as caught:
        distinct(batch, view_on(Source()), asks)
    assert str(caught.value) == text


def test_batches_that_are_allowed():
    view = view_on(Source())
    distinct(Batch(torch.tensor([3, 3]), units=("a", "b")), view, "any")
    distinct(Batch(torch.tensor([3, 3]), annotators=torch.tensor([0, 1])), view, "any")
    distinct(Batch(torch.tensor([99])), view, "made")


def test_a_synthesised_batch_for_an_empty_pool():
    distinct(Batch(IDS[:0], made=(Made([0.0]),)), View(IDS[:0], (), Source()), "made")
