/*
 * withdraw: the person takes back her consent, or what was sent should not have been. A recall goes
 * to everybody who received something of it.
 */
#include <getopt.h>
#include <stdio.h>

#include "base/arena.h"
#include "client/compose.h"
#include "enlace/command.h"

static int recall(struct cli *cli, const struct id *id, const char *reason)
{
    struct draft *draft = arena_alloc(cli->arena, sizeof *draft);
    struct message *message = NULL;
    struct fault fault = {0};

    if (draft == NULL) {
        return EXIT_FAILED;
    }
    if (cli_find_exchange(cli, id, &message, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    draft_init(draft);
    cli_answer(cli, &message->header, &draft->header);
    draft->header.type = MESSAGE_RECALL;
    draft->header.regards = message->header.exchange_id;
    draft->header.reason = reason;
    return cli_send(cli, draft);
}

int cmd_withdraw(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {
        {"reason", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    const char *reason = "revocacion-del-consentimiento";
    struct id id;
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice != 'r') {
            return cli_usage(cli, "withdraw", "No se entiende una opción.");
        }
        reason = optarg;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "withdraw", "Falta el identificador del intercambio.");
    }
    status = cli_id(cli, "withdraw", argv[optind], &id);
    status = status == EXIT_DONE ? cli_need_spool(cli) : status;
    return status == EXIT_DONE ? recall(cli, &id, reason) : status;
}
