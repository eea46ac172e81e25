"""A model without its project: whole folders, equal predictions, nothing pickled, nothing foreign run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

import askwell as aw
from askwell.data import load
from askwell.engine.project import Project
from askwell.errors import BadData, BadShape, InputError, NotWritable, ProjectError

CLASSES = ["a", "b", "c"]
QUICK = {"scheme": "supervised(steps=30)"}
FORESTS = "sklearn(estimator=random_forest)"


def trained(path, data, n=30, **changes):
    """A project with n labels and a model."""
    project = Project.create(path, data, **{"strategy": "margin", "initial": n, **changes})
    for question in project.ask(n):
        project.tell(question.id, project.data.labels[question.position])
    project.train()
    return project


def points(n=300, width=2, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return (np.eye(3, width)[labels] * 4 + rng.normal(size=(n, width))).astype(np.float32), labels


def texts():
    rng = np.random.default_rng(1)
    words = [["good", "fine", "great"], ["bad", "poor", "awful"]]
    said = [f"{rng.choice(words[row % 2])} {rng.choice(['film', 'book', 'day'])} {row % 7}" for row in range(120)]
    return said, [("bad", "good")[row % 2 == 0] for row in range(120)]


def pictures(path):
    """120 pictures, bright or dark, in two folders; the same of other sizes in one."""
    rng = np.random.default_rng(2)
    for name in ("train", "new"):
        for row in range(120 if name == "train" else 20):
            side = 12 if name == "train" else 15
            kind = ("dark", "bright")[row % 2]
            pixels = rng.integers(0, 128, (side, side, 3)) + 120 * (row % 2)
            folder = path / name / (kind if name == "train" else "")
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{row}.png")
    return path / "train", path / "new"


@pytest.fixture
def project(tmp_path):
    data = load(points()[0], labels=points()[1], classes=CLASSES, test_size=60)
    with trained(tmp_path / "p", data, learner="linear", initial=60, n=60) as made:
        yield made


def of_texts(tmp_path, **changes):
    said, labels = texts()
    return load(said, labels=labels, test_size=20), ["a great unheard film", "awful"], changes


def of_points(tmp_path, **changes):
    return load(points()[0], labels=points()[1], test_size=60), points(50, seed=1)[0], changes


def of_table(tmp_path):
    rows = "".join(f"{x},{y},{CLASSES[c]}\n" for (x, y), c in zip(*points(), strict=True))
    (tmp_path / "t.csv").write_text("x,y,label\n" + rows)
    (tmp_path / "n.csv").write_text("y,name,x\n4,one,0\n0,two,4\n")
    return load(tmp_path / "t.csv", test_size=60), tmp_path / "n.csv", QUICK


def of_pictures(tmp_path):
    folder, new = pictures(tmp_path)
    return load(folder, test_size=20, cache=tmp_path / "c"), new, {"learner": "linear"}


def of_images(tmp_path):
    images, labels = points(width=4)[0].reshape(-1, 2, 2), points(width=4)[1]
    new = points(50, width=4, seed=1)[0].reshape(-1, 2, 2)
    return load(images, labels=labels, test_size=60), new, {"model": "mlp(width=16)", **QUICK}


def of_numbers(tmp_path):
    x = points()[0]
    data = load(x, labels=100 * x[:, 0] + 7, task="regression", test_size=60)
    return data, points(50, seed=1)[0], {"learner": "linear", "strategy": "random"}


def of_sets(tmp_path):
    x = points()[0]
    data = load(x, labels=(x > 2).astype(int), task="multi_label", classes=["right", "up"], test_size=60)
    return data, points(50, seed=1)[0], {"learner": "linear", "strategy": "random"}


SCENES = {
    "texts": partial(of_texts, learner="linear"),
    "words": partial(of_texts, **QUICK),
    "forest of texts": partial(of_texts, learner=FORESTS),
    "table": of_table,
    "pictures": of_pictures,
    "images": of_images,
    "forest": partial(of_points, learner=FORESTS),
    "numbers": of_numbers,
    "sets": of_sets,
}
"""What gives data, new items, and changes of the project."""
ESTIMATORS = {
    "classification": (
        "logistic_regression", "random_forest", "extra_trees", "gradient_boosting", "k_neighbors", "naive_bayes", "mlp",
        "svm", "bagging",
    ),
    "multi_label": ("random_forest", "logistic_regression"),
    "regression": ("random_forest", "ridge"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in ESTIMATORS.items() for name in names])
def test_estimators_of_scikit_learn_come_back_without_a_pickle(tmp_path, task, name):
    pytest.importorskip("skops")
    x, y = points()
    labels = {"classification": y, "multi_label": (x > 2).astype(int), "regression": 100 * x[:, 0]}[task]
    classes = ["right", "up"] if task == "multi_label" else None
    data = load(x, labels=labels, task=task, classes=classes, test_size=60)
    with trained(tmp_path / "p", data, strategy="random", learner=f"sklearn(estimator='{name}')") as project:
        found = project.predict(x + 1)
        again = aw.load_model(project.export_model(tmp_path / "m")).predict(x + 1)
    assert again.labels == found.labels
    assert found.probs is None if task == "regression" else np.array_equal(again.probs, found.probs)


def test_one_class_alone_needs_no_estimator(tmp_path):
    pytest.importorskip("skops")
    data = load(points()[0], labels=points()[1], classes=CLASSES, test_size=60)
    with Project.create(tmp_path / "p", data, learner=FORESTS, initial=5) as project:
        for question in project.ask(5):
            project.tell(question.id, "b")
        project.train()
        folder = project.export_model(tmp_path / "m")
    assert set(aw.load_model(folder).predict(points(9)[0]).labels) == {"b"}


@pytest.mark.parametrize("kind", SCENES)
def test_a_loaded_model_predicts_what_its_project_predicts(tmp_path, kind):
    if "forest" in kind:
        pytest.importorskip("skops")
    data, new, changes = SCENES[kind](tmp_path)
    with trained(tmp_path / "p", data, n=60, **changes) as project:
        said = project.predict(new)
        project.export_model(tmp_path / "m")
    model = aw.load_model(tmp_path / "m")
    found = model.predict(new)
    assert (found.keys, found.labels, found.temperature) == (said.keys, said.labels, said.temperature)
    assert found.probs is None if kind == "numbers" else np.array_equal(found.probs, said.probs)
    assert (model.classes, model.about["labels"]) == (project.task.labels, 60)


def test_without_calibration_too(project, tmp_path):
    project.export_model(tmp_path / "m")
    found = aw.load_model(tmp_path / "m").predict(points(40, seed=1)[0], calibrate=False)
    assert np.array_equal(found.probs, project.predict(points(40, seed=1)[0], calibrate=False).probs)


def test_a_new_process_without_the_project_writes_the_same_bytes(project, tmp_path):
    np.save(tmp_path / "new.npy", points(50, seed=1)[0])
    project.export_model(tmp_path / "m")
    project.predict(tmp_path / "new.npy").to_csv(tmp_path / "here.csv")
    project.folder.path.rename(tmp_path / "gone")
    code = (
        f"import askwell as aw; model = aw.load_model({str(tmp_path / 'm')!r});"
        f"model.predict({str(tmp_path / 'new.npy')!r}).to_csv({str(tmp_path / 'there.csv')!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()


def test_what_the_folder_holds(project, tmp_path):
    assert project.export_model(tmp_path / "m") == tmp_path / "m"
    names = sorted(file.name for file in (tmp_path / "m").iterdir())
    assert names == ["README.md", "askwell.json", "items.json", "items.safetensors", "model.safetensors"]
    about = json.loads((tmp_path / "m" / "askwell.json").read_text())
    assert about["classes"] == CLASSES
    assert about["metrics"] == project.reports[-1].metrics
    assert about["data"] == {"name": "arrays", "digest": project.data.digest, "items": 300}
    assert about["temperature"] == project.calibration.temperature
    assert about["weights"] == about["files"]["model.safetensors"] == project.reports[-1].weights


def test_no_file_of_any_model_is_a_pickle(tmp_path):
    pytest.importorskip("skops")
    data = load(points()[0], labels=points()[1], test_size=60)
    with trained(tmp_path / "p", data, learner=FORESTS) as project:
        folder = project.export_model(tmp_path / "m")
    assert sorted(file.suffix for file in folder.iterdir()) == [".json", ".json", ".md", ".skops"]
    assert not [file for file in folder.rglob("*") if b"\x80\x04\x95" in file.read_bytes()]


def test_no_item_and_no_label_of_an_item_is_in_the_folder(tmp_path):
    said, labels = texts()
    said[0] = "unmistakable4711 good"
    with trained(tmp_path / "p", load(said, labels=labels, key=[f"key-{n}" for n in range(120)]), **QUICK) as project:
        folder = project.export_model(tmp_path / "m")
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"key-1" not in content
    assert b"unmistakable4711 good" not in content


def test_the_card_says_how_the_model_came_about(project, tmp_path):
    text = (project.export_model(tmp_path / "m") / "README.md").read_text()
    head = text.split("---\n")[1]
    assert head.startswith('library_name: askwell\npipeline_tag: tabular-classification\ntags:\n- "askwell"\n')
    assert '- "margin"' in head
    assert "On 60 labels, asked for in 1 rounds over data of 300 items: the first by `random`" in text
    assert project.data.digest in text
    assert f"| accuracy | {project.reports[-1].metrics['accuracy']:.4f} |" in text
    assert re.search(r"temperature scaling, T = [\d.]+, on 12 labels that a second fit", text)
    assert "## Intended use\n\n<!-- For you to fill in" in text


def test_the_head_of_the_card_is_yaml_that_a_hub_reads(project, tmp_path):
    yaml = pytest.importorskip("yaml")
    head = (project.export_model(tmp_path / "m") / "README.md").read_text().split("---\n")[1]
    found = yaml.safe_load(head)
    results = found["model-index"][0]["results"][0]
    assert (found["library_name"], results["task"], results["dataset"]["name"]) == (
        "askwell",
        {"type": "tabular-classification"},
        "arrays",
    )
    assert {one["type"]: one["value"] for one in results["metrics"]} == pytest.approx(
        project.reports[-1].metrics, rel=1e-5
    )


def test_a_folder_that_holds_something_is_never_touched(project, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine.txt").write_text("mine")
    with pytest.raises(InputError) as error:
        project.export_model(tmp_path / "m")
    assert str(error.value) == f"{tmp_path / 'm'} is there already: choose a new folder for the model"
    assert [file.name for file in (tmp_path / "m").iterdir()] == ["mine.txt"]


def test_an_empty_folder_will_do(project, tmp_path):
    (tmp_path / "m").mkdir()
    assert aw.load_model(project.export_model(tmp_path / "m")).classes == tuple(CLASSES)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_is_not_written_whole_leaves_nothing(project, tmp_path, monkeypatch, error):
    def fail(about):
        raise error

    monkeypatch.setattr("askwell.engine.package.card", fail)
    with pytest.raises(NotWritable if isinstance(error, OSError) else KeyboardInterrupt):
        project.export_model(tmp_path / "out" / "m")
    assert not list((tmp_path / "out").iterdir())


def test_a_project_without_a_model_is_refused(tmp_path):
    with Project.create(tmp_path / "p", points()[0], classes=CLASSES) as project, pytest.raises(ProjectError) as error:
        project.export_model(tmp_path / "m")
    assert str(error.value) == f"{tmp_path / 'p'} has no trained model yet: train it first"


def damaged(name, change):
    """A test of what is said where a file of the folder was changed."""

    def spoil(folder):
        change(folder / name)

    return spoil


def described(**changes):
    def change(file):
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return damaged("askwell.json", change)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damaged("askwell.json", lambda file: file.unlink()), "holds no exported model: it has no askwell.json"),
        (damaged("askwell.json", lambda file: file.write_text("{")), "is damaged: it does not describe a model"),
        (damaged("askwell.json", lambda file: file.write_text("[]")), "is damaged: it does not describe a model"),
        (described(format=99), "was written by a newer askwell"),
        (damaged("model.safetensors", lambda file: file.unlink()), "model.safetensors is missing or is not the file"),
        (damaged("model.safetensors", lambda file: file.write_bytes(b"x")), "is missing or is not the file that was"),
        (damaged("items.safetensors", lambda file: file.write_bytes(b"x")), "is missing or is not the file that was"),
        (damaged("items.json", lambda file: file.write_text("{}")), "is missing or is not the file that was"),
        (described(files={}, items="texts", form={}), "is damaged: it does not describe a model"),
        (described(temperature="warm"), "is damaged: it does not describe a model"),
        (described(files=["model.safetensors"]), "is damaged: it does not describe a model"),
        (described(learner={"part": "linear", "room": "kitchens"}), "is damaged: it does not describe a model"),
    ],
)
def test_a_damaged_folder_is_refused(project, tmp_path, spoil, words):
    spoil(project.export_model(tmp_path / "m"))
    with pytest.raises(BadData, match=re.escape(words)):
        aw.load_model(tmp_path / "m")


def test_items_of_another_form_are_refused(project, tmp_path):
    model = aw.load_model(project.export_model(tmp_path / "m"))
    with pytest.raises(BadShape) as error:
        model.predict(np.ones((4, 5), np.float32))
    assert str(error.value) == (
        "these items have the form Form(kind='vector', shape=(5,), vocab=0), those of the pool "
        "Form(kind='vector', shape=(2,), vocab=0)"
    )


def test_code_of_others_runs_only_where_it_is_trusted(project, tmp_path):
    folder = project.export_model(tmp_path / "m")
    described(learner={"part": "net", "room": "learners", "model": "antigravity:anything"})(folder)
    with pytest.raises(BadData) as error:
        aw.load_model(folder)
    assert str(error.value) == (
        f"the model in {folder} runs 'antigravity:anything': if you trust that module, "
        "load_model(…, trusted=['antigravity'])"
    )
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        ("sklearn.utils._testing:assert_run_python_script_without_output", [["source_code", "open('ran', 'w')"]]),
        ("askwell.engine.model:load_model", [["path", "."], ["trusted", ["os"]]]),
        ("torch.nn.init:torch", []),
        ("sklearn.utils:Bunch", []),
    ],
)
def test_known_packages_lend_their_estimators_and_layers_alone(project, tmp_path, monkeypatch, address, settings):
    """Their functions can start programs, and `load_model` itself can be told to trust anything."""
    monkeypatch.chdir(tmp_path)
    folder = project.export_model(tmp_path / "m")
    described(learner={"part": "sklearn", "room": "learners", "estimator": address, "settings": settings})(folder)
    with pytest.raises(BadData, match=re.escape(f"runs {address!r}: if you trust that module")):
        aw.load_model(folder)
    assert not (tmp_path / "ran").exists()


class Odd(KNeighborsClassifier):
    """An estimator of somebody's own."""


