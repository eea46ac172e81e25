from __future__ import annotations

import pytest

from askwell.engine.report import Report
from askwell.engine.stop import Cost, Labels, Plateau, Rounds, Stabilised, Target, parse_stop
from askwell.errors import InputError, UnknownName


def reports(*values, cost=1.0, kappa=None):
    return [
        Report(one, 10 * (one + 1), cost * (one + 1), {"accuracy": value}, "accuracy", 0, "", "", agreement=kappa)
        for one, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("rule", "stops", "goes_on"),
    [
        (Labels(30), reports(0.1, 0.2, 0.3), reports(0.1, 0.2)),
        (Cost(4.0), reports(0.1, 0.2, cost=2.0), reports(0.1, 0.2, cost=1.9)),
        (Rounds(2), reports(0.1, 0.2, 0.3), reports(0.1, 0.2)),
        (Target(0.3), reports(0.1, 0.3), reports(0.1, 0.29)),
        (Plateau(), reports(0.5, 0.8, 0.804, 0.8, 0.8), reports(0.5, 0.8, 0.8, 0.805, 0.8)),
        (Plateau(), reports(0.5, 0.5, 0.5, 0.5), reports(0.5, 0.5, 0.5)),
        (Stabilised(), reports(0.1, 0.1, 0.1, kappa=0.99), reports(0.1, 0.1, 0.1, kappa=0.98)),
        (Stabilised(), reports(0.1, 0.1, 0.1, kappa=1.0), reports(0.1, 0.1, kappa=1.0)),
    ],
)
def test_a_rule_stops_at_its_bound_and_not_before(rule, stops, goes_on):
    assert rule(stops)
    assert rule(goes_on) is None
    assert rule([]) is None


def errors(*values):
    return [Report(one, 10 * (one + 1), 1.0, {"rmse": value}, "rmse", 0, "", "") for one, value in enumerate(values)]


@pytest.mark.parametrize(
    ("rule", "stops", "goes_on", "reason"),
    [
        (Target(2.0), errors(5.0, 2.0), errors(1e9, 2.1), "rmse of 2.0000"),
        (Plateau(2), errors(100.0, 50.0, 49.9, 49.8), errors(100.0, 50.0, 49.9, 49.7), "a plateau: rmse fell by 0.40%"),
        (Plateau(1), errors(3.0, 4.0), errors(4.0, 3.0), "a plateau: rmse fell by 0.00% in 1 rounds"),
        (Plateau(1), errors(0.0, 0.0), errors(1.0, 0.0), "a plateau: rmse fell by 0.00% in 1 rounds"),
    ],
)
def test_of_an_error_less_is_better(rule, stops, goes_on, reason):
    """A plateau is a share of the best error before: from 50, half a per cent is 0.25."""
    assert rule(stops).startswith(reason)
    assert rule(goes_on) is None


def test_rules_compose():
    either, both = Labels(20) | Rounds(5), Labels(20) & Rounds(2)
    assert either(reports(0.1, 0.2)) == "20 labels"
    assert both(reports(0.1, 0.2)) is None
    assert both(reports(0.1, 0.2, 0.3)) == "30 labels and 2 rounds"


def test_text_and_objects_say_the_same():
    assert parse_stop("labels(20) & rounds(n=2) | target(.9, metric='macro_f1')") == (
        (Labels(20) & Rounds(2)) | Target(0.9, "macro_f1")
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label(5)", "unknown stop rule 'label': did you mean 'labels'?"),
        ("labels(m=5)", "unknown setting of stop rule 'labels': 'm'"),
        ("labels()", "stop rule 'labels' needs n"),
        ("labels(5", "cannot read the stop rule 'labels(5': write name(value), joined by & and |"),
        ("labels(x)", "cannot read the value 'x' in a stop rule"),
        ("labels(5) + rounds(2)", "cannot read the stop rule 'labels(5) + rounds(2)'"),
    ],
)
def test_bad_text_is_refused_in_one_sentence(text, message):
    with pytest.raises(InputError) as caught:
        parse_stop(text)
    assert str(caught.value).startswith(message)


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownName, match="unknown metric 'accurcy': did you mean 'accuracy'"):
        Target(0.5, "accurcy")(reports(0.1))
