/*
 * enlace-w2019 - lets the year 2019 flow through a federation that is running.
 *
 * Plays the systems that ask, mpi-cdmx/plataforma and segob/sistema, each through its own member's
 * node with its own certificate, and hands in the requests by which mpi-cdmx/atencion asks agencies
 * for federal cases. Agencies, and what mpi-cdmx/atencion does itself, are enlace-reference
 * processes; `--prepare` writes their scripts. Follows every exchange to its end, closes it, and
 * declares the year's figures in a signed Aggregate. Sent again is sent once: ids come from the
 * seed and the start kept in the folder.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/send.h"
#include "client/session.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/tlsconf.h"
#include "policy/directory_file.h"
#include "workload/opening.h"
#include "workload/meter.h"
#include "workload/requester.h"
#include "workload/scripts.h"
#include "workload/start.h"
#include "workload/tally.h"

#define SEED 2019
#define TIMEOUT_S 180
#define FLUSH_EVERY_MS 20
#define TRACK_EVERY_MS 300
#define QUIET_MS 400
#define MISSING_SHOWN 20
#define ARENA_MAX ((size_t)1 << 20)

/* What is known of one exchange, by its requester's node. */
struct follow {
    bool is_known; /* its parent, where it has one, has reached the city's node */
    bool is_closed;
    bool is_closing;
    unsigned units;   /* reported so far */
    enum state state; /* of its slowest item */
};

/* ATTENTION only sends: its acts and reports come from, and go to, its adapter. */
enum who { CITY, FEDERAL, ATTENTION, WHOS };

struct run {
    const char *folder;
    int64_t deadline_ms;
    struct plan plan;
    struct directory *directory;
    char pki[512];
    struct opening_terms terms;
    struct requester *requesters[WHOS];
    struct follow follow[PLAN_EXCHANGES];
    size_t sent; /* by this run */
};

static void run_release(struct run *run)
{
    for (int i = 0; i < WHOS; i++) {
        requester_free(run->requesters[i]);
    }
    directory_free(run->directory);
}

static enum rc complain(const char *what, const struct fault *fault)
{
    progress_end();
    fprintf(stderr, "enlace-w2019: %s: %s %s: %s\n", what, fault->reason, fault->path,
            fault->remedy);
    return fault->rc;
}

static enum rc complain_text(const char *text)
{
    progress_end();
    fprintf(stderr, "enlace-w2019: %s\n", text);
    return RC_FAILED_PRECONDITION;
}

/* ---- start ---- */

static enum rc open_requester(struct run *run, enum who who, const char *profile)
{
    char path[512];
    char error[768];

    snprintf(path, sizeof path, "%s/clients/%s.conf", run->folder, profile);
    return requester_new(path, who == ATTENTION ? REQUESTER_SENDS_ONLY : REQUESTER_ATTACHED,
                         &run->requesters[who], error) == RC_OK
               ? RC_OK
               : complain_text(error);
}

static enum rc read_directory(struct run *run)
{
    char path[512];
    char error[DIRECTORY_ERROR_SIZE];

    snprintf(path, sizeof path, "%s/directory.txt", run->folder);
    if (directory_read(path, &run->directory, error) != RC_OK) {
        return complain_text(error);
    }
    snprintf(run->pki, sizeof run->pki, "%s/pki", run->folder);
    run->terms = (struct opening_terms){run->directory, run->pki};
    return RC_OK;
}

static enum rc make_plan(struct run *run)
{
    char path[512];
    struct start start;

    snprintf(path, sizeof path, "%s/w2019", run->folder);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/w2019/start", run->folder);
    if (start_remember(path, SEED, &start) != RC_OK) {
        return complain_text("no se puede leer o escribir w2019/start en la carpeta de la "
                             "demostración");
    }
    plan_make(start.seed, start.start_ms, &run->plan);
    return RC_OK;
}

static enum rc begin(struct run *run)
{
    TRY(make_plan(run));
    TRY(read_directory(run));
    TRY(open_requester(run, CITY, "mpi-cdmx-plataforma"));
    TRY(open_requester(run, FEDERAL, "segob-sistema"));
    return open_requester(run, ATTENTION, "mpi-cdmx-atencion");
}

static enum rc prepare(struct run *run)
{
    char path[512];

    TRY(make_plan(run));
    snprintf(path, sizeof path, "%s/scripts", run->folder);
    return scripts_write(&run->plan, path) == RC_OK
               ? RC_OK
               : complain_text("no se pueden escribir los guiones en scripts/");
}

/* ---- the loop's step ---- */

static struct requester *requester_of(const struct run *run, const struct plan_exchange *exchange)
{
    switch (exchange->kind) {
    case PLAN_KIND_SUPPORT:
        return run->requesters[FEDERAL];
    case PLAN_KIND_CHILD:
        return run->requesters[ATTENTION];
    default:
        return run->requesters[CITY];
    }
}

