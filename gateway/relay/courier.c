#include "relay/courier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/inbox.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "policy/directory_file.h"
#include "policy/member.h"
#include "relay/annex_debt.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"
#include "rpc/duplex.h"
#include "store/db.h"
#include "store/files.h"
#include "store/timer.h"
#include "store/writer.h"

#define METHOD "/enlace.v1.FederationService/PutPeerAttachment"
#define LOOK_EVERY_MS 1000
/* Without an answer for so long, the peer is taken for dead. */
#define QUIET_MAX_MS 30000
/* Bytes on their way that the peer has not called durable: one of its syncs, and what it does
 * meanwhile. */
#define WINDOW (2 * FILES_SYNC)
/* Debts that are set later in one transaction. */
#define PUT_OFF_MAX 256

struct courier {
    struct couriers *couriers;
    struct node_entry peer; /* as the directory had it when the courier began */
    struct channel *channel;
    struct inbox *pokes;
    struct inbox_item poke;
    atomic_bool is_poked;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_stopping;
    /* The stream under way, for whoever stops us; all else is the courier's thread's own. */
    pthread_mutex_t lock;
    struct duplex *duplex;
    struct inbox *written; /* a write of ours comes back here */
    struct timer *page;
};

struct couriers {
    struct node *node;
    struct courier *items;
    atomic_size_t count; /* grows when a directory lists a new node */
};

/* ---- debts in the store ---- */

/* The writer's while it is there; the courier waits for it. */
struct settling {
    struct write write; /* first: the writer's */
    struct courier *courier;
    const struct annex_debt *debts;
    size_t count;
    bool is_paid; /* else: later */
};

static int64_t wait_ms(uint8_t attempts)
{
    int64_t wait = (int64_t)COURIER_WAIT_LEAST_MS << (attempts < 6 ? attempts : 6);
    uint8_t jitter;

    random_fill(&jitter, 1);
    wait = wait < COURIER_WAIT_MOST_MS ? wait : COURIER_WAIT_MOST_MS;
    return wait * (192 + jitter / 4) / 256;
}

static enum rc apply_settling(struct write *write, struct txn *txn)
{
    const struct settling *settling = (const struct settling *)write;

    for (size_t i = 0; i < settling->count; i++) {
        struct annex_debt debt = settling->debts[i];
        enum rc rc = timer_remove(txn, debt.due_ms, debt.sequence);

        if (rc == RC_NOT_FOUND) {
            continue;
        }
        TRY(rc);
        if (!settling->is_paid) {
            debt.due_ms = clock_now_ms() + wait_ms(debt.attempts);
            debt.attempts += debt.attempts < UINT8_MAX;
            TRY(annex_debt_add(txn, &debt));
        }
    }
    return RC_OK;
}

static void settling_done(struct write *write)
{
    struct courier *courier = ((struct settling *)write)->courier;

    commit_point_release(write->point);
    if (inbox_put(courier->written, &write->item) != RC_OK) {
        abort(); /* it has room for the one write that we wait for */
    }
}

static const struct write_ops settling_ops = {.apply = apply_settling, .done = settling_done};

/* When it cannot be written, the debts stay as they are, and due. */
static void settle(struct courier *courier, const struct annex_debt *debts, size_t count,
                   bool is_paid)
{
    struct settling settling = {.write = {.ops = &settling_ops, .bytes = count * 512},
                                .courier = courier,
                                .debts = debts,
                                .count = count,
                                .is_paid = is_paid};
    enum rc rc = writer_submit(courier->couriers->node->writer, &settling.write);
    bool is_closed;

    if (rc == RC_OK) {
        (void)inbox_take(courier->written, 1, -1, &is_closed);
        rc = settling.write.rc;
    }
    if (rc != RC_OK) {
        log_warn("attachment.debts", "peer=%s count=%zu rc=%s", courier->peer.code, count,
                 rc_name(rc));
    }
}

