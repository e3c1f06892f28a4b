/*
 * withdraw: the person takes back her consent, or what was sent should not have been. A recall goes
 * to everybody who received something about the persons of the exchange, and in what serves it.
 */
#include <getopt.h>
#include <stdio.h>

#include "base/arena.h"
#include "client/compose.h"
#include "client/watch.h"
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

static bool has_something(const struct exchange_summary *exchange)
{
    return exchange->state != STATE_NONE && state_is_recallable(exchange->state);
}

/* Each is tried, whatever became of the others: what is left is told by its own message. */
static int recall_all(struct cli *cli, const struct id *id, const char *reason)
{
    struct fault fault = {0};
    struct watch_page page;
    size_t count = 0;
    int worst = EXIT_DONE;

    if (watch_related(cli->session, id, cli->arena, &page, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    for (size_t i = 0; i < page.count; i++) {
        int status;

        if (!has_something(&page.exchanges[i])) {
            continue;
        }
        if (!cli->is_json) {
            printf("A %s:\n", page.exchanges[i].to);
        }
        status = recall(cli, &page.exchanges[i].exchange_id, reason);
        worst = status > worst ? status : worst;
        count++;
    }
    if (count == 0) {
        refuse(
            &fault, RC_FAILED_PRECONDITION, "withdraw.nothing", "",
            "Ninguna institución tiene ya datos de ese intercambio, o ya se le pidió retirarlos.");
        return cli_fault(cli, &fault);
    }
    return worst;
}

int cmd_withdraw(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {
        {"reason", required_argument, NULL, 'r'},
        {"only", no_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    const char *reason = "revocacion-del-consentimiento";
    bool is_only = false;
    struct id id;
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice == 'r') {
            reason = optarg;
        } else if (choice == 'o') {
            is_only = true;
        } else {
            return cli_usage(cli, "withdraw", "No se entiende una opción.");
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "withdraw", "Falta el identificador del intercambio.");
    }
    status = cli_id(cli, "withdraw", argv[optind], &id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    status = status == EXIT_DONE ? cli_need_spool(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    return is_only ? recall(cli, &id, reason) : recall_all(cli, &id, reason);
}
