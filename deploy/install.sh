#!/usr/bin/env bash
# Installs what a docking station needs beside the program itself: accounts, udev rules, units, polkit rule. Run as root; again
# after an update. `install.sh --remove` takes them away and leaves all data.
set -euo pipefail
cd "$(dirname "$0")"

[ "$(id -u)" = 0 ] || { echo "Chạy bằng quyền root / Run as root: sudo deploy/install.sh" >&2; exit 1; }

units=(systemd/*.service)
if [ "${1:-}" = "--remove" ]; then
  systemctl disable --now bodycam-kiosk.service bodycam.service 2>/dev/null || true
  for unit in "${units[@]}"; do rm -f "/etc/systemd/system/${unit##*/}"; done
  rm -f /etc/udev/rules.d/70-bodycam.rules /etc/polkit-1/rules.d/50-bodycam.rules \
    /etc/sysusers.d/bodycam.conf /etc/tmpfiles.d/bodycam.conf
  systemctl daemon-reload
  udevadm control --reload
  echo "Đã gỡ; dữ liệu còn nguyên tại /var/lib/bodycam / Removed; the data stay in /var/lib/bodycam"
  exit 0
fi

install -D -m 0644 sysusers/bodycam.conf /etc/sysusers.d/bodycam.conf
install -D -m 0644 tmpfiles/bodycam.conf /etc/tmpfiles.d/bodycam.conf
install -D -m 0644 udev/70-bodycam.rules /etc/udev/rules.d/70-bodycam.rules
install -D -m 0644 polkit/50-bodycam.rules /etc/polkit-1/rules.d/50-bodycam.rules
install -m 0644 -t /etc/systemd/system "${units[@]}"
systemd-sysusers
systemd-tmpfiles --create /etc/tmpfiles.d/bodycam.conf
systemctl daemon-reload
udevadm control --reload
udevadm trigger --action=change --subsystem-match=usb --subsystem-match=block
echo "Xong. Tiếp theo / Done. Next: systemctl enable --now bodycam; bodycam doctor"
