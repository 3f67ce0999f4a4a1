#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Stands in for QEMU: the same machine, but its disk is ../recorded.img beside the folder of this, and each write to it and each flush of
# its cache is kept in ../recorded.img.log, in their order (the format of dm-log-writes).
set -eu
recorded=${0%/*}/../recorded.img
words=()
overlay=
for word in "$@"; do
  case "$word" in
    if=none,id=disk0,format=qcow2,file=*)
      overlay=${word#*file=}
      unset 'words[-1]'
      words+=(-blockdev "driver=file,node-name=disk,filename=$recorded" -blockdev "driver=file,node-name=log,filename=$recorded.log")
      words+=(-blockdev 'driver=blklogwrites,node-name=disk0,file=disk,log=log')
      ;;
    *) words+=("$word") ;;
  esac
done
if [ -n "$overlay" ]; then
  qemu-img convert -O raw "$overlay" "$recorded"
  : >"$recorded.log"
fi
exec /usr/bin/qemu-system-x86_64 "${words[@]}"
