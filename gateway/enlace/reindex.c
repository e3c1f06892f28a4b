#include "enlace/reindex.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "client/session.h"
#include "enlace/command.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"

static enum rc ask_state(struct cli *cli, bool is_to_begin, struct audit_index_state *state,
                         struct fault *fault)
{
    OWN(buffer) request = {0};
    OWN(buffer) response = {0};

    codec_reindex_request_write(is_to_begin, &request);
    TRY(channel_call(cli->session->channel, "/enlace.v1.AuditService/Reindex",
                     buffer_bytes(&request), cli->session->timeout_ms, &response, fault));
    return codec_index_state_read(buffer_bytes(&response), state, fault);
}

static int print_state(const struct cli *cli, const struct audit_index_state *state, bool is_new)
{
    static const char *const names[] = {"unknown", "checking", "following", "rebuilding"};
    static const char *const texts[] = {"", "se revisa", "al día", "se rehace"};
    bool differs = is_new && state->missing + state->extra > 0;

    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "state", names[state->state],
                            "size", (json_int_t)state->size, "indexed_to",
                            (json_int_t)state->indexed_to, "rebuilds", (json_int_t)state->rebuilds,
                            "rows", (json_int_t)state->rows, "missing", (json_int_t)state->missing,
                            "extra", (json_int_t)state->extra, "first_leaf",
                            (json_int_t)state->first_leaf));
        return differs ? EXIT_FAILED : EXIT_DONE;
    }
    printf("Índice: %s, %" PRIu64 " de %" PRIu64 " hojas\n", texts[state->state], state->indexed_to,
           state->size);
    if (differs) {
        printf("✖ El índice anterior no era el de la bitácora: le faltaban %" PRIu64
               " renglones y le sobraban %" PRIu64 ", desde la hoja %" PRIu64 ". Ya se rehízo.\n",
               state->missing, state->extra, state->first_leaf);
    } else if (is_new) {
        printf("✔ Rehecho de la bitácora: %" PRIu64 " renglones, iguales a los anteriores.\n",
               state->rows);
    }
    return differs ? EXIT_FAILED : EXIT_DONE;
}

int reindex(struct cli *cli, bool is_to_begin)
{
    struct timespec pause = {0, 200 * 1000 * 1000};
    struct audit_index_state before;
    struct audit_index_state state;
    struct fault fault = {0};

    if (ask_state(cli, is_to_begin, &state, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    before = state;
    while (is_to_begin && state.rebuilds == before.rebuilds) {
        (void)nanosleep(&pause, NULL);
        if (ask_state(cli, false, &state, &fault) != RC_OK) {
            return cli_fault(cli, &fault);
        }
    }
    return print_state(cli, &state, is_to_begin);
}
