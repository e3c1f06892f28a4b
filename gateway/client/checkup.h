/*
 * checkup - what the figures of a node mean for who looks after it: what needs doing, the most
 * urgent first, in words with the remedy. Pure.
 */
#ifndef CLIENT_CHECKUP_H
#define CLIENT_CHECKUP_H

#include "model/condition.h"

#define CHECKUP_MAX 64

enum ailment_grade {
    AILMENT_SOON = 1, /* in days */
    AILMENT_NOW,      /* somebody waits, or will today */
};

struct ailment {
    enum ailment_grade grade;
    char what[192];
    char remedy[192];
};

struct checkup {
    struct ailment items[CHECKUP_MAX];
    size_t count;
};

void checkup_make(const struct condition *condition, int64_t now_s, struct checkup *checkup);

/* "3 min", "5 h", "12 días": whole, rounded down. */
#define SPAN_SIZE 24
void span_text(int64_t seconds, char out[SPAN_SIZE]);

#endif
