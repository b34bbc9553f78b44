"""How the containers of a study are started."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """How containers are started.

    Attributes:
        image: of the service.
        worker_image: of the worker; empty for none.
        proxy_image: of nginx.
        database_image: of PostgreSQL.
        cpus: processors that each replica may use.
        memory_bytes: memory of each replica.
        proxy_cpus, database_cpus: of the other parts; 0 means no limit.
        proxy_tls: whether the proxy speaks TLS, with a certificate of its own making.
        workers: processes of each replica.
        environment: added to that of the replicas.
    """

    image: str = "leafsight:serve"
    worker_image: str = ""
    proxy_image: str = "localhost/leafsight-standin/proxy"
    database_image: str = "localhost/leafsight-standin/database"
    cpus: float = 0.4
    memory_bytes: int = 512 * 2**20
    proxy_cpus: float = 0.0
    database_cpus: float = 0.0
    proxy_tls: bool = True
    workers: int = 1
    environment: dict[str, str] = field(default_factory=dict)
