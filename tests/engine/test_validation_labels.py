"""What a strategy may read of the validation part: its labels, where it has one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from askwell.core.needs import LABELS
from askwell.core.recipe import Recipe
from askwell.data import load
from askwell.engine.loop import rounds
from askwell.engine.project import Project
from askwell.engine.simulated import simulated
from askwell.errors import UnmetNeeds
from askwell.learners import Net
from askwell.models import MLP
from askwell.recipes.plain import plain
from askwell.schemes import Supervised
from askwell.strategies import FisherKernel
from askwell.testing.toys import CLASSES, toy


def data(validation: int):
    problem = toy("vector", 60)
    given = {"labels": problem.truth.numpy(), "classes": CLASSES}
    return load(problem.pool.rows.numpy(), **given, test_size=12, validation_size=validation, pool_size=39)


def recipe() -> Recipe:
    net, scheme = Net(MLP(width=8, depth=1)), Supervised(steps=3)
    return plain("errors", FisherKernel(), learner=net, scheme=scheme, initial_size=9, batch=4, rounds=1)


def test_labels_stand_in_the_order_of_the_items(tmp_path):
    with Project.create(tmp_path / "run", data(9), recipe=recipe()) as project:
        list(rounds(project, simulated(project.recipe, project.data)))
        view = project.view(project.candidates(), (LABELS, LABELS.at("validation")))
        ids = view.ids_of("validation")
        assert len(ids) == 9
        assert view[LABELS.at("validation")].tolist() == project.data.labels[ids.numpy()].tolist()
        assert view[LABELS].tolist() == project.data.labels[view.ids_of("labelled").numpy()].tolist()


def test_labels_of_candidates_are_out_of_reach(tmp_path):
    with Project.create(tmp_path / "run", data(9), recipe=recipe()) as project:
        need = LABELS.at("candidates")
        with pytest.raises(UnmetNeeds, match=r"^there is no labels: there is labels@labelled, "):
            project.view(torch.from_numpy(np.sort(project.candidates())), (need,))[need]


def test_without_a_validation_part_it_is_refused_before_it_runs(tmp_path):
    message = (
        r"^recipe 'errors': strategy 'fisher_kernel' reads a validation part and there is none: set validation_size$"
    )
    with pytest.raises(UnmetNeeds, match=message):
        Project.create(tmp_path / "run", data(0), recipe=recipe())
