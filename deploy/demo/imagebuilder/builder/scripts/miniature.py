# The commands of the miniature ImageBuilder: info, manifest, image.
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import sys

import faults
import feeds
import root


def main():
    with open("target.json", encoding="utf-8") as file:
        target = json.load(file)
    command = {"info": info, "manifest": manifest, "image": image}[sys.argv[1]]
    try:
        status = command(target)
        sys.stdout.flush()
    except BrokenPipeError:
        status = 1
    # Nothing is left to tidy up, and leaving at once saves some milliseconds.
    os._exit(status)


def info(target):
    head = target["head"]
    out = [
        f'Current Target: "{head["target"]}"',
        f'Current Architecture: "{target["cpu"]}"',
        f'Current Revision: "{head["version_code"]}"',
        f"Default Packages: {' '.join(head['default_packages'])}",
        "Available Profiles:",
    ]
    for name, profile in target["profiles"].items():
        supported = profile["supported_devices"]
        out += ["", f"{name}:", f"    {title(profile)}", f"    Packages: {' '.join(profile['device_packages'])}"]
        out.append(f"    hasImageMetadata: {1 if supported else 0}")
        if supported:
            out.append(f"    SupportedDevices: {' '.join(supported)}")
    print("\n".join(out))
    return 0


def title(profile):
    one = profile["titles"][0]
    return " ".join(one[key] for key in ("vendor", "model", "variant") if key in one)


def manifest(target):
    profile = chosen_profile(target)
    installed = profile and select_and_install(target, profile)
    if not installed:
        return 1 if not profile else failure_status(target)
    print("\n".join(manifest_lines(target, installed, os.environ.get("STRIP_ABI") == "1")))
    return 0


def image(target):
    # Only this command needs the code that makes images.
    import images

    profile = chosen_profile(target)
    if not profile:
        return 1
    head = target["head"]
    print(f"Building images for {head['target']} - {title(target['profiles'][profile])}")
    print(f"Packages: {' '.join(wanted_packages(target, profile))}\n", flush=True)
    installed = select_and_install(target, profile, chatter=True)
    if not installed:
        return failure_status(target)
    print("\nFinalizing root filesystem...", flush=True)
    root.add_files(os.environ.get("FILES"))
    print("Building images...", flush=True)
    status = faults.before_images(installed)
    if status:
        return status
    return images.make(target, profile, installed, manifest_lines(target, installed, False))


def failure_status(target):
    return 255 if target["manager"] == "opkg" else 1


def chosen_profile(target):
    profile = os.environ.get("PROFILE") or "generic"
    if profile in target["profiles"]:
        return profile
    print(f'Profile "{profile}" does not exist!', file=sys.stderr)
    print('Use "make info" to get a list of available profile names.', file=sys.stderr)
    return None


def wanted_packages(target, profile):
    """Defaults and the profile's packages sorted, then the user's in their order; `-name` takes a name out."""
    own = set(target["head"]["default_packages"]) | set(target["profiles"][profile]["device_packages"]) | {"kernel", "libc"}
    wanted = without_removals(sorted(own)) + os.environ.get("PACKAGES", "").split()
    return list(dict.fromkeys(without_removals(wanted)))


def without_removals(names):
    removed = {name[1:] for name in names if name.startswith("-")}
    return [name for name in names if not name.startswith("-") and name not in removed]


def select_and_install(target, profile, chatter=False):
    """The installed packages in the order of their installation, or None after the errors are printed."""
    if target["manager"] == "opkg":
        import select_opkg as manager
    else:
        import select_apk as manager
    wanted = wanted_packages(target, profile)
    if faults.in_selection(target, manager, wanted, is_image=chatter):
        return None
    installed = manager.select(feeds.load(target, manager), wanted, root.directory(target), chatter)
    if installed is None or faults.in_downloads(manager, installed) or not feeds.download(installed, manager):
        return None
    root.install(target, installed)
    return installed


def manifest_lines(target, installed, strip_abi):
    separator = " - " if target["manager"] == "opkg" else " "
    key = "base_name" if strip_abi else "name"
    return sorted(package[key] + separator + package["version"] for package in installed)
