/*
 * duty_roster - who of a member is woken, when, in which order and by which channel.
 *
 *     enlace-duty v1
 *     member cdmx/ssc
 *     version 3
 *     in-force 2026-11-01..2027-10-31
 *
 *     # A comment.
 *     shift noche
 *       days mon..sun
 *       hours 20:00-08:00
 *       official enlace-01 smtp guardia@ssc.example
 *       official enlace-02 webhook https://avisos.ssc.example/guardia
 *       official enlace-03 command sms
 *
 * A text of its own beside the member's roster (directory_file.h), signed as a C2SP note by a key
 * of that roster, and read by the node that hosts the member alone: peers have no business with the
 * addresses of people on duty. Hours are local (Mexico City); a shift that ends before it begins
 * lasts into the next day; equal hours are the whole day. Days are those on which it begins. Of the
 * shifts that cover an instant the officials are woken in the order of the text, each once.
 * `command` names a program of the operator's settings, never a path.
 *
 * Refused, with the line: unknown keys, duplicates, reversed dates; an official that the member
 * does not have; a channel that is none, a webhook that is not https, an address that is none; and
 * a week with a minute in which nobody is on duty. Pure; any thread.
 */
#ifndef POLICY_DUTY_ROSTER_H
#define POLICY_DUTY_ROSTER_H

#include "base/bytes.h"
#include "model/directory.h"

#define DUTY_ROSTER_TEXT_MAX ((size_t)64 << 10)
#define DUTY_SHIFTS_MAX 32
#define DUTY_OFFICIALS_MAX 16
#define DUTY_TARGET_SIZE 224

enum duty_channel { DUTY_SMTP = 1, DUTY_WEBHOOK, DUTY_COMMAND, DUTY_CHANNELS };

struct duty_official {
    char name[CODE_SIZE]; /* "enlace-01": as in the member's roster */
    enum duty_channel channel;
    char target[DUTY_TARGET_SIZE];
};

struct duty_shift {
    char name[CODE_SIZE];
    uint8_t days; /* bit 0: Monday */
    uint16_t from_minute;
    uint16_t to_minute; /* not after from_minute: of the next day */
    struct duty_official officials[DUTY_OFFICIALS_MAX];
    size_t official_count;
    unsigned line;
};

struct duty_roster {
    char member[CODE_SIZE];
    uint64_t version;
    struct dates in_force;
    uint8_t sha256[HASH_SIZE]; /* of the text */
    struct duty_shift shifts[DUTY_SHIFTS_MAX];
    size_t shift_count;
};

/* RC_INVALID_ARGUMENT "duty.malformed", "duty.uncovered"; the path is the line. */
MUST_CHECK enum rc duty_roster_parse(struct bytes text, struct duty_roster *roster,
                                     struct fault *fault);
/*
 * A note of this member: signed by a key of its roster, and each official is its own.
 * RC_PERMISSION_DENIED "law.roster_key", "duty.official"; RC_UNAUTHENTICATED "note.signature".
 */
MUST_CHECK enum rc duty_roster_read(const struct directory *directory, struct bytes note,
                                    int32_t today, struct duty_roster *roster, struct fault *fault);
/* Who is on duty at that instant, in order; returns how many, at most `max`. */
size_t duty_roster_at(const struct duty_roster *roster, int64_t now_ms,
                      const struct duty_official *officials[], size_t max);

/* "smtp", "webhook", "command". */
const char *duty_channel_name(enum duty_channel channel);

#endif
