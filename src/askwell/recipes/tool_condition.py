"""Tool condition monitoring with a Bayesian convolutional network [107]."""

from __future__ import annotations

from askwell.core.recipe import Recipe
from askwell.recipes.plain import plain
from askwell.strategies import MaxEntropy

__all__ = ["tool_condition"]


def tool_condition() -> Recipe:
    """Asks for the windows of a signal whose averaged draws are least decided; a network sees them as pictures.

    Made for windows that are served as Gramian fields: data="ecg_mitbih_fields", or a `FieldPool` of your own windows.
    Where they arrive one by one, strategy="stream(max_entropy(draws=50))" decides at once.
    """
    return plain(
        "tool_condition",
        MaxEntropy(draws=50),
        source="Martinez Arellano & Ratchev 2019, Proc. ESANN (no DOI)",
        deviations=(
            "Stand-in data: heart beats of ecg_mitbih take the place of the milling signals (PHM 2010), which are not "
            "freely at hand; five classes instead of three states of wear.",
            "Interpretation: the abstract gives the acquisition, the fields and the network with dropout; 50 draws, "
            "batches of 10, fields of 32 pixels and the network are ours.",
            "Online, a window is asked about where its entropy is among the highest tenth of the last 100 windows met, "
            "in place of the 90th percentile of the labelled ones' entropies.",
            "A window has one channel; the paper's has several signals.",
            "A window is averaged down to the field's side before it is scaled.",
            "A constant window is the field of zeros, -1 throughout, where the scaling would divide by zero.",
        ),
        batch=10,
        rounds=20,
    )
