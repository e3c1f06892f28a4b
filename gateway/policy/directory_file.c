#include "policy/directory_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "crypto/digest.h"
#include "policy/directory_check.h"
#include "policy/directory_stanza.h"
#include "policy/member.h"

/* ---- lines ---- */

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static size_t utf8_size(const uint8_t *at, size_t left)
{
    static const struct {
        uint8_t first, last, least, most;
        size_t size;
    } rows[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (at[0] < rows[i].first || at[0] > rows[i].last || left < rows[i].size) {
            continue;
        }
        for (size_t j = 1; j < rows[i].size; j++) {
            if (at[j] < (j == 1 ? rows[i].least : 0x80) || at[j] > (j == 1 ? rows[i].most : 0xbf)) {
                return 0;
            }
        }
        return rows[i].size;
    }
    return 0;
}

/* U+0080 to U+009F are control characters as well. */
static bool is_clean(const uint8_t *data, size_t size)
{
    for (size_t i = 0, n = 0; i < size; i += n) {
        n = utf8_size(data + i, size - i);
        if (n == 0 || (data[i] == 0xc2 && data[i + 1] < 0xa0)) {
            return false;
        }
    }
    return true;
}

/* The next line without its LF, NUL-terminated; false at the end of the text. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end;

    if (rest->size == 0) {
        return false;
    }
    end = memchr(rest->data, '\n', rest->size);
    line->data = rest->data;
    line->size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    rest->data += line->size + (end != NULL);
    rest->size -= line->size + (end != NULL);
    return true;
}

static enum rc take_line(struct reading *reading, struct bytes line, char out[DIRECTORY_LINE_MAX])
{
    reading->line++;
    if (line.size >= DIRECTORY_LINE_MAX) {
        return complain(reading, reading->line, "expected a line of at most %d bytes",
                        DIRECTORY_LINE_MAX - 1);
    }
    if (!is_clean(line.data, line.size)) {
        return complain(reading, reading->line,
                        "expected UTF-8 without tabs and control characters");
    }
    if (line.size > 0 && line.data[line.size - 1] == ' ') {
        return complain(reading, reading->line, "expected no space at the end of the line");
    }
    memcpy(out, line.data, line.size);
    out[line.size] = '\0';
    return RC_OK;
}

/* ---- header ---- */

static enum rc read_version(struct reading *reading, const char *value, uint64_t *version)
{
    char *end;

    if (value[0] < '1' || value[0] > '9' || strlen(value) > 18) {
        return complain(reading, reading->line, "version: expected a number from 1");
    }
    *version = strtoull(value, &end, 10);
    if (*end != '\0') {
        return complain(reading, reading->line, "version: expected a number from 1");
    }
    return RC_OK;
}

static enum rc read_network(struct reading *reading, const char *value, char out[CODE_SIZE])
{
    size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789");

    if (size == 0 || size > 15 || value[size] != '\0') {
        return complain(reading, reading->line,
                        "network: expected 1 to 15 lower-case letters and digits");
    }
    memcpy(out, value, size + 1);
    return RC_OK;
}

static enum rc read_member(struct reading *reading, const char *value, char out[CODE_SIZE])
{
    if (!member_code_is_valid(value)) {
        return complain(reading, reading->line, "member: expected network/code in lower case");
    }
    snprintf(out, CODE_SIZE, "%s", value);
    return RC_OK;
}

#define HEADER_LINES 4

/* The first line tells what the text is; the second, whose. */
static const char *header_name(const struct directory_text *text, unsigned step)
{
    static const char *const names[HEADER_LINES] = {"enlace-directory", "network", "version",
                                                    "in-force"};

    if (text->kind == TEXT_ROSTER && step < 2) {
        return step == 0 ? "enlace-roster" : "member";
    }
    return names[step];
}

static enum rc read_header(struct reading *reading, unsigned step, const char *line)
{
    struct directory_text *text = &reading->directory->texts[reading->text];
    const char *name;
    const char *value;

