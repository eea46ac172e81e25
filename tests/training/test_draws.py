"""Streams whose rows change, soft labels, draws put together, draws with dropout, tensors kept from round to round."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from training_parts import NONE, Scripted, Setting, blobs, net, plain_loss, same

from askwell.core.scheme import Draw
from askwell.core.seeds import Seeds
from askwell.errors import InputError, UnknownName, UnmetNeeds
from askwell.functional.information import entropy_of_mean
from askwell.testing.fakes import FakePool
from askwell.training.draws import joined, repeated
from askwell.training.kept import Kept
from askwell.training.streams import FitStream, Source
from askwell.training.tensors import restore, tensors, transfer

ITEMS = FakePool(blobs()[0]).items("eval")


def stream(draw, size):
    return FitStream(draw, size, [Source(ITEMS, lambda x, rng: x)], Seeds(0), lambda: None)


class TestRefill:
    def test_the_new_rows_come_at_once_and_whole_passes(self):
        one = stream(Draw(torch.arange(10)), 3)
        one.next()
        one.refill(Draw(torch.arange(20, 26), torch.arange(6)))
        rows = [one.next() for _ in range(4)]
        assert torch.equal(torch.cat([row.ids for row in rows]).view(2, 6).sort(1).values[0], torch.arange(20, 26))
        assert all(torch.equal(row.ids - 20, row.y) for row in rows)

    def test_an_empty_draw_may_be_filled_and_emptied(self):
        one = stream(Draw(NONE), 3)
        assert len(one.next()) == 0
        one.refill(Draw(torch.arange(4)))
        assert len(one.next()) == 3
        one.refill(Draw(NONE))
        assert len(one.next()) == 0

    def test_it_is_part_of_where_a_stream_stands(self):
        one, other = stream(Draw(torch.arange(7)), 3), stream(Draw(torch.arange(7)), 3)
        one.next()
        one.refill(Draw(torch.arange(30, 37)))
        one.next()
        other.restore(one.state())
        assert all(torch.equal(one.next().ids, other.next().ids) for _ in range(30))

    def test_a_fit_that_refills_can_be_paused(self):
        def body(run):
            m = run.build()
            rows, update = run.stream("labelled", 6), run.update("task", m.net, lr=0.01)
            for half in range(3):
                for _ in run.clock(f"part {half}", 4):
                    update(plain_loss, run, rows.next())
                given = run.draw("labelled")
                rows.refill(Draw(given.ids[half:], given.y[half:]))

        scheme, setting = Scripted(body), Setting()
        for after in (1, 5, 9):
            paused = setting.fit(scheme, pause_after=after).paused
            assert same(setting.fit(scheme), setting.fit(scheme, resume=paused))


class TestSoftLabels:
    def test_they_come_with_their_rows(self):
        soft = torch.rand(5, 3).softmax(1)
        row = stream(Draw(torch.arange(5), soft), 4).next()
        assert torch.equal(row.y, soft[row.ids])

    def test_one_hot_ones_train_like_classes(self):
        def body(hot):
            def train(run):
                m = run.build()
                given = run.draw("labelled")
                y = torch.nn.functional.one_hot(given.y, 3).float() if hot else given.y
                rows, update = run.stream("labelled", 6, Draw(given.ids, y)), run.update("task", m.net, lr=0.01)
                for _ in run.clock("fit", 5):
                    update(plain_loss, run, rows.next())

            return Scripted(train)

        one, other = (tensors(Setting().fit(body(hot)).modules) for hot in (False, True))
        assert all(torch.allclose(one[key], other[key].to(one[key]), atol=1e-6) for key in one)


class TestJoined:
    def test_classes_beside_soft_labels_become_one_hot(self):
        both = joined(Draw(torch.tensor([1, 2]), torch.tensor([2, 0])), Draw(torch.tensor([5]), torch.rand(1, 3)))
        assert both.y[:2].tolist() == [[0, 0, 1], [1, 0, 0]]
        assert both.ids.tolist() == [1, 2, 5]

    def test_missing_weights_are_one(self):
        one, other = Draw(torch.arange(2), w=torch.tensor([0.5, 2.0])), Draw(torch.arange(3), p=torch.tensor([3.0] * 3))
        both = joined(one, other)
        assert both.w.tolist() == [0.5, 2.0, 1.0, 1.0, 1.0]
        assert both.p.tolist() == [1.0, 1.0, 3.0, 3.0, 3.0]

    def test_labels_on_one_side_only_are_refused(self):
        with pytest.raises(InputError, match=r"^draws with and without labels cannot be joined: "):
            joined(Draw(torch.arange(2), torch.arange(2)), Draw(torch.arange(2)))

    def test_repeated_rows_come_so_often_in_every_pass(self):
        four = repeated(Draw(torch.tensor([3]), torch.tensor([1])), 4)
        one = stream(joined(four, Draw(torch.tensor([9, 8]), torch.tensor([0, 2]))), 6)
        for _ in range(3):
            row = one.next()
            assert sorted(row.ids.tolist()) == [3, 3, 3, 3, 8, 9]

    def test_no_repetition_is_refused(self):
        with pytest.raises(InputError, match=r"^rows cannot be repeated 0 times: give at least 1$"):
            repeated(Draw(torch.arange(2)), 0)


class TestDrawn:
    def entropies(self, turn=0, ids=None, maker=net, draws=8):
        found = {}

        def body(run):
            m = run.build()
            which = run.draw("unlabelled").ids if ids is None else ids
            found["H"] = run.drawn(m.net, lambda o: entropy_of_mean(o.softmax(2)), which, draws, turn)
            found["plain"] = run.compute(m.net, which, m.net)

        before = torch.get_rng_state()
        Setting(maker=maker).fit(Scripted(body))
        assert torch.equal(torch.get_rng_state(), before)
        return found["H"]

    def test_masks_depend_on_turn_and_item_alone(self):
        assert torch.equal(self.entropies(), self.entropies())
        assert not torch.equal(self.entropies(), self.entropies(turn=1))
        some = torch.arange(40, 47)
        torch.testing.assert_close(self.entropies(ids=some), self.entropies(ids=torch.arange(36, 48))[4:11])

    def test_many_draws_come_to_the_mean_of_the_net_with_dropout(self):
        few, many = self.entropies(draws=400), self.entropies(draws=400, turn=3)
        torch.testing.assert_close(few, many, atol=0.02, rtol=0)

    def test_no_items_are_no_rows(self):
        assert self.entropies(ids=NONE).shape == (0,)

    def test_a_net_without_dropout_is_refused(self):
        from askwell.models.net import HeadedNet

        with pytest.raises(UnmetNeeds, match="no dropout of this model is active"):
            self.entropies(maker=lambda: HeadedNet([nn.Flatten()], 16, 3))


class TestKept:
    def test_it_takes_what_was_saved_whatever_the_length(self):
        one, other = (SimpleNamespace(memory=Kept(ids=NONE), net=nn.Linear(2, 1)) for _ in range(2))
        one.memory.put(ids=torch.tensor([4, 9, 11]))
        restore(other, tensors(one))
        assert other.memory.ids.tolist() == [4, 9, 11]
        again = Kept(ids=NONE)
        assert transfer(again, {"ids": torch.tensor([7])}) == []
        again.load_state_dict(one.memory.state_dict())
        assert again.ids.tolist() == [4, 9, 11]

    def test_a_net_of_another_shape_is_still_refused(self):
        one, other = SimpleNamespace(net=nn.Linear(2, 1)), SimpleNamespace(net=nn.Linear(3, 1))
        with pytest.raises(InputError, match=r"^these weights are of other modules: 'net.weight' does not fit "):
            restore(other, tensors(one))

    def test_what_was_put_is_a_copy_of_its_kind(self):
        kept, given = Kept(ids=NONE), torch.tensor([1.0, 2.0])
        kept.put(ids=given)
        given.zero_()
        assert kept.ids.dtype == torch.int64
        assert kept.ids.tolist() == [1, 2]

    def test_unknown_names(self):
        with pytest.raises(UnknownName, match=r"^unknown kept tensor 'idz': did you mean 'ids'\? Known: ids$"):
            Kept(ids=NONE).put(idz=NONE)
