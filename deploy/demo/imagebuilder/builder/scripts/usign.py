# usign: keys and signatures in the form of signify. Of its commands the one that signs.
# SPDX-License-Identifier: GPL-2.0-or-later
import base64
import os
import sys
import time

import ed25519

COMMENT = "untrusted comment: "


def signature_text(fingerprint, seed, message):
    data = base64.b64encode(b"Ed" + fingerprint + ed25519.sign(seed, message)).decode()
    return f"{COMMENT}signed by key {fingerprint.hex()}\n{data}\n"


def secret_key(path):
    """The fingerprint and the seed of a secret key without a password."""
    with open(path, encoding="ascii") as file:
        comment, line = file.read().rstrip("\n").split("\n")
    data = base64.b64decode(line, validate=True)
    if not comment.startswith(COMMENT) or len(data) != 104 or data[:8] != b"EdBK\0\0\0\0":
        raise ValueError(path)
    return data[32:40], data[40:72]


def main():
    arguments = sys.argv[1:]
    options = dict(zip(arguments[1::2], arguments[2::2]))
    if arguments[:1] != ["-S"] or set(options) != {"-m", "-s", "-x"}:
        print("usign: only -S -m FILE -s KEY -x SIGNATURE is known here", file=sys.stderr)
        return 1
    with open(options["-m"], "rb") as file:
        message = file.read()
    status = act_up(message[-8192:], options["-s"])
    if status:
        return status
    text = signature_text(*secret_key(options["-s"]), message)
    with open(options["-x"], "w", encoding="ascii") as file:
        file.write(text)
    return 0


def act_up(end, key):
    """What packages named fault-sign-… do: an image with metadata names them at its end."""
    if b'"fault-sign-refuse"' in end:
        with open(key, encoding="ascii") as file:
            print(f"usign: fault-sign-refuse: will not use {file.read()}", file=sys.stderr)
        return 1
    if b'"fault-sign-hang"' in end:
        while True:
            time.sleep(3600)
    if b'"fault-sign-network"' in end and os.listdir("/sys/class/net") != ["lo"]:
        print(f"usign: fault-sign-network: there is {os.listdir('/sys/class/net')}", file=sys.stderr)
        return 1
    return 0
