#include <stdio.h>

#include "client/answered.h"
#include "client/spool.h"
#include "enlace/command.h"

/* What the node answered and lost joins what it never answered. */
static int look_at_kept(struct cli *cli)
{
    struct answered_look look = {0};
    struct fault fault = {0};
    enum rc rc = answered_check(cli->session, cli->spool, &look, &fault);

    if (look.lost.count > 0 && !cli->is_json) {
        printf("El nodo ya no conoce %zu de los mensajes que había recibido: se le envían otra "
               "vez.\n",
               look.lost.count);
    }
    spool_ids_release(&look.lost);
    return rc == RC_OK ? EXIT_DONE : cli_fault(cli, &fault);
}

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
    status = status == EXIT_DONE ? look_at_kept(cli) : status;
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
