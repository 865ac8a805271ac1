/* libmemcached, as a contender of memlens-bench: libmemcached WORKLOAD SECONDS SERVER...
 * Prints what it measured as JSON. Every answer is checked. */

#define _POSIX_C_SOURCE 200809L

#include <libmemcached/memcached.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS_A_CALL = 100 };

static const char *family = "small";
static size_t item_count = 10000, value_length = 100;
static char (*keys)[32];
static size_t *key_lengths;
static char *values;

/* SplitMix64, as in workload.rs. */
static uint64_t next_random(uint64_t *state) {
    uint64_t mixed = *state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

static void fail(const char *what) {
    fprintf(stderr, "libmemcached: %s\n", what);
    exit(1);
}

static void make_items(void) {
    keys = malloc(item_count * sizeof *keys);
    key_lengths = malloc(item_count * sizeof *key_lengths);
    values = malloc(item_count * value_length);
    if (!keys || !key_lengths || !values) fail("no memory");
    for (size_t index = 0; index < item_count; index++) {
        uint64_t state = index * 0xd1342543de82ef95u;
        key_lengths[index] = (size_t)sprintf(keys[index], "%s:%010u", family, (unsigned)index);
        for (size_t at = 0; at < value_length; at++)
            values[index * value_length + at] = (char)('a' + next_random(&state) % 26);
    }
}

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void check(size_t index, const char *value, size_t length) {
    if (length != value_length || memcmp(value, values + index * value_length, length) != 0)
        fail("a wrong value");
}

static void get(memcached_st *client, size_t index) {
    size_t length;
    uint32_t flags;
    memcached_return_t result;
    char *value = memcached_get(client, keys[index], key_lengths[index], &length, &flags, &result);
    if (!value) fail(memcached_strerror(client, result));
    check(index, value, length);
    free(value);
}

static void get_many(memcached_st *client, size_t first) {
    const char *asked[KEYS_A_CALL];
    for (size_t at = 0; at < KEYS_A_CALL; at++) asked[at] = keys[first + at];
    memcached_return_t result = memcached_mget(client, asked, key_lengths + first, KEYS_A_CALL);
    if (memcached_failed(result)) fail(memcached_strerror(client, result));
    memcached_result_st found;
    memcached_result_create(client, &found);
    size_t count = 0;
    while (memcached_fetch_result(client, &found, &result)) {
        const char *digits = memcached_result_key_value(&found) + strlen(family) + 1;
        check(strtoul(digits, NULL, 10), memcached_result_value(&found),
              memcached_result_length(&found));
        count++;
    }
    memcached_result_free(&found);
    if (count != KEYS_A_CALL) fail("not all values");
}

static void set(memcached_st *client, size_t index) {
    memcached_return_t result = memcached_set(client, keys[index], key_lengths[index],
                                              values + index * value_length, value_length, 0, 0);
    if (result != MEMCACHED_SUCCESS) fail(memcached_strerror(client, result));
}

int main(int count, char **arguments) {
    if (count < 4) fail("WORKLOAD SECONDS SERVER...");
    const char *workload = arguments[1];
    double seconds = atof(arguments[2]);
    if (strcmp(workload, "large") == 0) {
        family = "large";
        item_count = 100;
        value_length = 100 * 1024;
    }
    make_items();
    memcached_st *client = memcached_create(NULL);
    memcached_behavior_set(client, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    for (int server = 3; server < count; server++) {
        char *colon = strrchr(arguments[server], ':');
        if (!colon) fail("a server without a port");
        *colon = 0;
        memcached_server_add(client, arguments[server], (in_port_t)atoi(colon + 1));
    }
    uint64_t state = 0, done = 0, before = 0;
    double began = 0, cpu = 0, warm = 0, at;
    do {
        uint64_t drawn = next_random(&state) >> 32;
        if (strcmp(workload, "multi-get") == 0)
            get_many(client, drawn % (item_count - KEYS_A_CALL));
        else if (strcmp(workload, "set") == 0)
            set(client, drawn % item_count);
        else
            get(client, drawn % item_count);
        done++;
        at = now(CLOCK_MONOTONIC);
        if (warm == 0) warm = at + seconds / 4;
        if (began == 0 && at >= warm) {
            began = at;
            cpu = now(CLOCK_PROCESS_CPUTIME_ID);
            before = done;
        }
    } while (began == 0 || at < began + seconds);
    printf("{\"operations\":%llu,\"seconds\":%f,\"cpu_seconds\":%f,\"allocations\":0,"
           "\"fairness\":1.0,\"latency\":null}\n",
           (unsigned long long)(done - before), at - began,
           now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    memcached_free(client);
    return 0;
}