/* ---- one delivery ---- */

struct delivering {
    struct courier *courier;
    struct duplex *duplex;
    struct file_out *file;
    uint64_t size;
    uint64_t offset;  /* the next chunk's */
    uint64_t durable; /* what the peer said it holds */
    bool is_complete;
};

static enum rc send_hello(struct delivering *delivering, const struct annex_debt *debt,
                          const struct file_state *state, struct fault *fault)
{
    struct attachment_hello hello = {.attachment_id = debt->id,
                                     .size = state->size,
                                     .sha256 = BYTES_OF(state->sha256),
                                     .to = debt->to};
    OWN(buffer) request = {0};

    codec_put_attachment_write(&hello, NULL, &request);
    return duplex_send(delivering->duplex, buffer_bytes(&request), fault);
}

static enum rc send_chunk(struct delivering *delivering, struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];
    struct attachment_chunk chunk = {.offset = delivering->offset, .sha256 = BYTES_OF(digest)};
    OWN(buffer) request = {0};

    TRY(file_out_chunk(delivering->file, delivering->offset, &chunk.data));
    digest_of(&chunk.data, 1, digest);
    codec_put_attachment_write(NULL, &chunk, &request);
    TRY(duplex_send(delivering->duplex, buffer_bytes(&request), fault));
    explicit_bzero(request.data, request.size);
    delivering->offset += chunk.data.size;
    return RC_OK;
}

static enum rc take_answer(struct delivering *delivering, struct fault *fault)
{
    OWN(buffer) response = {0};

    TRY(duplex_receive(delivering->duplex, QUIET_MAX_MS, &response, fault));
    return codec_attachment_state_read(buffer_bytes(&response), &delivering->durable,
                                       &delivering->is_complete, fault);
}

static enum rc send_file(struct delivering *delivering, struct fault *fault)
{
    TRY(take_answer(delivering, fault));
    delivering->offset = delivering->durable;
    while (!delivering->is_complete) {
        if (delivering->offset < delivering->size &&
            delivering->offset < delivering->durable + WINDOW) {
            TRY(send_chunk(delivering, fault));
        } else {
            TRY(take_answer(delivering, fault));
        }
    }
    return RC_OK;
}

static enum rc open_stream(struct courier *courier, struct duplex **duplex)
{
    enum rc rc = RC_CANCELLED;

    pthread_mutex_lock(&courier->lock);
    if (!atomic_load(&courier->is_stopping)) {
        rc = duplex_open(courier->channel, METHOD, -1, duplex);
        courier->duplex = rc == RC_OK ? *duplex : NULL;
    }
    pthread_mutex_unlock(&courier->lock);
    return rc;
}

static void close_stream(struct courier *courier, struct duplex *duplex)
{
    pthread_mutex_lock(&courier->lock);
    courier->duplex = NULL;
    pthread_mutex_unlock(&courier->lock);
    duplex_free(duplex);
}

/* A send that found the stream over does not know why; what was received last does. */
static enum rc why(struct delivering *delivering, enum rc rc, struct fault *fault)
{
    OWN(buffer) unused = {0};

    while (rc == RC_UNAVAILABLE && strcmp(fault->reason, "stream.over") == 0) {
        *fault = (struct fault){0};
        rc = duplex_receive(delivering->duplex, QUIET_MAX_MS, &unused, fault);
        if (rc == RC_OK) {
            rc = refuse(fault, RC_UNAVAILABLE, "stream.over", "", "La otra parte cerró el flujo.");
        }
    }
    return rc;
}

static enum rc deliver_open(struct delivering *delivering, const struct annex_debt *debt,
                            const struct file_state *state, struct fault *fault)
{
    enum rc rc;

    TRY(open_stream(delivering->courier, &delivering->duplex));
    rc = send_hello(delivering, debt, state, fault);
    rc = rc == RC_OK ? send_file(delivering, fault) : rc;
    rc = why(delivering, rc, fault);
    close_stream(delivering->courier, delivering->duplex);
    return rc;
}

