# shellcheck shell=bash disable=SC2154 # story.sh
# The hospital's system is killed in the middle of the year, and comes back seconds later.
# shellcheck source=../../agencies.sh
. "$here/agencies.sh"
book=$demo/agencies/sedesa/book.tsv
done_so_far() { grep -cs '^accion' "$book" || true; }
is_half_way() { (($(done_so_far) >= 100)); }
failures() { grep -c 'poll.later' "$demo/log/adapter-sedesa.log" || true; }
is_noticed() { (($(failures) > before)); }

wait_for 150 is_half_way || die "la Secretaría de Salud no llegó a la mitad del año"
title "A la mitad del año se cae el sistema de la Secretaría de Salud; lo terminamos por la fuerza."
before=$(failures) half=$(done_so_far)
read -r pid <"$demo/run/agency-sedesa.pid"
kill -KILL "$pid"
wait_for 30 is_noticed || die "el adaptador no notó que el sistema no está"
tell "Llevaba $half de 276 acciones. Su adaptador insiste, cada vez con más pausa; nada se da por hecho."
sleep 1
agency_begin sedesa
await agency-sedesa simulator.ready
tell "Vuelve, y sigue donde iba: abajo están las 276, cada una una sola vez."
