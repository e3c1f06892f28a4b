#include "enlace/exchange_logs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "offline/log_check.h"
#include "offline/report.h"
#include "rpc/codec.h"
#include "tlog/commit.h"

#define ROWS_MAX ((size_t)1 << 24)
#define MEMBERS_MAX 256
#define MEMBER_SIZE 72
#define RECORD_ARENA_MAX ((size_t)1 << 20)

/* What one log says of one message. */
struct row {
    struct id message_id;
    struct id exchange_id;
    uint8_t commitment[HASH_SIZE]; /* M */
    uint64_t index;
    bool is_sent;
    char from[MEMBER_SIZE];
    char to[MEMBER_SIZE];
};

struct side {
    struct log_visitor visitor; /* first */
    const char *path;
    struct report *report;
    struct arena *arena;
    struct row *rows;
    size_t count;
    size_t capacity;
    size_t unread; /* records that could not be read or kept */
    char members[MEMBERS_MAX][MEMBER_SIZE];
    size_t member_count;
};

static bool serves(const struct side *side, const char *member)
{
    for (size_t i = 0; i < side->member_count; i++) {
        if (strcmp(side->members[i], member) == 0) {
            return true;
        }
    }
    return false;
}

static void add_member(struct side *side, const char *member)
{
    if (!serves(side, member) && side->member_count < MEMBERS_MAX) {
        memcpy(side->members[side->member_count++], member, strlen(member) + 1);
    }
}

static struct row *add_row(struct side *side)
{
    if (side->count == side->capacity) {
        size_t capacity = side->capacity == 0 ? 1024 : 2 * side->capacity;
        struct row *rows =
            capacity <= ROWS_MAX ? realloc(side->rows, capacity * sizeof *rows) : NULL;

        if (rows == NULL) {
            return NULL;
        }
        side->rows = rows;
        side->capacity = capacity;
    }
    return &side->rows[side->count++];
}

static void place(const struct side *side, const struct row *row, char out[128])
{
    char id[ID_TEXT_SIZE];

    id_format(&row->message_id, id);
    snprintf(out, 128, "%s, hoja %" PRIu64 ", mensaje %s", side->path, row->index, id);
}

/* The record's M is that of the leaf: else the log says one thing to auditors and sealed another.
 */
static void check_commitment(const struct side *side, const struct checkpoint *head,
                             const struct leaf *leaf, const struct row *row)
{
    uint8_t expected[DIGEST_SIZE];
    char where[128];

    commit_leaf(head->origin, leaf->nonce, row->commitment, expected);
    if (!digest_equal(expected, leaf->message)) {
        place(side, row, where);
        report_bad(side->report, "exchange.commitment", where,
                   "El registro nombra otro contenido que el que la hoja compromete.");
    }
}

static bool take_record(struct side *side, const struct record *record,
                        const struct checkpoint *head, const struct leaf *leaf)
{
    bool is_sent = record->kind == RECORD_SENT;
    struct row *row;

    if (!is_sent && record->kind != RECORD_RECEIVED) {
        return true;
    }
    if (record->message_commitment.size != HASH_SIZE || strlen(record->from) >= MEMBER_SIZE ||
        strlen(record->to) >= MEMBER_SIZE) {
        return false;
    }
    row = add_row(side);
    if (row == NULL) {
        return false;
    }
    *row = (struct row){.message_id = record->message_id,
                        .exchange_id = record->exchange_id,
                        .index = leaf->index,
                        .is_sent = is_sent};
    memcpy(row->commitment, record->message_commitment.data, HASH_SIZE);
    memcpy(row->from, record->from, strlen(record->from) + 1);
    memcpy(row->to, record->to, strlen(record->to) + 1);
    add_member(side, is_sent ? row->from : row->to);
    check_commitment(side, head, leaf, row);
    return true;
}

static void on_leaf(struct log_visitor *visitor, const struct checkpoint *head,
                    const struct leaf *leaf, struct bytes blind_and_record)
{
    struct side *side = (struct side *)visitor;
    struct record record;

    if (blind_and_record.size <= COMMIT_BLIND_SIZE) {
        return;
    }
    arena_reset(side->arena);
    if (codec_record_read(BYTES(blind_and_record.data + COMMIT_BLIND_SIZE,
                                blind_and_record.size - COMMIT_BLIND_SIZE),
                          side->arena, &record, NULL) != RC_OK ||
        !take_record(side, &record, head, leaf)) {
        side->unread++;
    }
}

static int by_message(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    int order = memcmp(&left->message_id, &right->message_id, sizeof left->message_id);

    return order != 0 ? order : left->index < right->index ? -1 : left->index > right->index;
}

