/*
 * loggen - a log of many leaves, made by the node's own functions: what a node would have on disk
 * after years of work, in minutes.
 *
 *     loggen DATA VAULT LOG-KEY ORIGIN LEAVES
 *
 * Exchanges of six messages (an opening and five reports) from cdmx/mpi-cdmx to cdmx/ssc, each with
 * leaf, audit record, tags, encrypted body and journal row; every opening with its exchange's
 * state. One person has twelve records, spread over the whole log: person K is the subject of the
 * messages K, K + P, K + 2P, ... with P = LEAVES / 12. The ids of persons are SHA-256("person" ‖
 * K), cut; that of person 0 is printed. No message has attachments. Persons are synthetic.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/keyring.h"
#include "relay/entry.h"
#include "relay/node.h"
#include "relay/vitals.h"
#include "rpc/codec.h"
#include "store/db.h"
#include "store/exchange.h"
#include "store/seen.h"
#include "store/tagkey.h"
#include "store/vault.h"
#include "store/writer.h"

#define MAKERS 3
#define JOB_MESSAGES 64
#define MESSAGES_OF_EXCHANGE 6
#define RECORDS_OF_PERSON 12
#define TAGKEY_CACHE ((size_t)1 << 20)
#define CODE "PRO-COD-VIG"

struct making {
    struct meters meters;
    struct node node;
    struct node_entry self;
    struct directory directory;
    struct route route;
    uint64_t count;
    uint64_t persons;
    atomic_uint_fast64_t next;
    atomic_uint_fast64_t failures;
    int64_t began_ms;
};

struct made {
    struct message message;
    struct entry entry;
    struct id person;
    uint8_t blinds[2][BLIND_SIZE];
    struct buffer header;
    struct buffer part;
};

struct job {
    struct write write; /* first: the writer's */
    struct making *making;
    struct made made[JOB_MESSAGES];
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t is_changed;
    bool is_done;
};

static struct id id_of(const char *what, uint64_t number)
{
    uint8_t digest[DIGEST_SIZE];
    uint8_t bytes[8];
    struct id id;

    put_u64(bytes, number);
    digest_of((const struct bytes[]){bytes_text(what), BYTES_OF(bytes)}, 2, digest);
    memcpy(id.bytes, digest, ID_SIZE);
    return id;
}

/* Ids have the times at which a year of messages would have been made. */
static struct id timed_id(const struct making *making, const char *what, uint64_t number)
{
    struct id random = id_of(what, number);

    return id_v7(making->began_ms - (int64_t)(making->count - number) * 3, random.bytes);
}

static void fill_header(const struct making *making, uint64_t number, struct made *made)
{
    uint64_t opening = number - number % MESSAGES_OF_EXCHANGE;
    struct header *header = &made->message.header;

    *header = (struct header){
        .schema = MESSAGE_SCHEMA,
        .message_id = timed_id(making, "message", number),
        .exchange_id = timed_id(making, "message", opening),
        .from = "cdmx/mpi-cdmx",
        .from_system = "plataforma",
        .to = "cdmx/ssc",
        .to_system = "",
        .on_behalf_of = "",
        .urgency = URGENCY_ORDINARY,
        .catalogue_code = number == opening ? CODE : "",
        .purpose = "proteccion",
        .legal_basis = "LPPDDHP-29",
        .aviso_id = "AVISO-MPI-CDMX",
        .aviso_version = "2026-1",
        .consent = CONSENT_GIVEN,
        .consent_reference = "",
        .subjects = {{made->person, ROLE_PERSON}},
        .subject_count = 1,
        .plan_issuer = "",
        .plan_id = "",
        .decision_organ = "",
        .decision_session = "",
        .decision_date = "",
        .created_at_ms = making->began_ms,
        .occurred_at = "",
        .type = number == opening ? MESSAGE_NOTICE : MESSAGE_STATUS_REPORT,
        .ends_on = "",
        .session = "",
        .item = 1,
        .occurrence = (uint32_t)(number - opening),
        .action_code = number == opening ? "" : CODE,
        .reason = "",
        .competent = "",
        .break_glass = "",
        .notice_clock = number == opening ? "F1" : "",
        .notice_route = "",
        .notice_late = "",
        .aggregate_id = "",
        .aggregate_from = "",
        .aggregate_to = "",
    };
}

