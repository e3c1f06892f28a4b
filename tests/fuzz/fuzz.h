/*
 * fuzz - what the targets share: libFuzzer's entry points, and a log that stays quiet.
 *
 * A target asserts more than "no crash": what a parser accepts is written back byte for byte, or
 * has the property that its header promises.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A refusal that is logged would fill the terminal with lines. */
#define FUZZ_QUIET()                                                                               \
    int LLVMFuzzerInitialize(int *argc, char ***argv)                                              \
    {                                                                                              \
        (void)argc;                                                                                \
        (void)argv;                                                                                \
        log_open("fuzz", LOG_LEVEL_FATAL);                                                         \
        return 0;                                                                                  \
    }

#endif