def test_an_estimator_of_foreign_types_is_refused(tmp_path):
    io = pytest.importorskip("skops.io")
    data = load(points()[0], labels=points()[1], test_size=60)
    with trained(tmp_path / "p", data, learner="sklearn(estimator=k_neighbors)") as project:
        folder = project.export_model(tmp_path / "m")
    io.dump(Odd().fit(points()[0], points()[1]), folder / "model.skops")
    described(files={"model.skops": sha256((folder / "model.skops").read_bytes()).hexdigest()})(folder)
    with pytest.raises(BadData) as error:
        aw.load_model(folder)
    assert str(error.value) == (
        f"the estimator in {folder / 'model.skops'} is made of {f'{Odd.__module__}.Odd'!r}, which is no type of "
        f"scikit-learn: if you trust it, load_model(…, trusted=[{Odd.__module__!r}])"
    )
    assert len(aw.load_model(folder, trusted=[Odd.__module__]).predict(points(5)[0])) == 5


@pytest.mark.parametrize("how", ["fine-tuned", "features"])
def test_a_saved_model_goes_into_the_folder_with_it(tmp_path, text_model, monkeypatch, how):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "saved"
    shutil.copytree(text_model, source)
    said = [f"w{row % 2} w{2 + row % 5} w{9 + row % 3}" for row in range(120)]
    labels, new = [("bad", "good")[row % 2] for row in range(120)], ["w0 w3 w28", "w1 w25"]
    kept, changes = {"features": source}, {}
    if how == "fine-tuned":
        kept, changes = {}, {"model": str(source), "scheme": "supervised(steps=10, batch=8)"}
    data = load(said, labels=labels, test_size=20, **kept)
    with trained(tmp_path / "p", data, **changes) as project:
        found = project.predict(new)
        folder = project.export_model(tmp_path / "m")
    shutil.rmtree(source)
    again = aw.load_model(folder).predict(new)
    assert np.array_equal(again.probs, found.probs)
    assert (folder / {"features": "features", "fine-tuned": "base"}[how] / "config.json").is_file()
