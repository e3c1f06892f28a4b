/*
 * catalogue - what can be asked for: one const table of codes, with class and who implements them.
 *
 * Phrases are those of the 2019 activity report; codes are ours. FED-* beside FED-APO are the
 * measures that the federal law lists (LPPDDHP 32-34). Which member may get which code is decided
 * by routes; the executors here are the customary ones. Pure; any thread.
 */
#ifndef POLICY_CATALOGUE_H
#define POLICY_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/message.h"

enum catalogue_class {
    CLASS_NONE,
    CLASS_URGENT,     /* protección urgente */
    CLASS_PREVENTION, /* prevención: the report's word for individual acts */
    CLASS_SOCIAL,
    CLASS_PROTECTION,
    CLASS_REFERRAL, /* canalización, atención */
    CLASS_SUPPORT,  /* apoyo a casos del Mecanismo Federal */
    CLASS_FEDERAL_URGENT,
    CLASS_FEDERAL_PROTECTION,
    CLASS_FEDERAL_PREVENTIVE, /* the law's "medidas preventivas", not the report's "prevención" */
    CLASSES
};

struct catalogue_entry {
    const char *code;
    const char *phrase; /* Mexican Spanish */
    enum catalogue_class class;
    const char *executors; /* members' codes apart by one space; "any" */
};

/* In order of code; *count entries. */
const struct catalogue_entry *catalogue_entries(size_t *count);
/* NULL: no such code. */
const struct catalogue_entry *catalogue_find(const char *code);
/* "protección urgente" */
const char *catalogue_class_name(enum catalogue_class class);
/* May an item of this class stand in a message of this type? */
bool catalogue_class_fits(enum catalogue_class class, enum message_type type);

/* INEGI's codes "09002" to "09017". NULL: none such. */
const char *alcaldia_name(const char *code);

#endif
