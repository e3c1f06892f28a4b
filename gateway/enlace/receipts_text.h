/*
 * receipts_text - checks all receipts of a file and tells the outcome, for people and programs.
 */
#ifndef ENLACE_RECEIPTS_TEXT_H
#define ENLACE_RECEIPTS_TEXT_H

#include "client/receipt_file.h"
#include "tlog/vkey.h"

struct cli;

/* EXIT_DONE when every receipt proves what it says; else EXIT_FAILED, the failing check said. */
int receipts_text_check(const struct cli *cli, const struct receipt_file *file,
                        const struct vkey *logs, size_t log_count, const char *stored);

#endif
