#!/bin/sh
# The certificate of the proxy, laid into the volume /tls: the one in /given (tls.crt and tls.key), otherwise one
# that is made here, signs itself, and is made again a month before it ends. Runs once at every start of the set-up.
set -eu
umask 077
if [ -s /given/tls.crt ] && [ -s /given/tls.key ]; then
    cp /given/tls.crt /tls/tls.crt.new
    cp /given/tls.key /tls/tls.key.new
    echo "the certificate of LEAFSIGHT_TLS_DIR is used"
elif [ -s /tls/made-here ] && [ "$(cat /tls/made-here)" = "$NAME" ] &&
    openssl x509 -checkend 2592000 -noout -in /tls/tls.crt >/dev/null 2>&1; then
    echo "the certificate that was made here for $NAME is used"
    exit 0
else
    case "$NAME" in
        *[!0-9.]*) also="DNS:$NAME,DNS:localhost" ;;
        *) also="IP:$NAME,DNS:localhost" ;;
    esac
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$NAME" \
        -addext "subjectAltName=$also,IP:127.0.0.1" -addext "extendedKeyUsage=serverAuth" \
        -keyout /tls/tls.key.new -out /tls/tls.crt.new 2>/dev/null
    echo "a certificate for $NAME was made; it signs itself, so browsers warn of it"
fi
of_key=$(openssl pkey -in /tls/tls.key.new -pubout 2>/dev/null) || of_key=
of_certificate=$(openssl x509 -in /tls/tls.crt.new -pubkey -noout 2>/dev/null) || of_certificate=
if [ -z "$of_key" ] || [ "$of_key" != "$of_certificate" ]; then
    rm -f /tls/tls.crt.new /tls/tls.key.new
    echo "error: tls.crt and tls.key do not belong together, or one of them cannot be read" >&2
    exit 1
fi
# The proxy is no superuser.
chown "$OWNER" /tls/tls.crt.new /tls/tls.key.new
mv /tls/tls.key.new /tls/tls.key
mv /tls/tls.crt.new /tls/tls.crt
if [ -s /given/tls.crt ]; then rm -f /tls/made-here; else printf '%s' "$NAME" >/tls/made-here; fi
