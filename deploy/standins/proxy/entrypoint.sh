#!/bin/sh
# What the public image does before nginx: reads what lies in /docker-entrypoint.d, then fills in templates.
set -eu
for file in /docker-entrypoint.d/*.envsh; do
    if [ -x "$file" ]; then . "$file"; fi
done
names=$(awk -v f="${NGINX_ENVSUBST_FILTER:-}" 'BEGIN { for (name in ENVIRON) if (name ~ f) print "${" name "}" }')
for template in /etc/nginx/templates/*.template; do
    [ -f "$template" ] || continue
    envsubst "$names" <"$template" >"${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}/$(basename "$template" .template)"
done
exec "$@"
