# What a host has, as lines of NAME=VALUE; changes nothing.
# $1 is how docker is run by deploys: `sudo`, or empty for the account itself.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
say() { printf '%s=%s\n' "$1" "$2"; }
version() { "$@" docker version --format '{{.Server.Version}}' 2>/dev/null; }

say user "$(id -un)"
say groups "$(id -Gn)"
root=
if [ "$(id -u)" = 0 ]; then
  root=env
  say root login
elif sudo -n true 2>/dev/null; then
  root='sudo -n --'
  say root sudo
fi
if command -v docker >/dev/null 2>&1; then
  say docker "$(command -v docker)"
  if [ -n "$1" ]; then run='sudo -n --'; else run=env; fi
  if answer=$(version $run); then say answers "$answer"; fi
  if [ -n "$root" ] && answer=$(version $root); then say runs "$answer"; fi
fi
if grep -q '^docker:' /etc/group 2>/dev/null || getent group docker >/dev/null 2>&1; then say group yes; fi

if [ -d /run/systemd/system ]; then
  say services systemd
  say boot "$(systemctl is-enabled docker.service 2>/dev/null)"
elif command -v rc-service >/dev/null 2>&1; then
  say services openrc
  if rc-update show 2>/dev/null | grep -q '^ *docker '; then say boot enabled; else say boot disabled; fi
elif command -v service >/dev/null 2>&1; then
  say services sysvinit
fi
say clock "$(date +%s)"
echo os-release
cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null || true