    if (step == 0 && text->kind == TEXT_NETWORK && strncmp(line, "enlace-roster ", 14) == 0) {
        text->kind = TEXT_ROSTER;
    }
    name = header_name(text, step);
    value = line + strlen(name) + 1;
    if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ' ') {
        return complain(reading, reading->line, "\"%.60s\": expected the header line \"%s ...\"",
                        line, name);
    }
    switch (step) {
    case 0:
        return strcmp(value, "v1") == 0 ? RC_OK
                                        : complain(reading, reading->line, "expected %s v1", name);
    case 1:
        return text->kind == TEXT_ROSTER ? read_member(reading, value, text->subject)
                                         : read_network(reading, value, text->subject);
    case 2:
        return read_version(reading, value, &text->version);
    default:
        return value_dates(reading, value, &text->in_force);
    }
}

/* ---- stanzas ---- */

/* A network's text and a roster hold different stanzas; a view holds all. */
static enum rc check_place(struct reading *reading, enum stanza_kind kind, const char *word)
{
    enum text_kind text = reading->directory->texts[reading->text].kind;
    bool is_of_roster = kind == STANZA_SYSTEM || kind == STANZA_OFFICIAL || kind == STANZA_AUDITOR;

    if (text == TEXT_NETWORK && is_of_roster) {
        return complain(reading, reading->line, "%s: expected in the roster of its member", word);
    }
    if (text == TEXT_ROSTER && !is_of_roster) {
        return complain(reading, reading->line, "%s: expected in the text of its network", word);
    }
    return RC_OK;
}

/* What a text speaks of is its own: a network's members and nodes, a member's people. */
static enum rc check_owner(struct reading *reading, const char *code)
{
    const struct directory_text *text = &reading->directory->texts[reading->text];
    size_t size = strlen(text->subject);

    if (text->kind == TEXT_NETWORK &&
        (strncmp(code, text->subject, size) != 0 || code[size] != '/')) {
        return complain(reading, reading->stanza.line, "%s: expected of the network %s", code,
                        text->subject);
    }
    if (text->kind == TEXT_ROSTER && strcmp(code, text->subject) != 0) {
        return complain(reading, reading->stanza.line, "%s: expected of the member %s", code,
                        text->subject);
    }
    return RC_OK;
}

/* A network rules over what leaves or reaches its own members. */
static enum rc check_route_owner(struct reading *reading)
{
    const struct directory_text *text = &reading->directory->texts[reading->text];
    const struct route *route = &reading->stanza.route;
    size_t size = strlen(text->subject);

    if (text->kind == TEXT_NETWORK &&
        (strncmp(route->from, text->subject, size) != 0 || route->from[size] != '/') &&
        (strncmp(route->to, text->subject, size) != 0 || route->to[size] != '/')) {
        return complain(reading, reading->stanza.line,
                        "route %s: expected from or to a member of the network %s", route->id,
                        text->subject);
    }
    return RC_OK;
}

static enum rc file_authority(struct reading *reading)
{
    struct directory *directory = reading->directory;
    struct directory_text *text = &directory->texts[reading->text];
    struct authority *authority = &directory->authorities[directory->authority_count++];

    *authority = reading->stanza.authority;
    memcpy(authority->network, text->subject, CODE_SIZE);
    return RC_OK;
}

static enum rc file_quorum(struct reading *reading)
{
    struct directory_text *text = &reading->directory->texts[reading->text];

    if (text->quorum != 0) {
        return complain(reading, reading->stanza.line, "quorum: expected once, stands twice");
    }
    text->quorum = reading->stanza.quorum;
    return RC_OK;
}

/* Closes the stanza that was open, and files its row. */
static enum rc end_stanza(struct reading *reading)
{
    struct directory *directory = reading->directory;
    const struct stanza *stanza = &reading->stanza;

