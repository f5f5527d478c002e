#!/usr/bin/env bash
# Fetches the ImageBuilder of a snapshot from upstream, checks it and unpacks it here.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

TARGET=${TARGET:?names the target, as x86/64}
VERSION_PATH=${VERSION_PATH:-snapshots}
upstream=${UPSTREAM_URL:-${FILE_HOST:-https://downloads.openwrt.org}}
[[ $upstream == *://* ]] || upstream=https://$upstream
url=${upstream%/}/$VERSION_PATH/targets/$TARGET

cd /builder
echo "fetching $url/sha256sums"
wget -q -O sha256sums "$url/sha256sums"
line=$(grep -E '[ *]openwrt-imagebuilder-[^ ]*\.tar\.(zst|xz)$' sha256sums | head -n 1) || {
    echo "no ImageBuilder in $url/sha256sums" >&2
    exit 1
}
archive=${line#*\*}
echo "fetching $url/$archive"
wget -q -O "$archive" "$url/$archive"
printf '%s\n' "$line" | sha256sum -c -
tar -xf "$archive" --strip-components=1 --no-same-owner
rm -f -- "$archive" sha256sums
