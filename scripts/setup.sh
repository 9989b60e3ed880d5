#!/usr/bin/env bash
# Installs what a target needs: `run` and `dev` a virtual environment, `services` what the tests talk to.
# Says plainly what can't be had, and how to get it by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .make

say() { printf '%s\n' "$*"; }
stop() { printf '\n%s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else return 1; fi
}

debian() { # install Debian packages, or say which to install by hand
  command -v apt-get >/dev/null || stop "Cần cài / Please install: $*  (không có apt-get / no apt-get here)"
  say "Cài gói Debian / Installing Debian packages: $*"
  export DEBIAN_FRONTEND=noninteractive
  { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"; } >.make/apt.log 2>&1 ||
    stop "Không cài được / Could not install: $*
Chạy bằng quyền root / Run as root: apt-get install $*
(chi tiết / details: .make/apt.log)"
}

python_command() {
  local name
  for name in python3.11 python3.12 python3.13 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      printf '%s' "$name"; return
    fi
  done
}

environment() {
  local python
  python=$(python_command)
  if [ -z "$python" ]; then debian python3 python3-venv; python=$(python_command); fi
  [ -n "$python" ] || stop "Cần Python 3.11 trở lên / Python 3.11 or newer is needed."
  if [ ! -x .venv/bin/pip ]; then
    "$python" -c 'import ensurepip' 2>/dev/null || debian python3-venv
    "$python" -m venv .venv || { debian python3-venv; "$python" -m venv --clear .venv; }
  fi
}

packages() { # requirements file
  say "Cài thư viện Python / Installing Python packages ($1)…"
  .venv/bin/pip install -q --disable-pip-version-check -r "$1" >.make/pip.log 2>&1 || {
    tail -5 .make/pip.log >&2
    stop "Không tải được thư viện. Kiểm tra mạng hoặc kho gói (pip config), rồi chạy lại.
Could not get the packages. Check the network or the package index (pip config), then run again."
  }
}

case "${1:-}" in
  run)
    environment
    packages requirements/run.txt
    .venv/bin/pip install -q --disable-pip-version-check --no-deps -e . >.make/pip.log 2>&1 || {
      tail -5 .make/pip.log >&2; stop "Không cài được bodycam / Could not install bodycam (.make/pip.log)"; }
    touch .make/run ;;
  dev)
    packages requirements/dev.txt
    touch .make/dev ;;
  services)
    wanted=()
    command -v chromium >/dev/null || wanted+=(chromium fonts-dejavu-core)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted+=(postgresql)
    command -v redis-server >/dev/null || wanted+=(redis-server)
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || wanted+=(rabbitmq-server)
    [ ${#wanted[@]} = 0 ] || debian "${wanted[@]}"
    touch .make/services ;;
  guest) # what can't be had is a reason to skip, not an error: the program that needs it says so
    wanted=()
    command -v qemu-system-x86_64 >/dev/null || wanted+=(qemu-system-x86)
    command -v mmdebstrap >/dev/null || wanted+=(mmdebstrap)
    command -v mke2fs >/dev/null || wanted+=(e2fsprogs)
    [ "$(id -u)" = 0 ] || command -v fakeroot >/dev/null || wanted+=(fakeroot)
    [ ${#wanted[@]} = 0 ] || (debian --no-install-recommends "${wanted[@]}") || true ;;
  *) stop "usage: scripts/setup.sh run|dev|services|guest" ;;
esac