    if (stanza->kind == STANZA_NONE) {
        return RC_OK;
    }
    TRY(stanza_close(reading));
    switch (stanza->kind) {
    case STANZA_MEMBER:
        TRY(check_owner(reading, stanza->member.code));
        directory->members[directory->member_count++] = stanza->member;
        return RC_OK;
    case STANZA_NODE:
        TRY(check_owner(reading, stanza->node.code));
        directory->nodes[directory->node_count++] = stanza->node;
        return RC_OK;
    case STANZA_CONVENIO:
    case STANZA_LAW:
        directory->bases[directory->basis_count++] = stanza->basis;
        return RC_OK;
    case STANZA_AVISO:
        directory->avisos[directory->aviso_count++] = stanza->aviso;
        return RC_OK;
    case STANZA_ROUTE:
        TRY(check_route_owner(reading));
        directory->routes[directory->route_count++] = stanza->route;
        return RC_OK;
    case STANZA_AUTHORITY:
        return file_authority(reading);
    case STANZA_QUORUM:
        return file_quorum(reading);
    case STANZA_LIFT:
        directory->lifts[directory->lift_count++] = stanza->lift;
        return RC_OK;
    case STANZA_HOLIDAYS:
        directory->holidays[directory->holiday_count++] = stanza->holidays;
        return RC_OK;
    default:
        TRY(check_owner(reading, stanza->identity.member));
        directory->identities[directory->identity_count++] = stanza->identity;
        return RC_OK;
    }
}

static enum rc begin_stanza(struct reading *reading, char *line)
{
    char *id = strchr(line, ' ');
    enum stanza_kind kind;

    TRY(end_stanza(reading));
    if (id != NULL) {
        *id++ = '\0';
    }
    kind = stanza_kind_of(line);
    if (kind == STANZA_NONE) {
        const char *near = stanza_kind_near(line);

        return complain(reading, reading->line, "%.60s: expected a kind of stanza%s%s%s", line,
                        near != NULL ? ", did you mean " : "", near != NULL ? near : "",
                        near != NULL ? "?" : "");
    }
    if (id == NULL || *id == '\0') {
        return complain(reading, reading->line, "expected \"%s ID\"", line);
    }
    TRY(check_place(reading, kind, line));
    return stanza_open(reading, kind, id);
}

static enum rc read_key(struct reading *reading, char *line)
{
    if (line[1] != ' ' || line[2] == ' ' || line[2] == '\0') {
        return complain(reading, reading->line, "expected two spaces before a key");
    }
    if (reading->stanza.kind == STANZA_NONE) {
        return complain(reading, reading->line, "expected a stanza before its keys");
    }
    return stanza_key(reading, line + 2);
}

static enum rc read_lines(struct reading *reading, struct bytes text)
{
    char line[DIRECTORY_LINE_MAX];
    struct bytes raw;
    unsigned step = 0;

    while (next_line(&text, &raw)) {
        TRY(take_line(reading, raw, line));
        if (step > 0 && (line[0] == '\0' || line[0] == '#')) {
            continue;
        }
        if (step < HEADER_LINES) {
            TRY(read_header(reading, step++, line));
        } else if (line[0] == ' ') {
            TRY(read_key(reading, line));
        } else {
            TRY(begin_stanza(reading, line));
        }
    }
    if (step < HEADER_LINES) {
        return complain(reading, reading->line, "expected four header lines");
    }
    return end_stanza(reading);
}

/* ---- room ---- */

/* How many stanzas of each kind: their rows are allocated once. */
static void count_stanzas(struct bytes text, size_t counts[STANZAS])
{
    struct bytes line;
    char word[16];

    while (next_line(&text, &line)) {
        const uint8_t *space = memchr(line.data, ' ', line.size);
        size_t size = space != NULL ? (size_t)(space - line.data) : 0;

        if (size > 0 && size < sizeof word) {
            memcpy(word, line.data, size);
            word[size] = '\0';
            counts[stanza_kind_of(word)]++;
        }
    }
}

static enum rc complain_memory(struct reading *reading)
{
    complain(reading, 1, "out of memory");
    return RC_RESOURCE_EXHAUSTED;
}

