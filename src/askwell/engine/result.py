"""What a run gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from askwell.core.task import MINIMISED
from askwell.engine import notebook
from askwell.engine.report import Report
from askwell.metrics.curves import Comparison, compare_areas

__all__ = ["Result"]

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Result:
    """A finished run: arms × seeds of reports, and where they are on disk.

    arms     name of each arm -> reports per seed; the first arm is the one that was asked for
    folder   the run folder, with curve.png, result.json and a project per seed
    stopped  arm -> why its first seed ended before its last round, where a stop rule said so
    """

    folder: Path
    picture: Path
    arms: Mapping[str, Sequence[Sequence[Report]]]
    stopped: Mapping[str, str]

    @property
    def metric(self) -> str:
        """The metric that the curves show."""
        return next(iter(self.arms.values()))[0][-1].headline

    @property
    def less_is_better(self) -> bool:
        """Whether a lower curve is the better one, as for errors and losses."""
        return self.metric in MINIMISED

    def curves(self) -> dict[str, list[Curve]]:
        """Arm -> per seed -> (labels, value) points."""
        return {
            name: [[(report.labels, report.value) for report in reports] for reports in seeds]
            for name, seeds in self.arms.items()
        }

    @property
    def seconds(self) -> dict[str, float]:
        """Wall clock of the arm that was asked for, all seeds, by part."""
        total: dict[str, float] = {}
        for report in (report for reports in next(iter(self.arms.values())) for report in reports):
            for name, value in report.seconds.items():
                total[name] = total.get(name, 0.0) + value
        return total

    @cached_property
    def comparison(self) -> Comparison | None:
        """The paired difference of areas under the budget curve against the second arm, where there is one."""
        curves = list(self.curves().values())
        return compare_areas(curves[0], curves[1], self.less_is_better) if len(curves) > 1 else None

    def summary(self) -> dict[str, Any]:
        """The numbers of result.json."""
        return {
            "metric": self.metric,
            "less_is_better": self.less_is_better,
            "curves": self.curves(),
            "seconds": self.seconds,
            "stopped": dict(self.stopped),
            "verdict": self.verdict,
        }

    @property
    def verdict(self) -> str:
        """One sentence on whether the choosing paid."""
        if self.comparison is None:
            return "no second arm to compare with"
        one, other = list(self.arms)[:2]
        return f"{one} against {other}: {self.comparison}"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return notebook.of_result(self)
