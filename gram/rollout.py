"""The contract between `gram` and `gramviz`: what a rollout holds, how one is made, checked, saved and loaded.

A rollout is an `xarray.Dataset` that records N trajectories of a recursive model on some puzzles, step by step. Anyone
can read the file without this project (netCDF-4, i.e. HDF5); nothing in it can run code.

Dims     `puzzle, trajectory, step, position, feature, token`, and a `feature_NAME` for each vector of another size
Coords   on `step`: `supervision_step`, `transition`, `low_step`, which say where in the nested recursion each recorded
         state stands. Step 0 is the initial state (0, 0, 0). The state after transition j of supervision step i is
         (i, j, 0); the state after its k-th low-level update is (i, j, k) and shows the answer of the one before.
         On `puzzle`, where they are known: `puzzle_index` in its split, and `rating`, how hard it is (`gram.tasks`).
Variables  see `gram.schema`; all are optional, but `x`, `tokens` and the attribute `board` come together: without them
         the states have no answers. A view says what it needs and what to record if it is absent. Any further variable
         whose dims are known is legal, and drawn as `extras` says.
Attrs    see `gram.schema`; `board` is the JSON of a `gram.board.Board`.
`docs/rollout.md` is the specification for whoever reads or writes such files without this project.

numpy, xarray and h5py only: importing this module leaves torch unloaded.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import math
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from gram import atomic, netcdf
from gram.board import Board
from gram.bounded import BudgetError, InputError, memory, parse_json
from gram.schema import ATTRS, DIMS, NAME, OLDER, PUZZLE_COORDS, REQUIRED_ATTRS, SCHEMA, STEP_COORDS, VARIABLES
from gram.suggest import did_you_mean

ENTRIES = 100
MOST_ATTRS = 10_000_000  # bytes
DEFLATED = 1_100  # deflate packs at most 1,032 bytes into one


class RolloutError(InputError):
    """A rollout that breaks the schema, lacks a variable, or cannot be read; one sentence with a cure."""


def make(
    board: Board | None,
    variables: Mapping[str, Any],
    *,
    supervision_step: Any = None,
    transition: Any = None,
    low_step: Any = None,
    puzzle_index: Any = None,
    rating: Any = None,
    **attrs: Any,
) -> xr.Dataset:
    """A legal rollout from plain arrays.

    Args:
        board: the geometry of the task; None where the states have no answers.
        variables: name -> array with the dims of `VARIABLES[name]`, in that order; with a board `x` and `tokens` must
            be there. A further variable is a DataArray, or (dims, array) or (dims, array, {"units": ...}).
            `conflict` and `valid` are computed from the board's groups where they are absent and the board has rules;
            a picture is `valid` where nothing is blank and what was given is kept.
        supervision_step, transition, low_step: [step] integers; by default every step is a supervision step of one
            transition.
        puzzle_index, rating: [puzzle] integers.
        **attrs: see `ATTRS`; `model` defaults to "unknown", `seed` to 0 and `mode` to "prior".
    Raises:
        RolloutError: an unknown name, a wrong rank, dtype or size.
    """
    for name in attrs:
        _known(name, ATTRS, "attribute")
    if board:
        for name in ("x", "tokens"):
            if variables.get(name) is None:
                given = sorted(one for one, value in variables.items() if value is not None)
                raise RolloutError(f"a rollout with a board needs {name!r}; got {', '.join(given) or 'nothing'}")
    found = _sized(board, {name: value for name, value in variables.items() if value is not None})
    if board:
        _judge(board, found)
    steps = next((one.sizes["step"] for one in found.values() if "step" in one.dims), 0)
    supervision = np.arange(steps) if supervision_step is None else np.asarray(supervision_step)
    at = {
        "supervision_step": supervision,
        "transition": (np.arange(steps) > 0).astype(int) if transition is None else np.asarray(transition),
        "low_step": np.zeros(steps, dtype=int) if low_step is None else np.asarray(low_step),
    }
    for name, values in at.items():
        if values.shape != (steps,) or values.dtype.kind not in "iu":
            raise RolloutError(
                f"{name} is {values.dtype} {values.shape}; expected an integer for each of the {steps} steps"
            )
    coords = {name: ("step", values.astype(np.int32)) for name, values in at.items()} | {"step": np.arange(steps)}
    known = zip(PUZZLE_COORDS, (puzzle_index, rating), strict=True)
    coords |= {name: ("puzzle", np.asarray(values)) for name, values in known if values is not None}
    defaults: dict[str, Any] = {
        "schema": SCHEMA,
        "task": board.task if board else "none",
        **({"board": board.to_json()} if board else {}),
        "model": "unknown",
        "seed": 0,
        "mode": "prior",
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    defaults |= {name: value for name, value in attrs.items() if value is not None}
    return check(xr.Dataset(found, coords=coords, attrs=defaults))


def _sized(board: Board | None, variables: Mapping[str, Any]) -> dict[str, xr.Variable]:
    """The variables with their dims, whose sizes agree."""
    found = {}
    sizes: dict[Any, tuple[str, int]] = {"position": ("the board", board.positions)} if board else {}
    for name, value in variables.items():
        if name in VARIABLES:
            known, array = VARIABLES[name], np.asarray(value)
            if array.ndim != len(known.dims):
                raise RolloutError(f"{name!r} has {array.ndim} dims {array.shape}; expected [{', '.join(known.dims)}]")
            found[name] = xr.Variable(known.dims, array, {"units": known.unit, "long_name": known.meaning})
        elif isinstance(value, xr.DataArray | xr.Variable | tuple):
            found[name] = xr.as_variable(value)
        else:
            near = did_you_mean(name, VARIABLES)
            raise RolloutError(
                f"unknown variable {name!r}; known: {', '.join(VARIABLES)}{near}; a further one needs its dims: "
                f'(("puzzle", "trajectory", "step"), array)'
            )
        for dim, size in found[name].sizes.items():
            first, expected = sizes.setdefault(dim, (repr(name), size))
            if size != expected:
                raise RolloutError(f"{name!r} has size {size} along {dim!r}, but {first} has {expected}")
    return found


def _judge(board: Board, found: dict[str, xr.Variable]) -> None:
    """Add `conflict` and `valid` where they are absent and the board has rules; a picture has that nothing is blank."""
    tokens, x = found["tokens"].values, found["x"].values
    judged = {}
    if board.ruled and "conflict" not in found:
        judged["conflict"] = board.conflict(tokens)
    if (board.ruled or board.kind == "image") and "valid" not in found:
        keeps = ((tokens == x[:, None, None]) | ~board.given(x)[:, None, None]).all(-1)
        whole = board.violations(tokens) == 0 if board.ruled else ~np.isin(tokens, board.blank).any(-1)
        judged["valid"] = whole & keeps
    found |= _sized(board, judged)


def check(data: xr.Dataset) -> xr.Dataset:
    """The rollout itself, checked against every rule of the schema.

    Raises:
        RolloutError: names the first rule that is broken, with what was found and what is allowed.
    """
    if not isinstance(data, xr.Dataset):
        raise RolloutError(
            f"a rollout is an xarray.Dataset, not {type(data).__name__}; make one with gram.rollout.make"
        )
    _check_attrs(data)
    for name in STEP_COORDS:
        if name not in data.coords or data[name].dims != ("step",) or data[name].dtype.kind not in "iu":
            raise RolloutError(f"the step coordinate {name!r} is missing or not an integer per step")
    for name in PUZZLE_COORDS:
        if name in data.coords and (data[name].dims != ("puzzle",) or data[name].dtype.kind not in "iu"):
            raise RolloutError(f"the coordinate {name!r} is not an integer per puzzle")
    for key in data.data_vars:
        name, found = str(key), data.variables[key]
        if name not in VARIABLES:
            _check_extra(name, found)
            continue
        known = VARIABLES[name]
        if found.dims != known.dims:
            raise RolloutError(f"{name!r} has dims {found.dims}; expected {known.dims}")
        if found.dtype.kind not in known.kinds:
            raise RolloutError(f"{name!r} has dtype {found.dtype}; expected a kind of {known.kinds!r} (numpy letters)")
    if (count := len(data.variables.keys() | data.sizes.keys())) > ENTRIES:
        raise RolloutError(f"the rollout has {count} variables, coordinates and dims; at most {ENTRIES} are read again")
    if min([data.sizes.get(dim, 0) for dim in DIMS[:3]]) == 0 or 0 in data.sizes.values():
        raise RolloutError(f"the rollout is empty: its dims are {dict(data.sizes)}")
    if "board" in data.attrs:
        _check_tokens(data, board_of(data))
    order = np.stack([data[name].values for name in STEP_COORDS], axis=1)
    if order[0].any():
        raise RolloutError(f"step 0 must be the initial state (0, 0, 0), not {tuple(int(v) for v in order[0])}")
    for before, after in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        if not _follows(before, after):
            raise RolloutError(f"steps must advance in time, but {tuple(after)} follows {tuple(before)}")
    return data


def _check_attrs(data: xr.Dataset) -> None:
    missing = [name for name in REQUIRED_ATTRS if name not in data.attrs]
    if "board" not in data.attrs and {"x", "tokens"} & set(map(str, data.variables)):
        missing.append("board")
    if missing:
        raise RolloutError(f"this file is not a rollout: attribute {missing[0]!r} is missing")
    if str(data.attrs["schema"]).partition(" ")[0] != SCHEMA.partition(" ")[0]:
        raise RolloutError(f"schema {data.attrs['schema']!r} is unknown; this version reads {SCHEMA!r}")
    if str(data.attrs["schema"]) not in (SCHEMA, *OLDER):
        raise RolloutError(f"this is a {data.attrs['schema']!r}; this version reads {SCHEMA!r}: sample it again")
    if data.attrs["mode"] not in ("prior", "posterior"):
        raise RolloutError(f"mode is {data.attrs['mode']!r}; known: prior, posterior")
    if not isinstance(data.attrs["seed"], int | np.integer):
        raise RolloutError(f"seed is {str(data.attrs['seed'])[:80]!r}; it must be an integer")
    for name, text in data.attrs.items():
        if isinstance(text, str) and not is_text(text):
            raise RolloutError(f"{name} holds NUL or half of a character, which no file can keep; leave it out")
    for name in ("task", "model", "name", "checkpoint", "commit", "created_at"):
        if not isinstance(data.attrs.get(name, ""), str):
            raise RolloutError(f"{name} is {str(data.attrs[name])[:80]!r}; it must be a text")
    for name, kind in (("levels", list), ("sampling_noise", dict), ("data", dict)):
        try:
            found = parse_json(data.attrs.get(name, json.dumps(kind())))
        except (TypeError, ValueError):
            found = None
        if not isinstance(found, kind):
            raise RolloutError(f"{name} is {str(data.attrs[name])[:80]!r}; it must be a JSON {kind.__name__}")
        if name == "levels" and not all(isinstance(one, str) for one in found):
            raise RolloutError(f"levels is {str(data.attrs[name])[:80]!r}; it must be a JSON list of texts")


def is_text(value: Any) -> bool:
    """Whether a value is a text that a file can hold."""
    return isinstance(value, str) and not re.search("[\0\ud800-\udfff]", value)


def _check_tokens(data: xr.Dataset, board: Board) -> None:
    """What a board asks of the variables."""
    for name in ("x", "tokens"):
        if name not in data.data_vars:
            has = ", ".join(map(str, data.data_vars)) or "nothing"
            raise RolloutError(f"a rollout with a board needs {name!r}; this one has {has}")
    if data.sizes["position"] != board.positions:
        raise RolloutError(f"tokens have {data.sizes['position']} positions, but the board has {board.positions}")
    for name in ("x", "y", "tokens"):
        if name in data.data_vars:
            low, high = int(data[name].values.min()), int(data[name].values.max())
            if low < 0 or high >= len(board.tokens):
                raise RolloutError(
                    f"{name!r} holds tokens {low} to {high}; the board knows 0 to {len(board.tokens) - 1}"
                )


def _check_extra(name: str, found: xr.Variable) -> None:
    """The rules of a variable that the schema does not name."""
    if not NAME.fullmatch(name) or name in DIMS:
        raise RolloutError(f"{name[:50]!r} cannot name a variable; use 1 to 40 letters, digits and _, a letter first")
    order = [
        DIMS.index("feature" if _is_feature(dim) else dim) for dim in found.dims if _is_feature(dim) or dim in DIMS
    ]
    if len(order) < found.ndim or order != sorted(set(order)) or not order:
        raise RolloutError(
            f"{name!r} has dims {found.dims}; allowed: some of {', '.join(DIMS)}, in this order, with feature_NAME in "
            f"the place of feature{did_you_mean(name, VARIABLES)}"
        )
    if found.dtype.kind not in "biuf":
        raise RolloutError(f"{name!r} has dtype {found.dtype}; expected a kind of 'biuf' (numpy letters)")


def _is_feature(dim: Any) -> bool:
    return str(dim) == "feature" or (str(dim).startswith("feature_") and bool(NAME.fullmatch(str(dim))))


def extras(data: xr.Dataset) -> dict[str, str]:
    """What each variable that the schema does not name is drawn as: a number a step as a `curve`, a number a position
    and step as a `layer` of the board, a vector a step as a `map`; all else is `kept`, and not drawn."""
    found = {}
    for name in [str(key) for key in data.data_vars if key not in VARIABLES]:
        rest = [str(dim) for dim in data[name].dims if dim not in ("puzzle", "trajectory", "step")]
        vector = any(map(_is_feature, rest)) and "token" not in rest
        kind = "map" if vector else {(): "curve", ("position",): "layer"}.get(tuple(rest), "kept")
        found[name] = kind if "step" in data[name].dims else "kept"
    return found


def _follows(before: list[int], after: list[int]) -> bool:
    """Time order of (supervision step, transition, low step), where low step 0 is the *end* of a transition."""

    def key(at: list[int]) -> tuple[int, int, float]:
        return at[0], at[1], float("inf") if at[2] == 0 else at[2]

    return key(before) < key(after)


def board_of(data: xr.Dataset) -> Board:
    """The board of a rollout.

    Raises:
        RolloutError: it has none, or one that cannot be read.
    """
    if "board" not in data.attrs:
        raise RolloutError("this rollout has no board, so its states have no answers; give `tokens` and a board")
    try:
        return Board.from_json(str(data.attrs["board"]))
    except ValueError as error:
        raise RolloutError(f"the rollout's board cannot be read: {error}") from error


def need(data: xr.Dataset, name: str) -> xr.DataArray:
    """The variable, or a `RolloutError` that says how to record it."""
    if name in data:
        return data[name]
    known = _known(name, VARIABLES, "variable")
    ours = f"record it with Record({known.record})"
    cure = f"; {ours if 'config' in data.attrs else f'record it as gv.record(..., {name}=...)'}" if known.record else ""
    raise RolloutError(f"this rollout has no `{name}`{cure}")


def digest(data: xr.Dataset) -> str:
    """sha256 (hex) of what was computed: every variable and step coordinate, not the attrs (which hold the time)."""
    sha = hashlib.sha256()
    for name in sorted([*map(str, data.data_vars), *STEP_COORDS]):
        array = np.ascontiguousarray(data[name].values)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)  # the order of bytes is no part of a number
        sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
        sha.update(array.data)
    return sha.hexdigest()


def save(data: xr.Dataset, path: str | os.PathLike[str]) -> Path:
    """Write a rollout as netCDF-4 and return its path. Whole or not at all: a temporary name, then a rename.

    Raises:
        RolloutError: the rollout is not legal, or the place cannot be written.
    """
    check(data)
    path = Path(path)
    try:
        if not path.name or path.is_dir():
            raise RolloutError(
                f"cannot write {path}: it is a folder; add the name of a file, e.g. {path / 'rollout.nc'}"
            )
        if not path.parent.is_dir():
            raise RolloutError(
                f"cannot write {path}: there is no folder {path.parent}; make it, or choose another with -o"
            )
        for name, beside in data.coords.items():
            if beside.dtype.kind not in "biuf":
                raise RolloutError(
                    f"cannot write the coordinate {name!r} of {beside.dtype}: a file has numbers; drop it"
                )
        attrs = (data.attrs, *(one.attrs for one in data.variables.values()))
        for key, value in itertools.chain(*map(dict.items, attrs)):
            if key in netcdf.RESERVED:
                raise RolloutError(
                    f"cannot write the attribute {key!r}: readers of netCDF act on it; name it otherwise"
                )
            legal = is_text(value) if isinstance(value, str) else np.asarray(value).dtype.kind in "iufU"
            if not legal or not is_text(key):
                raise RolloutError(f"cannot write the attribute {key!r}, {value!r:.80}: a file has texts and numbers")
        with atomic.replacing(path) as partial:
            netcdf.write(data, partial)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and not isinstance(error, BudgetError) else str(error)
        raise RolloutError(f"cannot write {path}: {reason}; choose a folder that can be written") from error
    return path


def load(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read and check a rollout file, of `save` or of a page (`.npz`); the whole of it is in memory afterwards.

    Raises:
        RolloutError: there is no such file, it is of neither kind, it is damaged, or it breaks the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise RolloutError(
            f"there is no rollout file {str(path)!r}; `gram sample CHECKPOINT -o {path.stem}.nc` writes one"
        )
    try:
        if zipfile.is_zipfile(path):
            return _of_arrays(path)
        with netcdf.opened(path) as raw:  # where h5netcdf fails, it leaves what complains when it is collected
            _refuse_bombs(raw, path.stat().st_size)
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as opened:
            data = opened.load()
        for name in data.variables:
            if data[name].attrs.pop("recorded_as", None) == "float16":
                data[name] = data[name].astype("float16", keep_attrs=True)
    except RolloutError as error:
        raise RolloutError(f"{path} {error}") from None
    except Exception as error:  # h5py raises whatever the damaged bytes provoke
        raise RolloutError(
            f"{path} is not a readable rollout (netCDF-4, or what a page saves); it may be damaged: {error}"
        ) from error
    return check(data)


def _refuse_bombs(raw: h5py.File, size: int) -> None:
    """Refuse a file that reads other files (links, external storage, virtual data), is no flat list of arrays, or
    claims more bytes than its own `size` can hold or this machine may take."""
    if len(raw) > ENTRIES:
        raise RolloutError(f"holds {len(raw):,} arrays; a rollout has at most {ENTRIES}")
    claimed = 0
    for name in raw:
        link = raw.get(name, getlink=True)
        found = raw[name] if isinstance(link, h5py.HardLink) else None
        if found is None or (isinstance(found, h5py.Dataset) and (found.external or found.is_virtual)):
            raise RolloutError(f"takes {name!r} from elsewhere; a rollout must hold its data itself, so write it anew")
        if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "biuf":
            raise RolloutError(f"holds {name!r}, which is no array of numbers; a rollout has nothing else")
        if not bytes(found.attrs.get("NAME", b"")).startswith(b"This is a netCDF dimension but not"):  # never read
            claimed += math.prod(found.shape or ()) * found.dtype.itemsize
    _refuse_claims(claimed, size)


def _of_arrays(path: Path) -> xr.Dataset:
    """The rollout that a page saved: arrays by name as `np.savez` writes them, and `attrs.json`."""
    with zipfile.ZipFile(path) as file:
        sizes = {entry.filename: entry.file_size for entry in file.infolist()}
        _refuse_claims(sum(entry.file_size for entry in file.infolist()), path.stat().st_size)
    if len(sizes) > ENTRIES or sizes["attrs.json"] > MOST_ATTRS:
        raise RolloutError(f"holds more than {ENTRIES} arrays, or {MOST_ATTRS:,} bytes of attributes; write it anew")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    attrs = {str(name): value for name, value in dict(parse_json(arrays.pop("attrs.json"))).items()}
    if odd := [name for name, value in attrs.items() if type(value) not in (str, int) or name == "schema"]:
        raise RolloutError(f"says {attrs[odd[0]]!r:.80} of {odd[0]!r:.80}; a text or a whole number can stand there")
    times = {name: arrays.pop(name) for name in STEP_COORDS if name in arrays}
    return make(Board.from_json(attrs.pop("board")), arrays, **times, **attrs)


def _refuse_claims(claimed: int, size: int) -> None:
    """Refuse more bytes of arrays than a file of `size` bytes can hold, or than this machine may take."""
    most = min(DEFLATED * size, memory() // 2)
    if claimed > most:
        raise RolloutError(
            f"claims {claimed:,} bytes of arrays; a file of {size:,} bytes may have {most:,} on this machine: "
            "write it anew, or with fewer trajectories"
        )


def config_of(data: xr.Dataset) -> dict[str, Any]:
    """The run configuration that the rollout carries, or an empty dict."""
    try:
        return dict(parse_json(data.attrs.get("config", "{}")))
    except (TypeError, ValueError) as error:
        raise RolloutError(f"the configuration in this rollout cannot be read: {error}") from error


def _known(name: str, table: Mapping[str, Any], what: str) -> Any:
    if name in table:
        return table[name]
    raise RolloutError(f"unknown {what} {name!r}; known: {', '.join(table)}{did_you_mean(name, table)}")
