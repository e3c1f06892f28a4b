#include "sdk/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sdk/idset.h"

#define LINE_SIZE 128

struct ledger {
    int file;
    struct idset ids;
    struct ledger_counts counts;
    struct buffer lines; /* not written yet */
};

static void count(struct ledger *ledger, enum message_type type, enum event event)
{
    unsigned index = (unsigned)type - MESSAGE_REFERRAL;

    ledger->counts.messages++;
    if (index < LEDGER_TYPES) {
        ledger->counts.types[index]++;
    }
    if (type == MESSAGE_ACT && event < EVENTS) {
        ledger->counts.acts[event]++;
    }
}

static enum rc take_line(struct ledger *ledger, char *line)
{
    char *type = strchr(line, ' ');
    char *event = type != NULL ? strchr(type + 1, ' ') : NULL;
    struct id id;

    if (event == NULL) {
        return RC_DATA_LOSS;
    }
    *type++ = '\0';
    *event++ = '\0';
    TRY(id_parse(line, &id));
    TRY(idset_add(&ledger->ids, &id));
    count(ledger, message_type_from_name(type), event_from_name(event));
    return RC_OK;
}

/* Reads whole lines; what a crash left after the last one is cut away. */
static enum rc load(struct ledger *ledger, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    long good = 0;
    enum rc rc = RC_OK;

    if (file == NULL) {
        return failed(RC_UNAVAILABLE, "ledger.open", "path=%s cause=%s", path, strerror(errno));
    }
    while (rc == RC_OK && fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(line);

        if (length == 0 || line[length - 1] != '\n') {
            break;
        }
        line[length - 1] = '\0';
        rc = take_line(ledger, line);
        good = ftell(file);
    }
    fclose(file);
    if (rc != RC_OK) {
        return failed(rc, "ledger.damaged", "path=%s after_byte=%ld", path, good);
    }
    return ftruncate(ledger->file, good) == 0
               ? RC_OK
               : failed(RC_UNAVAILABLE, "ledger.open", "path=%s cause=%s", path, strerror(errno));
}

enum rc ledger_open(const char *folder, struct ledger **ledger)
{
    OWN_PTR(ledger) made = calloc(1, sizeof *made);
    char path[600];

    if (made == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "ledger.open", "cause=memory");
    }
    snprintf(path, sizeof path, "%s/handled.log", folder);
    made->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (made->file < 0) {
        return failed(RC_UNAVAILABLE, "ledger.open", "path=%s cause=%s", path, strerror(errno));
    }
    TRY(load(made, path));
    *ledger = MOVE(made);
    return RC_OK;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger != NULL) {
        if (ledger->file >= 0) {
            close(ledger->file);
        }
        idset_release(&ledger->ids);
        buffer_release(&ledger->lines);
        free(ledger);
    }
}

bool ledger_has(const struct ledger *ledger, const struct id *id)
{
    return idset_find(&ledger->ids, id) != NULL;
}

enum rc ledger_add(struct ledger *ledger, const struct header *header)
{
    char id[ID_TEXT_SIZE];

    TRY(idset_add(&ledger->ids, &header->message_id));
    count(ledger, header->type, header->event);
    id_format(&header->message_id, id);
    buffer_print(&ledger->lines, "%s %s %s\n", id, message_type_name(header->type),
                 event_name(header->event));
    return ledger->lines.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc ledger_sync(struct ledger *ledger)
{
    size_t done = 0;

    if (ledger->lines.size == 0) {
        return RC_OK;
    }
    while (done < ledger->lines.size) {
        ssize_t n = write(ledger->file, ledger->lines.data + done, ledger->lines.size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return failed(RC_UNAVAILABLE, "ledger.write", "cause=%s", strerror(errno));
        }
        done += (size_t)n;
    }
    if (fdatasync(ledger->file) != 0) {
        return failed(RC_UNAVAILABLE, "ledger.sync", "cause=%s", strerror(errno));
    }
    buffer_clear(&ledger->lines);
    return RC_OK;
}

const struct ledger_counts *ledger_counts(const struct ledger *ledger)
{
    return &ledger->counts;
}