/* RC_OK: the peer holds it. RC_NOT_FOUND: it was erased here. RC_FAILED_PRECONDITION, without a
 * reason: not whole yet. */
static enum rc deliver(struct courier *courier, const struct annex_debt *debt, struct fault *fault)
{
    struct files *files = courier->couriers->node->files;
    struct file_name name = {.holder = debt->holder, .id = debt->id};
    struct delivering delivering = {.courier = courier};
    OWN_PTR(file_out) file = NULL;
    struct file_state state;

    TRY(files_stat(files, &name, &state));
    if (!state.is_complete) {
        return RC_FAILED_PRECONDITION;
    }
    TRY(files_read(files, &name, &file));
    delivering.file = file;
    delivering.size = state.size;
    return deliver_open(&delivering, debt, &state, fault);
}

/* ---- the round ---- */

static size_t mine_due(struct courier *courier, struct annex_debt *debts)
{
    const struct node *node = courier->couriers->node;
    int64_t now_ms = clock_now_ms();
    size_t found = 0;
    size_t mine = 0;
    OWN_EDITION(edition) = inforce_take(node->inforce);
    OWN_READ(txn) = NULL;

    if (txn_read(node->db, &txn) != RC_OK ||
        timer_due(txn, ANNEX_DEBT_KIND, now_ms, courier->page, COURIER_PAGE, &found) != RC_OK) {
        return 0;
    }
    for (size_t i = 0; i < found && mine < PUT_OFF_MAX; i++) {
        if (annex_debt_read(&courier->page[i], &debts[mine]) == RC_OK &&
            node_is(node_of_member(edition->directory, debts[mine].to, clock_local_day(now_ms)),
                    &courier->peer)) {
            mine++;
        }
    }
    return mine;
}

static bool is_unreachable(enum rc rc, const struct fault *fault)
{
    return rc == RC_UNAVAILABLE && strncmp(fault->reason, "peer.", 5) == 0;
}

/* Pays debts from the first on; the rest of them too when the peer cannot be reached at all. */
static size_t pay(struct courier *courier, const struct annex_debt *debts, size_t count)
{
    struct fault fault = {0};
    char id[ID_TEXT_SIZE];
    enum rc rc = deliver(courier, &debts[0], &fault);
    size_t done;

    id_format(&debts[0].id, id);
    if (rc == RC_OK) {
        log_info("attachment.delivered", "attachment=%s peer=%s to=%s", id, courier->peer.code,
                 debts[0].to);
    } else if (rc == RC_NOT_FOUND && fault.rc == RC_OK) {
        log_warn("attachment.erased", "attachment=%s peer=%s check=before_delivery", id,
                 courier->peer.code);
        rc = RC_OK;
    } else if (atomic_load(&courier->is_stopping)) {
        return count;
    } else {
        log_info("attachment.owed", "attachment=%s peer=%s attempts=%u reason=%s rc=%s", id,
                 courier->peer.code, debts[0].attempts + 1U, fault.reason, rc_name(rc));
    }
    done = is_unreachable(rc, &fault) ? count : 1;
    settle(courier, debts, done, rc == RC_OK);
    return done;
}

static void *run(void *argument)
{
    struct courier *courier = argument;
    struct annex_debt *debts = calloc(PUT_OFF_MAX, sizeof *debts);
    bool is_closed = false;

    while (debts != NULL && !is_closed) {
        size_t count = mine_due(courier, debts);
        size_t done = 0;

        while (done < count && !atomic_load(&courier->is_stopping)) {
            done += pay(courier, debts + done, count - done);
        }
        if (inbox_take(courier->pokes, 1, LOOK_EVERY_MS, &is_closed) != NULL) {
            atomic_store(&courier->is_poked, false);
        }
    }
    free(debts);
    return NULL;
}

