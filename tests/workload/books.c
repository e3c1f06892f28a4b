#include "workload/books.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/directory.h"
#include "workload/folder.h"

#define ENTRIES_MAX 100000
#define CELLS 6
#define NUMBER_MAX 1000000

struct entry {
    char member[CODE_SIZE];
    struct id exchange; /* zero: a referral, `reference` says which */
    uint32_t item;
    uint32_t occurrence;
    char reference[64];
};

struct books {
    char last_day[16];
    struct entry *entries;
    size_t count;
    size_t capacity;
};

struct books *books_new(const char *last_day)
{
    struct books *books = calloc(1, sizeof *books);

    if (books != NULL) {
        snprintf(books->last_day, sizeof books->last_day, "%s", last_day);
    }
    return books;
}

void books_free(struct books *books)
{
    if (books != NULL) {
        free(books->entries);
        free(books);
    }
}

static enum rc add(struct books *books, const struct entry *entry)
{
    if (books->count == books->capacity) {
        size_t capacity = books->capacity == 0 ? 2048 : 2 * books->capacity;
        struct entry *entries =
            books->count < ENTRIES_MAX ? realloc(books->entries, capacity * sizeof *entries) : NULL;

        if (entries == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        books->entries = entries;
        books->capacity = capacity;
    }
    books->entries[books->count++] = *entry;
    return RC_OK;
}

/* ---- a line ---- */

static size_t split(char *line, char *cells[CELLS + 1])
{
    size_t count = 0;

    for (char *at = line; at != NULL && count <= CELLS;) {
        char *tab = strchr(at, '\t');

        cells[count++] = at;
        if (tab != NULL) {
            *tab++ = '\0';
        }
        at = tab;
    }
    return count;
}

static bool read_number(const char *text, uint32_t *number)
{
    char *end;
    unsigned long value;

    if (text[0] < '1' || text[0] > '9') {
        return false;
    }
    value = strtoul(text, &end, 10);
    *number = (uint32_t)value;
    return *end == '\0' && value < NUMBER_MAX;
}

static enum rc take_line(struct books *books, const char *member, char *line)
{
    char *cells[CELLS + 1];
    size_t count = split(line, cells);
    struct entry entry = {.item = 0};
    int32_t day;

    snprintf(entry.member, sizeof entry.member, "%s", member);
    if (count == 2 && strcmp(cells[0], "canalizacion") == 0 && cells[1][0] != '\0' &&
        strlen(cells[1]) < sizeof entry.reference) {
        snprintf(entry.reference, sizeof entry.reference, "%s", cells[1]);
        return add(books, &entry);
    }
    if (count != CELLS || strcmp(cells[0], "accion") != 0 ||
        id_parse(cells[1], &entry.exchange) != RC_OK || id_is_zero(&entry.exchange) ||
        !read_number(cells[2], &entry.item) || !read_number(cells[3], &entry.occurrence) ||
        clock_parse_date(bytes_text(cells[4]), &day) != RC_OK) {
        return RC_DATA_LOSS;
    }
    /* Dates are "2019-06-03": their order is that of their texts. */
    return strcmp(cells[4], books->last_day) <= 0 ? add(books, &entry) : RC_OK;
}

enum rc books_read(struct books *books, const char *member, const char *path)
{
    OWN(buffer) text = {0};
    char *line;
    enum rc rc = folder_read(path, &text);
    unsigned number = 1;

    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : failed(rc, "book.read", "path=%s", path);
    }
    buffer_put_u8(&text, '\0');
    if (text.is_failed || strlen((const char *)text.data) + 1 != text.size) {
        return failed(RC_DATA_LOSS, "book.read", "path=%s cause=zero", path);
    }
    for (line = (char *)text.data; *line != '\0'; number++) {
        char *end = strchr(line, '\n');

        if (end == NULL) {
            return failed(RC_DATA_LOSS, "book.line", "path=%s line=%u cause=cut", path, number);
        }
        *end = '\0';
        rc = take_line(books, member, line);
        if (rc != RC_OK) {
            return failed(rc, "book.line", "path=%s line=%u", path, number);
        }
        line = end + 1;
    }
    return RC_OK;
}

/* ---- questions ---- */

static int compare(const void *one, const void *two)
{
    const struct entry *a = one;
    const struct entry *b = two;
    int order = strcmp(a->member, b->member);

    order = order != 0 ? order : memcmp(a->exchange.bytes, b->exchange.bytes, ID_SIZE);
    order = order != 0 ? order : (a->item > b->item) - (a->item < b->item);
    order = order != 0 ? order : (a->occurrence > b->occurrence) - (a->occurrence < b->occurrence);
    return order != 0 ? order : strcmp(a->reference, b->reference);
}

void books_end(struct books *books)
{
    size_t kept = 0;

    if (books->count == 0) {
        return;
    }
    qsort(books->entries, books->count, sizeof *books->entries, compare);
    for (size_t i = 0; i < books->count; i++) {
        if (i == 0 || compare(&books->entries[kept - 1], &books->entries[i]) != 0) {
            books->entries[kept++] = books->entries[i];
        }
    }
    books->count = kept;
}

bool books_has(const struct books *books, const char *member, const struct id *exchange,
               uint32_t item, uint32_t occurrence)
{
    struct entry wanted = {.exchange = *exchange, .item = item, .occurrence = occurrence};

    snprintf(wanted.member, sizeof wanted.member, "%s", member);
    return books->count > 0 &&
           bsearch(&wanted, books->entries, books->count, sizeof *books->entries, compare) != NULL;
}

size_t books_actions(const struct books *books, const char *member)
{
    size_t count = 0;

    for (size_t i = 0; i < books->count; i++) {
        count += !id_is_zero(&books->entries[i].exchange) &&
                 (member == NULL || strcmp(books->entries[i].member, member) == 0);
    }
    return count;
}

size_t books_referrals(const struct books *books)
{
    size_t count = 0;

    for (size_t i = 0; i < books->count; i++) {
        count += id_is_zero(&books->entries[i].exchange);
    }
    return count;
}
