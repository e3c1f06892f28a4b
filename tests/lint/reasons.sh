#!/bin/bash
# reasons.sh: each reason for which gateway/policy, gateway/relay's officials, wills and approvals
# refuse something stands in a test by its name. A reason that no test names fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
files=(gateway/policy/*.c gateway/relay/{pending,glass,wills,arrival,life}.c)
# The first text with a dot among a refusal's arguments, which may run over two lines.
reasons=$(cat "${files[@]}" | tr '\n' ' ' |
    grep -oE '(refuse|deny|invalid|wrong|refuse_types)\([^"]{0,80}"[a-z_]+\.[a-z_]+"' |
    grep -oE '"[^"]+"' | tr -d '"' | sort -u)
[[ $(wc -l <<<"$reasons") -ge 80 ]] || { echo "only $(wc -l <<<"$reasons") reasons were found: how are they written now?"; exit 1; }
missing=$(while read -r reason; do
    grep -rqF --include='*.c' --include='*.py' --include='*.sh' --include='*.h' -- "$reason" tests || echo "$reason"
done <<<"$reasons")
[[ -z $missing ]] || { printf 'no test names:\n%s\n' "$missing"; exit 1; }