static void make_message(const struct making *making, uint64_t number, struct made *made)
{
    static const struct field_value alias[] = {{0, 0, "Persona Sintética"}};
    struct message *message = &made->message;

    memset(message, 0, sizeof *message);
    made->person = id_of("person", number % making->persons);
    random_fill(made->blinds, sizeof made->blinds);
    fill_header(making, number, made);
    buffer_clear(&made->header);
    codec_header_write(&message->header, &made->header);
    message->header_bytes = buffer_bytes(&made->header);
    message->header_blind = BYTES_OF(made->blinds[0]);
    if (made->part.size == 0) {
        struct field_value value = alias[0];

        value.field = (unsigned)field_number("identity.alias");
        if (codec_compartment_write(COMPARTMENT_IDENTITY, &value, 1, &made->part) != RC_OK) {
            abort();
        }
    }
    message->compartments[0] = (struct compartment){.part = COMPARTMENT_IDENTITY,
                                                    .blind = BYTES_OF(made->blinds[1]),
                                                    .content = buffer_bytes(&made->part),
                                                    .curp = "",
                                                    .birth_date = "",
                                                    .alcaldia = ""};
    message->compartment_count = 1;
    field_set_add(&message->fields, (unsigned)field_number("identity.alias"));
}

static enum rc prepare(struct making *making, uint64_t number, struct made *made)
{
    entry_release(&made->entry);
    make_message(making, number, made);
    made->entry = (struct entry){.kind = RECORD_SENT,
                                 .message = &made->message,
                                 .directory = &making->directory,
                                 .route = &making->route,
                                 .holder = "cdmx/mpi-cdmx",
                                 .actor = "spiffe://enlace.cdmx/member/mpi-cdmx/system/plataforma"};
    TRY(entry_commitment(&made->message, made->entry.commitment));
    return entry_prepare(&made->entry, &making->node, NULL, 0);
}

static enum rc put_exchange(struct txn *txn, const struct made *made)
{
    const struct header *header = &made->message.header;
    struct exchange exchange = {.id = header->exchange_id,
                                .type = header->type,
                                .urgency = URGENCY_ORDINARY,
                                .opening_index = made->entry.index,
                                .received_at_ms = header->created_at_ms,
                                .items = {{.number = 1, .code = CODE, .state = STATE_CLOSED}},
                                .item_count = 1};

    snprintf(exchange.from, sizeof exchange.from, "%s", header->from);
    snprintf(exchange.to, sizeof exchange.to, "%s", header->to);
    snprintf(exchange.route, sizeof exchange.route, "%s", made->entry.route->id);
    return exchange_put(txn, header->from, &exchange);
}

static enum rc apply(struct write *write, struct txn *txn)
{
    struct job *job = (struct job *)write;

    for (size_t i = 0; i < job->count; i++) {
        struct made *made = &job->made[i];

        TRY(entry_put(&made->entry, &job->making->node, txn));
        if (made->message.header.type == MESSAGE_NOTICE) {
            TRY(put_exchange(txn, made));
        }
    }
    return RC_OK;
}

static void done(struct write *write)
{
    struct job *job = (struct job *)write;

    for (size_t i = 0; i < job->count && write->rc == RC_OK; i++) {
        entry_remember(&job->made[i].entry, &job->making->node);
    }
    commit_point_release(write->point);
    pthread_mutex_lock(&job->lock);
    job->is_done = true;
    pthread_cond_signal(&job->is_changed);
    pthread_mutex_unlock(&job->lock);
}

static const struct write_ops ops = {.name = "loggen", .apply = apply, .done = done};

static void wait_for(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    while (!job->is_done) {
        pthread_cond_wait(&job->is_changed, &job->lock);
    }
    pthread_mutex_unlock(&job->lock);
    if (job->write.rc != RC_OK) {
        atomic_fetch_add(&job->making->failures, 1);
    }
    job->write.rc = RC_OK;
}

static bool fill_job(struct job *job)
{
    struct making *making = job->making;
    uint64_t first = atomic_fetch_add(&making->next, JOB_MESSAGES);

    job->count = 0;
    for (uint64_t i = first; i < making->count && job->count < JOB_MESSAGES; i++) {
        if (prepare(making, i, &job->made[job->count++]) != RC_OK) {
            atomic_fetch_add(&making->failures, 1);
            return false;
        }
    }
    job->write = (struct write){.ops = &ops, .leaves = JOB_MESSAGES, .bytes = 96 << 10};
    job->is_done = false;
    return job->count > 0;
}

static void release_job(struct job *job)
{
    for (size_t i = 0; job != NULL && i < JOB_MESSAGES; i++) {
        entry_release(&job->made[i].entry);
        buffer_release(&job->made[i].header);
        buffer_release(&job->made[i].part);
    }
    free(job);
}

