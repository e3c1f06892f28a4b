#include <stdio.h>

#include "client/spool.h"
#include "enlace/command.h"

int cmd_resend(struct cli *cli, int argc, char **argv)
{
    OWN(spool_ids) ids = {0};
    OWN(buffer) request = {0};
    int status;
    int worst;

    if (argc > 1) {
        return cli_usage(cli, "resend", "No se entiende «%s».", argv[1]);
    }
    status = cli_need_session(cli);
    status = status == EXIT_DONE ? cli_need_spool(cli) : status;
    if (status != EXIT_DONE || spool_list(cli->spool, SPOOL_OUTBOX, &ids) != RC_OK) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    if (ids.count == 0 && !cli->is_json) {
        puts("No falta enviar nada.");
    }
    worst = EXIT_DONE;
    for (size_t i = 0; i < ids.count; i++) {
        if (spool_read(cli->spool, SPOOL_OUTBOX, &ids.items[i], &request) != RC_OK) {
            worst = EXIT_FAILED;
            continue;
        }
        status = cli_send_composed(cli, &ids.items[i], buffer_bytes(&request));
        worst = status != EXIT_DONE ? status : worst;
    }
    return worst;
}
