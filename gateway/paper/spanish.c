#include "paper/spanish.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char *const months[] = {"enero",      "febrero", "marzo",     "abril",
                                     "mayo",       "junio",   "julio",     "agosto",
                                     "septiembre", "octubre", "noviembre", "diciembre"};

/* In Mexico City, read off the text that says it. */
struct moment {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
};

static struct moment moment_of(int64_t instant_ms)
{
    char text[CLOCK_TEXT_SIZE];
    struct moment moment;

    clock_format_local(instant_ms, text); /* 2026-11-23T13:32:30-06:00 */
    moment.year = (unsigned)strtoul(text, NULL, 10);
    moment.month = (unsigned)strtoul(text + 5, NULL, 10);
    moment.day = (unsigned)strtoul(text + 8, NULL, 10);
    moment.hour = (unsigned)strtoul(text + 11, NULL, 10);
    moment.minute = (unsigned)strtoul(text + 14, NULL, 10);
    return moment;
}

/* ---- numbers ---- */

static void below_hundred(unsigned number, struct buffer *out)
{
    static const char *const small[] = {
        "cero",         "uno",         "dos",        "tres",        "cuatro",     "cinco",
        "seis",         "siete",       "ocho",       "nueve",       "diez",       "once",
        "doce",         "trece",       "catorce",    "quince",      "dieciséis",  "diecisiete",
        "dieciocho",    "diecinueve",  "veinte",     "veintiuno",   "veintidós",  "veintitrés",
        "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve"};
    static const char *const tens[] = {"treinta", "cuarenta", "cincuenta", "sesenta",
                                       "setenta", "ochenta",  "noventa"};

    if (number < 30) {
        buffer_print(out, "%s", small[number]);
        return;
    }
    buffer_print(out, "%s", tens[number / 10 - 3]);
    if (number % 10 > 0) {
        buffer_print(out, " y %s", small[number % 10]);
    }
}

static void below_thousand(unsigned number, struct buffer *out)
{
    static const char *const hundreds[] = {"ciento",        "doscientos",  "trescientos",
                                           "cuatrocientos", "quinientos",  "seiscientos",
                                           "setecientos",   "ochocientos", "novecientos"};

    if (number == 100) {
        buffer_print(out, "cien");
        return;
    }
    if (number >= 100) {
        buffer_print(out, "%s", hundreds[number / 100 - 1]);
        number %= 100;
        if (number == 0) {
            return;
        }
        buffer_print(out, " ");
    }
    below_hundred(number, out);
}

void spanish_number(unsigned number, struct buffer *out)
{
    assert(number <= SPANISH_NUMBER_MAX);
    if (number >= 2000) {
        below_hundred(number / 1000, out);
        buffer_print(out, " ");
    }
    if (number >= 1000) {
        buffer_print(out, number % 1000 > 0 ? "mil " : "mil");
        number %= 1000;
        if (number == 0) {
            return;
        }
    }
    below_thousand(number, out);
}

/* Before a noun "uno" becomes "un" or "una": "veintiún minutos", "treinta y una horas". */
static void counted(unsigned number, bool is_feminine, const char *noun, struct buffer *out)
{
    OWN(buffer) words = {0};
    size_t length;

    spanish_number(number, &words);
    length = words.size;
    if (number % 10 == 1 && number != 11) {
        length -= strlen("uno");
        buffer_put(out, words.data, length);
        buffer_print(out, "%s", is_feminine ? "una" : number == 21 ? "ún" : "un");
    } else {
        buffer_put_bytes(out, buffer_bytes(&words));
    }
    buffer_print(out, " %s%s", noun, number == 1 ? "" : "s");
}

/* ---- instants ---- */

void spanish_date(int64_t instant_ms, struct buffer *out)
{
    struct moment moment = moment_of(instant_ms);

    buffer_print(out, "%u de %s de %u", moment.day, months[moment.month - 1], moment.year);
}

void spanish_instant(int64_t instant_ms, struct buffer *out)
{
    struct moment moment = moment_of(instant_ms);

    spanish_date(instant_ms, out);
    buffer_print(out, ", %02u:%02u horas", moment.hour, moment.minute);
}

void spanish_instant_words(int64_t instant_ms, struct buffer *out)
{
    struct moment moment = moment_of(instant_ms);

    if (moment.day == 1) {
        buffer_print(out, "primero");
    } else {
        spanish_number(moment.day, out);
    }
    buffer_print(out, " de %s de ", months[moment.month - 1]);
    spanish_number(moment.year, out);
    buffer_print(out, ", ");
    counted(moment.hour, true, "hora", out);
    if (moment.minute > 0) {
        buffer_print(out, " con ");
        counted(moment.minute, false, "minuto", out);
    }
}