/* ---- life ---- */

static enum rc courier_init(struct courier *courier, struct couriers *couriers,
                            const struct node_entry *peer)
{
    const struct node *node = couriers->node;
    struct channel_config config = {.target = peer->address,
                                    .certificate_file = node->certificate_file,
                                    .key_file = node->key_file,
                                    .ca_file = node->ca_file,
                                    .server_identity = peer->uri};

    courier->couriers = couriers;
    courier->peer = *peer;
    pthread_mutex_init(&courier->lock, NULL);
    courier->pokes = inbox_new(1);
    courier->written = inbox_new(1);
    courier->page = calloc(COURIER_PAGE, sizeof *courier->page);
    if (courier->pokes == NULL || courier->written == NULL || courier->page == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(channel_new(&config, &courier->channel));
    if (pthread_create(&courier->thread, NULL, run, courier) != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(courier->thread, "courier");
    courier->has_thread = true;
    return RC_OK;
}

static void courier_stop(struct courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    atomic_store(&courier->is_stopping, true);
    if (courier->duplex != NULL) {
        duplex_cancel(courier->duplex);
    }
    pthread_mutex_unlock(&courier->lock);
    if (courier->pokes != NULL) {
        inbox_close(courier->pokes);
    }
}

static void courier_release(struct courier *courier)
{
    if (courier->has_thread) {
        pthread_join(courier->thread, NULL);
    }
    channel_free(courier->channel);
    inbox_free(courier->pokes);
    inbox_free(courier->written);
    free(courier->page);
    pthread_mutex_destroy(&courier->lock);
}

enum rc couriers_start(struct node *node, struct couriers **out)
{
    OWN_PTR(couriers) couriers = calloc(1, sizeof *couriers);

    if (couriers == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    couriers->node = node;
    couriers->items = calloc(DIRECTORY_NODES_MAX, sizeof *couriers->items);
    if (couriers->items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(couriers_refresh(couriers));
    *out = MOVE(couriers);
    return RC_OK;
}

static bool is_known(struct couriers *couriers, const struct node_entry *peer)
{
    for (size_t i = 0; i < atomic_load(&couriers->count); i++) {
        if (node_is(&couriers->items[i].peer, peer)) {
            return true;
        }
    }
    return false;
}

enum rc couriers_refresh(struct couriers *couriers)
{
    OWN_EDITION(edition) = inforce_take(couriers->node->inforce);
    const struct directory *directory = edition->directory;

    for (size_t i = 0; i < directory->node_count; i++) {
        const struct node_entry *peer = &directory->nodes[i];
        size_t count = atomic_load(&couriers->count);

        if (node_is(peer, couriers->node->self) || is_known(couriers, peer)) {
            continue;
        }
        if (count == DIRECTORY_NODES_MAX) {
            return RC_RESOURCE_EXHAUSTED;
        }
        atomic_store(&couriers->count, count + 1); /* couriers_free releases what failed, too */
        TRY(courier_init(&couriers->items[count], couriers, peer));
    }
    return RC_OK;
}

void couriers_free(struct couriers *couriers)
{
    if (couriers != NULL) {
        for (size_t i = 0; i < atomic_load(&couriers->count); i++) {
            courier_stop(&couriers->items[i]);
        }
        for (size_t i = 0; i < atomic_load(&couriers->count); i++) {
            courier_release(&couriers->items[i]);
        }
        free(couriers->items);
        free(couriers);
    }
}

void couriers_poke(struct couriers *couriers, const char *node_code)
{
    for (size_t i = 0; i < atomic_load(&couriers->count); i++) {
        struct courier *courier = &couriers->items[i];

        if (strcmp(courier->peer.code, node_code) == 0 &&
            !atomic_exchange(&courier->is_poked, true)) {
            if (inbox_put(courier->pokes, &courier->poke) != RC_OK) {
                return; /* it is stopping */
            }
        }
    }
}
