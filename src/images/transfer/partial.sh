# The part of an image that a host has of a transfer which was cut off, so that the next one sends the rest alone.
#   open SLOT IMAGE ROOM          makes room for a transfer, and says in one line what came of it:
#     partial FILE BYTES SHA256     what there is of the same image is in this file now; BYTES is 0 where there is none
#     none WHY                      no part can be kept
#   load FILE BYTES COMMAND…      gives the file and then standard input to the command, and appends what comes to the
#                                 file. BYTES is its length, or 0 where it is to be written from its start
#   remove FILE
#
# The folder is this account's alone, so that nobody else writes a file in it or reads one. Each transfer has a file of
# its own and copies what an earlier one left: the host may notice later than we do that a connection is gone, and what
# runs on that still appends to the file that it has open.
export LC_ALL=C
umask 077

none() { printf 'none %s\n' "$*"; exit 0; }

enter() {
  me=$(id -u) && [ -n "$HOME" ] || return
  # Through sudo it may be that of another account.
  [ "$(stat -L -c %u -- "$HOME")" = "$me" ] || return
  folder=${XDG_CACHE_HOME:-$HOME/.cache}/shipit
  mkdir -p -- "$folder" && [ ! -L "$folder" ] && cd -P -- "$folder" || return
  case $(stat -c '%u %a' .) in "$me 700" | "$me 2700") ;; *) return 1 ;; esac
}

size() { stat -c %s -- "$1"; }

case $1 in
open)
  slot=$2 image=$3 room=$4
  enter 2>/dev/null || none "$HOME/.cache/shipit is not a folder that is this account's alone"
  find . -type f -name 'image-*' -mtime +0 -exec rm -f -- {} +
  # One part of one version of an image: the longest that is there.
  old='' bytes=0
  for file in "image-$slot-"*; do
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    length=$(size "$file") || continue
    case $file in
    "image-$slot-$image."*)
      if [ "$length" -gt "$bytes" ]; then
        [ -z "$old" ] || rm -f -- "$old"
        old=$file bytes=$length
        continue
      fi
      ;;
    esac
    rm -f -- "$file"
  done
  free=$(df -P -k . | { read -r _ && read -r _ _ _ free _ && echo "$free"; })
  if [ "$free" -le $((bytes / 1024)) ] || [ $((free + bytes / 1024)) -lt "$room" ]; then
    [ -z "$old" ] || rm -f -- "$old"
    none "only $free KiB are free under $folder"
  fi
  new=$(mktemp "image-$slot-$image.XXXXXXXX") || none "no file can be made in $folder"
  sum=-
  if [ -n "$old" ]; then
    cp -- "$old" "$new" && bytes=$(size "$new") && sum=$(sha256sum <"$new") || bytes=
    rm -f -- "$old"
    if [ -z "$bytes" ]; then
      rm -f -- "$new"
      none "what there was of it cannot be read"
    fi
  fi
  printf 'partial %s %s %s\n' "$new" "$bytes" "${sum%% *}"
  ;;
load)
  file=$2 bytes=$3
  shift 3
  enter && [ -f "$file" ] || exit
  if [ "$bytes" = 0 ]; then
    : >"$file"
  elif [ "$(size "$file")" != "$bytes" ]; then
    echo "the part of the image in $folder/$file was changed" >&2
    exit 1
  fi
  # `tee` goes on without the file where the disk is full: what is in it stays the beginning. Its complaint is not the
  # command's.
  { cat -- "$file" && tee -a -- "$file" 2>/dev/null; } | "$@" || exit
  rm -f -- "$file"
  ;;
remove)
  enter && rm -f -- "$2"
  ;;
esac
