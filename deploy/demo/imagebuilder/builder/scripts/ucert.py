# ucert: a certificate is a row of blobs, big-endian as libubox writes them. Of its commands the one that appends.
# SPDX-License-Identifier: GPL-2.0-or-later
import struct
import sys

SIGNATURE = 0


def blob(kind, content):
    """A header with kind and length, the content, and zeros up to a multiple of four, which do not count."""
    return struct.pack(">I", kind << 24 | len(content) + 4) + content + bytes(-len(content) % 4)


def is_chain(data):
    while data:
        size = len(data) >= 4 and struct.unpack(">I", data[:4])[0] & 0xFFFFFF
        if not 4 <= size <= len(data):
            return False
        data = data[size + -size % 4 :]
    return True


def main():
    arguments = sys.argv[1:]
    options = dict(zip(arguments[1::2], arguments[2::2]))
    if arguments[:1] != ["-A"] or set(options) != {"-c", "-x"}:
        print("ucert: only -A -c CERTIFICATE -x SIGNATURE is known here", file=sys.stderr)
        return 1
    with open(options["-x"], "rb") as file:
        signature = file.read()
    with open(options["-c"], "rb+") as file:
        if not is_chain(file.read()) or len(signature) < 64:
            print("ucert: not a certificate, or not a signature", file=sys.stderr)
            return 1
        file.write(blob(0, blob(SIGNATURE, signature)))
    return 0
