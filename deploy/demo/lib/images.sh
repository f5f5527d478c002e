# The fixture upstream tree and the miniature ImageBuilder images, each made again only when its inputs change.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

REPOSITORY=openwrt/imagebuilder

# One hash over files, their names and whatever else decides the result.
key_of() {
    { (cd -- "$DEMO_DIR" && find "$@" -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum) && echo "${EXTRA_KEY:-}"; } | sha256sum | cut -d' ' -f1
}

is_current() { [[ $(cat -- "$STATE/$1.key" 2>/dev/null) == "$2" ]]; }
world_key() { EXTRA_KEY=$(python3 --version) key_of world imagebuilder; }
base_key() { EXTRA_KEY=$(grep -E '^(ID|VERSION_CODENAME)=' /etc/os-release) key_of imagebuilder/make-base imagebuilder/finish-base; }
images_key() { printf '%s %s %s\n' "$(base_key)" "$(world_key)" "$(registry_port)"; }

upstream_tree_up() {
    local key
    key=$(world_key)
    if is_current upstream "$key" && [[ -f $STATE/upstream/.versions.json ]]; then return; fi
    rm -rf -- "$STATE/upstream.new"
    python3 -B "$DEMO_DIR/world/make-tree" "$STATE/upstream.new" || die "cannot write the upstream tree"
    rm -rf -- "$STATE/upstream"
    mv -- "$STATE/upstream.new" "$STATE/upstream"
    echo "$key" >"$STATE/upstream.key"
    say "upstream tree: $STATE/upstream"
}

upstream_tree_status() {
    if is_current upstream "$(world_key)"; then echo "upstream   $STATE/upstream"; else echo "upstream   missing or out of date"; fi
}

base_up() {
    local key
    key=$(base_key)
    if is_current base "$key" && [[ -f $STATE/base.tar.gz ]]; then return; fi
    say "images: making the base system with mmdebstrap (some 10 s)"
    # Only root may unpack packages with their owners.
    if ! as_root "$DEMO_DIR/imagebuilder/make-base" 2>"$STATE/base.log" 9>&- | gzip -1 >"$STATE/base.tar.gz.new"; then
        tail -n 5 -- "$STATE/base.log" >&2
        die "mmdebstrap failed, see $STATE/base.log"
    fi
    mv -- "$STATE/base.tar.gz.new" "$STATE/base.tar.gz"
    echo "$key" >"$STATE/base.key"
}

images_are_served() {
    curl -sfI --max-time 5 -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
        "http://127.0.0.1:$(registry_port)/v2/$REPOSITORY/manifests/mediatek-filogic-master" >/dev/null
}

images_up() {
    local key
    key=$(images_key)
    if is_current images "$key" && images_are_served; then return; fi
    base_up
    rm -f -- "$STATE/images.key"
    python3 -B "$DEMO_DIR/imagebuilder/push-images" "$STATE/base.tar.gz" "127.0.0.1:$(registry_port)" "$REPOSITORY" >"$STATE/images.list" ||
        die "cannot push the images"
    images_forget
    echo "$key" >"$STATE/images.key"
    say "images: $(wc -l <"$STATE/images.list") pushed to 127.0.0.1:$(registry_port)/$REPOSITORY"
}

# Copies pulled earlier would hide the new ones from a worker. Those in use are left to their users.
images_forget() {
    local images
    images=$(podman_cli images --format '{{.Repository}}:{{.Tag}}' --filter "reference=127.0.0.1:$(registry_port)/$REPOSITORY" 2>/dev/null) || true
    if [[ -n $images ]]; then
        # shellcheck disable=SC2086 # one word per image
        podman_cli rmi $images >>"$STATE/podman.log" 2>&1 || say "images: some local copies are in use, left"
    fi
}

images_status() {
    if is_current images "$(images_key)" && images_are_served; then
        echo "images     $(wc -l <"$STATE/images.list") in 127.0.0.1:$(registry_port)/$REPOSITORY"
    else
        echo "images     missing or out of date"
    fi
}

images_purge() { images_forget; }

purge_caches() {
    local part
    for part in upstream upstream.new upstream.key base.tar.gz base.tar.gz.new base.key base.log images.key images.list registry \
        registry.yml registry.port registry.running registry.log podman.log podman.configuration network.ours apt.log oom \
        python tools.key tools.log \
        containers.conf registries.conf; do
        rm -rf -- "${STATE:?}/$part"
    done
    if [[ $RUNTIME_DIR != "$STATE" ]]; then rmdir -- "$RUNTIME_DIR" 2>/dev/null || true; fi
}
