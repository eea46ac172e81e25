"""What a project's model says: of its own items, of new ones, calibrated, in a file, in another process."""

from __future__ import annotations

import csv
import json
import logging
import subprocess
import sys

import numpy as np
import pandas
import pytest
import torch

import askwell as aw
from askwell.data import load
from askwell.engine.predict import Predictions
from askwell.engine.project import Project
from askwell.errors import BadData, BadShape, InputError, NotWritable, ProjectError, UnknownName

CLASSES = ["a", "b", "c"]


def answered(project, n):
    """The project with n labels, trained."""
    for question in project.ask(n):
        project.tell(question.id, project.data.labels[question.position])
    project.train()
    return project


def lines(path):
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def mixed():
    """Three overlapping classes in the plane: 400 points and 500 others."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 900)
    points = np.array([[0, 0], [2, 0], [0, 2]])[labels] + 1.2 * rng.normal(size=(900, 2))
    return points.astype(np.float32), labels


@pytest.fixture
def project(tmp_path, mixed):
    data = load(mixed[0][:400], labels=mixed[1][:400], classes=CLASSES, test_size=100)
    with Project.create(tmp_path / "p", data, strategy="margin", learner="linear(l2=0.001)", initial=60) as made:
        yield answered(made, 60)


def test_every_item_of_the_project_gets_a_label_and_probabilities(project):
    found = project.predict()
    assert (len(found), found.keys[:2], found.probs.shape) == (400, ["0", "1"], (400, 3))
    assert np.allclose(found.probs.sum(1), 1, atol=1e-6)
    assert found.labels == [CLASSES[place] for place in found.probs.argmax(1)]
    right = np.mean([CLASSES[label] == said for label, said in zip(project.data.labels, found.labels, strict=True)])
    assert right > 0.7


def test_removed_items_are_left_out(project):
    project.remove(["1", "3"])
    assert project.predict().keys[:3] == ["0", "2", "4"]


def test_calibration_changes_probabilities_and_no_label(project):
    plain, calibrated = project.predict(calibrate=False), project.predict()
    assert (plain.temperature, calibrated.labels) == (1.0, plain.labels)
    assert calibrated.temperature == project.calibration.temperature != 1.0
    tempered = project.task.tempered(torch.from_numpy(plain.probs), calibrated.temperature)
    assert np.array_equal(tempered.numpy(), calibrated.probs)


def test_calibrated_probabilities_are_more_likely_on_other_items(tmp_path, mixed):
    """A network that has learnt its few labels by heart is far too sure."""
    data = load(mixed[0][:400], labels=mixed[1][:400], classes=CLASSES, test_size=0)
    sure = {"model": "mlp(dropout=0.0)", "scheme": "supervised(steps=400, lr=0.01, weight_decay=0.0)"}
    with Project.create(tmp_path / "s", data, strategy="random", initial=100, **sure) as project:
        answered(project, 100)
        targets, others = torch.from_numpy(mixed[1][400:]), mixed[0][400:]
        before = project.task.metrics(torch.from_numpy(project.predict(others, calibrate=False).probs), targets)
        after = project.task.metrics(torch.from_numpy(project.predict(others).probs), targets)
    assert project.calibration.temperature > 1.5
    assert after["nll"] < 0.6 * before["nll"]
    assert after["ece"] < 0.6 * before["ece"]
    assert after["accuracy"] == before["accuracy"]


def test_the_temperature_is_found_once_and_kept_with_the_hash_of_the_model(project, monkeypatch):
    found = project.calibration
    kept = json.loads((project.folder.path / "calibration.json").read_text())
    assert kept == {
        "weights": project.reports[-1].weights,
        "temperature": found.temperature,
        "items": 12,
        "how": "refit",
    }
    monkeypatch.setattr("askwell.engine.calibrate.Calibrator.find", lambda self: pytest.fail("fitted twice"))
    assert project.calibration == found


def test_another_model_gets_its_own_temperature(project):
    before = project.calibration
    answered(project, 20)
    assert project.calibration.weights == project.reports[-1].weights != before.weights


def test_a_file_of_another_model_or_a_damaged_one_is_replaced(project):
    found, file = project.calibration, project.folder.path / "calibration.json"
    for text in ("{", '{"weights": "other", "temperature": 9.0}', '{"strange": 1}'):
        file.write_text(text)
        with Project.open(project.folder.path, project.data) as again:
            assert again.calibration == found
    assert json.loads(file.read_text())["temperature"] == found.temperature


def test_a_project_opened_to_read_writes_nothing_and_calibrates_once(project, monkeypatch):
    with Project.open(project.folder.path, project.data, mode="ro") as reader:
        assert reader.calibration.how == "refit"
        monkeypatch.setattr("askwell.engine.calibrate.Calibrator.find", lambda self: pytest.fail("fitted twice"))
        assert len(reader.predict()) == len(project.pool)
    assert not (project.folder.path / "calibration.json").exists()


def test_a_validation_part_calibrates_without_another_fit(tmp_path, mixed, monkeypatch):
    data = load(mixed[0], labels=mixed[1], classes=CLASSES, test_size=100, validation_size=200)
    with Project.create(tmp_path / "v", data, learner="linear", initial=20) as project:
        answered(project, 20)
        monkeypatch.setattr("askwell.engine.calibrate.Calibrator._refitted", lambda *_: pytest.fail("fitted again"))
        assert (project.calibration.how, project.calibration.items) == ("validation", 200)
        assert project.predict().temperature != 1.0


def test_with_few_labels_nothing_is_held_out_and_the_log_says_so(tmp_path, mixed, caplog):
    data = load(mixed[0], labels=mixed[1], classes=CLASSES)
    with Project.create(tmp_path / "f", data, learner="linear", initial=49) as project:
        answered(project, 49)
        with caplog.at_level(logging.WARNING, "askwell"):
            assert project.predict().temperature == 1.0
    assert caplog.messages == [
        "probabilities are not calibrated: that takes 50 labels or a validation part, there are 49 labels"
    ]


def test_the_fit_that_calibrates_sees_no_held_out_label(project, monkeypatch):
    jobs = []
    learner = type(project.learner)
    fit = learner.fit
    monkeypatch.setattr(learner, "fit", lambda self, pool, job, *rest: jobs.append(job) or fit(self, pool, job, *rest))
    predict = learner.predict
    asked = []
    monkeypatch.setattr(learner, "predict", lambda self, pool, ids: asked.append(ids) or predict(self, pool, ids))
    assert project.calibration.items == len(asked[0]) == 12
    known = {*jobs[0].labelled.tolist(), *jobs[0].unlabelled.tolist()}
    assert (len(jobs[0].labelled), known & set(asked[0].tolist())) == (48, set())


def test_new_items_are_served_as_the_project_serves_its_own(project, mixed):
    again = project.predict(mixed[0][:400], calibrate=False)
    assert np.array_equal(again.probs, project.predict(calibrate=False).probs)
    shifted = project.predict(mixed[0][:400] + 50)
    assert not np.array_equal(shifted.probs, project.predict().probs)


def test_the_data_of_the_project_are_its_items(project):
    assert project.predict(project.data).labels == project.predict().labels


def test_columns_are_found_by_name_and_labels_are_not_looked_at(tmp_path, mixed):
    table = pandas.DataFrame({"x": mixed[0][:, 0], "y": mixed[0][:, 1], "label": [CLASSES[c] for c in mixed[1]]})
    table["name"] = [f"row {row}" for row in range(900)]
    table.to_csv(tmp_path / "train.csv", index=False)
    new = table.rename(columns={"label": "class"})[["class", "name", "y", "x"]].head(40).assign(**{"class": "zebra"})
    new.to_csv(tmp_path / "new.csv", index=False)
    loading = {"key": "name"}
    with Project.create(tmp_path / "t", tmp_path / "train.csv", learner="linear", loading=loading) as project:
        answered(project, 20)
        found = project.predict(tmp_path / "new.csv")
        assert found.keys[:2] == ["row 0", "row 1"]
        assert found.labels == project.predict().labels[:40]
        assert project.predict(new).labels == found.labels
        new.drop(columns="x").to_csv(tmp_path / "new.csv", index=False)
        with pytest.raises(UnknownName, match=r"unknown column of new\.csv 'x': "):
            project.predict(tmp_path / "new.csv")


def test_texts_from_a_list_use_the_words_of_the_project(tmp_path):
    texts = [f"{word} number {place}" for place in range(30) for word in ("good", "bad")]
    pandas.DataFrame({"review": texts, "stars": ["good", "bad"] * 30}).to_csv(tmp_path / "r.csv", index=False)
    loading = {"text": "review", "label": "stars"}
    with Project.create(tmp_path / "p", tmp_path / "r.csv", learner="linear", initial=12, loading=loading) as project:
        answered(project, 12)
        assert project.predict(["good zebra", "bad zebra"]).labels == ["good", "bad"]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (np.ones((4, 3), np.float32), BadShape, "these items have the form Form(kind='vector', shape=(3,), vocab=0)"),
        (["a text"], BadData, "these items are texts, and those of the pool are arrays"),
        ("nowhere.csv", BadData, "there is no file or folder nowhere.csv"),
    ],
)
def test_items_of_another_kind_are_refused(project, data, error, words):
    with pytest.raises(error) as raised:
        project.predict(data)
    assert str(raised.value).startswith(words)


def test_options_without_data_are_refused(project):
    with pytest.raises(InputError) as error:
        project.predict(loading={"text": "review"})
    assert str(error.value) == "options of loading apply to new data, and none are given: text"


def test_a_project_that_was_not_trained_or_whose_classes_changed_is_refused(project, tmp_path, mixed):
    project.merge_classes(["a", "b"], "ab")
    with pytest.raises(ProjectError, match=r"train again"):
        project.predict()
    with (
        Project.create(tmp_path / "n", mixed[0], classes=CLASSES) as other,
        pytest.raises(ProjectError, match="has no trained model yet"),
    ):
        other.predict()


def test_renamed_classes_are_called_by_their_new_names(project):
    before = project.predict()
    project.rename_class("a", "alpha")
    after = project.predict()
    assert after.classes == ("alpha", "b", "c")
    assert np.array_equal(after.probs, before.probs)


def test_numbers_are_predicted_without_probabilities(tmp_path, mixed):
    heights = 10 * mixed[0][:, 0] + 3
    data = load(mixed[0], labels=heights, task="regression", test_size=100)
    with Project.create(tmp_path / "r", data, strategy="random", learner="linear(l2=0.01)", initial=60) as project:
        answered(project, 60)
        found = project.predict()
        found.to_csv(tmp_path / "r.csv")
    assert (found.probs, found.temperature, found.columns) == (None, 1.0, ("id", "value"))
    assert np.abs(np.array(found.labels) - heights).max() < 0.5
    rows = lines(tmp_path / "r.csv")
    assert np.float32(rows[1][1]) == np.float32(found.labels[0])


def test_sets_of_labels_are_predicted_each_by_itself(tmp_path, mixed):
    marks = np.stack([mixed[0][:, 0] > 1, mixed[0][:, 1] > 1], 1).astype(int)
    data = load(mixed[0], labels=marks, task="multi_label", classes=["right", "up"], test_size=100)
    with Project.create(tmp_path / "m", data, strategy="random", learner="linear(l2=0.01)", initial=80) as project:
        answered(project, 80)
        found = project.predict()
    assert found.temperature != 1.0
    assert {"|".join(label) for label in found.labels} == {"", "right", "up", "right|up"}
    assert {row[1] for row in found} == {"[]", "right", "up", "right|up"}
    assert found.columns == ("id", "labels", "p(right)", "p(up)")
    assert np.array_equal(found.probs >= 0.5, np.array([["right" in one, "up" in one] for one in found.labels]))


def test_the_table_says_what_the_file_says(project, tmp_path):
    found = project.predict()
    assert found.to_csv(tmp_path / "out.csv") == tmp_path / "out.csv"
    rows = lines(tmp_path / "out.csv")
    assert rows[0] == ["id", "class", "p(a)", "p(b)", "p(c)"]
    assert len(rows) == 401
    assert np.array_equal(np.array([row[2:] for row in rows[1:]], np.float32), found.probs)
    frame = found.frame()
    assert list(frame.columns) == rows[0]
    assert frame["class"].tolist() == found.labels == [row[1] for row in rows[1:]]


def test_names_with_commas_quotes_and_other_letters_survive_the_file(tmp_path):
    probs = np.array([[0.25, 0.75]], np.float32)
    odd = Predictions(['a "b", c\nd'], ["überall, ja"], probs, ("nie", "überall, ja"))
    odd.to_csv(tmp_path / "odd.csv")
    rows = lines(tmp_path / "odd.csv")
    assert rows[0][3:] == ["p(überall, ja)"]
    assert rows[1] == ['a "b", c\nd', "überall, ja", "0.25", "0.75"]


def test_a_file_that_cannot_be_written_leaves_nothing(project, tmp_path):
    found = project.predict()
    object.__setattr__(found, "labels", found.labels[:-1])
    with pytest.raises(ValueError, match="shorter"):
        found.to_csv(tmp_path / "half.csv")
    with pytest.raises(NotWritable) as error:
        found.to_csv(tmp_path / "nowhere" / "out.csv")
    assert str(error.value) == f"cannot write {tmp_path / 'nowhere' / 'out.csv'}: No such file or directory"
    assert not [file for file in tmp_path.iterdir() if "half" in file.name]


@pytest.mark.parametrize("learner", ["linear", "net(model=mlp(width=16))", "sklearn(estimator=random_forest)"])
def test_another_process_predicts_the_same_bytes(tmp_path, mixed, learner):
    np.savez(tmp_path / "d.npz", x=mixed[0][:400], y=mixed[1][:400])
    path = tmp_path / "p"
    with Project.create(path, tmp_path / "d.npz", strategy="margin", learner=learner, initial=60) as project:
        answered(project, 60)
        project.predict().to_csv(tmp_path / "here.csv")
    (path / "calibration.json").unlink()
    code = f"import askwell as aw; aw.Project.open({str(path)!r}).predict().to_csv({str(tmp_path / 'there.csv')!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_names_of_the_package_are_there():
    assert {"ActiveClassifier", "Project", "load_model", "run", "select"} <= set(aw.__all__)
    assert all(hasattr(aw, name) for name in aw.__all__)
