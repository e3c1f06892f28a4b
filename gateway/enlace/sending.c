#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/author.h"
#include "client/compose.h"
#include "client/profile.h"
#include "client/spool.h"
#include "enlace/command.h"
#include "enlace/kinship.h"
#include "rpc/codec.h"

static struct author author_of(const struct cli *cli)
{
    return (struct author){cli->profile, cli->session, cli->spool, false};
}

static void print_sent(const struct cli *cli, const struct sent *sent, const char *stored)
{
    char id[ID_TEXT_SIZE];
    char when[CLI_TIME_SIZE];

    id_format(&sent->file.message_id, id);
    cli_time(sent->facts.time_ms, when);
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s,s:b,s:s,s:I,s:I,s:I,s:s}", "message_id", id, "level", "R0",
                            "erased", (int)sent->is_erased, "log", sent->facts.origin, "index",
                            (json_int_t)sent->facts.index, "tree_size",
                            (json_int_t)sent->facts.tree_size, "time_ms",
                            (json_int_t)sent->facts.time_ms, "receipt", stored));
        return;
    }
    printf(sent->is_erased ? "Suprimido: el nodo tuvo este mensaje y borró su contenido: %s\n"
                           : "Enviado: %s\n",
           id);
    printf("Acuse R0 verificado: hoja %llu de %s, %s\n", (unsigned long long)sent->facts.index,
           sent->facts.origin, when);
    printf("Guardado en %s\n", stored);
}

int cli_send_composed(struct cli *cli, const struct id *id, struct bytes request)
{
    const struct author author = author_of(cli);
    OWN(sent) sent = {0};
    struct fault fault = {0};
    char text[ID_TEXT_SIZE];
    char stored[CONF_TEXT_SIZE + 64];

    id_format(id, text);
    if (author_send(&author, id, request, cli->arena, &sent, &fault) != RC_OK) {
        int status = cli_fault(cli, &fault);

        if (!cli->is_json && send_may_retry(fault.rc)) {
            fprintf(stderr, "  El mensaje %s quedó guardado; «enlace resend» lo envía igual.\n",
                    text);
        }
        return status;
    }
    snprintf(stored, sizeof stored, "%s/receipts/%s", spool_path(cli->spool), text);
    print_sent(cli, &sent, stored);
    return EXIT_DONE;
}

int cli_send(struct cli *cli, struct draft *draft)
{
    OWN(composed) composed = {0};
    struct fault fault = {0};
    int status = cli_need_session(cli);
    struct author author;

    status = status == EXIT_DONE ? cli_need_spool(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    author = author_of(cli);
    author_fill(cli->profile, &draft->header);
    if (kinship_fit(cli, draft, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (author_compose(&author, draft, &composed, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return cli_send_composed(cli, &composed.message_id, buffer_bytes(&composed.request));
}

/* ---- what is known of an exchange ---- */

void cli_keep_exchange(struct cli *cli, const struct message *message)
{
    const struct author author = author_of(cli);

    author_keep(&author, message, cli->arena);
}

/* An adapter of the same profile keeps its exchanges in a folder of its own. */
static enum rc read_beside(const struct cli *cli, const struct id *id, struct buffer *into)
{
    char path[CONF_TEXT_SIZE + 80];
    char text[ID_TEXT_SIZE];
    struct fault fault = {0};

    id_format(id, text);
    snprintf(path, sizeof path, "%s/adapter/exchanges/%s", cli->profile->spool, text);
    return cli_read_file(path, MESSAGE_BYTES_MAX, into, &fault);
}

enum rc cli_find_exchange(struct cli *cli, const struct id *id, struct message **message,
                          struct fault *fault)
{
    struct message *found = arena_alloc(cli->arena, sizeof *found);
    OWN(buffer) bytes = {0};
    struct bytes copy;

    if (found == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    if (spool_read(cli->spool, SPOOL_EXCHANGES, id, &bytes) != RC_OK &&
        read_beside(cli, id, &bytes) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "exchange.not_here", "",
                      "Ese intercambio no pasó por este perfil; tómelo con «enlace inbox --ack» o "
                      "describa el acto en JSON para «enlace submit».");
    }
    copy = arena_copy(cli->arena, buffer_bytes(&bytes));
    if (copy.data == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    TRY(codec_message_read(copy, cli->arena, found, fault));
    *message = found;
    return RC_OK;
}

void cli_answer(const struct cli *cli, const struct header *to, struct header *answer)
{
    author_answer(cli->profile, to, answer);
}
