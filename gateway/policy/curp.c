#include "policy/curp.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

#define CURP_SIZE 18
#define ENYE 24 /* the value of Ñ, between N (23) and O (25) */

/* Value of the next character, moving on; -1 outside the alphabet. */
static int next_value(const char **at)
{
    const unsigned char *c = (const unsigned char *)*at;

    if (c[0] == 0xc3 && c[1] == 0x91) {
        *at += 2;
        return ENYE;
    }
    *at += c[0] != '\0';
    if (c[0] >= '0' && c[0] <= '9') {
        return c[0] - '0';
    }
    if (c[0] >= 'A' && c[0] <= 'Z') {
        return c[0] - 'A' + 10 + (c[0] > 'N');
    }
    return -1;
}

static bool is_letter(int value)
{
    return value >= 10;
}

static char letter_of(int value)
{
    return value == ENYE ? '?' : (char)('A' + value - 10 - (value > ENYE));
}

static bool is_state(int first, int second)
{
    static const char states[] =
        "ASBCBSCCCLCMCSCHDFDGGTGRHGJCMCMNMSNTNLOCPLQTQRSPSLSRTCTSTLVZYNZSNE";

    for (size_t i = 0; i + 1 < sizeof states; i += 2) {
        if (states[i] == letter_of(first) && states[i + 1] == letter_of(second)) {
            return true;
        }
    }
    return false;
}

static bool is_date(const int values[CURP_SIZE])
{
    char text[11] = "1900-00-00";
    int32_t day;

    memcpy(text, is_letter(values[16]) ? "20" : "19", 2);
    for (int i = 0; i < 6; i++) {
        if (values[4 + i] > 9) {
            return false;
        }
        text[2 + i + i / 2] = (char)('0' + values[4 + i]); /* AA-MM-DD from text[2] on */
    }
    return clock_parse_date(BYTES(text, 10), &day) == RC_OK;
}

static bool is_well_formed(const int values[CURP_SIZE])
{
    char sex = letter_of(values[10]);

    for (int i = 0; i < CURP_SIZE - 1; i++) {
        bool is_number = (i >= 4 && i < 10);

        if (i != 16 && is_letter(values[i]) == is_number) {
            return false;
        }
    }
    return values[17] <= 9 && (sex == 'H' || sex == 'M' || sex == 'X') &&
           is_state(values[11], values[12]) && is_date(values);
}

enum curp_verdict curp_check(const char *text)
{
    int values[CURP_SIZE];
    int sum = 0;

    for (int i = 0; i < CURP_SIZE; i++) {
        values[i] = next_value(&text);
        if (values[i] < 0) {
            return CURP_MALFORMED;
        }
        sum += i < CURP_SIZE - 1 ? values[i] * (CURP_SIZE - i) : 0;
    }
    if (*text != '\0' || !is_well_formed(values)) {
        return CURP_MALFORMED;
    }
    return values[17] == (10 - sum % 10) % 10 ? CURP_GOOD : CURP_WRONG_DIGIT;
}