static enum rc flush_all(struct run *run)
{
    for (int i = 0; i < WHOS; i++) {
        struct requester_figures figures;

        if (requester_flush(run->requesters[i]) != RC_OK) {
            return complain_text("no se pueden guardar acuses en disco");
        }
        figures = requester_figures(run->requesters[i]);
        if (figures.refusals > 0) {
            return complain_text(requester_refusal(run->requesters[i]));
        }
        if (figures.unproven > 0) {
            return complain_text("un nodo entregó un mensaje o un acuse que no se puede probar");
        }
    }
    return RC_OK;
}

static enum rc step(struct run *run)
{
    struct timespec pause = {0, (long)FLUSH_EVERY_MS * 1000 * 1000};

    (void)nanosleep(&pause, NULL);
    TRY(flush_all(run));
    return clock_monotonic_ms() < run->deadline_ms ? RC_OK : RC_DEADLINE_EXCEEDED;
}

static size_t unanswered(const struct run *run)
{
    size_t count = 0;

    for (int i = 0; i < WHOS; i++) {
        count += requester_figures(run->requesters[i]).unanswered;
    }
    return count;
}

/* Until everything sent has its receipt. */
static enum rc drain(struct run *run)
{
    while (unanswered(run) > 0) {
        TRY(step(run));
    }
    return flush_all(run);
}

/* Until nothing has come for a while. */
static enum rc settle(struct run *run)
{
    for (int i = 0; i < WHOS;) {
        TRY(step(run));
        i = requester_figures(run->requesters[i]).quiet_ms >= QUIET_MS ? i + 1 : i;
    }
    return flush_all(run);
}

/* ---- openings ---- */

static enum rc open_exchange(struct run *run, const struct plan_exchange *exchange)
{
    struct requester *requester = requester_of(run, exchange);
    OWN(composed) message = {0};
    struct fault fault = {0};

    if (requester_has(requester, &exchange->id)) {
        return RC_OK;
    }
    if (opening_compose(&run->terms, &run->plan, exchange, &message, &fault) != RC_OK) {
        return complain("no se pudo componer una solicitud", &fault);
    }
    run->sent++;
    return requester_send(requester, &message, exchange->urgency) == RC_OK
               ? RC_OK
               : complain_text("no se pudo guardar una solicitud en disco");
}

static enum rc open_parents(struct run *run)
{
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        if (run->plan.exchanges[i].parent == PLAN_NO_PARENT) {
            TRY(open_exchange(run, &run->plan.exchanges[i]));
        }
    }
    return drain(run);
}

/* *is_there is false when the node does not know the exchange as this member's, or cannot say now.
 */
static enum rc track(struct requester *requester, const struct id *exchange, struct arena *arena,
                     struct track *state, bool *is_there)
{
    struct fault fault = {0};
    enum rc rc = ask_track(requester_session(requester), exchange, arena, state, &fault);

    *is_there = rc == RC_OK;
    return rc == RC_OK || rc == RC_NOT_FOUND || send_may_retry(rc)
               ? RC_OK
               : complain("no se pudo consultar", &fault);
}

/* The same, but waits for an answer. */
static enum rc track_surely(struct run *run, const struct id *exchange, struct arena *arena,
                            struct track *state)
{
    bool is_there;

    TRY(track(run->requesters[CITY], exchange, arena, state, &is_there));
    while (!is_there) {
        TRY(step(run));
        TRY(track(run->requesters[CITY], exchange, arena, state, &is_there));
    }
    return RC_OK;
}

/* A child cites its parent, so the city asks for it once its own node holds the parent. */
static enum rc open_child(struct run *run, unsigned n)
{
    const struct plan_exchange *child = &run->plan.exchanges[n];
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct track state;

    if (arena == NULL) {
        return complain_text("falta memoria");
    }
    TRY(track(run->requesters[CITY], &run->plan.exchanges[child->parent].id, arena, &state,
              &run->follow[n].is_known));
    return run->follow[n].is_known ? open_exchange(run, child) : RC_OK;
}

static enum rc open_children(struct run *run)
{
    size_t waiting;

    do {
        waiting = 0;
        for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
            if (run->plan.exchanges[i].parent != PLAN_NO_PARENT && !run->follow[i].is_known) {
                TRY(open_child(run, i));
                waiting += !run->follow[i].is_known;
            }
        }
        TRY(step(run));
    } while (waiting > 0);
    return drain(run);
}

/* ---- following ---- */

