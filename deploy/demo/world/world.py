# Reads the definition of the fixture world (the JSON files here) and expands it per version and target.
# SPDX-License-Identifier: GPL-2.0-or-later
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
BRANCHES = ["23.05", "24.10", "25.12", "SNAPSHOT"]
ARCH_FEEDS = ["base", "packages", "luci", "routing", "telephony"]


def load(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return json.load(file)


class World:
    """All versions and targets, with `revisions` (version to revision) replacing those of the definition."""

    def __init__(self, revisions=None):
        self.index = load("versions.json")
        self.versions = self.index["versions"]
        for version, revision in (revisions or {}).items():
            self.versions[version]["revision"] = revision
        targets = load("targets.json")
        self.default_packages = targets["default_packages"]
        self.targets = targets["targets"]
        self.packages = load("packages.json")

    def flavour(self, version, target):
        return Flavour(self, version, target)


class Flavour:
    """One version of one target: what its profiles.json, its package indexes and its ImageBuilder say."""

    def __init__(self, world, version, target):
        self.world = world
        self.version = version
        self.target = target
        self.release = world.versions[version]
        self.definition = world.targets[target]
        self.arch = self.definition["arch"]
        self.manager = self.release["manager"]
        seed = f"{version} {target} {self.release['kernel']}"
        self.kernel = {
            "version": self.release["kernel"],
            "release": "1",
            "vermagic": hashlib.md5(seed.encode()).hexdigest(),
        }
        self.packages = self._packages()
        self._check()

    def _packages(self):
        at = BRANCHES.index(self.release["branch"])
        chosen = [
            package
            for package in self.world.packages
            if BRANCHES.index(package.get("since", "23.05")) <= at <= BRANCHES.index(package.get("until", "SNAPSHOT"))
            and self.target in package.get("targets", [self.target])
        ]
        real_names = {package["name"]: package["name"] + self._of_branch(package.get("abi", "")) for package in chosen}
        return [self._expand(package, real_names) for package in chosen]

    def _expand(self, package, real_names):
        name = real_names[package["name"]]
        conflicts = package.get("conflicts", [])
        if self.manager == "opkg":
            conflicts = package.get("opkg_conflicts", conflicts)
        provides = package.get("provides", [])
        return {
            "name": name,
            "base_name": package["name"],
            "abi": self._of_branch(package.get("abi", "")),
            "version": self._version(self._of_branch(package["version"])),
            "feed": package["feed"],
            "size": package["size"] * 1024,
            "title": package.get("title", package["name"]),
            "depends": [real_names.get(depend, depend) for depend in package.get("depends", [])],
            "provides": ([package["name"]] if name != package["name"] else []) + provides,
            "conflicts": [real_names.get(conflict, conflict) for conflict in conflicts],
            "files": [file.replace("@kernel", self.kernel["version"]) for file in package["files"]],
        }

    def _of_branch(self, value):
        """A value that differs by branch is that of the newest branch which is not newer than ours."""
        if not isinstance(value, dict):
            return value
        at = BRANCHES.index(self.release["branch"])
        return next(value[branch] for branch in reversed(BRANCHES[: at + 1]) if branch in value)

    def _version(self, version):
        old = self.release["branch"] == "23.05"
        kernel, vermagic = self.kernel["version"], self.kernel["vermagic"]
        if version == "@kernel":
            return f"{kernel}-1-{vermagic}" if old else f"{kernel}~{vermagic}-r1"
        if version == "@kmod":
            version = kernel
        if version.startswith("="):
            return version[1:]
        return version + ("-1" if old else "-r1")

    def _check(self):
        known = {name for package in self.packages for name in [package["name"], *package["provides"]]}
        wanted = [(package["name"], depend) for package in self.packages for depend in package["depends"]]
        wanted += [("default packages", name) for name in self.default_packages()]
        for profile in self.definition["profiles"]:
            wanted += [(profile, name.lstrip("-")) for name in self.device_packages(profile)]
        for by, name in wanted:
            if name not in known:
                raise SystemExit(f"world: {self.version} {self.target}: {by} needs {name}, which does not exist")

    def default_packages(self):
        manager = {"opkg": "opkg", "apk": "apk-mbedtls"}[self.manager]
        names = self.world.default_packages + self.definition["default_packages"]
        return sorted(manager if name == "@manager" else name for name in names)

    def device_packages(self, profile):
        return self.definition["profiles"][profile]["device_packages"]

    def of_feed(self, feed):
        """The packages of one feed. `target` is what lies beside the target's images."""
        feeds = [feed]
        if feed == "target":
            feeds = ["imagebuilder"] + (["kmods"] if self.release["kmods"] == "target" else [])
        return [package for package in self.packages if package["feed"] in feeds]

    def kmods_path(self):
        return f"kmods/{self.kernel['version']}-{self.kernel['release']}-{self.kernel['vermagic']}"

    def repositories(self):
        """(name, path below the upstream's root) of every feed."""
        root, target = self.release["path"], self.target
        found = [("core", f"{root}/targets/{target}/packages")]
        if self.release["kmods"] == "kmods":
            found.append(("kmods", f"{root}/targets/{target}/{self.kmods_path()}"))
        return found + [(feed, f"{root}/packages/{self.arch}/{feed}") for feed in ARCH_FEEDS]

    def image_prefix(self, profile, extra=""):
        parts = ["openwrt"]
        if self.version != "SNAPSHOT":
            parts.append(self.version.lower())
        if self.release.get("snapshot") and self.version != "SNAPSHOT":
            parts.append(self.release["revision"])
        parts += [extra, self.target.replace("/", "-"), profile]
        return "-".join(part for part in parts if part)

    def profiles_json(self):
        """The target's profiles.json as upstream serves it; the images named in it exist nowhere."""
        profiles = {}
        for name, profile in self.definition["profiles"].items():
            prefix = self.image_prefix(name)
            images = []
            for image in profile["images"]:
                file = f"{prefix}-{image['suffix']}"
                entry = {"name": file, "sha256": hashlib.sha256(file.encode()).hexdigest(), "type": image["type"]}
                if "filesystem" in image:
                    entry["filesystem"] = image["filesystem"]
                images.append(entry)
            profiles[name] = {
                "device_packages": profile["device_packages"],
                "image_prefix": prefix,
                "images": images,
                "supported_devices": profile["supported_devices"],
                "titles": profile["titles"],
            }
        return {**self.head(), "profiles": profiles}

    def head(self):
        """The top level of profiles.json, which the ImageBuilder repeats."""
        return {
            "arch_packages": self.arch,
            "default_packages": self.default_packages(),
            "linux_kernel": self.kernel,
            "metadata_version": 1,
            "source_date_epoch": self.release["source_date_epoch"],
            "target": self.target,
            "version_code": self.release["revision"],
            "version_number": self.version,
        }
