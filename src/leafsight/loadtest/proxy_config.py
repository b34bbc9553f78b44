"""The configuration of nginx: that of ``deploy/compose/proxy`` without its limits of rates.

One generator is one caller by its address, so the limits that protect from one caller would be all that is
seen.
"""

from __future__ import annotations

from collections.abc import Sequence

CONFIG = """\
worker_processes 2;
worker_rlimit_nofile 8192;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    server_tokens off;
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    client_body_buffer_size 1m;
    client_max_body_size 128m;
    client_body_timeout 30s;
    keepalive_timeout 60s;
    keepalive_requests 1000000;
    upstream replicas {{
        zone replicas 256k;
        least_conn;
{servers}
    }}
    server {{
        listen {port}{tls};
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Connection "close";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_connect_timeout 1s;
            proxy_read_timeout 60s;
            proxy_send_timeout 30s;
            proxy_next_upstream error timeout;
            proxy_next_upstream_tries 3;
            proxy_next_upstream_timeout 3s;
            proxy_pass http://replicas;
        }}
    }}
}}
"""
TLS = """ ssl;
        ssl_certificate /tls/tls.crt;
        ssl_certificate_key /tls/tls.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:10m"""


def proxy_config(replicas: Sequence[str], port: int, *, tls: bool = False) -> str:
    """The text of ``nginx.conf``.

    Args:
        replicas: ``address:port`` of each, in the network of the containers.
        port: that the proxy listens on.
        tls: with the certificate in ``/tls``.
    """
    servers = "\n".join(f"        server {one} max_fails=0;" for one in replicas)
    return CONFIG.format(servers=servers, port=port, tls=TLS if tls else "")