static void note_state(const struct track *state, struct follow *follow)
{
    unsigned closed = 0;

    follow->units = 0;
    follow->state = STATE_NONE;
    for (size_t i = 0; i < state->item_count; i++) {
        enum state now = state->items[i].state;

        follow->units += state->items[i].occurrences;
        closed += now == STATE_CLOSED;
        if (follow->state == STATE_NONE || now < follow->state) {
            follow->state = now;
        }
    }
    follow->is_closed = state->item_count > 0 && closed == state->item_count;
}

static bool has_ended(const struct track *state)
{
    for (size_t i = 0; i < state->item_count; i++) {
        if (state->items[i].state != STATE_ENDED) {
            return false;
        }
    }
    return state->item_count > 0;
}

static enum rc close_exchange(struct run *run, unsigned n)
{
    const struct plan_exchange *exchange = &run->plan.exchanges[n];
    OWN(composed) message = {0};
    struct fault fault = {0};

    if (opening_close(&run->terms, exchange, clock_now_ms(), &message, &fault) != RC_OK) {
        return complain("no se pudo componer un cierre", &fault);
    }
    run->follow[n].is_closing = true;
    return requester_send(requester_of(run, exchange), &message, exchange->urgency) == RC_OK
               ? RC_OK
               : complain_text("no se pudo guardar un cierre en disco");
}

static enum rc follow_one(struct run *run, unsigned n, struct arena *arena)
{
    const struct plan_exchange *exchange = &run->plan.exchanges[n];
    struct follow *follow = &run->follow[n];
    struct track state;
    bool is_there;

    TRY(track(requester_of(run, exchange), &exchange->id, arena, &state, &is_there));
    if (!is_there) {
        return RC_OK;
    }
    note_state(&state, follow);
    if (has_ended(&state) && follow->units == plan_units(exchange) && !follow->is_closing &&
        exchange->kind != PLAN_KIND_CHILD) { /* its adapter closes what it asked for */
        return close_exchange(run, n);
    }
    return RC_OK;
}

static void show(const struct run *run)
{
    struct progress_line line = {.exchanges = PLAN_EXCHANGES, .units_planned = PLAN_UNITS};

    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        line.closed += run->follow[i].is_closed;
        line.units += run->follow[i].units;
    }
    progress_show(&line);
}

static enum rc follow_all(struct run *run, size_t *open)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    *open = 0;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        if (arena == NULL) {
            return complain_text("falta memoria");
        }
        if (!run->follow[i].is_closed) {
            TRY(follow_one(run, i, arena));
            arena_reset(arena);
            *open += !run->follow[i].is_closed;
        }
    }
    show(run);
    return RC_OK;
}

static enum rc follow_to_the_end(struct run *run)
{
    size_t open;

    TRY(follow_all(run, &open));
    while (open > 0) {
        int64_t next_ms = clock_monotonic_ms() + TRACK_EVERY_MS;

        while (clock_monotonic_ms() < next_ms) {
            TRY(step(run));
        }
        TRY(follow_all(run, &open));
    }
    return drain(run);
}

/* ---- the year's figures ---- */

static enum rc load_signer(const struct run *run, struct cert **cert, struct actkey **key)
{
    const struct profile *profile = requester_session(run->requesters[CITY])->profile;
    struct fault fault = {0};

    if (cert_load(profile->official_certificate, cert, &fault) != RC_OK ||
        actkey_load(profile->official_key, key, &fault) != RC_OK) {
        return complain("falta la llave de la persona servidora pública que firma", &fault);
    }
    return RC_OK;
}

/* Actions by class, as the city's own node counts them: a party of every exchange. */
static enum rc count_units(struct run *run, struct figures *figures)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        struct track state;

        if (arena == NULL) {
            return complain_text("falta memoria");
        }
        TRY(track_surely(run, &run->plan.exchanges[i].id, arena, &state));
        for (size_t k = 0; k < state.item_count; k++) {
            const struct item_state *item = &state.items[k];

            /* The code points into the arena; its class is a constant text. */
            figures_bump(figures, tally_class(item->code), item->occurrences);
            figures_bump(figures, "acciones.total", item->occurrences);
        }
        arena_reset(arena);
    }
    return RC_OK;
}

static enum rc declare_to(struct run *run, const char *to, unsigned n,
                          const struct draft_signer *signer)
{
    struct figures figures = {.count = 0};
    OWN(composed) message = {0};
    struct fault fault = {0};
    struct id id;

    id = people_id(run->plan.seed, "aggregate", n, 0);
    id = id_v7(run->plan.start_ms + PLAN_EXCHANGES + n, id.bytes);
    if (requester_has(run->requesters[CITY], &id)) {
        return RC_OK;
    }
    figures_declare(run->plan.people, &figures);
    TRY(count_units(run, &figures));
    if (opening_aggregate(&run->terms, to, &id, &figures, signer, clock_now_ms(), &message,
                          &fault) != RC_OK) {
        return complain("no se pudieron componer las cifras", &fault);
    }
    run->sent++;
    return requester_keep(run->requesters[CITY], &message) == RC_OK &&
                   requester_send(run->requesters[CITY], &message, URGENCY_ORDINARY) == RC_OK
               ? RC_OK
               : complain_text("no se pudieron guardar las cifras en disco");
}

