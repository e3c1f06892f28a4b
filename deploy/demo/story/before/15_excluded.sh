# shellcheck shell=bash disable=SC2154 # story.sh
# The person excluded the police: nothing about her leaves to them, and who does not attend her case
# can not tell that from what is not there.
person=0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d77
sed -e '/^certificate/c certificate = ../pki/official/cdmx.mpi-cdmx.enlace-01/tls.pem' \
    -e '/^key/c key = ../pki/official/cdmx.mpi-cdmx.enlace-01/tls.key' \
    "$demo/clients/mpi-cdmx-plataforma.conf" >"$demo/clients/.enlace-01.conf"
sed "s/\"subjects\": \[[^]]*\]/\"subjects\": [{\"role\": \"person\", \"local\": \"$person\"}]/" \
    "$here/solicitud.json" >"$work/a-la-policia.json"
sed 's/^{/{"on_behalf_of": "enlace-01", /' "$work/a-la-policia.json" >"$work/por-ella.json"

title "Una persona pide que la policía no sepa nada de ella; enlace-01, que lleva su caso, lo declara con su firma."
as .enlace-01 veto add "$person" cdmx/ssc >"$work/said"
tell "$(head -n 1 "$work/said")"
if as mpi-cdmx-plataforma submit "$work/por-ella.json" >"$work/said" 2>&1; then
    die "salió hacia quien la persona excluyó"
fi
tell "$(sed -n '1s/^enlace: /A quien lleva el caso, el nodo le dice: /p' "$work/said")"
if as mpi-cdmx-plataforma submit "$work/a-la-policia.json" >"$work/said" 2>&1; then
    die "salió hacia quien la persona excluyó"
fi
tell "$(sed -n '1s/^enlace: /A cualquier otro, lo mismo que si no existiera: /p' "$work/said")"
rm -f "$demo/clients/.enlace-01.conf"
