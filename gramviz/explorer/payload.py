"""What travels to the page: quantized arrays in one compressed buffer, and texts that are fit to be shown.

`docs/payload.md` is the contract; `gramviz.pack` fills it, `frontend/payload.js` reads it. No rollout is known here.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gram.bounded import InputError
from gramviz.contract import CONTRACT, FORBIDDEN, LIMITS

FORMAT = (CONTRACT["payload"]["format"], 0)
LETTERS = tuple(CONTRACT["letters"])
NO_PLACE = CONTRACT["payload"]["no_place"]  # "not a number" in the i2 of a map
NONE = CONTRACT["payload"]["none"]  # "no answer", "not a number" in u2


class PackError(InputError):
    """Rollouts that cannot be packed together, or not within the budget; the message is one sentence with a fix."""


@dataclass(frozen=True)
class Payload:
    """What the explorer is fed: `meta` (JSON) and `data` (zlib-compressed), as in docs/payload.md."""

    meta: dict[str, Any]
    data: bytes

    @property
    def size(self) -> int:
        """Bytes that travel: the compressed data and the JSON of `meta`."""
        return len(self.data) + len(json.dumps(self.meta, separators=(",", ":"), ensure_ascii=False).encode())

    def array(self, name: str, series: str = "A") -> NDArray[Any]:
        """One array as stored (quantized, deltas undone); for tests and for reading a payload without a browser.

        Raises:
            KeyError: the payload holds no such array for this series.
        """
        for entry in self.meta["arrays"]:
            if (entry["name"], entry["series"]) == (name, series):
                raw = zlib.decompress(self.data)[entry["offset"] : entry["offset"] + entry["bytes"]]
                found = np.frombuffer(raw, "<" + entry["dtype"]).reshape(entry["shape"])
                return np.cumsum(found, axis=1, dtype=found.dtype) if entry["delta"] else found
        raise KeyError(f"no array {name!r} of series {series!r}")

    def values(self, name: str, series: str = "A") -> NDArray[np.float64]:
        """One map or curve in its own unit, NaN where there is no number."""
        raw = self.array(name, series)
        entry = next(e for e in self.meta["arrays"] if (e["name"], e["series"]) == (name, series))
        if entry["scale"] is None:
            raise KeyError(f"array {name!r} has no scale; read it with array()")
        hole = NO_PLACE if raw.dtype.kind == "i" else NONE
        return np.where(raw == hole, np.nan, raw * np.asarray(entry["scale"]) + np.asarray(entry["zero"]))


class PayloadWriter:
    """Collects the arrays of a payload; `series` is the letter of the series that is being packed."""

    def __init__(self) -> None:
        self.series = "A"
        self.entries: list[dict[str, Any]] = []
        self._chunks: list[bytes] = []
        self._offset = 0

    def add(self, name: str, array: NDArray[Any], *, scale: Any = None, zero: Any = None, delta: bool = False) -> None:
        """Append an array, little-endian, at an offset that is a multiple of 8: typed-array views then need no copy."""
        if delta:  # along the steps, mod 256: boards hardly change, so nearly all bytes become 0
            array = np.concatenate([array[:, :1], array[:, 1:] - array[:, :-1]], axis=1)
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        self.entries.append(
            {"name": name, "series": self.series, "dtype": array.dtype.str[1:], "shape": list(array.shape),
             "offset": self._offset, "bytes": len(raw), "scale": scale, "zero": zero, "delta": delta}
        )  # fmt: skip
        padding = -len(raw) % 8
        self._chunks += [raw, bytes(padding)]
        self._offset += len(raw) + padding

    def curve(self, name: str, values: NDArray[Any]) -> None:
        """Append a series [trajectory, step] as `curve_<name>`."""
        self.quantized(f"curve_{name}", values)

    def quantized(self, name: str, values: NDArray[Any]) -> None:
        """Append numbers as u2 with scale and zero; 65535 = not a number."""
        values = values.astype(np.float64)
        finite = np.isfinite(values)
        low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
        scale = (high - low) / (NONE - 1) if high > low else 1.0
        k = np.where(finite, np.rint((np.where(finite, values, low) - low) / scale), NONE)
        self.add(name, k.astype(np.uint16), scale=scale, zero=low)

    def data(self) -> bytes:
        """All arrays, uncompressed."""
        return b"".join(self._chunks)


def fraction(values: NDArray[np.floating], levels: int) -> NDArray[np.uint8]:
    """A share 0 to 1 as u1 with value = k / levels; NaN becomes 0."""
    return np.rint(np.nan_to_num(values, nan=0.0).clip(0, 1) * levels).astype(np.uint8)


def clean(text: object, limit: int = LIMITS["title"]) -> str:
    """A text from a file, fit to be shown: no forbidden characters, no line ends, at most `limit` characters."""
    kept = FORBIDDEN.sub("", re.sub(r"[\n\r\t]", " ", str(text)))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def clean_tree(value: Any) -> Any:
    """The same JSON with every text, keys included, cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): clean_tree(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [entry if type(entry) is int else clean_tree(entry) for entry in value]  # thousands of tokens
    return value
