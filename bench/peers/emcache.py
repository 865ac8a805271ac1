"""emcache with autobatching, as a contender of memlens-bench: emcache.py WORKLOAD SECONDS SERVER...

Prints what it measured as JSON. Every answer is checked.
"""

import sys

# This file has the name of the module that it uses.
sys.path.pop(0)

import asyncio
import json
import time

MASK = (1 << 64) - 1


class Random:
    """SplitMix64, as in workload.rs."""

    def __init__(self, stream):
        self.state = stream * 0xD1342543DE82EF95 & MASK

    def next(self):
        self.state = self.state + 0x9E3779B97F4A7C15 & MASK
        mixed = self.state
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & MASK
        return mixed ^ mixed >> 31


def items(family, count, length):
    for index in range(count):
        random = Random(index)
        value = bytes(97 + random.next() % 26 for _ in range(length))
        yield b"%s:%010d" % (family, index), value


def callers(workload):
    digits = "".join(filter(str.isdigit, workload))
    return int(digits or 1)


async def work(client, workload, all_items, number, done, is_over):
    random = Random(number)
    while not is_over.is_set():
        drawn = random.next()
        key, value = all_items[(drawn >> 32) % len(all_items)]
        if workload == "multi-get":
            first = (drawn >> 32) % (len(all_items) - 100)
            asked = all_items[first : first + 100]
            found = await client.get_many([key for key, _ in asked])
            assert all(found[key].value == value for key, value in asked)
        elif workload == "set" or workload.startswith("mixed") and drawn % 10 == 0:
            await client.set(key, value)
        else:
            found = await client.get(key)
            assert found is not None and found.value == value, key
        done[number] += 1


async def main(workload, seconds, servers):
    import emcache

    family = (b"large", 100, 100 * 1024) if workload == "large" else (b"small", 10_000, 100)
    all_items = list(items(*family))
    nodes = [emcache.MemcachedHostAddress(*parts) for parts in servers]
    client = await emcache.create_client(nodes, timeout=None, autobatching=True)
    done = [0] * callers(workload)
    is_over = asyncio.Event()
    tasks = [
        asyncio.create_task(work(client, workload, all_items, number, done, is_over))
        for number in range(len(done))
    ]
    while not sum(done):
        await asyncio.sleep(0.001)
    await asyncio.sleep(seconds / 4)
    before, began, cpu = list(done), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    after, ended, cpu = list(done), time.perf_counter(), time.process_time() - cpu
    is_over.set()
    await asyncio.gather(*tasks)
    await client.close()
    each = [end - begin for begin, end in zip(before, after)]
    print(
        json.dumps(
            {
                "operations": sum(each),
                "seconds": ended - began,
                "cpu_seconds": cpu,
                "allocations": 0,
                "fairness": min(each) * len(each) / max(sum(each), 1),
                "latency": None,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        import emcache  # noqa: F401

        sys.exit()
    addresses = [address.rsplit(":", 1) for address in sys.argv[3:]]
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), [(host, int(port)) for host, port in addresses]))
