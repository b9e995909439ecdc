"""MNIST as others pack it: its four IDX files, gzipped or not, or Keras' `mnist.npz`; each within a budget."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gram.bounded import content, regular
from gram.tasks import files as data
from gram.tasks.base import SPLITS
from gram.tasks.files import DataError

SIDE = 28  # pixels
MOST = 100_000  # pictures that one file may hold
_IMAGES, _LABELS = 2051, 2049  # what an IDX file of bytes begins with: three dimensions, one dimension


def read_images(path: Path) -> NDArray[np.uint8]:
    """The grays [image, row, column], 0 paper to 255 ink, of an IDX file of 28 x 28 pictures, gzipped or not.

    Raises:
        DataError: unreadable, not such a file, too large, cut off, or longer than it says.
    """
    return _read(path, _IMAGES, (SIDE, SIDE))


def read_labels(path: Path) -> NDArray[np.uint8]:
    """The labels [image], 0 to 9, of an IDX file; errors as in `read_images`."""
    labels = _read(path, _LABELS, ())
    if labels.max() > 9:
        raise DataError(f"{path} holds the label {labels.max()}; MNIST's are 0 to 9, replace the file")
    return labels


def read_npz(path: Path) -> dict[str, NDArray[np.uint8]]:
    """The arrays `x_train`, `y_train`, `x_test` and `y_test` of Keras' `mnist.npz`; nothing in it is run.

    Raises:
        DataError: unreadable, too large, or other arrays.
    """
    try:
        held = content(path, MOST * 800)
        with zipfile.ZipFile(io.BytesIO(held)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > 2 * MOST * 800:
                raise DataError(f"{path} unpacks to more than {2 * MOST * 800:,} bytes; replace it")
        found = np.load(io.BytesIO(held), allow_pickle=False)
        arrays = {f"{kind}_{split}": found[f"{kind}_{split}"] for split in SPLITS for kind in "xy"}
    except DataError:
        raise
    except Exception as error:  # zipfile and numpy raise whatever damaged bytes provoke
        raise DataError(f"{path} is no mnist.npz that can be read ({type(error).__name__}: {error})") from error
    for name, array in arrays.items():
        shape = (len(array), SIDE, SIDE) if name[0] == "x" else (len(array),)
        if array.dtype != np.uint8 or array.shape != shape or not 1 <= len(array) <= MOST:
            raise DataError(f"{name} in {path} is {array.dtype} {array.shape}; it must be uint8 of 28 x 28 pictures")
    return arrays


def idx_files(path: Path) -> dict[str, bytes]:
    """What `mnist.npz` holds as the four IDX files: name -> content, not packed; errors as in `read_npz`."""
    arrays = read_npz(path)
    return {
        Path(mnist_name(split, kind)).stem: struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()
        for split in SPLITS
        for kind, letter, magic in (("images", "x", _IMAGES), ("labels", "y", _LABELS))
        for array in [arrays[f"{letter}_{split}"]]
    }


def read_split(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Grays and labels of a split of MNIST, of its two files or else of `mnist/mnist.npz`."""
    packed = data.find("mnist/mnist.npz")
    if packed and not data.find(mnist_name(split, "images")):
        arrays = read_npz(packed[1])
        return arrays[f"x_{split}"], arrays[f"y_{split}"]
    return read_images(data.path(mnist_name(split, "images"))), read_labels(data.path(mnist_name(split, "labels")))


def _read(path: Path, magic: int, item: tuple[int, ...]) -> NDArray[np.uint8]:
    """The bytes [count, *item] of an IDX file; never more than `MOST` items are held."""
    dims = 1 + len(item)
    size = int(np.prod(item, dtype=np.int64))
    try:
        with regular(path).open("rb") as file:
            opened = gzip.GzipFile(fileobj=file) if file.read(2) == b"\x1f\x8b" else file
            file.seek(0)
            header = opened.read(4 + 4 * dims)
            if len(header) < 4 + 4 * dims:
                raise DataError(
                    f"{path} ends within its IDX header; replace it (`gram data verify` names what differs)"
                )
            found, count, *shape = struct.unpack(f">{1 + dims}I", header)
            if found != magic:
                raise DataError(f"{path} begins with {found}; an IDX file of this kind begins with {magic}, replace it")
            if not 1 <= count <= MOST or tuple(shape) != item:
                sizes = " x ".join(map(str, (count, *shape)))
                raise DataError(
                    f"{path} is of size {sizes}; allowed are 1 to {MOST:,} of {' x '.join(map(str, item)) or 1}"
                )
            held = opened.read(count * size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is not a readable gzip file; it may be cut off, replace it: {error}") from error
    if len(held) != count * size:
        which = "fewer" if len(held) < count * size else "more"
        raise DataError(f"{path} holds {which} bytes than the {count:,} entries it promises; replace it")
    return np.frombuffer(held, dtype=np.uint8).reshape(count, *item)


def mnist_name(split: str, kind: str) -> str:
    """The name of one of MNIST's files; kind is `images` or `labels`."""
    return f"mnist/{'train' if split == 'train' else 't10k'}-{kind}-idx{3 if kind == 'images' else 1}-ubyte.gz"
