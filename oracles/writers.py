"""Data-set files in public layouts, written with the standard library and NumPy only."""

import gzip
import json
import struct
import zlib

import numpy as np


def idx(path, array):
    """IDX of unsigned bytes, gzipped when the name says so."""
    array = np.ascontiguousarray(array, np.uint8)
    data = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def png(path, image):
    """An 8-bit grey (H x W) or RGB (H x W x 3) picture."""
    image = np.ascontiguousarray(image, np.uint8)
    height, width = image.shape[:2]
    rows = image.reshape(height, -1)
    scanlines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    colour = 0 if image.ndim == 2 else 2

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(scanlines)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def cifar10(path, images, labels):
    """The binary version: one label byte, then 32 x 32 in red, green and blue planes."""
    planes = np.asarray(images, np.uint8).transpose(0, 3, 1, 2).reshape(len(images), -1)
    path.write_bytes(np.concatenate([np.asarray(labels, np.uint8)[:, None], planes], axis=1).tobytes())


def safetensors(path, arrays):
    """Little-endian float32 and int64 tensors behind a JSON header."""
    names = {np.dtype("<f4"): "F32", np.dtype("<i8"): "I64"}
    header, data = {}, b""
    for name, array in arrays.items():
        end = len(data) + array.nbytes
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += np.ascontiguousarray(array).tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
