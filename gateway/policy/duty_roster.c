#include "policy/duty_roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "policy/law.h"
#include "policy/member.h"
#include "tlog/note.h"
#include "tlog/text.h"

#define DAY_MINUTES 1440
#define WEEK_MINUTES (7 * DAY_MINUTES)

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const channel_names[DUTY_CHANNELS] = {"", "smtp", "webhook", "command"};

const char *duty_channel_name(enum duty_channel channel)
{
    return (unsigned)channel < DUTY_CHANNELS ? channel_names[channel] : "";
}

struct reading_duty {
    struct duty_roster *roster;
    struct duty_shift *shift; /* the one that is open, or NULL */
    unsigned line;
    struct fault *fault;
};

static enum rc complain_line(const struct reading_duty *reading, const char *expected)
{
    char path[24];

    snprintf(path, sizeof path, "línea %u", reading->line);
    return refuse(reading->fault, RC_INVALID_ARGUMENT, "duty.malformed", path, "Se espera: %s",
                  expected);
}

/* ---- values ---- */

static bool read_day(const char *text, unsigned *day)
{
    for (unsigned i = 0; i < 7; i++) {
        if (strncmp(text, day_names[i], 3) == 0) {
            *day = i;
            return true;
        }
    }
    return false;
}

/* "mon..fri" or "sat"; a range may pass the end of the week. */
static bool add_days(const char *word, uint8_t *days)
{
    unsigned from = 0;
    unsigned to = 0;
    size_t size = strlen(word);

    if (!read_day(word, &from) ||
        (size != 3 && (size != 8 || strncmp(word + 3, "..", 2) != 0 || !read_day(word + 5, &to)))) {
        return false;
    }
    to = size == 3 ? from : to;
    for (unsigned day = from;; day = (day + 1) % 7) {
        *days |= (uint8_t)(1u << day);
        if (day == to) {
            return true;
        }
    }
}

static enum rc read_days(const struct reading_duty *reading, char *value)
{
    char *save = NULL;

