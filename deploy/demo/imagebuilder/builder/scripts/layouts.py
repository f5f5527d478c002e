# How a root file system becomes a firmware image: disk images for x86, flash images for routers.
# SPDX-License-Identifier: GPL-2.0-or-later
import hashlib
import json
import os
import struct
import zlib

import fwtool

SECTOR = 512
# The boot partition begins where the real one does; it is 1 MiB instead of 16.
BOOT_AT, BOOT_SECTORS, ROOT_AT = 512, 2048, 4096
MIB = 1 << 20


def write(layout, out, root_file, board, metadata):
    if layout == "kernel":
        out.write(kernel(board))
        return
    if layout == "rootfs.gz":
        gzip_to(out, file_chunks(root_file))
    elif layout in ("combined.gz", "combined-efi.gz"):
        gzip_to(out, disk_chunks(root_file, board, efi=layout == "combined-efi.gz"))
    elif layout == "flash":
        out.write(kernel(board))
        copy(root_file, out)
        out.pad(65536)
        # The mark at which a router makes its writable file system.
        out.write(b"\xde\xad\xc0\xde")
    elif layout == "sysupgrade-tar":
        write_sysupgrade_tar(out, root_file, board)
    elif layout == "itb":
        out.write(b"\xd0\x0d\xfe\xed" + kernel(board))
        out.pad(4096)
        copy(root_file, out)
    else:
        raise ValueError(layout)
    if layout != "rootfs.gz":
        append_metadata(out, metadata)


def kernel(board):
    """64 KiB that look like a kernel: the same for the same board, and incompressible."""
    return hashlib.shake_256(board.encode()).digest(65536)


def append_metadata(out, metadata):
    """As fwtool does: the JSON text, then a trailer with magic, checksum, type and size, all big-endian."""
    text = json.dumps(metadata, sort_keys=True).encode()
    checksum = zlib.crc32(text, out.checksum) ^ 0xFFFFFFFF
    out.write(text + fwtool.TRAILER.pack(fwtool.MAGIC, checksum, fwtool.METADATA, len(text) + fwtool.TRAILER.size))


def copy(source, out):
    for chunk in file_chunks(source):
        out.write(chunk)


def file_chunks(path):
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(MIB):
            yield chunk


def write_sysupgrade_tar(out, root_file, board):
    directory = f"sysupgrade-{board}"
    members = [(f"{directory}/CONTROL", f"BOARD={board}\n".encode()), (f"{directory}/kernel", kernel(board))]
    with open(root_file, "rb") as file:
        members.append((f"{directory}/root", file.read()))
    out.write(tar_header(f"{directory}/", 0, b"5", 0o755))
    for name, data in members:
        out.write(tar_header(name, len(data), b"0", 0o644))
        out.write(data + bytes(-len(data) % SECTOR))
    out.write(bytes(2 * SECTOR))


def tar_header(name, size, kind, mode):
    fields = struct.pack(
        "100s8s8s8s12s12s8sc100s8s32s32s183x",
        name.encode(), b"%07o" % mode, b"0000000", b"0000000", b"%011o" % size, b"00000000000", b" " * 8, kind, b"",
        b"ustar\x0000", b"root", b"root",
    )
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]


def disk_chunks(root_file, board, efi):
    root_sectors = (os.path.getsize(root_file) + SECTOR - 1) // SECTOR
    last = ROOT_AT + root_sectors
    boot = kernel(board)
    start = gpt_start(root_sectors, last) if efi else mbr(root_sectors)
    yield start + bytes(BOOT_AT * SECTOR - len(start))
    yield boot + bytes((ROOT_AT - BOOT_AT) * SECTOR - len(boot))
    yield from file_chunks(root_file)
    end = bytes(root_sectors * SECTOR - os.path.getsize(root_file))
    yield end + (gpt_end(root_sectors, last) if efi else b"")


def mbr(root_sectors):
    def partition(active, kind, first, sectors):
        return struct.pack("<B3sB3sII", active, b"\0\2\0", kind, b"\xff\xff\xff", first, sectors)

    table = partition(0x80, 0x83, BOOT_AT, BOOT_SECTORS) + partition(0, 0x83, ROOT_AT, root_sectors)
    return bytes(446) + table + bytes(32) + b"\x55\xaa"


def gpt_entries(root_sectors):
    def partition(kind, number, first, sectors):
        return struct.pack("<16s16sQQQ72x", kind, hashlib.md5(b"%d" % number).digest(), first, first + sectors - 1, 0)

    efi_system = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
    linux_data = bytes.fromhex("af3dc60f838472478e793d69d8477de4")
    entries = partition(efi_system, 1, BOOT_AT, BOOT_SECTORS) + partition(linux_data, 2, ROOT_AT, root_sectors)
    return entries + bytes(128 * 128 - len(entries))


def gpt_header(entries, own, other, entries_at, last):
    def pack(checksum):
        return struct.pack(
            "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, own, other, 34, last - 1,
            hashlib.md5(b"disk").digest(), entries_at, 128, 128, zlib.crc32(entries),
        )

    header = pack(zlib.crc32(pack(0)))
    return header + bytes(SECTOR - len(header))


def gpt_start(root_sectors, last):
    entries = gpt_entries(root_sectors)
    backup = last + 32
    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, backup)
    return bytes(446) + protective + bytes(48) + b"\x55\xaa" + gpt_header(entries, 1, backup, 2, last) + entries


def gpt_end(root_sectors, last):
    entries = gpt_entries(root_sectors)
    return entries + gpt_header(entries, last + 32, 1, last, last)


ZEROS = bytes(MIB)


def deflated_zeros():
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)


def gzip_to(out, chunks):
    """One gzip member. A full flush makes blocks independent, so a megabyte of zeros is packed once and repeated."""
    out.write(b"\x1f\x8b\x08\0\0\0\0\0\0\x03")
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed_zeros, clean, checksum, size = None, True, 0, 0
    for chunk in chunks:
        checksum = zlib.crc32(chunk, checksum)
        size += len(chunk)
        if chunk == ZEROS:
            if not clean:
                out.write(packer.flush(zlib.Z_FULL_FLUSH))
            packed_zeros = packed_zeros or deflated_zeros()
            out.write(packed_zeros)
            clean = True
        else:
            if packed := packer.compress(chunk):
                out.write(packed)
            clean = False
    out.write(packer.flush() + struct.pack("<II", checksum, size & 0xFFFFFFFF))
