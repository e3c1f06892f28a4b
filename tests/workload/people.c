#include "workload/people.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"

/* Ages are those on the report's day. */
#define REPORT_YEAR 2019

struct share {
    const char *value;
    unsigned counts[GROUPS];
};

/*
 * The first column is the report's. For the other 143 cases the report gives totals only
 * (55 women, 58 men, 3 collectives, 27 unsaid; 59 defenders, 81 journalists, 3 press
 * collaborators; no age at all): how they fall on columns two and three is our choice.
 */
static const struct share sexes[] = {
    {"mujer", {17, 20, 35}},
    {"hombre", {5, 19, 39}},
    {"colectivo", {0, 1, 2}},
    {"no_especificado", {0, 10, 17}},
};
static const struct share activities[] = {
    {"defensora", {16, 22, 37}},
    {"periodista", {6, 27, 54}},
    {"colaboradora", {0, 1, 2}},
};
static const struct share ages[] = {
    {"20-30", {1, 0, 0}},
    {"31-40", {9, 0, 0}},
    {"41-50", {5, 0, 0}},
    {"51-60", {4, 0, 0}},
    {"no_especificado", {3, PEOPLE_REFERRED, PEOPLE_FEDERAL}},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const unsigned group_sizes[GROUPS] = {PEOPLE_INCORPORATED, PEOPLE_REFERRED, PEOPLE_FEDERAL};

struct id people_id(uint64_t seed, const char *label, uint32_t first, uint32_t second)
{
    uint8_t key[8];
    uint8_t numbers[8];
    uint8_t digest[DIGEST_SIZE];
    struct id id;

    put_u64(key, seed);
    put_u32(numbers, first);
    put_u32(numbers + 4, second);
    hmac_of(BYTES_OF(key), (struct bytes[]){bytes_text(label), BYTES_OF(numbers)}, 2, digest);
    memcpy(id.bytes, digest, sizeof id.bytes);
    return id;
}

uint32_t people_draw(uint64_t seed, const char *label, uint32_t n, uint32_t below)
{
    struct id random = people_id(seed, label, n, 0);

    return (uint32_t)(get_u64(random.bytes) % below);
}

/* Deals each value as often as its share says, then shuffles (Fisher-Yates). */
static void deal(uint64_t seed, const char *label, const struct share *shares, size_t count,
                 enum people_group group, const char **into)
{
    unsigned n = 0;

    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < shares[i].counts[group]; k++) {
            into[n++] = shares[i].value;
        }
    }
    for (unsigned i = n; i > 1; i--) {
        unsigned j = people_draw(seed, label, (uint32_t)group * 1000 + i, i);
        const char *swapped = into[i - 1];

        into[i - 1] = into[j];
        into[j] = swapped;
    }
}

/* The check digit of 17 characters of ASCII; Ñ shifts the letters after N by one. */
static char check_digit(const char *curp)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < 17; i++) {
        char c = curp[i];
        unsigned value = c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10 + (c > 'N');

        sum += value * (18 - i);
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

static void give_birth_date(uint64_t seed, unsigned number, struct person *person)
{
    unsigned from = 0;
    unsigned to = 0;
    unsigned year;
    unsigned month;
    unsigned day;

    if (sscanf(person->age_range, "%u-%u", &from, &to) != 2) {
        return;
    }
    /* Birthdays before December, so that age is the difference of years. */
    year = REPORT_YEAR - from - people_draw(seed, "year", number, to - from + 1);
    month = 1 + people_draw(seed, "month", number, 11);
    day = 1 + people_draw(seed, "day", number, 28);
    snprintf(person->birth_date, sizeof person->birth_date, "%04u-%02u-%02u", year % 10000,
             month % 100, day % 100);
}

static void give_curp(unsigned number, struct person *person)
{
    const char *date = person->birth_date;
    char sex = strcmp(person->sex, "mujer") == 0 ? 'M' : 'H';

    if (date[0] == '\0' || strcmp(person->sex, "colectivo") == 0 ||
        strcmp(person->sex, "no_especificado") == 0) {
        return;
    }
    snprintf(person->curp, sizeof person->curp, "XXXX%.2s%.2s%.2s%cNEXXX%u", date + 2, date + 5,
             date + 8, sex, number % 10);
    person->curp[17] = check_digit(person->curp);
    person->curp[18] = '\0';
}

static void give_name(unsigned number, struct person *person)
{
    bool is_collective = strcmp(person->sex, "colectivo") == 0;

    snprintf(person->full_name, sizeof person->full_name, "%s %03u",
             is_collective ? "Colectivo Sintético" : "Persona Sintética", number);
}

void people_make(uint64_t seed, struct person people[PEOPLE_CASES])
{
    unsigned first = 0;

    for (int group = 0; group < GROUPS; first += group_sizes[group], group++) {
        const char *sex[PEOPLE_CASES];
        const char *activity[PEOPLE_CASES];
        const char *age[PEOPLE_CASES];

        deal(seed, "sex", sexes, COUNT(sexes), (enum people_group)group, sex);
        deal(seed, "activity", activities, COUNT(activities), (enum people_group)group, activity);
        deal(seed, "age", ages, COUNT(ages), (enum people_group)group, age);
        for (unsigned i = 0; i < group_sizes[group]; i++) {
            struct person *person = &people[first + i];

            *person = (struct person){.group = (enum people_group)group,
                                      .sex = sex[i],
                                      .activity = activity[i],
                                      .age_range = age[i]};
            give_name(first + i + 1, person);
            give_birth_date(seed, first + i, person);
            give_curp(first + i + 1, person);
        }
    }
}
