#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/session.h"
#include "enlace/command.h"

static void directory_text(const struct ping *ping, char out[2 * HASH_SIZE + 1])
{
    out[0] = '\0';
    if (ping->directory_sha256.size == HASH_SIZE) {
        hex_encode(ping->directory_sha256.data, HASH_SIZE, out);
    }
}

int cmd_ping(struct cli *cli, int argc, char **argv)
{
    char directory[2 * HASH_SIZE + 1];
    struct fault fault = {0};
    struct ping ping = {0};
    int64_t before_us;
    double took_ms;
    int status;

    if (argc != 1) {
        return cli_usage(cli, "ping", "No se entiende «%s».", argv[1]);
    }
    status = cli_need_session(cli);
    if (status != EXIT_DONE) {
        return status;
    }
    before_us = clock_monotonic_us();
    if (ask_ping(cli->session, cli->arena, &ping, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    took_ms = (double)(clock_monotonic_us() - before_us) / 1000;
    directory_text(&ping, directory);
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s,s:I,s:s,s:f}", "you", ping.you, "node", ping.node, "time_ms",
                            (json_int_t)ping.time_ms, "directory_sha256", directory, "took_ms",
                            took_ms));
        return EXIT_DONE;
    }
    printf(
        "Nodo: %s\nUsted: %s\nDirectorio: %.16s…\nReloj del nodo: %+lld ms\nRespuesta: %.1f ms\n",
        ping.node, ping.you, directory, (long long)(ping.time_ms - clock_now_ms()), took_ms);
    return EXIT_DONE;
}
