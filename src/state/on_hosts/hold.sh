# Holds an environment's lock until standard input ends, or nothing came from it for a while. Says in one line what came
# of it:
#   held WHERE                 `private`, or `open` where any account of the host can hold the lock up
#   busy ACCOUNT PID HOLDER    somebody else has it
#   stranger ACCOUNT PID FILE  an account that may not use docker keeps the file locked
#   squat ACCOUNT FILE         the file, or what is in its place, is of such an account
#   shut FILE                  this account may not use it
#   unsafe FOLDER              any account may take files out of it
#
# The lock is taken in a folder that root alone can make and docker's group may use, if it is there, and then in the
# folder of old, which every account finds. No file is opened, or written to, that an account could have put there or
# could take away that may not use docker. 8 and 9 are the locks; children are not to keep them.
folder=$1 shared=$2 name=$3 holder=$4 silence=$5 socket=$6
export LC_ALL=C
umask 077
me=$(id -u) group=
[ -S "$socket" ] && group=$(stat -L -c %g -- "$socket")

say() { printf '%s\n' "$*"; exit 0; }

# Whether docker lets this account in, by number and name: what it could do to a lock, it can do to the containers.
trusted() {
  [ "$1" = 0 ] || [ "$1" = "$me" ] && return
  [ -n "$group" ] || return
  case " $(id -G -- "$2" 2>/dev/null) " in *" $group "*) return 0 ;; *) return 1 ;; esac
}

make_folder() { # under another name first, so that nobody finds it half made
  [ "$me" = 0 ] && [ ! -e "$folder" ] && [ ! -L "$folder" ] || return 0
  new=$(mktemp -d -- "$folder.XXXXXX") || return 0
  if [ -n "$group" ]; then chgrp -- "$group" "$new" && chmod 2770 -- "$new"; fi
  mv -n -T -- "$new" "$folder" 2>/dev/null || rmdir -- "$new"
  rmdir -- "$new" 2>/dev/null || :
}

make_file() { # `ln` follows nothing and replaces nothing
  [ ! -e "$1" ] && [ ! -L "$1" ] || return 0
  new=$(mktemp -- "$1.XXXXXX") || return 0
  if [ -n "$group" ] && chgrp -- "$group" "$new" 2>/dev/null; then chmod 660 -- "$new"; else chmod 666 -- "$new"; fi
  ln -T -- "$new" "$1" 2>/dev/null || :
  rm -f -- "$new"
}

# Who may have the file that cannot be locked: the kernel knows the process, or the holder has left its number.
find_holder() {
  inode=$(stat -c %i -- "$1")
  pids=$(sed -n "s/^[0-9]*: FLOCK  *[A-Z]*  *[A-Z]*  *\([0-9]*\) [0-9a-f]*:[0-9a-f]*:$inode .*/\1/p" /proc/locks)
  pids="$pids $(sed -n '2s/^\([0-9][0-9]*\)$/\1/p' <"$1")"
  pid=- account=-
  for it in $pids; do
    of=$(stat -c '%u %U' "/proc/$it" 2>/dev/null) || continue
    pid=$it account=${of#* }
    trusted "${of%% *}" "$account" && { verdict="busy $account $pid $(head -n 1 <"$1")"; return; }
  done
  if [ "$pid" = - ]; then verdict="busy - - $(head -n 1 <"$1")"; else verdict="stranger $account $pid $1"; fi
}

is_same() { [ "$(stat -c %d:%i -- "$2" 2>/dev/null)" = "$(stat -L -c %d:%i "/proc/self/fd/$1")" ]; }

take() { # the file $2 as descriptor $1; else `verdict` says why not
  for _ in 1 2 3 4 5 6 7 8 9; do
    make_file "$2"
    facts=$(stat -c '%u %U %g %a %F' -- "$2" 2>/dev/null) || continue
    owner=${facts%% *} facts=${facts#* }
    account=${facts%% *} facts=${facts#* }
    of_group=${facts%% *} facts=${facts#* }
    mode=${facts%% *} kind=${facts#* }
    verdict="squat $account $2"
    case $kind in "regular file" | "regular empty file") ;; *) return 1 ;; esac
    trusted "$owner" "$account" || return 1
    verdict="shut $2"
    case $of_group:$mode in
      "$group:660") ;;
      # An older shipit has made it for everyone.
      *:666) [ -n "$group" ] && chgrp -- "$group" "$2" 2>/dev/null && chmod 660 -- "$2" 2>/dev/null && mode=660 ;;
      # No lock: by a hard link it may be any file, and a name is written into what is locked.
      *) return 1 ;;
    esac
    [ -r "$2" ] && [ -w "$2" ] || return 1
    eval "exec $1<\"\$2\"" || return 1
    if flock -n "$1"; then
      # Whoever may use docker can have replaced it meanwhile.
      is_same "$1" "$2" && return 0
    else
      find_holder "$2"
      eval "exec $1<&-"
      return 1
    fi
    eval "exec $1<&-"
  done
  return 1
}

where=private first='' second=''
for _ in 1 2 3; do
  make_folder
  if [ -e "$folder" ] || [ -L "$folder" ]; then
    [ ! -L "$folder" ] && [ -d "$folder" ] && [ -w "$folder" ] && [ -x "$folder" ] || say "shut $folder"
    first=$folder/$name.lock
    take 8 "$first" || say "$verdict"
  fi
  second=$shared/shipit-$name.lock verdict="unsafe $shared"
  if [ -k "$shared" ] && trusted "$(stat -c %u -- "$shared")" - && take 9 "$second"; then
    case $mode in *[2-7]) where=open ;; esac
  else
    # Where the first lock is held, nobody without docker can keep this one from us. Whoever takes this one alone has
    # looked at the same things, and would not have taken it.
    case $first:$verdict in :* | *:busy* | *:shut*) say "$verdict" ;; esac
    second=
  fi
  # Root may have made the folder since we looked, and have gone without the file.
  [ -z "$first" ] && [ -e "$folder" ] || break
  exec 9<&-
done
[ -z "$first" ] || where=private

[ -z "$first" ] || printf '%s\n' "$holder" "$$" >/proc/self/fd/8
[ -z "$second" ] || printf '%s\n' "$holder" "$$" >/proc/self/fd/9
printf 'held %s\n' "$where"
while [ -n "$(timeout "$silence" head -c 1 8<&- 9<&-)" ]; do
  for lock in ${first:+"8 $first"} ${second:+"9 $second"}; do
    is_same "${lock%% *}" "${lock#* }" || { echo "${lock#* } was replaced" >&2; exit 1; }
  done
done
