# fwtool: what is at the end of a firmware image, each with a trailer behind it. Of its commands those about signatures.
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import struct
import sys
import zlib

# Magic, checksum of everything before, type, and the size of content and trailer together.
TRAILER = struct.Struct(">4sIB3xI")
MAGIC = b"FWx0"
SIGNATURE, METADATA = 0, 1
LONGEST = {SIGNATURE: 1024, METADATA: 30 * 1024}


def packed(before, kind, content):
    """The content with its trailer; the checksum goes without the last step that zlib's has."""
    checksum = zlib.crc32(content, zlib.crc32(before)) ^ 0xFFFFFFFF
    return content + TRAILER.pack(MAGIC, checksum, kind, len(content) + TRAILER.size)


def strip(image, target):
    """Takes a signature away from the end of the image; 1 if there is none."""
    with open(image, "rb+") as file:
        data = file.read()
        magic, _, kind, size = TRAILER.unpack(data[-TRAILER.size :]) if len(data) >= TRAILER.size else (b"", 0, 0, 0)
        if magic != MAGIC or kind != SIGNATURE or not TRAILER.size <= size <= len(data):
            print("Data not found", file=sys.stderr)
            return 1
        with open(target, "wb") as out:
            out.write(data[-size : -TRAILER.size])
        file.truncate(len(data) - size)
    return 0


def append(image, source):
    with open(source, "rb") as file:
        content = file.read()
    if len(content) > LONGEST[SIGNATURE]:
        print("Signature is too long", file=sys.stderr)
        return 1
    with open(image, "rb+") as file:
        data = file.read()
        file.write(packed(data, SIGNATURE, content))
        if b'"fault-sign-corrupt"' in data[-8192:]:
            file.seek(len(data) // 2)
            file.write(bytes([data[len(data) // 2] ^ 1]))
    return 0


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 4 and arguments[:2] == ["-t", "-s"] and os.path.isfile(arguments[3]):
        return strip(arguments[3], arguments[2])
    if len(arguments) == 3 and arguments[0] == "-S" and os.path.isfile(arguments[2]):
        return append(arguments[2], arguments[1])
    print("fwtool: only -t -s FILE IMAGE and -S FILE IMAGE are known here", file=sys.stderr)
    return 1
