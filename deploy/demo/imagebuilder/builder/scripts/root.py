# The scratch root file system into which packages are installed.
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import shutil

DIRECTORIES = ["dev", "etc", "mnt", "overlay", "proc", "rom", "root", "sys", "tmp"]
DATABASES = {"opkg": ["usr/lib/opkg/info"], "apk": ["lib/apk/db", "etc/apk"]}
ROOT = None


def directory(target):
    """Where the real ImageBuilder has its scratch root, as its error texts name it."""
    return os.path.abspath(f"build_dir/target-{target['head']['arch_packages']}_musl/root-{target['head']['target'].split('/')[0]}")


def scratch_directory(target):
    """Some hundred small files cost a tenth of a second on a container's disk and nothing in its memory."""
    if os.access("/dev/shm", os.W_OK):
        return f"/dev/shm/root-{os.getuid()}"
    return directory(target)


def install(target, packages):
    global ROOT
    ROOT = scratch_directory(target)
    shutil.rmtree(ROOT, ignore_errors=True)
    made = set()
    for name in DIRECTORIES + DATABASES[target["manager"]]:
        os.makedirs(f"{ROOT}/{name}")
    for package in packages:
        for file in package["files"]:
            parent = file.rpartition("/")[0]
            if parent not in made:
                os.makedirs(ROOT + parent, exist_ok=True)
                made.add(parent)
            write(file, content(target, package, file), executable=is_executable(file))
    (write_opkg_database if target["manager"] == "opkg" else write_apk_database)(target, packages)


def write(file, text, executable=False):
    handle = os.open(ROOT + file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755 if executable else 0o644)
    os.write(handle, text.encode())
    os.close(handle)


def is_executable(file):
    return "/bin/" in file or "/sbin/" in file or file.startswith("/etc/init.d/")


def content(target, package, file):
    head = target["head"]
    if "content" in package:
        return package["content"]
    if file == "/etc/openwrt_release":
        return (
            "DISTRIB_ID='OpenWrt'\n"
            f"DISTRIB_RELEASE='{head['version_number']}'\nDISTRIB_REVISION='{head['version_code']}'\n"
            f"DISTRIB_TARGET='{head['target']}'\nDISTRIB_ARCH='{head['arch_packages']}'\n"
        )
    if file == "/etc/openwrt_version":
        return f"{head['version_code']}\n"
    if file == "/etc/passwd":
        return "root:x:0:0:root:/root:/bin/ash\n"
    if file == "/etc/group":
        return "root:x:0:\n"
    if is_executable(file):
        return f"#!/bin/sh\necho '{package['base_name']} {package['version']}'\n"
    return f"{package['name']} {package['version']} {file}\n"


def write_opkg_database(target, packages):
    arch, epoch = target["head"]["arch_packages"], target["head"]["source_date_epoch"]
    status = []
    for package in packages:
        fields = [("Package", package["name"]), ("Version", package["version"])]
        fields += [(key, ", ".join(package[key.lower()])) for key in ("Depends", "Provides", "Conflicts") if package[key.lower()]]
        fields += [("Architecture", arch)]
        if package["abi"]:
            fields.append(("ABIVersion", package["abi"]))
        text = "".join(f"{key}: {value}\n" for key, value in fields)
        write(f"/usr/lib/opkg/info/{package['name']}.control", f"{text}Installed-Size: {package['size']}\n")
        write(f"/usr/lib/opkg/info/{package['name']}.list", "".join(f"{file}\n" for file in package["files"]))
        status.append(f"{text}Status: install user installed\nInstalled-Time: {epoch}\n")
    write("/usr/lib/opkg/status", "\n".join(status))


def write_apk_database(target, packages):
    arch = target["head"]["arch_packages"]
    blocks = []
    for package in packages:
        lines = [f"P:{package['name']}", f"V:{package['version']}", f"A:{arch}", f"I:{package['size']}", f"T:{package['title']}"]
        if package["depends"]:
            lines.append(f"D:{' '.join(package['depends'])}")
        if package["provides"]:
            lines.append("p:" + " ".join(f"{name}={package['version']}" for name in package["provides"]))
        if package["abi"]:
            lines.append(f"g:openwrt:abiversion={package['abi']}")
        for file in package["files"]:
            parent, _, name = file[1:].rpartition("/")
            lines += [f"F:{parent}", f"R:{name}"]
        blocks.append("\n".join(lines) + "\n")
    write("/lib/apk/db/installed", "\n".join(blocks) + "\n")
    write("/etc/apk/world", "".join(f"{package['base_name']}\n" for package in packages))
    write("/etc/apk/arch", f"{arch}\n")


def add_files(source):
    """FILES=: a directory of the user's, laid over the root."""
    if source:
        shutil.copytree(source, ROOT, dirs_exist_ok=True, symlinks=True)