/* Two jobs in turn: one is made while the writer has the other. */
static void *make(void *argument)
{
    struct making *making = argument;
    struct job *jobs[2] = {calloc(1, sizeof(struct job)), calloc(1, sizeof(struct job))};

    for (int i = 0; i < 2; i++) {
        if (jobs[i] == NULL) {
            abort();
        }
        pthread_mutex_init(&jobs[i]->lock, NULL);
        pthread_cond_init(&jobs[i]->is_changed, NULL);
        jobs[i]->making = making;
        jobs[i]->is_done = true;
    }
    for (int i = 0;; i ^= 1) {
        wait_for(jobs[i]);
        if (atomic_load(&making->failures) > 0 || !fill_job(jobs[i])) {
            jobs[i]->is_done = true;
            break;
        }
        if (writer_submit(making->node.writer, &jobs[i]->write) != RC_OK) {
            atomic_fetch_add(&making->failures, 1);
            jobs[i]->is_done = true;
            break;
        }
    }
    wait_for(jobs[0]);
    wait_for(jobs[1]);
    release_job(jobs[0]);
    release_job(jobs[1]);
    return NULL;
}

static enum rc open_all(struct making *making, char **argv)
{
    static char path[4096];
    struct node *node = &making->node;
    struct db_options db = {
        .kind = DB_LOG, .path = path, .origin = argv[4], .epoch = 1, .floor_bytes = 1 << 30};
    struct seen_options seen = {.path = path, .origin = "cdmx/cdmx", .floor_bytes = 1 << 30};
    struct writer_options writer = {.queue_max = 1024, .batch_max = 64};

    snprintf(path, sizeof path, "%s/log", argv[1]);
    TRY(db_open(&db, &node->db));
    TRY(vault_open(argv[2], path, &node->vault));
    TRY(tagkeys_new(node->vault, TAGKEY_CACHE, &node->tagkeys));
    snprintf(path, sizeof path, "%s/seen", argv[1]);
    TRY(seen_open(&seen, &node->seen));
    node->postings = postings_new(); /* bounded: nobody takes them here */
    if (node->postings == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(keyring_load(argv[3], &node->log_key, NULL));
    writer.db = node->db;
    writer.keyring = node->log_key;
    return writer_new(&writer, &node->writer);
}

static void close_all(struct making *making)
{
    struct node *node = &making->node;

    writer_free(node->writer);
    seen_free(node->seen);
    postings_free(node->postings);
    tagkeys_free(node->tagkeys);
    db_free(node->db);
    vault_free(node->vault);
    keyring_free(node->log_key);
}

static void make_all(struct making *making)
{
    pthread_t makers[MAKERS];
    uint64_t last = 0;

    for (int i = 0; i < MAKERS; i++) {
        if (pthread_create(&makers[i], NULL, make, making) != 0) {
            abort();
        }
    }
    while (atomic_load(&making->next) < making->count && atomic_load(&making->failures) == 0) {
        clock_sleep_ms(500);
        if (tagkeys_tidy(making->node.tagkeys, making->node.writer) != RC_OK) {
            log_warn("loggen.untidy", "it is tried again");
        }
        if (atomic_load(&making->next) / 1000000 > last) {
            last = atomic_load(&making->next) / 1000000;
            fprintf(stderr, "  %llu million\n", (unsigned long long)last);
        }
    }
    for (int i = 0; i < MAKERS; i++) {
        pthread_join(makers[i], NULL);
    }
}

int main(int argc, char **argv)
{
    static struct making making;
    char person[ID_TEXT_SIZE];
    struct id id = id_of("person", 0);
    enum rc rc;

    log_open("loggen", LOG_LEVEL_WARN);
    if (argc != 6) {
        fputs("usage: loggen DATA VAULT LOG-KEY ORIGIN LEAVES\n", stderr);
        return 2;
    }
    making.count = strtoull(argv[5], NULL, 10);
    making.persons = making.count / RECORDS_OF_PERSON + 1;
    making.began_ms = clock_now_ms();
    making.node.self = &making.self;
    making.node.meters = &making.meters;
    snprintf(making.self.origin, sizeof making.self.origin, "%s", argv[4]);
    snprintf(making.self.code, sizeof making.self.code, "cdmx/cdmx");
    snprintf(making.route.id, sizeof making.route.id, "mpi-ssc-medidas");
    snprintf(making.route.retention, sizeof making.route.retention, "R5");
    rc = open_all(&making, argv);
    if (rc == RC_OK) {
        make_all(&making);
    }
    close_all(&making);
    if (rc != RC_OK || atomic_load(&making.failures) > 0) {
        fputs("loggen: failed\n", stderr);
        return EXIT_FAILURE;
    }
    id_format(&id, person);
    printf("{\"person\": \"%s\", \"leaves\": %llu, \"seconds\": %.1f}\n", person,
           (unsigned long long)making.count, (double)(clock_now_ms() - making.began_ms) / 1000);
    return EXIT_SUCCESS;
}