static enum rc declare(struct run *run)
{
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(actkey) key = NULL;
    struct draft_signer signer;

    TRY(load_signer(run, &cert, &key));
    signer = (struct draft_signer){cert, key};
    TRY(declare_to(run, "cdmx/contraloria", 0, &signer));
    TRY(declare_to(run, "mx/segob", 1, &signer));
    return drain(run);
}

/* ---- the whole ---- */

static enum rc flow(struct run *run)
{
    TRY(drain(run)); /* what an earlier run left in the outbox */
    TRY(open_parents(run));
    TRY(open_children(run));
    TRY(follow_to_the_end(run));
    TRY(declare(run));
    return settle(run);
}

static void tell_missing(const struct run *run)
{
    unsigned missing = 0;

    progress_end();
    fprintf(stderr, "enlace-w2019: se acabó el tiempo. Falta:\n");
    if (unanswered(run) > 0) {
        fprintf(stderr, "  %zu mensajes enviados sin acuse de su nodo\n", unanswered(run));
    }
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        const struct plan_exchange *exchange = &run->plan.exchanges[i];
        const struct follow *follow = &run->follow[i];
        char id[ID_TEXT_SIZE];

        if (follow->is_closed || ++missing > MISSING_SHOWN) {
            continue;
        }
        id_format(&exchange->id, id);
        fprintf(stderr, "  %s  %s → %s  %s: %s, %u de %u acciones\n", id, exchange->from,
                exchange->to, exchange->catalogue_code,
                follow->state == STATE_NONE ? "sin respuesta" : state_name(follow->state),
                follow->units, plan_units(exchange));
    }
    if (missing > MISSING_SHOWN) {
        fprintf(stderr, "  … y %u intercambios más\n", missing - MISSING_SHOWN);
    }
}

static void tell_done(const struct run *run, int64_t began_ms)
{
    size_t reports = 0;

    progress_end();
    for (int i = 0; i < WHOS; i++) {
        reports += requester_figures(run->requesters[i]).reports;
    }
    if (run->sent == 0) {
        printf("Nada que enviar: los %d intercambios ya estaban cerrados y las cifras "
               "declaradas.\n",
               PLAN_EXCHANGES);
        return;
    }
    printf("Se enviaron %zu mensajes y se recibieron %zu reportes; los %d intercambios quedaron "
           "cerrados en %.1f s.\n",
           run->sent, reports, PLAN_EXCHANGES, (double)(clock_monotonic_ms() - began_ms) / 1000);
}

static int usage(void)
{
    fprintf(stderr, "uso: enlace-w2019 CARPETA [SEGUNDOS]\n"
                    "     enlace-w2019 --prepare CARPETA\n"
                    "  CARPETA    de la demostración: directory.txt, pki/, clients/\n"
                    "  SEGUNDOS   cuánto esperar a que todo quede cerrado (180)\n"
                    "  --prepare  solo escribe los guiones de los adaptadores, en scripts/\n");
    return 2;
}

static enum rc play(struct run *run, int64_t began_ms)
{
    enum rc rc = begin(run);

    if (rc == RC_OK) {
        rc = flow(run);
    }
    if (rc == RC_OK) {
        tell_done(run, began_ms);
    } else if (rc == RC_DEADLINE_EXCEEDED) {
        tell_missing(run);
    }
    return rc;
}

static int run_in(const char *folder, bool is_preparing, long timeout_s)
{
    int64_t began_ms = clock_monotonic_ms();
    struct run *run = calloc(1, sizeof *run);
    enum rc rc;

    if (run == NULL) {
        return 1;
    }
    run->folder = folder;
    run->deadline_ms = began_ms + timeout_s * 1000;
    rc = is_preparing ? prepare(run) : play(run, began_ms);
    run_release(run);
    free(run);
    return rc == RC_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    bool is_preparing = argc == 3 && strcmp(argv[1], "--prepare") == 0;
    long timeout_s = argc == 3 && !is_preparing ? strtol(argv[2], NULL, 10) : TIMEOUT_S;

    if (argc < 2 || argc > 3 || (argv[1][0] == '-' && !is_preparing) || timeout_s < 1 ||
        timeout_s > 86400) {
        return usage();
    }
    log_open("enlace-w2019", LOG_LEVEL_WARN);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    return run_in(argv[is_preparing ? 2 : 1], is_preparing, timeout_s);
}
