/*
 * manual - the manual page and the shells' completions, from the one table of commands: what help
 * says, the page says, and Tab offers.
 */
#ifndef ENLACE_MANUAL_H
#define ENLACE_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

/* enlace(1), as man reads it. */
void manual_print_page(FILE *out);
/* For "bash" or "fish". False: another shell. */
bool manual_print_completion(const char *shell, FILE *out);

#endif
