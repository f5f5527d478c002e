# `surroundings install`: the Debian and Ubuntu packages, only those which are missing.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# command=package: a command that is there already, from wherever, is used as it is.
NEEDED=(
    podman=podman redis-server=redis-server docker-registry=docker-registry
    mmdebstrap=mmdebstrap mksquashfs=squashfs-tools mke2fs=e2fsprogs debugfs=e2fsprogs
    zstd=zstd python3=python3 make=make curl=curl jq=jq flock=util-linux iptables=iptables
    cc=build-essential pkg-config=pkg-config
)
NEEDED_TEST=(chromium=chromium nginx=nginx promtool=prometheus faketime=faketime)
NEEDED_BENCH=(wrk=wrk nginx=nginx)
# These packages start a system-wide service that nobody asked for.
SERVICES=(redis-server docker-registry nginx prometheus)

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
is_available() { [[ -n "$(apt-cache madison "$1" 2>/dev/null)" ]]; }

install_packages() {
    local option pair missing=() needed=("${NEEDED[@]}")
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    for option in "$@"; do
        case $option in
            --test) needed+=("${NEEDED_TEST[@]}") ;;
            --bench) needed+=("${NEEDED_BENCH[@]}") ;;
            *) die "install: unknown option $option" ;;
        esac
    done
    command -v apt-get >/dev/null || die "this installs with apt-get, which is not here; needed: ${needed[*]#*=}"
    for pair in "${needed[@]}"; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    if [[ ! -f /etc/ssl/certs/ca-certificates.crt ]]; then missing+=(ca-certificates); fi
    if [[ " $* " == *" --test "* ]] && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then missing+=(python3-venv); fi
    if needs_runc && ! command -v runc >/dev/null; then missing+=(runc); fi
    mapfile -t missing < <({ printf '%s\n' "${missing[@]}" && missing_network_packages; } | sed '/^$/d' | sort -u)
    if [[ ${#missing[@]} -eq 0 ]]; then
        say "install: nothing is missing"
        return
    fi
    say "install: apt-get installs ${missing[*]}"
    apt_install "${missing[@]}"
    say "install: done"
}

# The libraries of container networks are no commands in PATH. A Podman before 4 (Ubuntu 22.04) has no netavark.
missing_network_packages() {
    local directory
    for directory in /usr/libexec/podman /usr/lib/podman /usr/local/libexec/podman /usr/local/lib/podman; do
        if [[ -x $directory/netavark && -x $directory/aardvark-dns ]]; then return; fi
    done
    if [[ -x /usr/lib/cni/dnsname ]]; then return; fi
    as_root apt-get -qq update >&2
    if is_available netavark; then
        printf '%s\n' netavark aardvark-dns
    else
        printf '%s\n' containernetworking-plugins golang-github-containernetworking-plugin-dnsname
    fi
}

apt_install() {
    local package log=$STATE/apt.log fresh_services=()
    for package in "${SERVICES[@]}"; do
        if [[ " $* " == *" $package "* ]] && ! is_installed "$package"; then fresh_services+=("$package"); fi
    done
    forbid_service_starts
    if ! { as_root apt-get -qq update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"; } >"$log" 2>&1; then
        tail -n 20 -- "$log" >&2
        allow_service_starts
        die "apt-get failed, see $log"
    fi
    allow_service_starts
    # Forbidding the start does not keep the unit from being enabled for the next boot.
    for package in "${fresh_services[@]}"; do
        if command -v systemctl >/dev/null; then
            as_root systemctl disable "$package" >>"$log" 2>&1 || true
        fi
    done
}

# A policy-rc.d of the machine's own is left alone.
forbid_service_starts() {
    POLICY_IS_OURS=no
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
        as_root chmod 755 /usr/sbin/policy-rc.d
        POLICY_IS_OURS=yes
        trap allow_service_starts EXIT
    fi
}

allow_service_starts() {
    if [[ $POLICY_IS_OURS == yes ]]; then
        as_root rm -f /usr/sbin/policy-rc.d
        POLICY_IS_OURS=no
    fi
}