static bool allocate(struct reading *reading, const size_t n[STANZAS], size_t texts)
{
    struct directory *d = reading->directory;
    size_t identities = n[STANZA_SYSTEM] + n[STANZA_OFFICIAL] + n[STANZA_AUDITOR];

    /* One more of each: calloc of nothing may give NULL. */
    d->texts = calloc(texts + 1, sizeof *d->texts);
    d->authorities = calloc(n[STANZA_AUTHORITY] + 1, sizeof *d->authorities);
    d->lifts = calloc(n[STANZA_LIFT] + 1, sizeof *d->lifts);
    d->members = calloc(n[STANZA_MEMBER] + 1, sizeof *d->members);
    d->nodes = calloc(n[STANZA_NODE] + 1, sizeof *d->nodes);
    d->identities = calloc(identities + 1, sizeof *d->identities);
    d->bases = calloc(n[STANZA_CONVENIO] + n[STANZA_LAW] + 1, sizeof *d->bases);
    d->avisos = calloc(n[STANZA_AVISO] + 1, sizeof *d->avisos);
    d->routes = calloc(n[STANZA_ROUTE] + 1, sizeof *d->routes);
    d->holidays = calloc(n[STANZA_HOLIDAYS] + 1, sizeof *d->holidays);
    d->working_terms = calloc(texts + 1, sizeof *d->working_terms);
    reading->reference_max =
        n[STANZA_MEMBER] + identities + REFERENCES_OF_ROUTE * n[STANZA_ROUTE] + 1;
    reading->references = calloc(reading->reference_max, sizeof *reading->references);
    return d->texts != NULL && d->authorities != NULL && d->lifts != NULL && d->members != NULL &&
           d->nodes != NULL && d->identities != NULL && d->bases != NULL && d->avisos != NULL &&
           d->routes != NULL && d->holidays != NULL && d->working_terms != NULL &&
           reading->references != NULL;
}

static enum rc make_room(struct reading *reading, size_t count)
{
    size_t n[STANZAS] = {0};

    for (size_t i = 0; i < count; i++) {
        count_stanzas(reading->sources[i].text, n);
    }
    if (n[STANZA_MEMBER] > DIRECTORY_MEMBERS_MAX || n[STANZA_NODE] > DIRECTORY_NODES_MAX ||
        n[STANZA_SYSTEM] + n[STANZA_OFFICIAL] + n[STANZA_AUDITOR] > DIRECTORY_IDENTITIES_MAX ||
        n[STANZA_CONVENIO] + n[STANZA_LAW] > DIRECTORY_BASES_MAX ||
        n[STANZA_AVISO] > DIRECTORY_AVISOS_MAX || n[STANZA_ROUTE] > DIRECTORY_ROUTES_MAX ||
        n[STANZA_AUTHORITY] > DIRECTORY_AUTHORITIES_MAX || n[STANZA_LIFT] > DIRECTORY_LIFTS_MAX ||
        n[STANZA_HOLIDAYS] > DIRECTORY_HOLIDAYS_MAX) {
        return complain(reading, 1,
                        "expected at most %d members, %d nodes, %d identities, %d legal bases, %d "
                        "avisos, %d routes, %d authorities, %d lifts and %d years of holidays",
                        DIRECTORY_MEMBERS_MAX, DIRECTORY_NODES_MAX, DIRECTORY_IDENTITIES_MAX,
                        DIRECTORY_BASES_MAX, DIRECTORY_AVISOS_MAX, DIRECTORY_ROUTES_MAX,
                        DIRECTORY_AUTHORITIES_MAX, DIRECTORY_LIFTS_MAX, DIRECTORY_HOLIDAYS_MAX);
    }
    return allocate(reading, n, count) ? RC_OK : complain_memory(reading);
}

static enum rc check_size(struct reading *reading, struct bytes text)
{
    if (text.size == 0 || text.size > DIRECTORY_TEXT_MAX) {
        return complain(reading, 1, "expected a text of 1 to %zu bytes", DIRECTORY_TEXT_MAX);
    }
    if (text.data[text.size - 1] != '\n') {
        return complain(reading, 1, "expected a line feed at the end of the text");
    }
    return RC_OK;
}

static enum rc read_all(struct reading *reading, size_t count, enum text_kind kind)
{
    struct directory *directory = reading->directory;

    for (size_t i = 0; i < count; i++) {
        reading->name = reading->sources[i].name;
        TRY(check_size(reading, reading->sources[i].text));
    }
    TRY(make_room(reading, count));
    for (size_t i = 0; i < count; i++) {
        directory->text_count = i + 1;
        directory->texts[i].kind = kind;
        reading->text = (uint16_t)i;
        reading->name = reading->sources[i].name;
        reading->line = 0;
        reading->stanza.kind = STANZA_NONE;
        TRY(read_lines(reading, reading->sources[i].text));
        digest_of(&reading->sources[i].text, 1, directory->texts[i].sha256);
    }
    return directory_check(reading);
}

