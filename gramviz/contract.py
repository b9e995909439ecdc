"""What Python and the page must both know, read from `contract.json`; `frontend/contract.js` reads the same file.

The keys of the state are described in a part of JSON Schema (2020-12): `type`, `enum`, `minimum`, `pattern`, `anyOf`,
`items`, `prefixItems`, `minItems`, `maxItems`, `properties`, `required` and `$ref`. Objects are closed: a property that
is not listed is refused. `fits` here and in `frontend/contract.js` are checked against `tests/vectors/state.json`.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CONTRACT: Mapping[str, Any] = json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))
CURVES: tuple[str, ...] = tuple(CONTRACT["defs"]["curve"]["enum"])
LAYERS: tuple[str, ...] = tuple(CONTRACT["defs"]["layer"]["enum"])
LIMITS: Mapping[str, int] = CONTRACT["limits"]
# Control, invisible and lone surrogate characters, and those that reorder their neighbors ("Trojan Source", 2021).
FORBIDDEN = re.compile("[{}]".format("".join(f"\\u{first}-\\u{last}" for first, last in CONTRACT["forbidden"])))

HUGE = sys.float_info.max  # JSON and the page know no greater number, and NaN is not below it

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= HUGE,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a JSON value is as a schema of the contract says."""
    if "$ref" in schema:
        return fits(value, CONTRACT["defs"][schema["$ref"].removeprefix("#/defs/")])
    if "anyOf" in schema:
        return any(fits(value, one) for one in schema["anyOf"])
    if "enum" in schema:
        return any(value == item and type(value) is type(item) for item in schema["enum"])
    if not _TYPES[schema["type"]](value) or ("minimum" in schema and value < schema["minimum"]):
        return False
    if "pattern" in schema:
        return re.search(schema["pattern"], value) is not None
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
            return False
        schemas = schema.get("prefixItems") or [schema["items"]] * len(value)
        return all(fits(item, one) for item, one in zip(value, schemas, strict=True))
    if isinstance(value, dict):
        known = schema["properties"]
        return all(key in value for key in schema.get("required", ())) and all(
            key in known and fits(item, known[key]) for key, item in value.items()
        )
    return True