    if (reading->shift->days != 0) {
        return complain_line(reading, "days una sola vez en cada turno");
    }
    for (char *word = strtok_r(value, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        if (!add_days(word, &reading->shift->days)) {
            return complain_line(reading, "days mon..fri, o sat sun");
        }
    }
    return RC_OK;
}

static bool read_minute(const char *text, uint16_t *minute)
{
    static const char digits[] = "0123456789";
    int hours;
    int minutes;

    if (strspn(text, digits) != 2 || text[2] != ':' || strspn(text + 3, digits) != 2) {
        return false;
    }
    hours = (text[0] - '0') * 10 + text[1] - '0';
    minutes = (text[3] - '0') * 10 + text[4] - '0';
    *minute = (uint16_t)(hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

static enum rc read_hours(const struct reading_duty *reading, const char *value)
{
    struct duty_shift *shift = reading->shift;

    if (shift->to_minute != UINT16_MAX) {
        return complain_line(reading, "hours una sola vez en cada turno");
    }
    if (strlen(value) != 11 || value[5] != '-' || !read_minute(value, &shift->from_minute) ||
        !read_minute(value + 6, &shift->to_minute)) {
        return complain_line(reading, "hours HH:MM-HH:MM, hora local");
    }
    return RC_OK;
}

/* One mailbox, bare: what goes into a command of SMTP, not what RFC 5322 would let through. */
static bool is_address(const char *text)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._+";
    const char *at = strchr(text, '@');

    return at != NULL && at != text && strspn(text, word) == (size_t)(at - text) && at[1] != '\0' &&
           at[1] != '.' && strspn(at + 1, word) == strlen(at + 1) && strlen(text) <= 200;
}

static bool is_webhook(const char *text)
{
    static const char *const start = "https://";

    return strncmp(text, start, strlen(start)) == 0 && text[strlen(start)] != '\0' &&
           strpbrk(text + strlen(start), " #@\"<>\\") == NULL;
}

static bool is_target(enum duty_channel channel, const char *text)
{
    switch (channel) {
    case DUTY_SMTP:
        return is_address(text);
    case DUTY_WEBHOOK:
        return is_webhook(text);
    case DUTY_COMMAND:
        return member_label_is_valid(text);
    default:
        return false;
    }
}

static enum rc read_official(const struct reading_duty *reading, char *value)
{
    struct duty_shift *shift = reading->shift;
    struct duty_official *official = &shift->officials[shift->official_count];
    char *save = NULL;
    const char *name = strtok_r(value, " ", &save);
    const char *channel = strtok_r(NULL, " ", &save);
    const char *target = strtok_r(NULL, "", &save);

    if (shift->official_count == DUTY_OFFICIALS_MAX) {
        return complain_line(reading, "a lo más 16 personas en un turno");
    }
    if (name == NULL || channel == NULL || target == NULL || !member_label_is_valid(name)) {
        return complain_line(reading, "official CLAVE smtp|webhook|command DESTINO");
    }
    official->channel = DUTY_CHANNELS;
    for (int i = DUTY_SMTP; i < DUTY_CHANNELS; i++) {
        official->channel =
            strcmp(channel, channel_names[i]) == 0 ? (enum duty_channel)i : official->channel;
    }
    if (strlen(target) >= sizeof official->target || !is_target(official->channel, target)) {
        return complain_line(reading, "smtp BUZÓN@DOMINIO, webhook https://…, o command NOMBRE");
    }
    for (size_t i = 0; i < shift->official_count; i++) {
        if (strcmp(shift->officials[i].name, name) == 0) {
            return complain_line(reading, "cada persona una sola vez en un turno");
        }
    }
    snprintf(official->name, sizeof official->name, "%s", name);
    snprintf(official->target, sizeof official->target, "%s", target);
    shift->official_count++;
    return RC_OK;
}

/* ---- lines ---- */

static enum rc close_shift(struct reading_duty *reading)
{
    const struct duty_shift *shift = reading->shift;

    if (shift != NULL &&
        (shift->days == 0 || shift->to_minute == UINT16_MAX || shift->official_count == 0)) {
        return complain_line(reading, "days, hours y al menos un official en el turno anterior");
    }
    reading->shift = NULL;
    return RC_OK;
}

static enum rc open_shift(struct reading_duty *reading, const char *name)
{
    struct duty_roster *roster = reading->roster;

    TRY(close_shift(reading));
    if (roster->shift_count == DUTY_SHIFTS_MAX || !member_label_is_valid(name)) {
        return complain_line(reading, "shift NOMBRE, a lo más 32");
    }
    for (size_t i = 0; i < roster->shift_count; i++) {
        if (strcmp(roster->shifts[i].name, name) == 0) {
            return complain_line(reading, "otro nombre: ese turno ya está");
        }
    }
    reading->shift = &roster->shifts[roster->shift_count++];
    *reading->shift = (struct duty_shift){.to_minute = UINT16_MAX, .line = reading->line};
    snprintf(reading->shift->name, sizeof reading->shift->name, "%.63s", name);
    return RC_OK;
}

static enum rc read_key_line(const struct reading_duty *reading, char *line)
{
    char *value = strchr(line, ' ');

    if (reading->shift == NULL || value == NULL) {
        return complain_line(reading, "shift NOMBRE antes de sus renglones");
    }
    *value++ = '\0';
    if (strcmp(line, "days") == 0) {
        return read_days(reading, value);
    }
    if (strcmp(line, "hours") == 0) {
        return read_hours(reading, value);
    }
    if (strcmp(line, "official") == 0) {
        return read_official(reading, value);
    }
    return complain_line(reading, "days, hours u official");
}

static bool read_range(const char *value, struct dates *dates)
{
    return strlen(value) == 22 && strncmp(value + 10, "..", 2) == 0 &&
           clock_parse_date(BYTES(value, 10), &dates->from_day) == RC_OK &&
           clock_parse_date(BYTES(value + 12, 10), &dates->to_day) == RC_OK &&
           dates->from_day <= dates->to_day;
}

static enum rc read_head(const struct reading_duty *reading, unsigned step, const char *line)
{
    static const struct {
        const char *start;
        const char *expected;
    } rows[] = {{"enlace-duty ", "enlace-duty v1"},
                {"member ", "member RED/CLAVE"},
                {"version ", "version N, desde 1"},
                {"in-force ", "in-force AAAA-MM-DD..AAAA-MM-DD"}};
    struct duty_roster *roster = reading->roster;
    size_t size = strlen(rows[step].start);
    const char *value = line + size;
    bool is_good = strncmp(line, rows[step].start, size) == 0;

    switch (is_good ? step : 4) {
    case 0:
        is_good = strcmp(value, "v1") == 0;
        break;
    case 1:
        is_good = member_code_is_valid(value);
        snprintf(roster->member, sizeof roster->member, "%.63s", is_good ? value : "");
        break;
    case 2:
        is_good = text_decimal(bytes_text(value), &roster->version) == RC_OK && roster->version > 0;
        break;
    case 3:
        is_good = read_range(value, &roster->in_force);
        break;
    default:
        break;
    }
    return is_good ? RC_OK : complain_line(reading, rows[step].expected);
}

static enum rc read_lines(struct reading_duty *reading, struct bytes text)
{
    unsigned step = 0;
    struct bytes raw;

    while (text_line(&text, &raw)) {
        char line[512];

        reading->line++;
        if (raw.size >= sizeof line) {
            return complain_line(reading, "renglones de menos de 512 bytes");
        }
        if (raw.size > 0) {
            memcpy(line, raw.data, raw.size);
        }
        line[raw.size] = '\0';
        if (step < 4) {
            TRY(read_head(reading, step++, line));
        } else if (line[0] == '\0' || line[0] == '#') {
            continue;
        } else if (strncmp(line, "  ", 2) == 0 && line[2] != ' ') {
            TRY(read_key_line(reading, line + 2));
        } else if (strncmp(line, "shift ", 6) == 0) {
            TRY(open_shift(reading, line + 6));
        } else {
            return complain_line(reading, "shift NOMBRE, o dos espacios y uno de sus renglones");
        }
    }
    return step < 4 ? complain_line(reading, "cuatro renglones de encabezado")
                    : close_shift(reading);
}

/* ---- the week ---- */

static bool covers(const struct duty_shift *shift, unsigned minute)
{
    unsigned day = minute / DAY_MINUTES;
    unsigned at = minute % DAY_MINUTES;
    bool is_today = (shift->days & 1u << day) != 0;
    bool was_yesterday = (shift->days & 1u << (day + 6) % 7) != 0;

    if (shift->from_minute < shift->to_minute) {
        return is_today && at >= shift->from_minute && at < shift->to_minute;
    }
    return (is_today && at >= shift->from_minute) || (was_yesterday && at < shift->to_minute);
}

static enum rc check_week(const struct duty_roster *roster, struct fault *fault)
{
    for (unsigned minute = 0; minute < WEEK_MINUTES; minute++) {
        bool is_covered = false;

        for (size_t i = 0; i < roster->shift_count && !is_covered; i++) {
            is_covered = covers(&roster->shifts[i], minute);
        }
        if (!is_covered) {
            return refuse(fault, RC_INVALID_ARGUMENT, "duty.uncovered", "",
                          "Nadie está de guardia %s a las %02u:%02u: cubra toda la semana.",
                          day_names[minute / DAY_MINUTES], minute % DAY_MINUTES / 60, minute % 60);
        }
    }
    return RC_OK;
}

static bool is_listed(const struct duty_official *const *officials, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(officials[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

size_t duty_roster_at(const struct duty_roster *roster, int64_t now_ms,
                      const struct duty_official *officials[], size_t max)
{
    int32_t day = clock_local_day(now_ms);
    unsigned weekday = (unsigned)(clock_weekday(day) + 6) % 7; /* 0 is Monday */
    unsigned at = (unsigned)((now_ms - clock_local_midnight_ms(day)) / 60000);
    unsigned minute = weekday * DAY_MINUTES + (at < DAY_MINUTES ? at : DAY_MINUTES - 1);
    size_t count = 0;

    for (size_t i = 0; i < roster->shift_count; i++) {
        const struct duty_shift *shift = &roster->shifts[i];

        for (size_t j = 0; j < shift->official_count && covers(shift, minute); j++) {
            if (count < max && !is_listed(officials, count, shift->officials[j].name)) {
                officials[count++] = &shift->officials[j];
            }
        }
    }
    return count;
}

/* ---- reading ---- */

enum rc duty_roster_parse(struct bytes text, struct duty_roster *roster, struct fault *fault)
{
    struct reading_duty reading = {.roster = roster, .fault = fault};

    memset(roster, 0, sizeof *roster);
    if (text.size == 0 || text.size > DUTY_ROSTER_TEXT_MAX || text.data[text.size - 1] != '\n' ||
        !text_is_clean(text, TEXT_LINES)) {
        return complain_line(&reading, "texto UTF-8 de a lo más 64 KiB, con fin de renglón");
    }
    TRY(read_lines(&reading, text));
    digest_of(&text, 1, roster->sha256);
    return check_week(roster, fault);
}

static enum rc check_officials(const struct directory *directory, const struct duty_roster *roster,
                               int32_t today, struct fault *fault)
{
    for (size_t i = 0; i < roster->shift_count; i++) {
        const struct duty_shift *shift = &roster->shifts[i];

        for (size_t j = 0; j < shift->official_count; j++) {
            const char *name = shift->officials[j].name;

            if (!official_is_in_force(directory, roster->member, name, today)) {
                char path[24];

                snprintf(path, sizeof path, "línea %u", shift->line);
                return refuse(fault, RC_PERMISSION_DENIED, "duty.official", path,
                              "%s no es una persona vigente en el registro de %s.", name,
                              roster->member);
            }
        }
    }
    return RC_OK;
}

enum rc duty_roster_read(const struct directory *directory, struct bytes bytes, int32_t today,
                         struct duty_roster *roster, struct fault *fault)
{
    struct note note;

    if (note_parse(bytes, &note) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "note.malformed", "",
                      "No es una nota firmada: fírmela con «enlace duty sign».");
    }
    TRY(duty_roster_parse(note.text, roster, fault));
    TRY(law_check_member_note(directory, roster->member, &note, fault));
    return check_officials(directory, roster, today, fault);
}
