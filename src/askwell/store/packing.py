"""Values as text: canonical JSON, with arrays as npy bytes. Never a pickle."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from askwell.errors import BadLabel, InputError

__all__ = ["canonical", "label", "pack", "unpack"]

NPY = "__npy__"


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal text.

    >>> canonical({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def label(value: Any) -> str:
    """The text of a label; `BadLabel` unless it is finite JSON.

    >>> label(np.int64(3)), label({"box": (0, 1.5)})
    ('3', '{"box":[0,1.5]}')
    """
    try:
        return json.dumps(
            _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_refuse
        )
    except (TypeError, ValueError, InputError):
        raise BadLabel(f"a label must be finite JSON, got {value!r}", got=value) from None


def pack(value: Any) -> str:
    """JSON and arrays as text; tensors and arrays become npy bytes, tuples become lists.

    >>> unpack(pack({"mean": np.array([0.5, 1.5]), "n": 2}))
    {'mean': array([0.5, 1.5]), 'n': 2}
    """
    return canonical(_tree(value))


def unpack(text: str) -> Any:
    """What `pack` wrote; tensors come back as arrays."""
    return json.loads(text, object_hook=_array)


def _tree(value: Any) -> Any:
    if isinstance(value, Mapping):
        if NPY in value or not all(isinstance(key, str) for key in value):
            raise InputError(f"a packed mapping needs text keys other than {NPY!r}, got {list(value)}", got=value)
        return {key: _tree(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(one) for one in value]
    return _leaf(value)


def _leaf(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray) or value.dtype.hasobject:
        raise InputError(f"only JSON, arrays and tensors can be stored, got {type(value).__name__}", got=value)
    return {NPY: base64.b64encode(_npy(value)).decode()}


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _array(found: dict[str, Any]) -> Any:
    if NPY not in found:
        return found
    return np.load(io.BytesIO(base64.b64decode(found[NPY])), allow_pickle=False)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _refuse(value: Any) -> Any:
    if not hasattr(value, "tolist"):
        raise TypeError(type(value).__name__)
    return value.tolist()
