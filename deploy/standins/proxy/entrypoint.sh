#!/bin/sh
# What the public image does before nginx: name servers from /etc/resolv.conf, then templates filled in.
set -eu
if [ -n "${NGINX_ENTRYPOINT_LOCAL_RESOLVERS:-}" ]; then
    NGINX_LOCAL_RESOLVERS=$(awk '$1 == "nameserver" {print ($2 ~ ":") ? "[" $2 "]" : $2}' ORS=' ' /etc/resolv.conf | sed 's/ *$//')
    export NGINX_LOCAL_RESOLVERS
fi
filter=${NGINX_ENVSUBST_FILTER:-}
names=$(awk -v f="$filter" 'END { for (name in ENVIRON) if (name ~ f) print "${" name "}" }' </dev/null)
for template in /etc/nginx/templates/*.template; do
    [ -f "$template" ] || continue
    envsubst "$names" <"$template" >"${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}/$(basename "$template" .template)"
done
exec "$@"
