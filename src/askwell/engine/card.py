"""The model card of an exported model: Markdown with a YAML head, as model hubs read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["card"]

TASKS = {
    ("image", "classification"): "image-classification",
    ("image", "multi_label"): "image-classification",
    ("tokens", "classification"): "text-classification",
    ("tokens", "multi_label"): "text-classification",
    ("vector", "classification"): "tabular-classification",
    ("vector", "regression"): "tabular-regression",
}
"""(form of the items, task) -> the hub's word for it, where it has one."""
CALIBRATIONS = {
    "validation": "Probabilities are calibrated by temperature scaling, T = {T:.4g}, on {n} labels of the validation "
    "part.",
    "refit": "Probabilities are calibrated by temperature scaling, T = {T:.4g}, on {n} labels that a second fit of the "
    "same recipe had not seen.",
    "none": "Predictions are as the model gives them; nothing was calibrated.",
}
SHOWN = 50


def card(about: Mapping[str, Any]) -> str:
    """The card of a model that `askwell.json` describes; what it is meant for is left to the user."""
    parts = (_head(about), _title(about), _training(about), _metrics(about), _use(about), _loading(about))
    return "\n".join(line for part in parts for line in (*part, ""))


def _head(about: Mapping[str, Any]) -> Iterator[str]:
    """YAML, whose texts are written as JSON."""
    kind = TASKS.get((about["form"]["kind"], about["task"]))
    yield "---"
    yield "library_name: askwell"
    if kind:
        yield f"pipeline_tag: {kind}"
    yield from _listed("tags", ["askwell", "active-learning", about["recipe"]["strategy"]["part"]])
    if about["metrics"]:
        yield from _listed("metrics", list(about["metrics"]))
        yield from _index(about, kind or about["task"])
    yield "---"


def _listed(name: str, values: Sequence[str]) -> Iterator[str]:
    yield f"{name}:"
    yield from (f"- {json.dumps(value)}" for value in values)


def _index(about: Mapping[str, Any], kind: str) -> Iterator[str]:
    data = json.dumps(about["data"]["name"])
    yield "model-index:"
    yield f"- name: {json.dumps(about['name'])}"
    yield "  results:"
    yield f"  - task:\n      type: {json.dumps(kind)}"
    yield f"    dataset:\n      name: {data}\n      type: {data}"
    yield "    metrics:"
    for name, value in about["metrics"].items():
        yield f"    - type: {json.dumps(name)}\n      value: {value:.6g}"


def _title(about: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {about['name']}"
    yield ""
    yield f"A model for {about['task'].replace('_', ' ')}, trained with askwell {about['versions']['askwell']}."
    if about["classes"]:
        more = len(about["classes"]) - SHOWN
        yield f"Its classes are {', '.join(about['classes'][:SHOWN])}{f' and {more} more' if more > 0 else ''}."


def _training(about: Mapping[str, Any]) -> Iterator[str]:
    recipe, data = about["recipe"], about["data"]
    yield "## Training"
    yield ""
    yield (
        f"On {about['labels']} labels, asked for in {about['rounds']} rounds over data of {data['items']} items: the "
        f"first by `{_text(recipe['initial'])}`, the others by the strategy `{_text(recipe['strategy'])}`. "
        f"The labels cost {about['cost']:g}."
    )
    yield ""
    yield f"- learner: `{_text(about['learner'])}`"
    if about["scheme"]:
        yield f"- scheme: `{_text(about['scheme'])}`"
    yield f"- data: {data['name']}, hash `{data['digest']}`"
    if recipe["source"]:
        yield f"- paper: {recipe['source']}"


def _metrics(about: Mapping[str, Any]) -> Iterator[str]:
    yield "## Evaluation"
    yield ""
    if about["metrics"]:
        yield "On the test part, before calibration; no label of it was ever asked for."
        yield ""
        yield "| metric | value |"
        yield "|---|---|"
        yield from (f"| {name} | {value:.4f} |" for name, value in about["metrics"].items())
        yield ""
    else:
        yield "There was no test part to measure on."
        yield ""
    calibration = about["calibration"]
    yield CALIBRATIONS[calibration["how"]].format(T=about["temperature"], n=calibration["items"])


def _use(about: Mapping[str, Any]) -> Iterator[str]:
    yield "## Intended use"
    yield ""
    yield "<!-- For you to fill in: what the model is for, what it is not for, and whom its mistakes would touch. -->"


def _loading(about: Mapping[str, Any]) -> Iterator[str]:
    versions = about["versions"]
    yield "## How to load it"
    yield ""
    yield "```python"
    yield "import askwell as aw"
    yield ""
    yield 'model = aw.load_model("path/of/this/folder")'
    yield 'model.predict("path/of/new/items").to_csv("predictions.csv")'
    yield "```"
    yield ""
    yield f"Made with {', '.join(f'{name} {version}' for name, version in versions.items())}. No file here is a pickle."


def _text(part: Any) -> str:
    """A part as it is written in commands: name and settings."""
    if isinstance(part, Mapping) and "part" in part:
        inner = ", ".join(f"{key}={_text(value)}" for key, value in part.items() if key not in ("part", "room"))
        return f"{part['part']}({inner})" if inner else str(part["part"])
    if isinstance(part, list | tuple):
        return f"({', '.join(map(_text, part))})"
    return str(part)