static enum rc parse(const struct directory_source *sources, size_t count, enum text_kind kind,
                     struct directory **directory, char error[DIRECTORY_ERROR_SIZE])
{
    OWN_PTR(directory) made = calloc(1, sizeof *made);
    struct reading reading = {
        .name = sources[0].name, .error = error, .directory = made, .sources = sources};
    enum rc rc;

    error[0] = '\0';
    if (made == NULL) {
        return complain_memory(&reading);
    }
    rc = read_all(&reading, count, kind);
    free(reading.references);
    TRY(rc);
    *directory = MOVE(made);
    return RC_OK;
}

enum rc directory_parse(struct bytes text, const char *name, struct directory **directory,
                        char error[DIRECTORY_ERROR_SIZE])
{
    const struct directory_source source = {.text = text, .name = name};

    TRY(parse(&source, 1, TEXT_VIEW, directory, error));
    memcpy((*directory)->sha256, (*directory)->texts[0].sha256, HASH_SIZE);
    return RC_OK;
}

/* The texts' digests in ascending order: the order of arrival says nothing. */
static int order_digests(const void *left, const void *right)
{
    return memcmp(left, right, HASH_SIZE);
}

enum rc directory_assemble(const struct directory_source *sources, size_t count,
                           struct directory **directory, char error[DIRECTORY_ERROR_SIZE])
{
    uint8_t(*digests)[HASH_SIZE] = NULL;
    struct bytes all;

    if (count == 0 || count > DIRECTORY_TEXTS_MAX) {
        snprintf(error, DIRECTORY_ERROR_SIZE, "expected 1 to %d texts", DIRECTORY_TEXTS_MAX);
        return RC_INVALID_ARGUMENT;
    }
    TRY(parse(sources, count, TEXT_NETWORK, directory, error));
    digests = calloc(count, HASH_SIZE);
    if (digests == NULL) {
        directory_free(*directory);
        *directory = NULL;
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(digests[i], (*directory)->texts[i].sha256, HASH_SIZE);
    }
    qsort(digests, count, HASH_SIZE, order_digests);
    all = BYTES(digests, count * HASH_SIZE);
    digest_of(&all, 1, (*directory)->sha256);
    free(digests);
    return RC_OK;
}

/* The file's bytes, one more than the maximum at most. */
static enum rc read_file(const char *path, struct buffer *text, char error[DIRECTORY_ERROR_SIZE])
{
    FILE *file = fopen(path, "re");
    uint8_t chunk[16384];
    size_t n;
    int failure;

    if (file == NULL) {
        snprintf(error, DIRECTORY_ERROR_SIZE, "%.200s: cannot be read: %s", path, strerror(errno));
        return errno == ENOENT ? RC_NOT_FOUND : RC_INVALID_ARGUMENT;
    }
    while (text->size <= DIRECTORY_TEXT_MAX && (n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_put(text, chunk, n);
    }
    failure = ferror(file);
    fclose(file);
    if (failure != 0 || text->is_failed) {
        snprintf(error, DIRECTORY_ERROR_SIZE, "%.200s: cannot be read", path);
        return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_INVALID_ARGUMENT;
    }
    return RC_OK;
}

enum rc directory_read(const char *path, struct directory **directory,
                       char error[DIRECTORY_ERROR_SIZE])
{
    OWN(buffer) text = {0};

    TRY(read_file(path, &text, error));
    return directory_parse(buffer_bytes(&text), path, directory, error);
}

void directory_free(struct directory *directory)
{
    if (directory == NULL) {
        return;
    }
    for (size_t i = 0; directory->working_terms != NULL && i < directory->text_count; i++) {
        free(directory->working_terms[i].days);
    }
    free(directory->working_terms);
    free(directory->holidays);
    free(directory->texts);
    free(directory->authorities);
    free(directory->lifts);
    free(directory->suspended);
    free(directory->members);
    free(directory->nodes);
    free(directory->identities);
    free(directory->bindings);
    free(directory->bases);
    free(directory->avisos);
    free(directory->routes);
    free(directory);
}
