#!/bin/bash
#
# demo.sh BUILD: the year 2019 through a federation on this machine, then the report of 2019, counted
# again from the receivers' logs. Leaves running what ran before, and stops what it started itself.
# Run again in the same place it changes nothing, and says so.
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ -n $(started node- 2>/dev/null) ]] && was_up=yes || was_up=no
meanwhile=
stop_again() {
    [[ -z $meanwhile ]] || kill "$meanwhile" 2>/dev/null || true
    [[ $was_up == yes ]] || "$here/down.sh" "$build" >/dev/null
}
trap stop_again EXIT

"$here/up.sh" "$build"
"$here/story.sh" "$build" before
"$here/story.sh" "$build" during &
meanwhile=$!
"$bin/enlace-w2019" "$demo"
wait "$meanwhile"
meanwhile=
"$here/story.sh" "$build" after
"$bin/enlace-report2019" "$demo" | tee "$demo/w2019/informe.txt"
