"""Writes and reads items with one of Python's memcached clients, as requests on standard input ask.

    python3 driver.py CLIENT SERVER...

CLIENT is a name in CLIENTS below, SERVER is host:port:weight or unix:path. README.md describes the requests.
"""

import sys


def python_memcached(servers):
    import memcache

    return memcache.Client([python_memcached_server(server) for server in servers])


def python_memcached_server(server):
    if server.startswith("unix:"):
        return server
    address, weight = server.rsplit(":", 1)
    return (address, int(weight))


def pymemcache(servers, **settings):
    from pymemcache.client.hash import HashClient

    nodes = []
    for server in servers:
        host, port, weight = server.split(":")
        if weight != "1":
            raise SystemExit("pymemcache knows no weights")
        nodes.append((host, int(port)))
    return HashClient(nodes, allow_unicode_keys=True, default_noreply=False, **settings)


def pymemcache_plain(servers):
    return pymemcache(servers, encoding="utf-8")


def pymemcache_serde(servers):
    from pymemcache import serde

    return pymemcache(servers, serde=serde.pickle_serde)


def pylibmc(servers, **behaviors):
    import pylibmc

    return pylibmc.Client(servers, behaviors=behaviors)


CLIENTS = {
    "python-memcached": python_memcached,
    "pymemcache": pymemcache_plain,
    "pymemcache-bytes-keys": pymemcache_serde,
    "pymemcache-serde": pymemcache_serde,
    "pylibmc": pylibmc,
    "pylibmc-ketama": lambda servers: pylibmc(servers, ketama=True),
    "pylibmc-ketama-md5": lambda servers: pylibmc(servers, ketama=True, hash="md5"),
    "pylibmc-ketama-weighted": lambda servers: pylibmc(servers, ketama_weighted=True),
}

# Further arguments of `set`: all but pymemcache can compress long values.
SET_ARGUMENTS = {
    name: {} if name.startswith("pymemcache") else {"min_compress_len": 1000} for name in CLIENTS
}

PARSERS = {
    "text": lambda data: data.decode("utf-8"),
    "bytes": bytes,
    "integer": int,
    "boolean": lambda data: data == b"true",
}


def describe(value):
    """The kind and the bytes of a value, as the requests write them."""
    if isinstance(value, bool):
        return "boolean", b"true" if value else b"false"
    if isinstance(value, int):
        return "integer", b"%d" % value
    if isinstance(value, str):
        return "text", value.encode("utf-8")
    if isinstance(value, bytes):
        return "bytes", value
    raise TypeError(f"a value of type {type(value).__name__}")


def answer(client, name, request):
    verb, key, *rest = request.split(" ")
    key = bytes.fromhex(key)
    if name != "pymemcache-bytes-keys":
        key = key.decode("utf-8")
    if verb == "set":
        kind, data = rest
        value = PARSERS[kind](bytes.fromhex(data))
        stored = client.set(key, value, **SET_ARGUMENTS[name])
        return "stored" if stored else "refused"
    value = client.get(key)
    if value is None:
        return "missing"
    kind, data = describe(value)
    return f"{kind} {data.hex()}"


def main():
    name, *servers = sys.argv[1:]
    client = CLIENTS[name](servers)
    for line in sys.stdin:
        try:
            reply = answer(client, name, line.rstrip("\n"))
        except Exception as error:  # the reply of this one request
            reply = f"error {type(error).__name__}: {error}"
        print(reply.replace("\n", " "))


main()
