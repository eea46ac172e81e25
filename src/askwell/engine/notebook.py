"""Runs and projects as a notebook shows them: HTML in the page's own colours, with nothing from outside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from askwell.engine.draw import Curves, bands, defined, number, small_png
from askwell.engine.report import Report
from askwell.metrics.curves import area, mean_interval

if TYPE_CHECKING:
    from askwell.engine.result import Result

__all__ = ["of_project", "of_result", "table"]

LEFT = 'style="text-align: left"'
SHOWN = 12
WIDTH = 460
"""Pixels of the curve; its picture has half as many again, for sharp screens."""


def of_result(result: Result) -> str:
    """The curves, a table of the arms, the verdict, and where the files are."""
    curves = result.curves()
    columns = ("arm", "seeds", "labels", result.metric, "area")
    ends = [f"{arm} ended early: {reason}" for arm, reason in result.stopped.items()]
    return _block(
        _heading(" against ".join(result.arms)),
        _curve(curves, result.metric),
        table([(arm, *_figures(arm, curves)) for arm in curves], columns),
        *(f"<p>{escape(sentence)}</p>" for sentence in (result.verdict, *ends)),
        f"<p><code>{escape(str(result.folder))}</code></p>",
    )


def of_project(status: Mapping[str, Any], reports: Sequence[Report]) -> str:
    """Where a project stands, and its curve as far as it has been measured."""
    rows = [(name.replace("_", " "), _said(value)) for name, value in status.items() if name != "model"]
    points = [(report.labels, report.value) for report in reports if report.value == report.value]
    curve = _curve({str(status["recipe"]): [points]}, reports[-1].headline) if points else ""
    return _block(_heading(f"project {status['data']}"), curve, table(rows))


def table(rows: Iterable[Sequence[str]], columns: Sequence[str] = ()) -> str:
    """Rows of text as an HTML table; the first cell of a row is its heading.

    >>> table([("a<b", "1")])
    '<table><tbody><tr><th style="text-align: left">a&lt;b</th><td style="text-align: left">1</td></tr></tbody></table>'
    """
    head = "".join(f'<th scope="col" {LEFT}>{escape(name)}</th>' for name in columns)
    body = "".join(
        f"<tr><th {LEFT}>{escape(first)}</th>{''.join(f'<td {LEFT}>{escape(cell)}</td>' for cell in others)}</tr>"
        for first, *others in rows
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"


def _block(*parts: str) -> str:
    return f"<div>{''.join(parts)}</div>"


def _heading(text: str) -> str:
    return f"<p><strong>{escape(text)}</strong></p>"


def _curve(curves: Curves, metric: str) -> str:
    """The picture of the curves, with their ends as the text beside it."""
    ends = (
        f"{arm} {band.mean[0]:.4f} at {band.labels[0]} to {band.mean[-1]:.4f} at {band.labels[-1]}"
        for arm, band in bands(curves).items()
    )
    words = escape(f"{metric} by labelled items: {'; '.join(ends)}")
    body = b64encode(small_png(curves, metric)).decode()
    return f'<img width="{WIDTH}" alt="{words}" src="data:image/png;base64,{body}">'


def _figures(arm: str, curves: Curves) -> tuple[str, str, str, str]:
    """Seeds, last labels, last value and area of an arm, as means with half of their 95 % intervals."""
    band, seeds = bands({arm: curves[arm]})[arm], defined(curves[arm])
    areas = mean_interval([area(curve) for curve in seeds])
    return str(len(seeds)), str(band.labels[-1]), number(band.mean[-1], band.half[-1]), number(*areas)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        more = f", … ({len(value)})" if len(value) > SHOWN else ""
        return (", ".join(map(str, value[:SHOWN])) or "none") + more
    return f"{value:.4g}" if isinstance(value, float) else str(value)
