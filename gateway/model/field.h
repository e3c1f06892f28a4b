/*
 * field - the catalogue of fields that a compartment can hold, each with a number for ever.
 *
 * A route lists the fields that it allows by path ("identity.full_name"); a record names those that
 * were sent by number. Numbers are never reused; new fields are added at the end. A test compares
 * the table with the protobuf schema.
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_MAX 64

struct field {
    const char *path;
    const char *label; /* Mexican Spanish */
};

/* The catalogue; *count entries. */
const struct field *field_catalogue(size_t *count);

struct field_set {
    uint64_t bits;
};

void field_set_add(struct field_set *set, unsigned number);
bool field_set_has(struct field_set set, unsigned number);
/* Those of `set` that `allowed` lacks. */
struct field_set field_set_minus(struct field_set set, struct field_set allowed);
bool field_set_is_empty(struct field_set set);
/* -1: no such field. */
int field_number(const char *path);
/* Comma-separated paths; cut with "…" when the text is full. */
void field_set_describe(struct field_set set, char *out, size_t size);

#endif
