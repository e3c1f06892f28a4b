/*
 * decree - what changed between two texts of the directory, said as a decree says it, in Spanish.
 *
 * Looks at stanzas and keys, not at lines: order and comments say nothing. Pure.
 */
#ifndef POLICY_DECREE_H
#define POLICY_DECREE_H

#include <stdio.h>

#include "base/bytes.h"

/* Both are texts without signatures that directory_file took; returns how many articles. */
size_t decree_print(struct bytes before, struct bytes after, FILE *out);

#endif