static void gather(struct side *side, const struct trust *trust)
{
    struct log_check check = {.path = side->path, .trust = trust, .visitor = &side->visitor};
    struct checkpoint head = {0};
    size_t facts = side->report->fact_count;

    side->visitor.leaf = on_leaf;
    log_check_run(&check, &head, side->report);
    side->report->fact_count = facts; /* what was compared says enough */
    if (side->unread > 0) {
        report_bad(side->report, "exchange.records", side->path,
                   "%zu registros no se pudieron leer.", side->unread);
    }
    if (side->count == 0) {
        report_warn(side->report, "exchange.records", side->path,
                    "Ahí no consta ningún mensaje; ¿se exportó con --records?");
    } else {
        qsort(side->rows, side->count, sizeof *side->rows, by_message);
    }
}

static const struct row *find(const struct side *side, const struct row *row)
{
    size_t low = 0;
    size_t high = side->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(&side->rows[middle].message_id, &row->message_id, sizeof row->message_id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < side->count && memcmp(&side->rows[low].message_id, &row->message_id,
                                       sizeof row->message_id) == 0
               ? &side->rows[low]
               : NULL;
}

struct tally {
    size_t paired;
    size_t differing;
    size_t only_a;
    size_t only_b;
};

static bool is_same(const struct row *a, const struct row *b)
{
    return memcmp(a->commitment, b->commitment, HASH_SIZE) == 0 &&
           memcmp(&a->exchange_id, &b->exchange_id, sizeof a->exchange_id) == 0 &&
           strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0;
}

static void say_one_sided(const struct side *side, const struct row *row, const struct side *other)
{
    char where[128];
    char exchange[ID_TEXT_SIZE];

    place(side, row, where);
    id_format(&row->exchange_id, exchange);
    report_bad(side->report, "exchange.one_sided", where,
               "De %s a %s, intercambio %s: aquí consta como %s y en %s no consta.", row->from,
               row->to, exchange, row->is_sent ? "enviado" : "recibido", other->path);
}

/* Each message once, by its first row of this side. */
static void compare_side(const struct side *side, const struct side *other,
                         const struct id *exchange_id, bool is_first, struct tally *tally)
{
    for (size_t i = 0; i < side->count; i++) {
        const struct row *row = &side->rows[i];
        const struct row *match;

        if ((i > 0 && memcmp(&row[-1].message_id, &row->message_id, sizeof row->message_id) == 0) ||
            (exchange_id != NULL &&
             memcmp(&row->exchange_id, exchange_id, sizeof *exchange_id) != 0)) {
            continue;
        }
        match = find(other, row);
        if (match != NULL && is_first && is_same(row, match)) {
            tally->paired++;
        } else if (match != NULL && is_first) {
            char where[128];

            place(side, row, where);
            tally->differing++;
            report_bad(side->report, "exchange.differing", where,
                       "Cada bitácora compromete otro contenido u otras partes bajo el mismo "
                       "identificador.");
        } else if (match == NULL &&
                   (exchange_id != NULL || serves(other, row->is_sent ? row->to : row->from))) {
            *(is_first ? &tally->only_a : &tally->only_b) += 1;
            say_one_sided(side, row, other);
        }
    }
}

static void compare(struct side *a, struct side *b, const struct id *exchange_id,
                    const struct trust *trust, struct report *report)
{
    struct tally tally = {0};

    gather(a, trust);
    gather(b, trust);
    compare_side(a, b, exchange_id, true, &tally);
    compare_side(b, a, exchange_id, false, &tally);
    report_text(report, "a", "A", "%s", a->path);
    report_text(report, "b", "B", "%s", b->path);
    report_number(report, "paired", "Mensajes en ambas", tally.paired);
    report_number(report, "only_a", "Sólo en A", tally.only_a);
    report_number(report, "only_b", "Sólo en B", tally.only_b);
    report_number(report, "differing", "Distintos", tally.differing);
    if (tally.paired + tally.differing + tally.only_a + tally.only_b == 0) {
        report_bad(report, "exchange.none", "", "Ninguna de las dos dice nada de la otra.");
    }
}

static struct side *side_new(const char *path, struct report *report)
{
    struct side *side = calloc(1, sizeof *side);

    if (side != NULL) {
        side->path = path;
        side->report = report;
        side->arena = arena_new(RECORD_ARENA_MAX);
    }
    return side;
}

static void side_free(struct side *side)
{
    if (side != NULL) {
        arena_free(side->arena);
        free(side->rows);
        free(side);
    }
}

void exchange_logs_compare(const char *a, const char *b, const struct id *exchange_id,
                           const struct trust *trust, struct report *report)
{
    struct side *left = side_new(a, report);
    struct side *right = side_new(b, report);

    if (left != NULL && right != NULL && left->arena != NULL && right->arena != NULL) {
        compare(left, right, exchange_id, trust, report);
    } else {
        report_bad(report, "memory", "", "Falta memoria.");
    }
    side_free(left);
    side_free(right);
}
